"""What owners do with their endpoints: each a change of the file, durable when it returns, which the sender then sees.

The file may be busy with a sender's commits, so every call waits in a thread. All raise EndpointUnknown for what is not
the owner's, and Unavailable.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, TypeVar

import apsw

from tallystick.deliver import deliveries
from tallystick.deliver.book import Book
from tallystick.deliver.clock import Clock
from tallystick.deliver.endpoints import Endpoints
from tallystick.deliver.feed import Feed, Happening
from tallystick.deliver.lane import WINDOW
from tallystick.deliver.records import Delivery, Endpoint

T = TypeVar("T")

TESTS_MAX: Final = 100
UNFINISHED_MAX: Final = WINDOW + 100
"""What is asked for comes on top of what is under way anyhow, and all of it is in memory."""
ATTEMPTS_MAX: Final = 200
"""Of a delivery, after which it is not sent again on demand: every attempt of it is on record."""

_log = logging.getLogger(__name__)


class DeliveryUnknown(Exception):
    """There is no such delivery to this endpoint, or it was long ago."""


class Unavailable(Exception):
    """The file cannot be reached, or not written; nothing was done."""


class Inactive(Exception):
    """Nothing is sent to the endpoint; it has to be resumed first."""


class TooManyUnfinished(Exception):
    """Of what was asked for so much is not over yet that no more is taken."""


class TooManyAttempts(Exception):
    """The delivery was attempted ATTEMPTS_MAX times."""


class Register:
    """``changed`` is called after each change: a sender in this process need not wait until it looks."""

    def __init__(
        self, book: Book, endpoints: Endpoints, feed: Feed, clock: Clock, changed: Callable[[], object]
    ) -> None:
        self._book: Final = book
        self._endpoints: Final = endpoints
        self._feed: Final = feed
        self._clock: Final = clock
        self._changed: Final = changed

    def now(self) -> int:
        """Microseconds since the epoch."""
        return self._clock.now()

    async def create(self, owner: str, url: str, description: str, ordering: str) -> Endpoint:
        """Sent everything from now on. Raises TooManyEndpoints."""
        position, now = self._feed.newest(), self._clock.now()
        return await self._change(
            lambda connection: self._endpoints.add(connection, owner, url, description, ordering, position, now)
        )

    async def all(self, owner: str) -> list[Endpoint]:
        """Oldest first."""
        return await self._read(lambda connection: self._endpoints.of(connection, owner))

    async def get(self, owner: str, number: int) -> Endpoint:
        return await self._read(lambda connection: self._endpoints.get(connection, owner, number))

    async def update(
        self,
        owner: str,
        number: int,
        *,
        url: str | None,
        description: str | None,
        ordering: str | None,
        is_active: bool | None,
    ) -> Endpoint:
        """Other words where given. Stopped, what was on its way has failed; resumed, nothing is sent of the past."""
        position, now = self._feed.newest(), self._clock.now()

        def change(connection: apsw.Connection) -> Endpoint:
            found = self._endpoints.get(connection, owner, number)
            self._endpoints.alter(
                connection,
                found,
                now,
                url=found.url if url is None else url,
                description=found.description if description is None else description,
                ordering=found.ordering if ordering is None else ordering,
            )
            if is_active and not found.is_active:
                self._endpoints.resume(connection, found, position, now)
            elif is_active is False and self._endpoints.stop(connection, number, now):
                deliveries.give_up(connection, number, now)
            return self._endpoints.get(connection, owner, number)

        return await self._change(change)

    async def delete(self, owner: str, number: int) -> Endpoint:
        """As it was. Its deliveries go with it."""
        now = self._clock.now()

        def change(connection: apsw.Connection) -> Endpoint:
            found = self._endpoints.get(connection, owner, number)
            self._endpoints.delete(connection, found, now)
            deliveries.give_up(connection, number, now)
            return found

        return await self._change(change)

    async def rotate(self, owner: str, number: int, overlap_us: int) -> Endpoint:
        """With another secret. Raises RotationUnderWay."""
        now = self._clock.now()
        return await self._change(
            lambda connection: self._endpoints.rotate(
                connection, self._endpoints.get(connection, owner, number), now, overlap_us
            )
        )

    async def send(self, owner: str, number: int, happening: Happening) -> Delivery:
        """A delivery of this, whatever it is: a test. Raises Inactive and TooManyUnfinished."""
        now = self._clock.now()

        def change(connection: apsw.Connection) -> Delivery:
            self._active(connection, owner, number)
            if deliveries.count_unfinished(connection, number, tests=True) >= TESTS_MAX:
                raise TooManyUnfinished
            return deliveries.begin(connection, number, [happening], now, asked=True)[0]

        return await self._change(change)

    async def resend(self, owner: str, number: int, delivery: int) -> Delivery:
        """Attempted now, and by the whole schedule. Raises Inactive, DeliveryUnknown, TooManyUnfinished and
        TooManyAttempts."""
        now = self._clock.now()

        def change(connection: apsw.Connection) -> Delivery:
            self._active(connection, owner, number)
            found = _known(connection, number, delivery)
            if len(found.attempts) >= ATTEMPTS_MAX:
                raise TooManyAttempts
            if not found.next_at and deliveries.count_unfinished(connection, number) >= UNFINISHED_MAX:
                raise TooManyUnfinished
            deliveries.again(connection, delivery, now)
            return _known(connection, number, delivery)

        return await self._change(change)

    async def replay(self, owner: str, number: int, since: int) -> Endpoint:
        """Everything that happened at ``since`` (microseconds) or later, once more. Raises Inactive."""
        after, until = self._feed.position_at(since), self._feed.newest()

        def change(connection: apsw.Connection) -> Endpoint:
            found = self._active(connection, owner, number)
            # What has not been sent once will be, from the endpoint's own position on.
            self._endpoints.replay(connection, found, after, min(until, found.position))
            return self._endpoints.get(connection, owner, number)

        return await self._change(change)

    async def delivery(self, owner: str, number: int, delivery: int) -> Delivery:
        """Raises DeliveryUnknown."""

        def read(connection: apsw.Connection) -> Delivery:
            self._endpoints.get(connection, owner, number)
            return _known(connection, number, delivery)

        return await self._read(read)

    async def history(
        self, owner: str, number: int, after: int, before: int, limit: int, backwards: bool, status: str
    ) -> list[Delivery]:
        """As deliveries.between."""

        def read(connection: apsw.Connection) -> list[Delivery]:
            self._endpoints.get(connection, owner, number)
            return deliveries.between(connection, number, after, before, limit, backwards, status)

        return await self._read(read)

    def _active(self, connection: apsw.Connection, owner: str, number: int) -> Endpoint:
        found = self._endpoints.get(connection, owner, number)
        if not found.is_active:
            raise Inactive
        return found

    async def _read(self, read: Callable[[apsw.Connection], T]) -> T:
        try:
            return await asyncio.to_thread(self._book.read, read)
        except apsw.Error as error:
            raise _lost(error) from None

    async def _change(self, change: Callable[[apsw.Connection], T]) -> T:
        def change_and_ask(connection: apsw.Connection) -> T:
            result = change(connection)
            Book.request(connection)
            return result

        try:
            result = await asyncio.to_thread(self._book.change, change_and_ask)
        except apsw.Error as error:
            raise _lost(error) from None
        self._changed()
        return result


def _lost(error: apsw.Error) -> Unavailable:
    _log.error("the file of webhooks cannot be reached: %s", error)
    return Unavailable()


def _known(connection: apsw.Connection, endpoint: int, number: int) -> Delivery:
    found = deliveries.get(connection, endpoint, number)
    if found is None:
        raise DeliveryUnknown
    return found
