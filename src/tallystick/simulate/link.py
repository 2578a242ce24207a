"""The line between a client and its venue: it loses, delays, repeats and reorders what it is given to carry.

A request that has left goes its way, whatever becomes of the process that sent it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from random import Random
from typing import Any, Final, TypeVar

from tallystick.connect.errors import Ambiguous, NotSent, RateLimited, VenueError
from tallystick.simulate.venue_server import Gone

T = TypeVar("T")
ItemT = TypeVar("ItemT")
FATES: Final = (
    "unsent",  # no connection: it never left
    "lost",  # it never arrives, and nobody says so
    "unheard",  # it arrives, and the answer does not
    "late",  # it arrives when the client has long given up
    "twice",  # it arrives, and once more later; the second answer is nobody's
    "slow",  # it arrives, and the answer takes its time
    "limited",  # the venue's doorkeeper turns it away
)
LATENCY_SECONDS: Final = (0.0, 0.0, 0.001, 0.05, 0.4)
PATIENCE_SECONDS: Final = (0.0, 0.5, 10.0)
LATE_SECONDS: Final = (0.5, 3.0, 15.0, 70.0)
SLOW_SECONDS: Final = (0.5, 3.0, 15.0, 45.0)


class Link:
    """``rate`` is the chance that a request goes wrong, while ``faulty``; of a stream's batch too. ``fates`` are those
    of FATES that requests may have."""

    def __init__(self, random: Random, rate: float, fates: Sequence[str] = FATES) -> None:
        self.faulty = True
        self._random: Final = random
        self._rate: Final = rate
        self._fates: Final = fates
        self._under_way: Final[dict[asyncio.Task[Any], None]] = {}

    async def carry(self, request: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What the venue answers to ``request``, or a VenueError."""
        random = self._random
        fate = random.choice(self._fates) if self.faulty and random.random() < self._rate else "carried"
        await asyncio.sleep(random.choice(LATENCY_SECONDS))
        if fate == "unsent":
            raise NotSent("simulated: no connection")
        if fate == "limited":
            raise RateLimited("simulated: too many requests", random.choice((0.0, 1.0, 5.0)))
        if fate in ("lost", "late"):
            if fate == "late":
                self._send(request, random.choice(LATE_SECONDS))
            await asyncio.sleep(random.choice(PATIENCE_SECONDS))
            raise Ambiguous("simulated: no answer")
        answer = self._send(request, 0.0)
        if fate == "twice":
            self._send(request, random.choice(LATE_SECONDS))
        if fate == "unheard":
            await asyncio.sleep(random.choice(PATIENCE_SECONDS))
            raise Ambiguous("simulated: no answer")
        found = await _answered(answer)
        await asyncio.sleep(random.choice(SLOW_SECONDS if fate == "slow" else LATENCY_SECONDS))
        return found

    def scatter(self, items: list[ItemT], before: list[ItemT]) -> list[ItemT]:
        """A stream's batch as it comes out: perhaps in another order, perhaps with some again, also from ``before``."""
        random = self._random
        if not self.faulty or random.random() >= self._rate * 2:
            return items
        found = items + random.choices([*items, *before], k=random.randint(0, 3)) if items else items
        if random.random() < 0.5:
            random.shuffle(found)
        return found

    def cuts(self) -> bool:
        """Whether the stream is cut now."""
        return self.faulty and self._random.random() < self._rate / 2

    def loses(self) -> bool:
        """Whether the stream loses what it carries now."""
        return self.faulty and self._random.random() < self._rate

    def stream_delay(self) -> float:
        return self._random.choice(SLOW_SECONDS if self.loses() else LATENCY_SECONDS)

    def _send(self, request: Callable[[], Coroutine[Any, Any, T]], after: float) -> "asyncio.Task[T]":
        async def go() -> T:
            await asyncio.sleep(after)
            return await request()

        task = asyncio.get_running_loop().create_task(go())
        self._under_way[task] = None
        task.add_done_callback(self._arrived)
        return task

    def _arrived(self, task: "asyncio.Task[Any]") -> None:
        del self._under_way[task]
        if not task.cancelled():
            task.exception()  # whoever waits for it hears of it


async def _answered(answer: Awaitable[T]) -> T:
    try:
        return await asyncio.shield(answer)
    except Gone:
        raise Ambiguous("simulated: the venue died") from None
    except VenueError:
        raise
