"""The table of deliveries: one row for each event and endpoint, with every attempt in it."""

from collections.abc import Sequence
from typing import Any, Final

import apsw
import msgspec

from tallystick.deliver.feed import Happening
from tallystick.deliver.records import PENDING, Attempt, Delivery
from tallystick.deliver.schedule import FAILED

PRUNED_AT_ONCE: Final = 1000

_COLUMNS: Final = (
    "number, endpoint, event_id, name, group_id, body, status, attempts, tries, next_at, created_at, modified_at,"
    " ended_at"
)
_encode: Final = msgspec.json.Encoder().encode
_attempts: Final = msgspec.json.Decoder(tuple[Attempt, ...])


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


def asked_for(connection: apsw.Connection) -> list[Delivery]:
    """Those that their sender has to be told of."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM deliveries WHERE asked > 0 AND next_at > 0 ORDER BY number")
    return [_delivery(row) for row in rows]


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


def prune(connection: apsw.Connection, older_than: int) -> int:
    """Forget what was over before ``older_than``, and endpoints that were deleted: a slice of it; how many went."""
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
    # Numbers grow with time, so what is old comes first; what is not over yet is not for long.
    connection.execute(
        "DELETE FROM deliveries WHERE number IN (SELECT number FROM (SELECT number, ended_at FROM deliveries"
        " ORDER BY number LIMIT ?) WHERE ended_at > 0 AND ended_at < ?)",
        (PRUNED_AT_ONCE, older_than),
    )
    return gone + connection.changes()


def _is_active(connection: apsw.Connection, endpoint: int) -> bool:
    return bool(connection.execute("SELECT is_active FROM endpoints WHERE number = ?", (endpoint,)).get)


def _delivery(row: tuple[Any, ...]) -> Delivery:
    return Delivery._make((*row[:7], _attempts.decode(row[7]), *row[8:]))
