"""What a venue trades and by which rules: read anew now and then, and after a refusal that speaks of them.

Nobody waits for it: until a newer list is there, orders are checked against the last one.
"""

import asyncio
import logging
from typing import Final

from tallystick.connect.desk import VenueDesk
from tallystick.connect.errors import RateLimited, StoreStopped, VenueError
from tallystick.connect.pacer import AUDIT, in_lane
from tallystick.connect.placing import ANSWER_SECONDS

READ_SECONDS_MIN: Final = 5.0
"""Between two readings, however many refusals there are."""

_log = logging.getLogger(__name__)


class Listing:
    def __init__(self, desk: VenueDesk) -> None:
        self._desk: Final = desk

    async def run(self) -> None:
        """Until it is cancelled."""
        desk = self._desk
        while True:
            try:
                async with asyncio.timeout(desk.connector.capabilities.rules_seconds):
                    await desk.rules_doubted.wait()
            except TimeoutError:
                pass
            desk.rules_doubted.clear()
            await self._read()
            await asyncio.sleep(READ_SECONDS_MIN)

    async def _read(self) -> None:
        desk = self._desk
        try:
            with in_lane(AUDIT):
                await desk.pacer.turn()
                async with asyncio.timeout(ANSWER_SECONDS):
                    rules = await desk.connector.markets()
            desk.list_markets(rules)
        except StoreStopped:
            desk.rules_doubted.set()  # a new market has to be recorded: once that is possible
        except Exception as error:  # noqa: BLE001 - the rules known before stay, and it is read again
            if isinstance(error, RateLimited):
                desk.pacer.pause(error.retry_after)
            if isinstance(error, (VenueError, TimeoutError)):
                _log.warning("%s: its markets were not read anew: %s", desk.name, str(error) or "no answer")
            else:
                _log.exception("%s: its connector failed at listing its markets", desk.name)
