"""Webhook endpoints that fail in every way there is, and what each of them received."""

import asyncio
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from msgspec import Struct

from tallystick.deliver.addresses import Target
from tallystick.deliver.schedule import GONE, Outcome
from tallystick.simulate.terms import SECOND_US

TIMEOUT_SECONDS: Final = 15.0
HABITS: Final = ("healthy", "flaky", "dead", "hanging", "slow", "throttling", "deaf to the end", "gone")


class Receipt(Struct, frozen=True):
    """One attempt as its endpoint saw it. ``status`` is what it answered, 0 for nothing; ``is_told`` whether the answer
    reached the sender, in its life of this number; ``durable`` is where the journal ended when it was begun."""

    endpoint: int
    life: int
    begun: int
    ended: int
    durable: int
    headers: dict[str, str]
    body: bytes
    status: int
    retry_after: int
    is_told: bool


class SimulatedEndpoint:
    """``habit`` is one of HABITS; ``is_faulty`` ends with the faults, and then only who is gone stays so."""

    def __init__(self, number: int, habit: str, random: Random) -> None:
        self.number: Final = number
        self.habit: Final = habit
        self.is_faulty = True
        self.is_gone = False
        self._random: Final = random

    def answer(self) -> tuple[float, int, int]:
        """(after how many seconds, the status or 0 for none, the Retry-After or 0)."""
        random = self._random
        if self.is_gone:
            return 0.01, GONE, 0
        if not self.is_faulty or self.habit == "healthy":
            return random.choice((0.0, 0.01, 0.2)), 200, 0
        match self.habit:
            case "flaky":
                return random.choice(((0.1, 200, 0), (0.1, 204, 0), (0.1, 500, 0), (0.0, 0, 0), (0.1, 302, 0)))
            case "dead" | "deaf to the end":
                return 0.0, 0, 0
            case "hanging":
                return (20.0, 200, 0) if random.random() < 0.9 else (0.1, 200, 0)
            case "slow":
                return random.choice((5.0, 14.0)), 200, 0
            case "throttling":
                return (0.1, random.choice((429, 503)), random.choice((0, 30, 3600))) if random.random() < 0.7 else _OK
        self.is_gone = random.random() < 0.05
        return (0.01, GONE, 0) if self.is_gone else _OK


_OK: Final = (0.1, 200, 0)


class SimulatedCarrier:
    """courier.Carrier to these endpoints, of one life of the sender. ``durable`` tells where the journal ends."""

    def __init__(
        self,
        endpoints: Sequence[SimulatedEndpoint],
        receipts: list[Receipt],
        now: Callable[[], int],
        durable: Callable[[], int],
        life: int,
    ) -> None:
        self._endpoints: Final = endpoints
        self._receipts: Final = receipts
        self._now: Final = now
        self._durable: Final = durable
        self._life: Final = life

    async def post(self, target: Target, headers: Sequence[tuple[str, str]], body: bytes) -> Outcome:
        endpoint = self._endpoints[int(target.host.partition(".")[0].removeprefix("endpoint-")) - 1]
        begun, durable = self._now(), self._durable()
        seconds, status, retry_after = endpoint.answer()
        is_told = False
        try:
            await asyncio.sleep(min(seconds, TIMEOUT_SECONDS))
            is_told = seconds < TIMEOUT_SECONDS
        finally:
            # What the endpoint has read it has, whether or not its sender lives to hear of it.
            told = is_told and status > 0
            self._receipts.append(
                Receipt(
                    endpoint.number,
                    self._life,
                    begun,
                    self._now(),
                    durable,
                    dict(headers),
                    body,
                    status,
                    retry_after,
                    told,
                )
            )
        taken = self._now() - begun
        if not told:
            return Outcome(0, taken, "timeout" if seconds >= TIMEOUT_SECONDS else "connection", "simulated")
        return Outcome(status, taken, retry_after=retry_after or None)


def patience_us(days: int) -> int:
    """So many days, in microseconds."""
    return days * 86_400 * SECOND_US
