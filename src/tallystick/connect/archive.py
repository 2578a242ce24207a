"""What the tracker keeps no longer: every order that is over, found by any of its ids, so that late evidence finds it.

It is a file beside the journal that may be deleted at any time: it says up to which entry it is complete, and what is
missing is read from the journal again. It is therefore not flushed, and made anew if it is found damaged.
"""

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import apsw

from tallystick.facts.client import encode
from tallystick.facts.client_records import OrderRecord, decode_record
from tallystick.journal.sqlite_file import in_our_words
from tallystick.tracker.observations import FillReport, Observation, TradeReport
from tallystick.tracker.order import TrackedOrder
from tallystick.tracker.snapshot import order_record

FORMAT: Final = 1
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS orders (number INTEGER PRIMARY KEY, record BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS names (
    venue INTEGER, kind INTEGER, name TEXT, number INTEGER, PRIMARY KEY (venue, kind, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS head (one INTEGER PRIMARY KEY CHECK (one = 1), journal BLOB, sequence INTEGER);
"""
_CLIENT_ID: Final = 1
_VENUE_ID: Final = 2
_TRADE: Final = 3

Key = tuple[int, int, str]

_log = logging.getLogger(__name__)


class Archive:
    """``path`` is None for one in memory. ``journal`` tells its journal from another, and ``last`` is where that ends:
    one of another journal, or one that is ahead of it, is not used.

    An order is in it for whoever decides as soon as it has left (``remember``), and in the file when that is durable
    (``keep``). What the file does not take stays in memory, and is given to it again with the next.
    """

    def __init__(self, path: Path | None, journal: bytes, last: int | None = None) -> None:
        self._connection = _open(path, journal, last)
        self._leaving: Final[dict[Key, OrderRecord]] = {}
        self._unkept: Final[dict[int, OrderRecord]] = {}

    @property
    def sequence(self) -> int:
        """Every order that had left by this entry is in the file."""
        return int(self._connection.execute("SELECT sequence FROM head").get)

    def remember(self, order: TrackedOrder) -> None:
        """It has just left, and that is not durable yet."""
        self._hold(order_record(order))

    def keep(self, sequence: int, orders: Iterable[TrackedOrder]) -> None:
        """These have left, durably, up to the entry ``sequence``."""
        for order in orders:
            self._unkept[order.number] = order_record(order)
        try:
            self._write(sequence)
        except apsw.Error as error:  # a full disk, say: nothing is lost, and nobody has to wait
            _log.warning("the archive could not be written, and will be later: %s", error)
            for record in self._unkept.values():
                self._hold(record)
            return
        for record in self._unkept.values():
            for key in _keys(record):
                held = self._leaving.get(key)
                if held is not None and held.last <= record.last:  # else it was back meanwhile, and is leaving again
                    del self._leaving[key]
        self._unkept.clear()

    def _write(self, sequence: int) -> None:
        with self._connection:
            for number, record in self._unkept.items():
                self._connection.execute("INSERT OR REPLACE INTO orders VALUES (?, ?)", (number, encode(record)))
                for key in _keys(record):
                    self._connection.execute("INSERT OR REPLACE INTO names VALUES (?, ?, ?, ?)", (*key, number))
            self._connection.execute("UPDATE head SET sequence = ?", (sequence,))

    def known(self, observation: Observation) -> OrderRecord | None:
        """The order that the observation is about, if it has left."""
        venue = observation.venue
        record = None
        if observation.client_id:
            record = self._find((venue, _CLIENT_ID, observation.client_id))
        if record is None and observation.venue_id:
            record = self._find((venue, _VENUE_ID, observation.venue_id))
        if record is None and isinstance(observation, TradeReport):
            record = self._find((venue, _TRADE, observation.trade))
        return record

    def placed_as(self, venue: int, client_id: str) -> OrderRecord | None:
        """The order with this client id, if it has left."""
        return self._find((venue, _CLIENT_ID, client_id))

    def has_id(self, venue: int, venue_id: str) -> bool:
        """Whether an order that has left has this id of the venue's."""
        return self._find((venue, _VENUE_ID, venue_id)) is not None

    def has_fill(self, fill: FillReport) -> bool:
        """Whether an order that has left has this fill, and knows its trade to be in this state."""
        record = self._find((fill.venue, _TRADE, fill.trade))
        if record is None:
            return False
        kept = (*record.belief.fills, *record.belief.aside)
        return any(each.trade == fill.trade and each.states & 1 << fill.state for each in kept)

    def forget_leaving(self) -> None:
        """What had left without becoming durable has not."""
        self._leaving.clear()
        for record in self._unkept.values():
            self._hold(record)

    def close(self) -> None:
        self._connection.close()

    def _hold(self, record: OrderRecord) -> None:
        for key in _keys(record):
            self._leaving[key] = record

    def _find(self, key: Key) -> OrderRecord | None:
        record = self._leaving.get(key)
        if record is not None:
            return record
        body = self._connection.execute(
            "SELECT record FROM orders JOIN names USING (number) WHERE venue = ? AND kind = ? AND name = ?", key
        ).get
        if body is None:
            return None
        found = decode_record(body)
        assert isinstance(found, OrderRecord)
        return found


def _keys(record: OrderRecord) -> list[Key]:
    belief = record.belief
    venue = belief.terms.venue
    keys = [(venue, _CLIENT_ID, belief.terms.client_id)]
    keys += [(venue, _VENUE_ID, venue_id) for venue_id in belief.ids]
    keys += [(venue, _TRADE, fill.trade) for fill in (*belief.fills, *belief.aside)]
    return keys


def _open(path: Path | None, journal: bytes, last: int | None) -> apsw.Connection:
    """Raises JournalUnavailable if a new file cannot be made either, and OSError."""
    if path is None:
        return _prepared(apsw.Connection(":memory:"), journal, last)
    try:
        return _prepared(apsw.Connection(str(path)), journal, last)
    except (apsw.Error, _Foreign):
        for suffix in ("", "-wal", "-shm", "-journal"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        try:
            return _prepared(apsw.Connection(str(path)), journal, last)
        except apsw.Error as error:  # it is not the file that is wrong
            raise in_our_words(error, path) from error


class _Foreign(Exception):
    """The file belongs to another journal, to another version of this program, or to a later state of its journal."""


def _prepared(connection: apsw.Connection, journal: bytes, last: int | None) -> apsw.Connection:
    try:
        version = connection.execute("PRAGMA user_version").get
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        if version not in (0, FORMAT) or connection.execute("PRAGMA quick_check").get != "ok":
            raise _Foreign
        connection.execute(_SCHEMA)
        connection.execute(f"PRAGMA user_version = {FORMAT}")
        connection.execute("INSERT OR IGNORE INTO head VALUES (1, ?, 0)", (journal,))
        head = connection.execute("SELECT journal, sequence FROM head").fetchone()
        if head is None or head[0] != journal or (last is not None and head[1] > last):
            raise _Foreign
    except BaseException:
        connection.close()
        raise
    return connection
