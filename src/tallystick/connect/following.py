"""Following one venue's stream: it is begun, and begun anew after a failure, and where something may be missing the
tracker is told (Gap), which then asks for everything.

Observations go to the tracker as they come, also while the answer to that question is on its way: each says of which
time it speaks, so neither has to wait for the other.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Final

from tallystick.connect.backoff import Backoff
from tallystick.connect.desk import VenueDesk
from tallystick.connect.errors import RateLimited, Unreadable, VenueError
from tallystick.connect.pacer import ASK, in_lane
from tallystick.connect.port import ORDERS, Live, StreamItem
from tallystick.tracker.observations import Gap

RESTARTED: Final = "begun anew"

_log = logging.getLogger(__name__)


class Following:
    """``first``: until it has been connected for the first time in this run everything is asked for in any case."""

    def __init__(self, desk: VenueDesk, backoff: Backoff) -> None:
        self._desk: Final = desk
        self._backoff: Final = backoff
        self._is_first = True
        self._is_outdated = False
        self._limit: asyncio.Timeout | None = None
        self._heard = 0.0

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                await self._follow()
                raise Unreadable("the stream ended")
            except Exception as error:  # noqa: BLE001 - whatever it is, the stream is begun anew
                self._broke(error)
            await asyncio.sleep(self._backoff.failed())

    def begin_anew(self) -> None:
        """The store has begun anew: what came before is to come again, from the position that is durable."""
        self._is_outdated = True
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(asyncio.get_running_loop().time())

    async def _follow(self) -> None:
        desk = self._desk
        self._is_outdated = False
        position = desk.tracked.positions.get(ORDERS, "")
        misses = self._is_first or not position or not desk.connector.capabilities.resumes
        with in_lane(ASK):
            await desk.pacer.turn()
            stream: AsyncIterator[StreamItem] = desk.connector.stream(position)
            async with self._not_silent(), aclosing(_closable(stream)) as items:
                async for item in items:
                    self._heard = asyncio.get_running_loop().time()
                    if self._is_outdated:
                        raise Unreadable("the journal has begun anew")
                    if not desk.is_live:
                        self._connected(misses=misses)
                    if not isinstance(item, Live):
                        desk.observe([item])

    @asynccontextmanager
    async def _not_silent(self) -> AsyncGenerator[None, None]:
        """Raises TimeoutError when nothing was heard inside for ``quiet_seconds``.

        To look now and then costs less than a timer for each item.
        """
        loop = asyncio.get_running_loop()
        quiet = self._desk.connector.capabilities.quiet_seconds
        self._heard = loop.time()
        async with asyncio.timeout(quiet) as limit:
            self._limit = limit
            looking = asyncio.create_task(self._look(limit, quiet))
            try:
                yield
            finally:
                self._limit = None
                looking.cancel()

    async def _look(self, limit: asyncio.Timeout, quiet: float) -> None:
        """Put the limit off for as long as something is heard."""
        while True:
            await asyncio.sleep(quiet / 2)
            limit.reschedule(self._heard + quiet)

    def _connected(self, *, misses: bool) -> None:
        desk = self._desk
        self._backoff.succeeded()
        self._is_first = False
        if misses:
            desk.observe([Gap(desk.number, ORDERS, desk.now(), RESTARTED)])
        desk.is_live = True
        desk.changed()
        _log.info("%s: connected", desk.name)

    def _broke(self, error: Exception) -> None:
        desk = self._desk
        desk.is_live = False
        if isinstance(error, RateLimited):
            desk.pacer.pause(error.retry_after)
        if isinstance(error, (VenueError, TimeoutError)):
            _log.warning("%s: the stream broke: %s", desk.name, str(error) or "silence")
        else:
            _log.exception("%s: its connector failed at following", desk.name, exc_info=error)


async def _closable(stream: AsyncIterator[StreamItem]) -> AsyncGenerator[StreamItem, None]:
    """A generator, whatever the connector's iterator is; closing it closes that too, if it can be closed."""
    try:
        async for item in stream:
            yield item
    finally:
        close = getattr(stream, "aclose", None)
        if close is not None:
            await close()
