"""One life of the venue's process: everything it builds from what the disk kept, until it crashes or stops."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final, cast

from tallystick.core.clock import VenueClock
from tallystick.core.keys import EVERYTHING
from tallystick.core.order import Order
from tallystick.core.trade import Trade
from tallystick.dialects.sophic.rules import SophicRules
from tallystick.facts import records
from tallystick.facts.commands import NOTHING_KNOWN, Known, PlaceOrder
from tallystick.facts.venue import Entry, decode, encode
from tallystick.journal.committer import InlineCommitter
from tallystick.readers.dispatch import Listener, Subscription
from tallystick.readers.index import Index
from tallystick.readers.readers import Readers
from tallystick.readers.tables import Left, Tables
from tallystick.sequencer import Item, Sequencer
from tallystick.simulate.auditor import Subscriber
from tallystick.simulate.faults import Crash, Disk, FaultyJournal
from tallystick.simulate.terms import Terms, policy_of
from tallystick.venue.engine import Engine
from tallystick.venue.operations import known_order, known_refusal
from tallystick.venue.snapshot import dump, restore
from tallystick.venue.state import Refusal, State

VENUE: Final = "sophic"


class MemoryTables:
    """Tables in memory, which outlive a process as a file would, or are made anew from the journal."""

    def __init__(self) -> None:
        self._left: Final[dict[int, Left]] = {}
        self._trades: Final[dict[int, Trade]] = {}
        self._keys: Final[dict[tuple[int, str], Known]] = {}

    def take(self, _sequence: int, left: Iterable[tuple[Order, list[Trade]]], refusals: Iterable[Refusal] = ()) -> None:
        for order, trades in left:
            self._left[order.number] = Left(order, trades)
            self._trades.update((trade.number, trade) for trade in trades)
            self._keep(order.account, order.terms.client_key, known_order(order))
        for refusal in refusals:
            self._keep(refusal.terms.account, refusal.terms.client_key, known_refusal(refusal))

    def order(self, number: int) -> Left | None:
        return self._left.get(number)

    def trade(self, number: int) -> Trade | None:
        return self._trades.get(number)

    def numbers_before(self, account: int, number: int, limit: int) -> list[int]:
        return sorted((each for each in self._numbers(account) if each < number), reverse=True)[:limit]

    def numbers_after(self, account: int, number: int, limit: int) -> list[int]:
        return sorted(each for each in self._numbers(account) if each > number)[:limit]

    def known(self, account: int, client_key: str) -> Known | None:
        return self._keys.get((account, client_key)) if client_key else None

    def _numbers(self, account: int) -> list[int]:
        return [number for number, left in self._left.items() if left.order.account == account]

    def _keep(self, account: int, client_key: str, known: Known) -> None:
        before = self._keys.get((account, client_key))
        if before is None or known.since > before.since:
            self._keys[account, client_key] = known


class Parts:
    """What a process is made of. A test that plants a fault puts something else in a part's place."""

    def engine(self, terms: Terms, state: State | None = None) -> Any:
        return Engine(SophicRules(policy_of(terms)), state)

    def readers(self, state: State, tables: MemoryTables) -> Any:
        return Readers(state, cast(Tables, tables))

    def snapshot(self, state: State) -> list[bytes]:
        """The state as a snapshot keeps it."""
        return [records.encode(record) for record in dump(state)]

    def committer(
        self, journal: FaultyJournal, durable: Callable[[Sequence[Item]], None], split: Callable[[int], int]
    ) -> Any:
        return PiecemealCommitter(InlineCommitter(journal, _encode, durable, _fail), split)

    def sequencer(self, engine: Any, readers: Any, committer: Any) -> Any:
        return Sequencer(VENUE, engine, readers, committer)

    def known(self, readers: Any, command: Any) -> Known:
        """What the shell looks up for a command: what its client key was used for, however long ago."""
        account = readers.state.accounts.get(command.account) if isinstance(command, PlaceOrder) else None
        return NOTHING_KNOWN if account is None else cast(Known, readers.known(account, command.client_key))

    def entry(self, journal: FaultyJournal, sequence: int) -> Entry:
        """How the index reads."""
        return decode(journal.body(VENUE, sequence))


class PiecemealCommitter:
    """What waits goes into one commit or into several; ``split`` says how many of so many go into the next."""

    def __init__(self, committer: InlineCommitter[Item], split: Callable[[int], int]) -> None:
        self._committer: Final = committer
        self._split: Final = split
        self._waiting: list[Item] = []

    @property
    def pending(self) -> int:
        """See Committer.pending."""
        return len(self._waiting) + self._committer.pending

    def put(self, item: Item) -> None:
        """See Committer.put."""
        self._waiting.append(item)

    def flush(self) -> None:
        """See InlineCommitter.flush."""
        while self._waiting:
            count = self._split(len(self._waiting))
            items, self._waiting = self._waiting[:count], self._waiting[count:]
            for item in items:
                self._committer.put(item)
            self._committer.flush()

    def resume(self) -> None:
        """See Committer.resume."""
        self._committer.resume()


class Process:
    """``crashed`` and ``sequencer.stopped`` say that it is of no further use. ``began`` is the sequence of the snapshot
    it began with, 0 for none."""

    def __init__(self, parts: Parts, terms: Terms, disk: Disk) -> None:
        self.crashed = False
        self.journal: Final = disk.open()
        self.bodies: Final = [body for _, body in self.journal.read(VENUE)]
        snapshot = disk.find_snapshot(len(self.bodies))
        self.began: Final = snapshot.sequence
        if not self.began:
            disk.tables = MemoryTables()
        writer, reader = State(), State()
        for body in snapshot.bodies:
            record = records.decode(body)
            for state in (writer, reader):
                restore(state, record)
        self.readers: Final = parts.readers(reader, disk.tables)
        self.engine: Any = parts.engine(terms, writer)
        self.engine.recover(self._recovered())
        self.committer: Final = parts.committer(self.journal, self._durable, disk.first_part)
        self.sequencer: Final = parts.sequencer(self.engine, self.readers, self.committer)
        self.clock: Final = VenueClock(self.readers.state.time)
        self._entry: Final = partial(parts.entry, self.journal)
        self.index: Final = Index(self.readers, self._entry)
        self._disk: Final = disk
        self._subscriptions: Final[dict[Subscriber, Subscription]] = {}

    @property
    def connected(self) -> list[Subscriber]:
        return list(self._subscriptions)

    @property
    def is_pending(self) -> bool:
        """Something is on its way to the disk."""
        return bool(self.committer.pending > 0)

    def flush(self) -> None:
        """Commit what is pending; raises Crash, with the process dead."""
        try:
            self.committer.flush()
        except Crash:
            self.crashed = True
            raise

    def begin_anew(self) -> None:
        """From what is durable, after a failure that wrote nothing; raises JournalUnavailable while nothing can be
        written. Nothing may be pending."""
        self.committer.resume()
        self.sequencer.reload()
        self.engine = self.sequencer._engine

    def listen(self, listener: Listener) -> None:
        """Hand over every entry from the next one on."""
        self.readers.dispatcher.subscribe((EVERYTHING,), listener)

    def connect(self, subscriber: Subscriber) -> None:
        """Catch up by index from where the subscriber was, then follow."""
        missed: dict[int, Entry] = {}
        for key in subscriber.keys:
            for entry in self.index.entries(key, subscriber.position):
                missed[entry.sequence] = entry
        subscriber.seen.extend([missed[sequence] for sequence in sorted(missed)])
        seen = subscriber.seen
        dispatcher = self.readers.dispatcher
        self._subscriptions[subscriber] = dispatcher.subscribe(
            subscriber.keys, lambda entry, _state: seen.append(entry)
        )

    def disconnect(self, subscriber: Subscriber) -> None:
        self._subscriptions.pop(subscriber).cancel()

    def _recovered(self) -> Iterator[Entry]:
        """What the disk kept beyond the snapshot, folded into the readers' state while the engine folds it into its
        own."""
        for body in self.bodies[self.began :]:
            entry = decode(body)
            self.readers.commit(entry)
            yield entry

    def _durable(self, items: Sequence[Item]) -> None:
        dies_before = self._disk.interruption(len(items))
        for at, item in enumerate(items):
            if at == dies_before:
                raise Crash("between two answers")
            item.durable()


def _encode(entry: object) -> bytes:
    assert isinstance(entry, Entry)
    return encode(entry)


def _fail(error: Exception, items: Sequence[Item]) -> None:
    for item in items:
        item.failed(error)
