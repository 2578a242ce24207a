"""The table of endpoints: who wants what is sent where, and the secrets it is signed with."""

import os
from typing import Any, Final

import apsw

from tallystick.deliver.book import Book
from tallystick.deliver.records import PAUSED, Endpoint
from tallystick.deliver.sealing import Sealer
from tallystick.deliver.signing import SECRET_BYTES

ENDPOINTS_MAX: Final = 32
"""Of each owner."""

_COLUMNS: Final = (
    "number, owner, url, description, is_active, reason, ordering, secret, previous, previous_until, position, reached,"
    " replay_position, replay_until, failing_since, failures, created_at, modified_at"
)


class EndpointUnknown(Exception):
    """There is no such endpoint of this owner."""


class TooManyEndpoints(Exception):
    """The owner has ENDPOINTS_MAX of them."""


class RotationUnderWay(Exception):
    """The secret before the last rotation still counts; only one old secret is kept."""


class Endpoints:
    """Every method is to be called in a transaction (Book.change), or, where it only reads, in Book.read."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer: Final = sealer

    def active(self, connection: apsw.Connection) -> list[Endpoint]:
        """All that is sent to."""
        rows = connection.execute(f"SELECT {_COLUMNS} FROM endpoints WHERE is_active AND NOT deleted_at")
        return [self._endpoint(row) for row in rows]

    def of(self, connection: apsw.Connection, owner: str) -> list[Endpoint]:
        """The owner's, oldest first."""
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM endpoints WHERE owner = ? AND NOT deleted_at ORDER BY number", (owner,)
        )
        return [self._endpoint(row) for row in rows]

    def get(self, connection: apsw.Connection, owner: str, number: int) -> Endpoint:
        """Raises EndpointUnknown."""
        row = connection.execute(
            f"SELECT {_COLUMNS} FROM endpoints WHERE number = ? AND owner = ? AND NOT deleted_at", (number, owner)
        ).fetchone()
        if row is None:
            raise EndpointUnknown
        return self._endpoint(row)

    def add(
        self,
        connection: apsw.Connection,
        owner: str,
        url: str,
        description: str,
        ordering: str,
        position: int,
        now: int,
    ) -> Endpoint:
        """A new one, sent everything after ``position``; its secret is in it. Raises TooManyEndpoints."""
        count = connection.execute("SELECT count(*) FROM endpoints WHERE owner = ? AND NOT deleted_at", (owner,)).get
        if count >= ENDPOINTS_MAX:
            raise TooManyEndpoints
        connection.execute(
            "INSERT INTO endpoints (owner, url, description, is_active, ordering, position, created_at, modified_at)"
            " VALUES (?, ?, ?, 1, ?, ?, ?, ?)",
            (owner, url, description, ordering, position, now, now),
        )
        number = connection.last_insert_rowid()
        connection.execute("UPDATE endpoints SET secret = ? WHERE number = ?", (self._new_secret(number), number))
        return self.get(connection, owner, number)

    def alter(
        self,
        connection: apsw.Connection,
        endpoint: Endpoint,
        now: int,
        *,
        url: str,
        description: str,
        ordering: str,
    ) -> None:
        """Other words for it; what is on its way goes to the new URL."""
        connection.execute(
            "UPDATE endpoints SET url = ?, description = ?, ordering = ?, modified_at = ? WHERE number = ?",
            (url, description, ordering, now, endpoint.number),
        )

    def resume(self, connection: apsw.Connection, endpoint: Endpoint, position: int, now: int) -> None:
        """Send it everything after ``position``, and nothing of what it missed."""
        connection.execute(
            "UPDATE endpoints SET is_active = 1, reason = '', position = ?, replay_position = 0, replay_until = 0,"
            " failing_since = 0, failures = 0, modified_at = ? WHERE number = ?",
            (position, now, endpoint.number),
        )

    def stop(self, connection: apsw.Connection, number: int, now: int, reason: str = PAUSED) -> bool:
        """Send it no more, for this reason; False if nothing is sent already."""
        connection.execute(
            "UPDATE endpoints SET is_active = 0, reason = ?, replay_position = 0, replay_until = 0, modified_at = ?"
            " WHERE number = ? AND is_active",
            (reason, now, number),
        )
        return bool(connection.changes())

    def delete(self, connection: apsw.Connection, endpoint: Endpoint, now: int) -> None:
        """Its secret goes at once; its row when its deliveries have gone."""
        connection.execute(
            "UPDATE endpoints SET is_active = 0, deleted_at = ?, secret = x'', previous = x'', previous_until = 0"
            " WHERE number = ?",
            (now, endpoint.number),
        )

    def rotate(self, connection: apsw.Connection, endpoint: Endpoint, now: int, overlap_us: int) -> Endpoint:
        """With a new secret; the one before counts for ``overlap_us`` more. Raises RotationUnderWay.

        With no overlap every old secret ends at once, whatever was under way.
        """
        if overlap_us and now < endpoint.previous_until:
            raise RotationUnderWay
        connection.execute(
            "UPDATE endpoints SET previous = iif(?2, secret, x''), previous_until = iif(?2, ?1 + ?2, 0),"
            " secret = ?3, modified_at = ?1 WHERE number = ?4",
            (now, overlap_us, self._new_secret(endpoint.number), endpoint.number),
        )
        return self.get(connection, endpoint.owner, endpoint.number)

    def replay(self, connection: apsw.Connection, endpoint: Endpoint, after: int, until: int) -> None:
        """Send once more what lies after the position ``after``, up to ``until``."""
        connection.execute(
            "UPDATE endpoints SET replay_position = ?, replay_until = ? WHERE number = ?",
            (after, until, endpoint.number),
        )

    def rewind(self, connection: apsw.Connection, newest: int, now: int) -> int:
        """Of those that were sent to beyond the position ``newest``, which is the feed's: back to it. How many."""
        connection.execute(
            "UPDATE endpoints SET position = ?1, replay_position = 0, replay_until = 0, modified_at = ?2"
            " WHERE position > ?1",
            (newest, now),
        )
        ahead = connection.changes()
        if ahead:
            Book.request(connection)
        return ahead

    def reach(self, connection: apsw.Connection, number: int, position: int, reached: int) -> None:
        """Deliveries were made of everything up to ``position``; the last of it happened at ``reached``."""
        connection.execute(
            "UPDATE endpoints SET position = ?1, reached = ?2 WHERE number = ?3 AND position < ?1 AND is_active",
            (position, reached, number),
        )

    def reach_in_replay(self, connection: apsw.Connection, number: int, until: int, position: int) -> None:
        """The same of a replay, if it still is the one that ends at ``until``; a replay ends when its endpoint does."""
        connection.execute(
            "UPDATE endpoints SET replay_position = ? WHERE number = ? AND replay_until = ?", (position, number, until)
        )

    def fail(self, connection: apsw.Connection, number: int, since: int, failures: int) -> None:
        """It only fails since then (0: it no longer does), so many times."""
        connection.execute(
            "UPDATE endpoints SET failing_since = ?, failures = ? WHERE number = ?", (since, failures, number)
        )

    def _new_secret(self, number: int) -> bytes:
        return self._sealer.seal(os.urandom(SECRET_BYTES), number)

    def _endpoint(self, row: tuple[Any, ...]) -> Endpoint:
        number, secret, previous = row[0], row[7], row[8]
        kept = [secret, previous] if previous else [secret]
        secrets = tuple(self._sealer.open(each, number) for each in kept)
        return Endpoint._make((*row[:4], bool(row[4]), *row[5:7], secrets, *row[9:]))
