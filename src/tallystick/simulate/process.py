"""One life of the venue's process: everything it builds from what the disk kept, until it crashes or stops."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final, cast

from tallystick.core.clock import VenueClock
from tallystick.core.keys import EVERYTHING
from tallystick.core.order import Order
from tallystick.core.trade import Trade
from tallystick.dialects.sophic.rules import SophicRules
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
from tallystick.simulate.workload import Terms, policy_of
from tallystick.venue.engine import Engine

VENUE: Final = "sophic"


class MemoryTables:
    """Tables in memory: they are made anew from the journal by every process."""

    def __init__(self) -> None:
        self._left: Final[dict[int, Left]] = {}
        self._keys: Final[dict[tuple[int, str], int]] = {}

    def take(self, _sequence: int, left: Iterable[tuple[Order, list[Trade]]]) -> None:
        for order, trades in left:
            self._left[order.number] = Left(order, trades)
            self._keys[order.account, order.terms.client_key] = order.number

    def order(self, number: int) -> Left | None:
        return self._left.get(number)

    def by_key(self, account: int, client_key: str) -> int:
        return self._keys.get((account, client_key), 0) if client_key else 0


class Parts:
    """What a process is made of. A test that plants a fault puts something else in a part's place."""

    def engine(self, terms: Terms) -> Any:
        return Engine(SophicRules(policy_of(terms)))

    def readers(self) -> Any:
        return Readers(None, cast(Tables, MemoryTables()))

    def committer(self, journal: FaultyJournal, durable: Callable[[Sequence[Item]], None]) -> Any:
        return InlineCommitter(journal, _encode, durable, _fail)

    def sequencer(self, engine: Any, readers: Any, committer: Any) -> Any:
        return Sequencer(VENUE, engine, readers, committer)

    def known(self, readers: Any, command: Any) -> Known:
        """What the shell looks up for a command: the order that its client key made, however long ago."""
        account = readers.state.accounts.get(command.account) if isinstance(command, PlaceOrder) else None
        number = readers.order_by_key(account, command.client_key) if account is not None else 0
        found = readers.order(number) if number else None
        return NOTHING_KNOWN if found is None else Known(number, found[0].terms.fingerprint)

    def entry(self, journal: FaultyJournal, sequence: int) -> Entry:
        """How the index reads."""
        return decode(journal.body(VENUE, sequence))


class Process:
    """``crashed`` and ``sequencer.stopped`` say that it is of no further use."""

    def __init__(self, parts: Parts, terms: Terms, disk: Disk) -> None:
        self.crashed = False
        self.journal: Final = disk.open()
        self.engine: Final = parts.engine(terms)
        self.readers: Final = parts.readers()
        self.bodies: Final[list[bytes]] = []
        self.engine.recover(self._recovered())
        self.committer: Final = parts.committer(self.journal, self._durable)
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
        """What the disk kept, folded into the readers' state while the engine folds it into its own."""
        for _, body in self.journal.read(VENUE):
            entry = decode(body)
            self.bodies.append(body)
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
