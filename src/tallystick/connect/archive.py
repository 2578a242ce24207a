"""What the tracker keeps no longer: every order that is over, found by any of its ids, so that late evidence finds it.

It is a file beside the journal that may be deleted at any time: it says up to which entry it is complete, and what is
missing is read from the journal again. It is therefore not flushed, and made anew if it is found damaged.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import apsw

from tallystick.facts.client import OrderRecord, decode_record, encode
from tallystick.tracker.observations import Observation, TradeReport
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


class Archive:
    """``path`` is None for one in memory. ``journal`` tells its journal from another: one of another is not used.

    An order is in it for whoever decides as soon as it has left (``remember``), and in the file when that is durable
    (``keep``).
    """

    def __init__(self, path: Path | None, journal: bytes) -> None:
        self._path: Final = path
        self._connection = _open(path, journal)
        self._leaving: Final[dict[Key, OrderRecord]] = {}

    @property
    def sequence(self) -> int:
        """Every order that had left by this entry is in the file."""
        return int(self._connection.execute("SELECT sequence FROM head").get)

    def remember(self, order: TrackedOrder) -> None:
        """It has just left, and that is not durable yet."""
        record = order_record(order)
        for key in _keys(order):
            self._leaving[key] = record

    def keep(self, sequence: int, orders: Iterable[TrackedOrder]) -> None:
        """These have left, durably, up to the entry ``sequence``."""
        with self._connection:
            for order in orders:
                self._connection.execute(
                    "INSERT OR REPLACE INTO orders VALUES (?, ?)", (order.number, encode(order_record(order)))
                )
                for key in _keys(order):
                    self._connection.execute("INSERT OR REPLACE INTO names VALUES (?, ?, ?, ?)", (*key, order.number))
                    self._leaving.pop(key, None)
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

    def forget_leaving(self) -> None:
        """What had left without becoming durable has not."""
        self._leaving.clear()

    def close(self) -> None:
        self._connection.close()

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


def _keys(order: TrackedOrder) -> list[Key]:
    venue = order.venue
    keys = [(venue, _CLIENT_ID, order.client_id)]
    keys += [(venue, _VENUE_ID, venue_id) for venue_id in order.ids()]
    keys += [(venue, _TRADE, trade) for trade in order.trades()]
    return keys


def _open(path: Path | None, journal: bytes) -> apsw.Connection:
    if path is None:
        return _prepared(apsw.Connection(":memory:"), journal)
    try:
        return _prepared(apsw.Connection(str(path)), journal)
    except (apsw.Error, _Foreign):
        for suffix in ("", "-wal", "-shm", "-journal"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        return _prepared(apsw.Connection(str(path)), journal)


class _Foreign(Exception):
    """The file belongs to another journal, or to another version of this program."""


def _prepared(connection: apsw.Connection, journal: bytes) -> apsw.Connection:
    try:
        version = connection.execute("PRAGMA user_version").get
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        if version not in (0, FORMAT) or connection.execute("PRAGMA quick_check").get != "ok":
            raise _Foreign
        connection.execute(_SCHEMA)
        connection.execute(f"PRAGMA user_version = {FORMAT}")
        connection.execute("INSERT OR IGNORE INTO head VALUES (1, ?, 0)", (journal,))
        if connection.execute("SELECT journal FROM head").get != journal:
            raise _Foreign
    except BaseException:
        connection.close()
        raise
    return connection
