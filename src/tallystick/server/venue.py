"""A venue in its asyncio shell: it tells the sequencer the time, wakes it when something is due, quotes its prices."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from tallystick.core.clock import VenueClock
from tallystick.facts.codes import DISK_LOW
from tallystick.facts.commands import NOTHING_KNOWN, Answer, Known, PlaceOrder, Quote, Refused
from tallystick.readers.readers import Readers
from tallystick.sequencer import Sequencer
from tallystick.server.disk import DiskSpace
from tallystick.venue.prices import PriceSource
from tallystick.venue.state import State

T = TypeVar("T")
QUOTE_SECONDS: Final = 0.25
BUSY_SECONDS: Final = 0.005

_log = logging.getLogger(__name__)


class HostedVenue:
    """Everything here runs on one event loop's thread. ``prices`` are the sources of its markets, by their names;
    ``disk`` is where its journal lies."""

    def __init__(self, sequencer: Sequencer, prices: Mapping[str, PriceSource], disk: DiskSpace) -> None:
        self.sequencer: Final = sequencer
        self._disk: Final = disk
        self._prices: Final = prices
        self._clock: Final = VenueClock(sequencer.readers.state.time)
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_due = 0
        self._pause = 0.0
        self._quoting: asyncio.Task[None] | None = None
        self._silent: Final[set[str]] = set()

    @property
    def readers(self) -> Readers:
        """What is durable, and so may be shown."""
        return self.sequencer.readers

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
        return self._clock.read(time.time_ns() // 1000, time.monotonic_ns())

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
        """What is known of the command from long ago: the order that its owner gave the same name."""
        if type(command) is not PlaceOrder or not command.client_key:
            return NOTHING_KNOWN
        account = self.state.accounts.get(command.account)
        number = 0 if account is None else self.readers.order_by_key(account, command.client_key)
        found = self.readers.order(number) if number else None
        return NOTHING_KNOWN if found is None else Known(number, found[0].terms.fingerprint)

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
                    self.sequencer.submit(Quote(market.number, self._price(market.name, source, now)), now, _ignore)
            self._set_alarm()
            await asyncio.sleep(QUOTE_SECONDS)

    def _price(self, market: str, source: PriceSource, now: int) -> int:
        """The source's price; none if it fails, for a price that stands still unnoticed is worse."""
        try:
            price = source.price(now)
        except Exception:  # noqa: BLE001 - a source is somebody else's; the other markets go on
            if market not in self._silent:
                _log.exception("the price source of %s fails; orders wait until it gives a price again", market)
            self._silent.add(market)
            return 0
        self._silent.discard(market)
        return price


_DISK_LOW: Final = Refused(DISK_LOW, "The disk is almost full, so no new orders are taken. Nothing was done.")


def _ignore(_answer: Answer, _state: State) -> None:
    """Nobody waits for the answer to a quote; one that cannot be taken now is followed by the next."""
