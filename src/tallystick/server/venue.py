"""A venue in its asyncio shell: it tells the sequencer the time, wakes it when something is due, quotes its prices."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from tallystick.core.clock import VenueClock
from tallystick.facts.codes import DISK_LOW
from tallystick.facts.commands import NOTHING_KNOWN, Answer, Known, PlaceOrder, Quote, Refused
from tallystick.readers.readers import Readers
from tallystick.sequencer import Sequencer
from tallystick.server.disk import DiskSpace
from tallystick.server.price_feed import PriceFeed
from tallystick.venue.ambient import Ambient
from tallystick.venue.prices import PriceSource
from tallystick.venue.state import State

T = TypeVar("T")
QUOTE_SECONDS: Final = 0.25
BUSY_SECONDS: Final = 0.005


class HostedVenue:
    """Everything here runs on one event loop's thread. ``prices`` are the sources of its markets, by their names;
    ``disk`` is where its journal lies."""

    def __init__(self, sequencer: Sequencer, prices: Mapping[str, PriceSource], disk: DiskSpace) -> None:
        self.sequencer: Final = sequencer
        self._disk: Final = disk
        self.feed: Final = PriceFeed(prices)
        self._clock: Final = VenueClock(sequencer.readers.state.time)
        self._skipped_us = 0
        self._skipping: Final = asyncio.Lock()
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_due = 0
        self._pause = 0.0
        self._quoting: asyncio.Task[None] | None = None

    @property
    def readers(self) -> Readers:
        """What is durable, and so may be shown."""
        return self.sequencer.readers

    @property
    def ambient(self) -> Ambient:
        """What is true now and is no fact; to be read only. It is another one after an outage."""
        return self.sequencer.ambient

    @property
    def state(self) -> State:
        """The readers' state."""
        return self.sequencer.readers.state

    @property
    def status(self) -> str:
        """``ok``, ``disk_low`` while no new orders are taken, or ``stopped: `` and the code of the error."""
        error = self.sequencer.stopped
        if error is not None:
            return f"stopped: {getattr(error, 'code', 'internal_error')}"
        return DISK_LOW if self._disk.is_low() else "ok"

    def now(self) -> int:
        """Venue time in microseconds."""
        return self._clock.read(time.time_ns() // 1000, time.monotonic_ns()) + self._skipped_us

    async def ask(self, command: Any, render: Callable[[Answer, State], T]) -> T:
        """Decide ``command``; when it is durable, give what ``render`` makes of the answer and the state after it."""
        if type(command) is PlaceOrder and self._disk.is_low():
            return render(_DISK_LOW, self.state)
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def answered(answer: Answer, state: State) -> None:
            if future.done():  # whoever asked has gone; what was asked is done all the same
                return
            try:
                future.set_result(render(answer, state))
            except Exception as error:  # noqa: BLE001 - raised again where it is awaited
                future.set_exception(error)

        self.sequencer.submit(command, self.now(), answered, self._known(command))
        self._set_alarm()
        return await future

    def _known(self, command: Any) -> Known:
        """What is known of the command from long ago: what its owner's key was used for."""
        if type(command) is not PlaceOrder or not command.client_key:
            return NOTHING_KNOWN
        account = self.state.accounts.get(command.account)
        return NOTHING_KNOWN if account is None else self.readers.known(account, command.client_key)

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
        # One that rings sooner will do: were it set anew whenever more is due, much traffic would keep it from ringing.
        if 0 < self._alarm_due <= due:
            return
        self._forget_alarm()
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

    async def advance(self, microseconds: int) -> None:
        """Let so much time pass at once, and return when what came of it is durable; 0 carries out what is due now.

        What falls due on the way happens at its own time, one after the other, at the prices of that time.
        """
        async with self._skipping:
            until = max(self.now(), self.state.time + 1) + microseconds
            while True:
                due = self.sequencer.next_due()
                self._skip_to(min(due, until) if due else until)
                self.sequencer.wake(self.now())
                if self.now() >= until and not 0 < self.sequencer.next_due() <= until:
                    break
                await asyncio.sleep(BUSY_SECONDS if self.sequencer.is_full else 0)
            self._set_alarm()
        # It is refused, and a refusal too is released when everything decided before it is durable.
        await self.ask(Quote(0, 0), _ignore)

    def _skip_to(self, then: int) -> None:
        """It is ``then`` now, unless it is later already."""
        ahead = then - self.now()
        if ahead > 0:
            self._skipped_us += ahead
            self._forget_alarm()
            self.quote_prices()

    def _forget_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._alarm_due = 0

    async def _quote(self) -> None:
        while True:
            self.quote_prices()
            self._set_alarm()
            await asyncio.sleep(QUOTE_SECONDS)

    def quote_prices(self) -> None:
        """Quote what the feed says now."""
        now = self.now()
        for market in list(self.state.markets.values()):
            price = self.feed.price(market.name, now)
            if price is not None:
                self.sequencer.submit(Quote(market.number, price), now, _ignore)


_DISK_LOW: Final = Refused(DISK_LOW, "The disk is almost full, so no new orders are taken. Nothing was done.")


def _ignore(_answer: Answer, _state: State) -> None:
    """Nobody waits for the answer to a quote; one that cannot be taken now is followed by the next."""
