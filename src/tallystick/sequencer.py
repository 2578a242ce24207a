"""One writer for each venue: commands are decided in the order they come, and answered when they are durable.

    command -> decide -> entry -> committer -> readers' state -> answer

No clock and no thread is in here: the shell says what time it is, calls ``wake`` when something is due, and hands back
each item when the committer has made it durable. An answer, a refusal too, is released when everything decided before
it is durable, so nobody learns of what a power cut could still undo.

When something cannot be recorded, or a decision fails, it stops: the writer's state is then ahead of the journal, or
half changed. It refuses everything until ``reload`` has put the readers' state, which is what is durable, in its place.
"""

from collections.abc import Callable
from typing import Any, Final, Protocol

from tallystick.facts.codes import OUTCOME_UNKNOWN, OVERLOADED, ROLE_NAMES, STORAGE_UNAVAILABLE
from tallystick.facts.commands import NOTHING_KNOWN, Answer, Known, PlaceOrder, Refused
from tallystick.facts.venue import Entry
from tallystick.journal.errors import JournalUnavailable, wrote_nothing
from tallystick.readers.readers import Readers
from tallystick.venue.ambient import Ambient
from tallystick.venue.engine import Engine
from tallystick.venue.snapshot import dump, load
from tallystick.venue.state import State

Answered = Callable[[Answer, State], None]
"""Called once with the answer and the readers' state right after it."""

Stopped = Callable[[BaseException], None]
"""Called with the error when it stops, at that moment."""

UNCOMMITTED_MAX: Final = 8192
DUE_MAX: Final = UNCOMMITTED_MAX + 1024
RELIEF_MAX: Final = DUE_MAX + 1024
"""Up to where something more is decided: a new order; what is due; cancels, and operators about to help. So orders do
not keep what is due from happening, and neither keeps a cancel out."""
WAKES_MAX: Final = 32
WAKE_EVENTS_MAX: Final = 256
"""After so many events others have their turn: a slice of a sweep is one."""


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


def _nobody_listens(_error: BaseException) -> None:
    """``Sequencer.stopped`` says it as well."""


class Sequencer:
    """``stopped`` is the error that stopped it, if one did."""

    def __init__(
        self, venue: str, engine: Engine, readers: Readers, commits: Commits, on_stop: Stopped = _nobody_listens
    ) -> None:
        self.venue: Final = venue
        self.readers: Final = readers
        self.stopped: BaseException | None = None
        self._engine = engine
        self._commits: Final = commits
        self._on_stop: Final = on_stop
        self._uncommitted = 0

    @property
    def missing_roles(self) -> list[str]:
        """The roles of accounts that are still to be opened before any order is taken."""
        opened = self.readers.state.account_of_role
        return [ROLE_NAMES[role] for role in self._engine.rules.roles if role not in opened]

    @property
    def ambient(self) -> Ambient:
        """What is true now and is not a fact; to be read only."""
        return self._engine.ambient

    @property
    def uncommitted(self) -> int:
        """Decisions on their way to the disk."""
        return self._uncommitted

    @property
    def is_full(self) -> bool:
        """So much is on its way to the disk that no order is taken for now."""
        return self._uncommitted >= UNCOMMITTED_MAX

    def submit(self, command: Any, now: int, answered: Answered, known: Known = NOTHING_KNOWN) -> None:
        """Decide ``command`` at ``now`` (microseconds); ``answered`` is called once, now or later."""
        if self.stopped is not None:
            answered(_STOPPED, self.readers.state)
            return
        if self._uncommitted >= (UNCOMMITTED_MAX if type(command) is PlaceOrder else RELIEF_MAX):
            answered(_OVERLOADED, self.readers.state)
            return
        try:
            decision = self._engine.decide(command, now, known)
        except Exception as error:  # noqa: BLE001 - whatever it is, the venue stops and says so
            self.stop(error)
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
        events = 0
        for _ in range(WAKES_MAX):
            if self.stopped is not None or self._uncommitted >= DUE_MAX or events >= WAKE_EVENTS_MAX:
                return
            try:
                entry = self._engine.wake(now)
            except Exception as error:  # noqa: BLE001 - whatever it is, the venue stops and says so
                self.stop(error)
                return
            if entry is None:
                return
            events += len(entry.events)
            self._put(Item(self, entry, None, None))

    def stop(self, error: BaseException) -> None:
        """Refuse everything from now on; what was put before is still released, or fails."""
        if self.stopped is None:
            self.stopped = error
            self._on_stop(error)

    def close(self) -> None:
        """Refuse everything from now on, on purpose; what was put before is still released."""
        if self.stopped is None:
            self.stopped = JournalUnavailable("journal_closed", "The venue is closed.")

    def reload(self) -> None:
        """Begin anew from what is durable, and take commands again; nothing may be on its way to the disk any more.

        Prices are forgotten, as after a restart.
        """
        assert self._uncommitted == 0, f"{self._uncommitted} decisions are neither durable nor refused"
        self._engine = Engine(self._engine.rules, load(dump(self.readers.state)))
        self._engine.recover(())
        self.stopped = None

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
        self.stop(error)
        if item.answered is not None:
            item.answered(_STOPPED if wrote_nothing(error) else _UNKNOWN, self.readers.state)


_STOPPED: Final = Refused(STORAGE_UNAVAILABLE, "The venue cannot record anything at the moment. Nothing was done.")
_UNKNOWN: Final = Refused(
    OUTCOME_UNKNOWN, "The venue failed while it recorded this. Ask what became of it before you repeat it."
)
_OVERLOADED: Final = Refused(OVERLOADED, "Too much is waiting to be recorded. Nothing was done; try again.")
