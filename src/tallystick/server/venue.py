"""A venue in its asyncio shell: it tells the sequencer the time, wakes it when something is due, quotes its prices."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from tallystick.core.clock import VenueClock
from tallystick.facts.commands import Answer, Quote
from tallystick.readers.readers import Readers
from tallystick.sequencer import Sequencer
from tallystick.venue.prices import PriceSource
from tallystick.venue.state import State

T = TypeVar("T")
QUOTE_SECONDS: Final = 0.25
BUSY_SECONDS: Final = 0.005


class HostedVenue:
    """Everything here runs on one event loop's thread. ``prices`` are the sources of its markets, by their names."""

    def __init__(self, sequencer: Sequencer, prices: Mapping[str, PriceSource]) -> None:
        self.sequencer: Final = sequencer
        self._prices: Final = prices
        self._clock: Final = VenueClock(sequencer.readers.state.time)
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_due = 0
        self._pause = 0.0
        self._quoting: asyncio.Task[None] | None = None

    @property
    def readers(self) -> Readers:
        """What is durable, and so may be shown."""
        return self.sequencer.readers

    @property
    def state(self) -> State:
        """The readers' state."""
        return self.sequencer.readers.state

    def now(self) -> int:
        """Venue time in microseconds."""
        return self._clock.read(time.time_ns() // 1000, time.monotonic_ns())

    async def ask(self, command: Any, render: Callable[[Answer, State], T]) -> T:
        """Decide ``command``; when it is durable, give what ``render`` makes of the answer and the state after it."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def answered(answer: Answer, state: State) -> None:
            if future.done():  # whoever asked has gone; what was asked is done all the same
                return
            try:
                future.set_result(render(answer, state))
            except Exception as error:  # noqa: BLE001 - raised again where it is awaited
                future.set_exception(error)

        self.sequencer.submit(command, self.now(), answered)
        self._set_alarm()
        return await future

    def start(self) -> None:
        """Begin to wake the sequencer and to quote prices."""
        self._quoting = asyncio.get_running_loop().create_task(self._quote())
        self._set_alarm()

    async def stop(self) -> None:
        """Wake and quote no more."""
        if self._quoting is not None:
            self._quoting.cancel()
            await asyncio.gather(self._quoting, return_exceptions=True)
        if self._alarm is not None:
            self._alarm.cancel()

    def _set_alarm(self) -> None:
        """Ring when the next thing is due; a moment later if it is due already and the sequencer takes no more."""
        due = self.sequencer.next_due()
        if due == self._alarm_due:
            return
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._alarm_due = due
        if due:
            delay = (due - self.now()) / 1_000_000
            self._alarm = asyncio.get_running_loop().call_later(max(delay, self._pause), self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._alarm_due = 0
        self.sequencer.wake(self.now())
        self._pause = BUSY_SECONDS if self.sequencer.is_full else 0.0
        self._set_alarm()

    async def _quote(self) -> None:
        while True:
            now = self.now()
            for market in list(self.state.markets.values()):
                source = self._prices.get(market.name)
                if source is not None:
                    self.sequencer.submit(Quote(market.number, source.price(now)), now, _ignore)
            self._set_alarm()
            await asyncio.sleep(QUOTE_SECONDS)


def _ignore(_answer: Answer, _state: State) -> None:
    """Nobody waits for the answer to a quote; one that cannot be taken now is followed by the next."""
