"""One writer for each venue: commands are decided in the order they come, and answered when they are durable.

    command -> decide -> entry -> committer -> readers' state -> answer

No clock and no thread is in here: the shell says what time it is, calls ``wake`` when something is due, and hands back
each item when the committer has made it durable. An answer, a refusal too, is released when everything decided before
it is durable, so nobody learns of what a power cut could still undo.
"""

import logging
from collections.abc import Callable
from typing import Any, Final, Protocol

from tallystick.facts.codes import OVERLOADED, STORAGE_UNAVAILABLE
from tallystick.facts.commands import NOTHING_KNOWN, Answer, Known, Refused
from tallystick.facts.venue import Entry
from tallystick.readers.readers import Readers
from tallystick.venue.engine import Engine
from tallystick.venue.state import State

Answered = Callable[[Answer, State], None]
"""Called once with the answer and the readers' state right after it."""

UNCOMMITTED_MAX: Final = 8192
WAKES_MAX: Final = 32

_log = logging.getLogger(__name__)


class Commits(Protocol):
    """Where items go to become durable, in order (journal.committer)."""

    def put(self, item: Any) -> None: ...


class Item:
    """One decision on its way to the disk: an entry to write, an answer to release, or both."""

    __slots__ = ("_sequencer", "answer", "answered", "entry", "stream")

    def __init__(
        self, sequencer: "Sequencer", entry: Entry | None, answer: Answer | None, answered: Answered | None
    ) -> None:
        self._sequencer: Final = sequencer
        self.stream: Final = sequencer.venue
        self.entry: Final = entry
        self.answer: Final = answer
        self.answered: Final = answered

    def durable(self) -> None:
        """It and everything before it is durable. To be called on the sequencer's thread, in order."""
        self._sequencer._release(self)

    def failed(self, error: BaseException) -> None:
        """It was not written. To be called on the sequencer's thread."""
        self._sequencer._fail(self, error)


class Sequencer:
    """``stopped`` is the error that ended it, if one did: it then refuses everything until the venue is restarted."""

    def __init__(self, venue: str, engine: Engine, readers: Readers, commits: Commits) -> None:
        self.venue: Final = venue
        self.readers: Final = readers
        self.stopped: BaseException | None = None
        self._engine: Final = engine
        self._commits: Final = commits
        self._uncommitted = 0

    @property
    def uncommitted(self) -> int:
        """Decisions on their way to the disk."""
        return self._uncommitted

    @property
    def is_full(self) -> bool:
        """So much is on its way to the disk that nothing more is decided for now."""
        return self._uncommitted >= UNCOMMITTED_MAX

    def submit(self, command: Any, now: int, answered: Answered, known: Known = NOTHING_KNOWN) -> None:
        """Decide ``command`` at ``now`` (microseconds); ``answered`` is called once, now or later."""
        if self.stopped is not None:
            answered(_STOPPED, self.readers.state)
            return
        if self.is_full:
            answered(_OVERLOADED, self.readers.state)
            return
        try:
            decision = self._engine.decide(command, now, known)
        except Exception as error:  # noqa: BLE001 - whatever it is, the venue stops and says so
            self._stop(error)
            answered(_STOPPED, self.readers.state)
            return
        if decision.entry is None and self._uncommitted == 0:
            answered(decision.answer, self.readers.state)
        else:
            self._put(Item(self, decision.entry, decision.answer, answered))

    def next_due(self) -> int:
        """When ``wake`` wants to be called, in venue time; 0 for never."""
        return 0 if self.stopped is not None else self._engine.next_due()

    def wake(self, now: int) -> None:
        """Decide what is due at ``now``, a bounded number of things at a time: look at ``next_due`` again after it."""
        for _ in range(WAKES_MAX):
            if self.stopped is not None or self.is_full:
                return
            try:
                entry = self._engine.wake(now)
            except Exception as error:  # noqa: BLE001 - whatever it is, the venue stops and says so
                self._stop(error)
                return
            if entry is None:
                return
            self._put(Item(self, entry, None, None))

    def _put(self, item: Item) -> None:
        self._uncommitted += 1
        self._commits.put(item)

    def _release(self, item: Item) -> None:
        self._uncommitted -= 1
        if item.entry is not None:
            self.readers.commit(item.entry)
        if item.answered is not None and item.answer is not None:
            item.answered(item.answer, self.readers.state)

    def _fail(self, item: Item, error: BaseException) -> None:
        self._uncommitted -= 1
        self._stop(error)
        if item.answered is not None:
            item.answered(_UNKNOWN, self.readers.state)

    def _stop(self, error: BaseException) -> None:
        if self.stopped is None:
            self.stopped = error
            _log.critical("venue %s stopped: %s", self.venue, error, exc_info=error)


_STOPPED: Final = Refused(STORAGE_UNAVAILABLE, "The venue cannot record anything at the moment. Nothing was done.")
_UNKNOWN: Final = Refused(
    STORAGE_UNAVAILABLE, "The venue failed while it recorded this. Ask what became of it before you repeat it."
)
_OVERLOADED: Final = Refused(OVERLOADED, "Too much is waiting to be recorded. Nothing was done; try again.")
