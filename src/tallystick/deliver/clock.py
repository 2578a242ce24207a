"""The time that deliveries live by, and the wall's, for timestamps are judged by that; a test has its own of both.

When the wall's clock is set, deliveries become due neither much earlier nor much later for it (core.clock).
"""

import asyncio
import time
from contextlib import suppress
from typing import Final, Protocol

from tallystick.core.clock import VenueClock


class Clock(Protocol):
    def now(self) -> int:
        """Microseconds since the epoch; never goes backwards."""

    def wall(self) -> int:
        """Microseconds since the epoch, as the wall has it at this moment."""

    async def wait(self, event: asyncio.Event, until: int) -> None:
        """Return when ``event`` is set or it is ``until``, whichever is first; 0 stands for never."""


class SteadyClock:
    def __init__(self) -> None:
        self._steady: Final = VenueClock(0)

    def now(self) -> int:
        return self._steady.read(self.wall(), time.monotonic_ns())

    def wall(self) -> int:
        return time.time_ns() // 1000

    async def wait(self, event: asyncio.Event, until: int) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, (until - self.now()) / 1_000_000) if until else None):
                await event.wait()
