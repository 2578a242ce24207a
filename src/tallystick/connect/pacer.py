"""One pacer for each venue: every request waits for its turn, cancels first, then questions, new orders, audits.

``Lanes`` is the rule, with time as data; ``Pacer`` is the same for tasks. A bucket fills at the venue's rate; its last
tokens are kept for cancels. When the venue says that it was too much, nobody goes until the time it named.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, Generic, TypeVar

CANCEL: Final = 0
ASK: Final = 1
PLACE: Final = 2
AUDIT: Final = 3
LANE_NAMES: Final = ("cancel", "ask", "place", "audit")

T = TypeVar("T")
RESERVED_SHARE: Final = 0.1
PAUSE_DEFAULT: Final = 1.0
PAUSE_MAX: Final = 300.0


class Lanes(Generic[T]):
    """Whoever waits, by lane. Times are in seconds of any clock that never goes backwards."""

    def __init__(self, per_second: float, burst: float) -> None:
        if per_second <= 0 or burst < 1:
            raise ValueError("a rate is more than 0, and a burst at least 1")
        self._rate: Final = per_second
        self._burst: Final = burst
        # A bucket of one token has none to spare.
        self._reserve: Final = min(burst - 1, max(1.0, burst * RESERVED_SHARE))
        self._tokens = burst
        self._at = 0.0
        self._closed_until = 0.0
        self._waiting: Final[tuple[deque[T], ...]] = (deque(), deque(), deque(), deque())

    def enter(self, lane: int, ticket: T) -> None:
        self._waiting[lane].append(ticket)

    def leave(self, lane: int, ticket: T) -> None:
        """It no longer wants its turn; harmless when it has had it."""
        if ticket in self._waiting[lane]:
            self._waiting[lane].remove(ticket)

    def close_until(self, until: float) -> None:
        """Nobody's turn comes before that."""
        self._closed_until = max(self._closed_until, until)

    def admit(self, now: float) -> list[T]:
        """Whose turn it is by now, in order."""
        self._fill(now)
        admitted: list[T] = []
        if now < self._closed_until:
            return admitted
        for lane, waiting in enumerate(self._waiting):
            least = 1.0 if lane == CANCEL else 1.0 + self._reserve
            while waiting and self._tokens >= least:
                self._tokens -= 1
                admitted.append(waiting.popleft())
        return admitted

    def next_due(self, now: float) -> float | None:
        """When somebody's turn comes, None while nobody waits."""
        self._fill(now)
        lane = next((lane for lane, waiting in enumerate(self._waiting) if waiting), None)
        if lane is None:
            return None
        least = 1.0 if lane == CANCEL else 1.0 + self._reserve
        return max(now + max(0.0, least - self._tokens) / self._rate, self._closed_until)

    def _fill(self, now: float) -> None:
        if now > self._at:
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
            self._at = now


_lane: ContextVar[int] = ContextVar("lane", default=ASK)


@contextmanager
def in_lane(lane: int) -> Iterator[None]:
    """What is asked for inside, without saying how urgent it is, goes in this lane."""
    token = _lane.set(lane)
    try:
        yield
    finally:
        _lane.reset(token)


class Pacer:
    """``clock`` tells seconds; it is the event loop's unless another is given."""

    def __init__(self, per_second: float, burst: float, clock: Callable[[], float] | None = None) -> None:
        self._lanes: Final[Lanes[asyncio.Future[None]]] = Lanes(per_second, burst)
        self._clock = clock
        self._alarm: asyncio.TimerHandle | None = None

    async def turn(self, lane: int | None = None) -> None:
        """Wait until a request may be sent, in ``lane`` or in that of the work it is for."""
        lane = _lane.get() if lane is None else lane
        ticket: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lanes.enter(lane, ticket)
        self._admit()
        try:
            await ticket
        except asyncio.CancelledError:
            self._lanes.leave(lane, ticket)
            raise

    def pause(self, seconds: float) -> None:
        """The venue said that it was too much: nobody goes for so long (a moment, where it named no time)."""
        self._lanes.close_until(self._now() + min(seconds or PAUSE_DEFAULT, PAUSE_MAX))

    def _admit(self) -> None:
        now = self._now()
        for ticket in self._lanes.admit(now):
            if not ticket.done():
                ticket.set_result(None)
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        due = self._lanes.next_due(now)
        if due is not None:
            # A little later than computed, so that rounding does not wake it too early again and again.
            self._alarm = asyncio.get_running_loop().call_later(max(due - now, 0.0) + 0.0005, self._admit)

    def _now(self) -> float:
        return asyncio.get_running_loop().time() if self._clock is None else self._clock()
