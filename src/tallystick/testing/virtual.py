"""An event loop whose clock is virtual: nobody ever waits, and what happens when is the same in every run.

It is for what lives in memory. Who waits for a socket or for a thread with a time limit is told at once that the time
is over, because nothing in memory could still come.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")
BEGIN: Final = 1_700_000_000_000_000
DEADLINE_SECONDS: Final = 3600.0
POLL_SECONDS: Final = 0.01


class _Selector(selectors.DefaultSelector):
    """Waiting is skipping ahead."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "everybody waits for ever"
            self.now += max(0.0, timeout)
            assert self.now < DEADLINE_SECONDS, "it goes on for ever"
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """For ``asyncio.Runner(loop_factory=VirtualLoop)``; a Client on it goes by its clock."""

    def __init__(self) -> None:
        self._virtual: Final = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now

    def microseconds(self) -> int:
        """Since the epoch."""
        return BEGIN + int(self._virtual.now * 1_000_000)


def clock() -> int:
    """Microseconds since the epoch, on the running loop's clock."""
    return BEGIN + int(asyncio.get_running_loop().time() * 1_000_000)


class VirtualClock:
    """Runs scenarios, each on a loop of its own that begins at 0."""

    def run(self, scenario: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What the scenario comes to."""
        return run(scenario)

    def now(self) -> float:
        """Seconds since the scenario began."""
        return asyncio.get_running_loop().time()

    async def until(self, look: Callable[[], T], seconds: float = 120.0) -> T:
        """See ``until``."""
        return await until(look, seconds)


def run(scenario: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What the scenario comes to, on a virtual clock of its own."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(scenario())


async def until(look: Callable[[], T], seconds: float = 120.0) -> T:
    """What ``look`` gives as soon as that is true. Raises AssertionError when it is not within so many seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not (found := look()):
        assert loop.time() < deadline, "it did not happen in time"
        await asyncio.sleep(POLL_SECONDS)
    return found
