"""Natural group commit: whatever is pending is committed the moment the last commit has returned.

No timer and no window: an idle journal commits one entry at once, a busy one commits many together, and the time of a
flush alone decides which. One failure stops it: nothing is tried again, and all that comes after it is refused until
whoever decides starts anew from what is durable, and says so.
"""

from collections.abc import Callable, Sequence
from queue import SimpleQueue
from threading import Thread
from typing import Final, Generic, Protocol, TypeVar

from tallystick.journal.errors import JournalUnavailable
from tallystick.journal.faultpoint import fault_point
from tallystick.journal.port import Append, Journal

ENTRIES_MAX: Final = 4096
"""Items in one commit: the first of a burst does not wait until all of it is encoded."""


class Item(Protocol):
    """What is put: ``entry`` is written to ``stream``; None means nothing to write, only a turn to wait for."""

    @property
    def stream(self) -> str: ...

    @property
    def entry(self) -> object: ...


ItemT = TypeVar("ItemT", bound=Item)
Encode = Callable[[object], bytes]
Durable = Callable[[Sequence[ItemT]], object]
Failed = Callable[[Exception, Sequence[ItemT]], object]


class _Commits(Generic[ItemT]):
    """The commit itself, on whichever thread runs it: encode, append, release; after the first failure, refuse."""

    def __init__(self, journal: Journal, encode: Encode, durable: Durable[ItemT], failed: Failed[ItemT]) -> None:
        self._journal = journal
        self._encode = encode
        self._durable = durable
        self._failed = failed
        self._last: dict[str, int] = {}
        self._error: Exception | None = None

    def run(self, items: Sequence[ItemT]) -> None:
        if self._error is not None:
            self._failed(self._error, items)
            return
        try:
            self._write(items)
        except Exception as error:  # noqa: BLE001 - whatever it is, the venue hears of it and stops
            self._error = error
            self._failed(error, items)
            return
        try:
            self._durable(items)
        except Exception as error:  # noqa: BLE001 - the items are durable, but the rest may not be released after them
            self._error = error
            self._failed(error, ())

    def resume(self) -> None:
        self._journal.probe()
        self._error = None

    def _write(self, items: Sequence[ItemT]) -> None:
        bodies: dict[str, list[bytes]] = {}
        for item in items:
            entry = item.entry
            if entry is not None:
                bodies.setdefault(item.stream, []).append(self._encode(entry))
        if not bodies:
            return
        last = self._last
        for stream in bodies:
            if stream not in last:
                last[stream] = self._journal.last(stream)
        fault_point("commit.before")
        self._journal.append([Append(stream, last[stream], some) for stream, some in bodies.items()])
        fault_point("commit.after")
        for stream, some in bodies.items():
            last[stream] += len(some)


class Committer(Generic[ItemT]):
    """Commits on a thread of its own. It is the only one that appends to its journal.

    ``encode(entry)`` gives a record's body. ``durable(items)`` is called when a commit has returned, ``failed(error,
    items)`` with what was not committed and never will be: both on the committer's thread, each item in exactly one of
    them, in the order they were put. If ``durable`` itself raises, ``failed`` hears of it with no items, and all later
    ones are refused. ``failed`` must not raise.
    """

    def __init__(self, journal: Journal, encode: Encode, durable: Durable[ItemT], failed: Failed[ItemT]) -> None:
        self._commits = _Commits(journal, encode, durable, failed)
        self._queue: SimpleQueue[ItemT | None] = SimpleQueue()
        self._batch: list[ItemT] = []
        self._closing = False
        self._abandoned = False
        # A daemon: a process that dies without closing loses what it never acknowledged, and must not hang for it.
        self._thread = Thread(target=self._work, name="committer", daemon=True)
        self._thread.start()

    @property
    def pending(self) -> int:
        """Items put and not yet answered, those in the running commit included; for backpressure."""
        return self._queue.qsize() + len(self._batch)

    def put(self, item: ItemT) -> None:
        """Queue an item, from any thread; never blocks. Raises JournalUnavailable once closed."""
        if self._closing:
            raise _closed()
        self._queue.put(item)

    def resume(self) -> None:
        """After a failure that wrote nothing: if the journal takes a write again, what is put from now on is committed.

        Raises what Journal.probe raises while it does not. Call it when nothing is pending and nobody puts.
        """
        self._commits.resume()

    def close(self, *, abandon: bool = False) -> None:
        """Commit what is pending and end the thread; ``abandon`` drops it unanswered, as a crash would.

        Call it from a thread that no longer puts, when no other does.
        """
        self._abandoned = abandon
        if not self._closing:
            self._closing = True
            self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        closing = False
        while not closing:
            closing = self._take()
            if self._abandoned:
                return
            if self._batch:
                self._commits.run(self._batch)
            self._batch = []

    def _take(self) -> bool:
        """Wait for an item, then move what is pending into the batch; True once there will be no more."""
        batch, queue = self._batch, self._queue
        item = queue.get()
        for _ in range(min(queue.qsize(), ENTRIES_MAX - 1)):
            if item is None:
                break
            batch.append(item)
            item = queue.get()  # does not wait: nobody else takes from this queue
        if item is not None:
            batch.append(item)
        return item is None


class InlineCommitter(Generic[ItemT]):
    """The same face without a thread: ``flush`` commits on the caller's, so that a simulation stays deterministic."""

    def __init__(self, journal: Journal, encode: Encode, durable: Durable[ItemT], failed: Failed[ItemT]) -> None:
        self._commits = _Commits(journal, encode, durable, failed)
        self._waiting: list[ItemT] = []
        self._batch: list[ItemT] = []
        self._closing = False

    @property
    def pending(self) -> int:
        """See Committer.pending."""
        return len(self._waiting) + len(self._batch)

    def put(self, item: ItemT) -> None:
        """See Committer.put."""
        if self._closing:
            raise _closed()
        self._waiting.append(item)

    def flush(self) -> None:
        """Commit until nothing is pending, what is put by ``durable`` on the way included."""
        while self._waiting:
            self._batch, self._waiting = self._waiting[:ENTRIES_MAX], self._waiting[ENTRIES_MAX:]
            self._commits.run(self._batch)
            self._batch = []

    def resume(self) -> None:
        """See Committer.resume."""
        self._commits.resume()

    def close(self, *, abandon: bool = False) -> None:
        """See Committer.close."""
        self._closing = True
        if abandon:
            self._waiting = []
        self.flush()


def _closed() -> JournalUnavailable:
    return JournalUnavailable("journal_closed", "The committer is closed: nothing more is accepted.")
