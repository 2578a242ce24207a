"""The client journal around the tracker: what is decided becomes durable, and only then is it acted upon or told.

    decide ─▶ entry ─▶ committer ─▶ readers' state ─▶ listeners(entry, state) ─▶ ``then`` (send the request)

Everything but the commit happens on the event loop's thread, in the order of the decisions. When a commit fails nothing
more is decided: ``stopped`` says why. If definitely nothing was written (a full disk) the store begins anew from what
is durable as soon as a write succeeds, and says so, that everything may be asked for again; after any other
failure what is on the disk is in doubt, and only a restart helps.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, Protocol

from tallystick.connect.errors import StoreStopped
from tallystick.connect.recovery import (
    ENTRIES_AT_CLOSE,
    ENTRIES_BETWEEN,
    recovered,
    write_last_snapshot,
)
from tallystick.connect.recovery import STREAM as STREAM
from tallystick.connect.storage import Storage as Storage
from tallystick.core.clock import VenueClock
from tallystick.facts.client import Entry, encode
from tallystick.journal.committer import Committer, InlineCommitter
from tallystick.journal.errors import JournalError, JournalUnavailable, wrote_nothing
from tallystick.journal.faultpoint import fault_point
from tallystick.journal.snapshotter import Snapshotter
from tallystick.tracker.agenda import Patience
from tallystick.tracker.fold import fold
from tallystick.tracker.observations import Observation
from tallystick.tracker.snapshot import dump, load
from tallystick.tracker.state import State
from tallystick.tracker.tracker import ClientIdTaken, Tracker, UnknownMarket, UnknownOrder, UnknownVenue

UNCOMMITTED_MAX: Final = 8192
"""More intents than this on their way to the disk are refused; observations are taken all the same."""
RETRY_SECONDS: Final = 1.0
KEEP_ENTRIES: Final = 4096

Then = Callable[[], object]
Listener = Callable[[Entry, State], object]
Clock = Callable[[], int]

_log = logging.getLogger(__name__)


class Commits(Protocol):
    """tallystick.journal.committer, either one."""

    def put(self, item: Any) -> None: ...
    def resume(self) -> None: ...
    def close(self, *, abandon: bool = False) -> None: ...


class Item:
    """One decision on its way to the disk; an ``entry`` of None only waits for its turn."""

    __slots__ = ("entry", "failed", "stream", "then")

    def __init__(self, entry: Entry | None, then: Then | None, failed: Then | None) -> None:
        self.stream: Final = STREAM
        self.entry: Final = entry
        self.then: Final = then
        self.failed: Final = failed


class Store:
    """``state`` is the readers': everything in it is durable.

    ``clock`` tells microseconds since the epoch and never goes backwards; this machine's if none is given. Made by
    ``opened``, which recovers it without holding up the loop. ``began_at`` is the snapshot that it was recovered from.
    """

    @classmethod
    async def opened(cls, storage: Storage, patience: Patience, clock: Clock | None = None) -> "Store":
        """What the journal says, ready to go on. Raises JournalError."""
        store = cls(storage, patience, clock)
        await store._off_loop(store._recover)
        if store._snapshotter is not None:
            store._snapshotter.start()
        return store

    def __init__(self, storage: Storage, patience: Patience, clock: Clock | None) -> None:
        self._loop: Final = asyncio.get_running_loop()
        self.storage: Final = storage
        self._patience: Final = patience
        self._on_decided: Then = _nothing
        self._on_stopped: Callable[[BaseException], object] = _nothing
        self._on_resumed: Then = _nothing
        self.stopped: BaseException | None = None
        self.state = State()
        self.tracker = Tracker(State(), patience)
        self.began_at = 0
        self._given_clock: Final = clock
        self._clock: Clock = clock or _no_clock
        self._snapshotter: Snapshotter | None = None
        self._listeners: Final[list[Listener]] = []
        self._uncommitted = 0
        self._entries_kept = 0
        self._closing = False
        self._is_lost = False
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_due = 0
        self._reviving: asyncio.Task[None] | None = None
        self._is_flushing = False
        self._inline: InlineCommitter[Item] | None = None
        if storage.is_inline:
            self._inline = InlineCommitter(storage.journal, _encode, self._release, self._fail)
            self._commits: Commits = self._inline
        else:
            self._commits = Committer(storage.journal, _encode, self._durable, self._failed)

    @property
    def is_full(self) -> bool:
        """So much is on its way to the disk that no intent is taken for now."""
        return self._uncommitted >= UNCOMMITTED_MAX

    def now(self) -> int:
        return self._clock()

    def listen(self, listener: Listener) -> None:
        """Hand it each durable entry, with the readers' state right after it. It must not raise."""
        self._listeners.append(listener)

    def watch(self, *, decided: Then, stopped: Callable[[BaseException], object], resumed: Then) -> None:
        """Call these when something was decided, when it stops, and when it has begun anew."""
        self._on_decided = decided
        self._on_stopped = stopped
        self._on_resumed = resumed

    def decide(self, given: Any, then: Then | None = None, failed: Then | None = None) -> Entry | None:
        """Decide an intent or an observation; ``then`` is called when that is durable, or ``failed`` if never.

        Raises StoreStopped, and what Tracker.decide raises for an intent that cannot be.
        """
        self._check()
        known = None
        if isinstance(given, Observation) and self.tracker.is_unknown(given):
            known = self.storage.archive.known(given)
        try:
            entry = self.tracker.decide(given, self._clock(), known)
        except (UnknownVenue, UnknownMarket, UnknownOrder, ClientIdTaken):
            raise  # said before anything has changed
        except Exception as error:
            self._stop(error)
            raise StoreStopped(error) from error
        self._put(entry, then, failed)
        self._wake_when_due()
        self._on_decided()
        return entry

    async def settled(self) -> None:
        """Return when everything decided so far is durable. Raises StoreStopped."""
        self._check()
        future: asyncio.Future[None] = self._loop.create_future()
        self._commits.put(Item(None, lambda: _resolve(future), lambda: self._reject(future)))
        self._uncommitted += 1
        self._flush_soon()
        await future

    async def close(self) -> None:
        """Commit what was decided, tell it, and let go of the journal."""
        self._closing = True
        if self._alarm is not None:
            self._alarm.cancel()
        if self._reviving is not None:
            self._reviving.cancel()
        if self._inline is not None:
            self._inline.close()
        else:
            await asyncio.to_thread(self._commits.close)
            await asyncio.sleep(0)  # what the committer handed over last is told before the journal closes
        await self._leave_snapshot()
        self.storage.close()

    async def _leave_snapshot(self) -> None:
        """The next start then folds next to nothing."""
        folder, snapshots = self.storage.folder, self.storage.snapshots
        if self._snapshotter is None or folder is None or snapshots is None:
            return
        await self._snapshotter.stop()
        newest = snapshots.newest()
        if not self._is_lost and self.state.sequence - newest >= ENTRIES_AT_CLOSE:
            await asyncio.to_thread(write_last_snapshot, folder, self.storage.journal, self.state)

    async def _off_loop(self, work: Then) -> None:
        """Do what takes long, and what nobody else has a hand in meanwhile."""
        if self.storage.is_inline:
            work()
        else:
            await asyncio.to_thread(work)

    def _recover(self) -> None:
        storage = self.storage
        self.state, self.began_at = recovered(storage.journal, storage.archive, storage.snapshots)
        if self._given_clock is None:
            self._clock = _own_clock(self._loop, self.state.time)
        self.tracker = self._tracker()
        if storage.folder is not None:
            self._snapshotter = Snapshotter(storage.folder, self.began_at, ENTRIES_BETWEEN)
            self._snapshotter.note(self.state.sequence)

    def _begin_anew(self) -> None:
        self.storage.archive.forget_leaving()
        self.tracker = self._tracker()

    def _tracker(self) -> Tracker:
        tracker = Tracker(load(dump(self.state)), self._patience)
        tracker.state.left = []
        tracker.recover((), self._clock())
        return tracker

    def _check(self) -> None:
        if self.stopped is not None:
            raise StoreStopped(self.stopped)
        if self._closing:
            raise StoreStopped(JournalUnavailable("journal_closed", "The client is closed."))

    def _put(self, entry: Entry | None, then: Then | None, failed: Then | None) -> None:
        for order in self.tracker.state.left or ():
            self.storage.archive.remember(order)
        self.tracker.state.left = []
        if entry is None and then is None:
            return
        self._uncommitted += 1
        self._commits.put(Item(entry, then, failed))
        self._flush_soon()

    # --- What is due --------------------------------------------------------------------------------------------------

    def _wake_when_due(self) -> None:
        due = self.tracker.next_due()
        if not due or self._closing or self.stopped is not None:
            return
        if self._alarm is not None:
            if self._alarm_due <= due:
                return  # one that rings sooner will do
            self._alarm.cancel()
        self._alarm_due = due
        self._alarm = self._loop.call_later(max(0.0, (due - self._clock()) / 1_000_000), self._wake)

    def _wake(self) -> None:
        self._alarm = None
        if self.stopped is not None or self._closing:
            return
        try:
            entry = self.tracker.wake(self._clock())
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing more is decided on a half changed state
            self._stop(error)
            return
        if entry is not None:
            self._put(entry, None, None)
        self._wake_when_due()
        self._on_decided()

    # --- What has become of it ----------------------------------------------------------------------------------------

    def _flush_soon(self) -> None:
        """In memory there is no thread to commit: it is done when whoever decides now is done."""
        if self._inline is not None and not self._is_flushing:
            self._is_flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._is_flushing = False
        assert self._inline is not None
        self._inline.flush()

    def _durable(self, items: Sequence[Item]) -> None:
        with suppress(RuntimeError):  # the loop is gone, and with it whoever would have been told
            self._loop.call_soon_threadsafe(self._release, list(items))

    def _failed(self, error: Exception, items: Sequence[Item]) -> None:
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._fail, error, list(items))

    def _release(self, items: Sequence[Item]) -> None:
        fault_point("release.before")
        for item in items:
            self._uncommitted -= 1
            try:
                if item.entry is not None:
                    self._tell(item.entry)
                if item.then is not None:
                    item.then()
            except Exception as error:  # noqa: BLE001 - the readers' state may be half changed: nothing more is told
                self._is_lost = True
                self._stop(error)
        if self._snapshotter is not None:
            self._snapshotter.note(self.state.sequence)

    def _tell(self, entry: Entry) -> None:
        state = self.state
        fold(state, entry)
        self._entries_kept += 1
        if state.left or self._entries_kept >= KEEP_ENTRIES:
            self.storage.archive.keep(entry.sequence, state.left or ())
            state.left = []
            self._entries_kept = 0
        for listener in self._listeners:
            listener(entry, state)

    def _fail(self, error: Exception, items: Sequence[Item]) -> None:
        self._stop(error)
        for item in items:
            self._uncommitted -= 1
            if item.failed is not None:
                item.failed()

    def _reject(self, future: asyncio.Future[None]) -> None:
        if not future.done():
            assert self.stopped is not None
            future.set_exception(StoreStopped(self.stopped))

    def _stop(self, error: BaseException) -> None:
        if self.stopped is not None:
            return
        self.stopped = error
        _log.error("nothing new is sent: %s", error)
        self._on_stopped(error)
        if not self._is_lost and (wrote_nothing(error) or not isinstance(error, JournalError)):
            self._reviving = self._loop.create_task(self._revive())

    async def _revive(self) -> None:
        """Begin anew from what is durable, once the journal takes a write again."""
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            if self._uncommitted:
                continue
            try:
                if self._inline is not None:
                    self._inline.resume()
                else:
                    await asyncio.to_thread(self._commits.resume)
            except JournalError as error:
                if not wrote_nothing(error):
                    _log.error("the journal cannot be used any more: %s", error)
                    return
                continue
            await self._off_loop(self._begin_anew)
            self.stopped = None
            _log.warning("the journal can be written again")
            self._on_resumed()
            self._wake_when_due()
            return


def _no_clock() -> int:
    raise AssertionError("it was not opened")


def _own_clock(loop: asyncio.AbstractEventLoop, last: int) -> Clock:
    """This machine's, unless the loop's time is not (tallystick.testing.virtual): then timers go by the loop's."""
    virtual: Clock | None = getattr(loop, "microseconds", None)
    if virtual is not None:
        return virtual
    clock = VenueClock(last)
    return lambda: clock.read(time.time_ns() // 1000, time.monotonic_ns())


def _encode(entry: object) -> bytes:
    return encode(entry)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _nothing(*_arguments: object) -> None:
    """Nobody watches."""
