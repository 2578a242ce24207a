"""The time that deliveries live by: the wall's, for timestamps are judged by it; a test has its own."""

import asyncio
import time
from contextlib import suppress
from typing import Protocol


class Clock(Protocol):
    def now(self) -> int:
        """Microseconds since the epoch."""

    async def wait(self, event: asyncio.Event, until: int) -> None:
        """Return when ``event`` is set or it is ``until``, whichever is first; 0 stands for never."""


class WallClock:
    def now(self) -> int:
        return time.time_ns() // 1000

    async def wait(self, event: asyncio.Event, until: int) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, (until - self.now()) / 1_000_000) if until else None):
                await event.wait()
