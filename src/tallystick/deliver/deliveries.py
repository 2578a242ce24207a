"""The table of deliveries: one row for each event and endpoint, with every attempt in it."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import apsw
import msgspec

from tallystick.deliver.feed import Happening
from tallystick.deliver.records import PENDING, Attempt, Delivery
from tallystick.deliver.schedule import FAILED

PRUNED_AT_ONCE: Final = 1000
KEPT_MAX: Final = 100_000
"""Of each endpoint, if no more than that are not over: replays make as many as somebody asks for."""

_COLUMNS: Final = (
    "number, endpoint, event_id, name, group_id, body, status, attempts, tries, next_at, created_at, modified_at,"
    " ended_at"
)
_encode: Final = msgspec.json.Encoder().encode
_attempts: Final = msgspec.json.Decoder(tuple[Attempt, ...])


class Asked(NamedTuple):
    """A delivery that its sender has to be told of."""

    endpoint: int
    number: int


def begin(
    connection: apsw.Connection, endpoint: int, happenings: Sequence[Happening], now: int, asked: bool = False
) -> list[Delivery]:
    """A delivery of each to the endpoint; none if nothing is sent to it. ``asked``: its sender has to be told."""
    if not _is_active(connection, endpoint):
        return []
    made: list[Delivery] = []
    for each in happenings:
        connection.execute(
            "INSERT INTO deliveries"
            " (endpoint, event_id, name, group_id, body, status, next_at, asked, created_at, modified_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (endpoint, each.event_id, each.name, each.group, each.body, PENDING, now, asked, now, now),
        )
        number = connection.last_insert_rowid()
        made.append(
            Delivery(
                number, endpoint, each.event_id, each.name, each.group, each.body, PENDING, (), 0, now, now, now, 0
            )
        )
    return made


def record(connection: apsw.Connection, delivery: Delivery) -> None:
    """What came of an attempt: everything of the delivery that an attempt changes.

    It is not attempted again if nothing is sent to its endpoint any more.
    """
    status, next_at, ended_at = delivery.status, delivery.next_at, delivery.ended_at
    if next_at and not _is_active(connection, delivery.endpoint):
        status, next_at, ended_at = FAILED, 0, delivery.modified_at
    connection.execute(
        "UPDATE deliveries SET status = ?, attempts = ?, tries = ?, next_at = ?, asked = 0, modified_at = ?,"
        " ended_at = ? WHERE number = ?",
        (
            status,
            _encode(delivery.attempts),
            delivery.tries,
            next_at,
            delivery.modified_at,
            ended_at,
            delivery.number,
        ),
    )


def give_up(connection: apsw.Connection, endpoint: int, now: int) -> None:
    """Whatever of the endpoint's is not over has failed: nothing is sent to it any more."""
    connection.execute(
        "UPDATE deliveries SET status = ?, next_at = 0, asked = 0, modified_at = ?, ended_at = ?"
        " WHERE endpoint = ? AND next_at > 0",
        (FAILED, now, now, endpoint),
    )


def again(connection: apsw.Connection, number: int, now: int) -> None:
    """Attempt it now, and then by the whole schedule, whatever became of it before."""
    connection.execute(
        "UPDATE deliveries SET status = ?, tries = 0, next_at = ?, asked = 1, modified_at = ?, ended_at = 0"
        " WHERE number = ?",
        (PENDING, now, now, number),
    )


def unfinished(connection: apsw.Connection, endpoint: int) -> list[Delivery]:
    """The endpoint's that are not over, oldest first."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM deliveries WHERE endpoint = ? AND next_at > 0 ORDER BY number", (endpoint,)
    )
    return [_delivery(row) for row in rows]


def asked_for(connection: apsw.Connection) -> list[Asked]:
    """Those that their sender has to be told of."""
    rows = connection.execute("SELECT endpoint, number FROM deliveries WHERE asked > 0 AND next_at > 0 ORDER BY number")
    return [Asked._make(row) for row in rows]


def count_unfinished(connection: apsw.Connection, endpoint: int, *, tests: bool = False) -> int:
    """How many of the endpoint's are not over; only ``tests``, which are of no event."""
    which = "AND event_id = ''" if tests else ""
    found = connection.execute(
        f"SELECT count(*) FROM deliveries WHERE endpoint = ? AND next_at > 0 {which}", (endpoint,)
    )
    return int(found.get)


def get(connection: apsw.Connection, endpoint: int, number: int) -> Delivery | None:
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM deliveries WHERE number = ? AND endpoint = ?", (number, endpoint)
    ).fetchone()
    return None if row is None else _delivery(row)


def between(
    connection: apsw.Connection, endpoint: int, after: int, before: int, limit: int, backwards: bool, status: str = ""
) -> list[Delivery]:
    """Up to ``limit`` whose numbers lie between, both exclusive: the greatest, newest first; ``backwards`` the least,
    oldest first. With a ``status``, only those."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM deliveries WHERE endpoint = ? AND number > ? AND number < ?"
        f" AND (? = '' OR status = ?) ORDER BY number {'' if backwards else 'DESC'} LIMIT ?",
        (endpoint, after, before, status, status, limit),
    )
    return [_delivery(row) for row in rows]


def prune(connection: apsw.Connection, older_than: int, after: int = 0) -> tuple[int, bool]:
    """Forget what was over before ``older_than``, what one endpoint has too much of, and endpoints that were deleted.

    A slice of it: of those numbered above ``after``. Where the next slice begins, and whether there is more to do now.
    """
    connection.execute(
        "DELETE FROM deliveries WHERE number IN (SELECT deliveries.number FROM endpoints"
        " JOIN deliveries ON endpoint = endpoints.number WHERE deleted_at LIMIT ?)",
        (PRUNED_AT_ONCE,),
    )
    gone = connection.changes()
    connection.execute(
        "DELETE FROM endpoints WHERE deleted_at"
        " AND NOT EXISTS (SELECT 1 FROM deliveries WHERE endpoint = endpoints.number)"
    )
    gone += _prune_excess(connection)
    # Numbers grow with time: what follows the first that was made later was all made later.
    through, count = connection.execute(
        "SELECT coalesce(max(number), 0), count(*) FROM (SELECT number FROM deliveries"
        " WHERE number > ? AND created_at < ? ORDER BY number LIMIT ?)",
        (after, older_than, PRUNED_AT_ONCE),
    ).get
    connection.execute(
        "DELETE FROM deliveries WHERE number > ? AND number <= ? AND ended_at > 0 AND ended_at < ?",
        (after, through, older_than),
    )
    is_last = count < PRUNED_AT_ONCE
    return (0 if is_last else through), gone > 0 or not is_last


def _prune_excess(connection: apsw.Connection) -> int:
    """Of endpoints with more than KEPT_MAX, the oldest that are over; how many went."""
    gone = 0
    for (endpoint,) in connection.execute("SELECT number FROM endpoints").fetchall():
        connection.execute(
            "DELETE FROM deliveries WHERE number IN (SELECT number FROM deliveries WHERE endpoint = ?1 AND ended_at > 0"
            " AND number <= (SELECT number FROM deliveries WHERE endpoint = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)"
            " ORDER BY number LIMIT ?3)",
            (endpoint, KEPT_MAX, PRUNED_AT_ONCE),
        )
        gone += connection.changes()
    return gone


def _is_active(connection: apsw.Connection, endpoint: int) -> bool:
    return bool(connection.execute("SELECT is_active FROM endpoints WHERE number = ?", (endpoint,)).get)


def _delivery(row: tuple[Any, ...]) -> Delivery:
    return Delivery._make((*row[:7], _attempts.decode(row[7]), *row[8:]))
