"""Tables of what has left the state: settled and cancelled orders with their trades, and refusals, to be looked up.

An SQLite file beside the journal, written behind it by a thread of its own, and made anew from the journal whenever it
is lost. What has left the state and is not in the file yet is held in memory, so a look-up never misses:

    readers' state  ->  left, not written yet  ->  the file
"""

import logging
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final, NamedTuple, cast

import apsw

from tallystick.core.order import Order
from tallystick.core.trade import Trade
from tallystick.facts import records
from tallystick.facts.commands import Known
from tallystick.facts.records import OrderRecord, RefusalRecord, TradeRecord
from tallystick.journal.faultpoint import fault_point
from tallystick.venue.operations import known_order, known_refusal
from tallystick.venue.snapshot import order_of, order_record, refusal_of, refusal_record, trade_of, trade_record
from tallystick.venue.state import Refusal

LAYOUT: Final = 2
ROWS_MAX: Final = 4096
UNWRITTEN_MAX: Final = 50_000
FULL_SECONDS: Final = 1.0  # after which a full disk is tried again

_SCHEMA: Final = f"""
CREATE TABLE position (one INTEGER PRIMARY KEY CHECK (one = 1), sequence INTEGER NOT NULL) STRICT;
INSERT INTO position VALUES (1, 0);
CREATE TABLE orders
 (number INTEGER PRIMARY KEY, account INTEGER NOT NULL, client_key TEXT, record BLOB NOT NULL) STRICT;
CREATE INDEX orders_of_account ON orders (account, number);
CREATE INDEX orders_by_key ON orders (account, client_key) WHERE client_key IS NOT NULL;
CREATE TABLE trades (number INTEGER PRIMARY KEY, record BLOB NOT NULL) STRICT;
CREATE TABLE refusals
 (number INTEGER PRIMARY KEY, account INTEGER NOT NULL, client_key TEXT NOT NULL, record BLOB NOT NULL) STRICT;
CREATE INDEX refusals_by_key ON refusals (account, client_key);
PRAGMA user_version = {LAYOUT};
"""

Batch = tuple[int, "list[Left]", list[Refusal]]
"""A sequence, and the orders and refusals that left with its entry."""

_log = logging.getLogger(__name__)


class Left(NamedTuple):
    """An order that has left the state, with its trades."""

    order: Order
    trades: list[Trade]


class Tables:
    """One venue's file. All but ``_work`` belongs to one thread; ``_work`` has a connection of its own.

    ``position`` is the sequence up to which everything that left is durably in the file, as it was when opened. A file
    that is damaged or of another layout is put aside and begun anew: the journal has it all.
    """

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        self._unwritten: Final[dict[int, Left]] = {}
        self._trades: Final[dict[int, Trade]] = {}
        self._refusals: Final[dict[int, Refusal]] = {}
        self._keys: Final[dict[tuple[int, str], int]] = {}
        self._queue: Final[SimpleQueue[Batch | None]] = SimpleQueue()
        self._written: Final[SimpleQueue[list[int]]] = SimpleQueue()
        self._failure: Exception | None = None
        self._is_full = False
        try:
            self._writer = _open(path)
        except apsw.Error:
            _log.warning("%s cannot be read; it is made anew from the journal", path)
            discard(path)
            self._writer = _open(path)
        self._reader: Final = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        self._reader.set_busy_timeout(5000)
        self.position: Final = int(self._reader.execute("SELECT sequence FROM position").get)
        self._thread: Final = Thread(target=self._work, name="tables", daemon=True)
        self._thread.start()

    @property
    def failure(self) -> Exception | None:
        """Why nothing more is written, if it is so; what has left stays in memory then."""
        return self._failure

    def take(self, sequence: int, left: Iterable[tuple[Order, list[Trade]]], refusals: Iterable[Refusal] = ()) -> None:
        """Keep what left with the entry ``sequence``: at hand at once, in the file soon."""
        batch = [Left(order, trades) for order, trades in left]
        refused = list(refusals)
        for each in batch:
            self._unwritten[each.order.number] = each
            for trade in each.trades:
                self._trades[trade.number] = trade
            self._name(each.order.account, each.order.terms.client_key, each.order.number)
        for refusal in refused:
            self._refusals[refusal.terms.refusal] = refusal
            self._name(refusal.terms.account, refusal.terms.client_key, -refusal.terms.refusal)
        self._queue.put((sequence, batch, refused))
        self._forget_written()

    def order(self, number: int) -> Left | None:
        """The order, if it has left the state."""
        found = self._unwritten.get(number)
        if found is not None:
            return found
        row = self._reader.execute("SELECT record FROM orders WHERE number = ?", (number,)).fetchone()
        if row is None:
            return None
        record = cast(OrderRecord, records.decode(cast(bytes, row[0])))
        return Left(order_of(record), [self._trade(made) for made in record.trades])

    def newest(self) -> Order | None:
        """The order of the greatest number in the file."""
        row = self._reader.execute("SELECT record FROM orders ORDER BY number DESC LIMIT 1").fetchone()
        return None if row is None else order_of(cast(OrderRecord, records.decode(cast(bytes, row[0]))))

    def known(self, account: int, client_key: str) -> Known | None:
        """What the account's owner last used the key for: an order or a refusal."""
        number = self._keys.get((account, client_key), 0)
        found = [self._known_unwritten(number)] if number else []
        found += [
            _known(cast(bytes, row[0]))
            for table in ("orders", "refusals")
            for row in self._reader.execute(
                f"SELECT record FROM {table} WHERE account = ? AND client_key = ? ORDER BY number DESC LIMIT 1",
                (account, client_key),
            )
        ]
        return max(found, key=lambda known: known.since, default=None)

    def trade(self, number: int) -> Trade | None:
        """The trade, if one of its orders has left the state."""
        unwritten = self._trades.get(number)
        if unwritten is not None:
            return unwritten
        row = self._reader.execute("SELECT record FROM trades WHERE number = ?", (number,)).fetchone()
        return None if row is None else trade_of(cast(TradeRecord, records.decode(cast(bytes, row[0]))))

    def numbers_before(self, account: int, number: int, limit: int) -> list[int]:
        """Up to ``limit`` numbers of the account's orders that have left and are below ``number``, newest first."""
        rows = self._reader.execute(
            "SELECT number FROM orders WHERE account = ? AND number < ? ORDER BY number DESC LIMIT ?",
            (account, number, limit),
        )
        found = {cast(int, row[0]) for row in rows}
        found.update(
            each.order.number
            for each in self._unwritten.values()
            if each.order.account == account and each.order.number < number
        )
        return sorted(found, reverse=True)[:limit]

    def numbers_after(self, account: int, number: int, limit: int) -> list[int]:
        """Up to ``limit`` numbers of the account's orders that have left and are above ``number``, oldest first."""
        rows = self._reader.execute(
            "SELECT number FROM orders WHERE account = ? AND number > ? ORDER BY number LIMIT ?",
            (account, number, limit),
        )
        found = {cast(int, row[0]) for row in rows}
        found.update(
            each.order.number
            for each in self._unwritten.values()
            if each.order.account == account and each.order.number > number
        )
        return sorted(found)[:limit]

    def close(self) -> None:
        """Write what is left to write and let go. Closing twice is harmless."""
        self._queue.put(None)
        self._thread.join()
        self._reader.close()
        self._writer.close()

    def _name(self, account: int, client_key: str, number: int) -> None:
        """What is not written yet is found by its key, unless the key was used again for what has left before it."""
        if client_key:
            before = self._keys.get((account, client_key), 0)
            if not before or self._known_unwritten(before).since < self._known_unwritten(number).since:
                self._keys[account, client_key] = number

    def _known_unwritten(self, number: int) -> Known:
        """An order or, negative, a refusal that is not written yet."""
        return known_order(self._unwritten[number].order) if number > 0 else known_refusal(self._refusals[-number])

    def _trade(self, number: int) -> Trade:
        trade = self.trade(number)
        assert trade is not None, f"trade {number} is in no table"
        return trade

    def keep_up(self) -> None:
        """Wait until not too much is unwritten: for a long recovery, which else would outrun the disk."""
        while len(self._unwritten) > UNWRITTEN_MAX and self._failure is None:
            with suppress(Empty):
                self._forget(self._written.get(timeout=1))

    def _forget_written(self) -> None:
        """What the thread has written need not be held any longer."""
        while not self._written.empty():
            self._forget(self._written.get())

    def _forget(self, numbers: list[int]) -> None:
        """``numbers`` are of orders, or, negative, of refusals."""
        for number in numbers:
            if number > 0:
                left = self._unwritten.pop(number)
                key = (left.order.account, left.order.terms.client_key)
                for trade in left.trades:
                    self._trades.pop(trade.number, None)
            else:
                refused = self._refusals.pop(-number).terms
                key = (refused.account, refused.client_key)
            if self._keys.get(key) == number:
                del self._keys[key]

    def _work(self) -> None:
        closing = False
        waiting: list[Batch] = []
        while not closing:
            with suppress(Empty):
                batches = [self._queue.get(timeout=FULL_SECONDS if waiting else None)]
                while not self._queue.empty() and len(batches) < ROWS_MAX:
                    batches.append(self._queue.get())
                closing = None in batches
                waiting.extend(batch for batch in batches if batch is not None)
            waiting = self._try(waiting)
        if waiting:
            self._failure = apsw.FullError("the disk was full to the end")

    def _try(self, batches: list[Batch]) -> list[Batch]:
        """Write; returns what has to wait until the disk has room."""
        if self._failure is not None or not batches:
            return []
        try:
            self._write(batches)
        except apsw.FullError as error:
            if not self._is_full:
                _log.error("%s waits for room on its disk: %s", self.path, error)
            self._is_full = True
            return batches
        except apsw.Error as error:
            self._failure = error
            _log.error("%s cannot be written, what is done stays in memory: %s", self.path, error)
        self._is_full = False
        return []

    def _write(self, batches: Sequence[Batch]) -> None:
        left = [each for _, batch, _ in batches for each in batch]
        refused = [each for _, _, refusals in batches for each in refusals]
        fault_point("tables.before")
        with self._writer:
            self._writer.executemany("INSERT OR REPLACE INTO orders VALUES (?, ?, ?, ?)", map(_order_row, left))
            trades = (trade for each in left for trade in each.trades)
            self._writer.executemany("INSERT OR REPLACE INTO trades VALUES (?, ?)", map(_trade_row, trades))
            self._writer.executemany("INSERT OR REPLACE INTO refusals VALUES (?, ?, ?, ?)", map(_refusal_row, refused))
            self._writer.execute("UPDATE position SET sequence = max(sequence, ?)", (batches[-1][0],))
        fault_point("tables.after")
        if left or refused:
            self._written.put([each.order.number for each in left] + [-each.terms.refusal for each in refused])


def discard(path: Path) -> None:
    """Remove the file; it is made anew from the journal."""
    for name in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        name.unlink(missing_ok=True)


def _open(path: Path) -> apsw.Connection:
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    connection = apsw.Connection(str(path))
    connection.set_busy_timeout(5000)
    # Losing the last rows in a power cut does no harm: the position goes back with them, and they are written again.
    connection.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
    layout = connection.execute("PRAGMA user_version").get
    if layout == 0:
        with connection:
            connection.execute(_SCHEMA)
    elif layout != LAYOUT:
        connection.close()
        raise apsw.SchemaChangeError(f"layout {layout}")
    return connection


def _order_row(left: Left) -> tuple[int, int, str | None, bytes]:
    terms = left.order.terms
    return left.order.number, left.order.account, terms.client_key or None, records.encode(order_record(left.order))


def _trade_row(trade: Trade) -> tuple[int, bytes]:
    return trade.number, records.encode(trade_record(trade))


def _refusal_row(refusal: Refusal) -> tuple[int, int, str, bytes]:
    terms = refusal.terms
    return terms.refusal, terms.account, terms.client_key, records.encode(refusal_record(refusal))


def _known(record: bytes) -> Known:
    kept = records.decode(record)
    return (
        known_refusal(refusal_of(kept))
        if isinstance(kept, RefusalRecord)
        else known_order(order_of(cast(OrderRecord, kept)))
    )
