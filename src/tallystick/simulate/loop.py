"""An event loop whose clock is virtual: nobody ever waits, and what happens when is the same in every run."""

import asyncio
import selectors
from typing import Final

from tallystick.simulate.terms import BEGIN_US
from tallystick.simulate.violation import Violation

HORIZON_SECONDS: Final = 400 * 24 * 3600.0


class _Selector(selectors.DefaultSelector):
    """Waiting is skipping ahead."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Violation("rest", "everybody waits for ever")
        self.now += max(0.0, timeout)
        if self.now > HORIZON_SECONDS:
            raise Violation("rest", "it goes on for ever")
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """``wall_us`` is the time now, in microseconds since the epoch. There is nothing to be read or written on it."""

    def __init__(self) -> None:
        self._virtual: Final = _Selector()
        super().__init__(self._virtual)
        self._clock_resolution = 1e-9  # a timer is due at its time and not a moment before

    def time(self) -> float:
        return self._virtual.now

    @property
    def wall_us(self) -> int:
        return BEGIN_US + int(self._virtual.now * 1_000_000)
