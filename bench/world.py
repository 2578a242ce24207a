"""An engine with the sandbox's world and funds without end, and the orders that the benches of the core give it."""

from collections.abc import Callable
from typing import Any, Final

from tallystick.core.amounts import parse
from tallystick.dialects.sophic.rules import SophicRules
from tallystick.dialects.sophic.sandbox import (
    DEMO_ACCOUNT,
    INSTRUMENTS,
    PRICE_SCALE,
    missing_commands,
    sandbox_policy,
)
from tallystick.facts.codes import BUY, CASH, MARKET_ORDER, SELL, UNITS
from tallystick.facts.commands import OpenVenue, PlaceOrder, Quote, Refused, Transfer
from tallystick.facts.venue import Entry
from tallystick.venue.engine import Engine

BEGIN_US: Final = 1_700_000_000_000_000
ORDER_EVERY_US: Final = 20
FUNDS: Final = 10**15


class World:
    """``keep`` is handed every entry, in order. ``pace`` stretches the steps of an order's life (sandbox_policy)."""

    def __init__(self, pace: float, keep: Callable[[Entry], object]) -> None:
        self.engine: Final = Engine(SophicRules(sandbox_policy(pace)))
        self.now = BEGIN_US
        self._keep: Final = keep
        self._decide(OpenVenue("sophic", "0123456789abcdef"))
        state = self.engine.state
        for command in missing_commands(state):
            self._decide(command)
        payer, payee = state.account_named["world"].number, state.account_named[DEMO_ACCOUNT].number
        for asset in list(state.asset_named):
            self._decide(Transfer(payer, payee, asset, FUNDS))
        for each in INSTRUMENTS:
            self._decide(Quote(state.market_named[each.id].number, parse(each.price, PRICE_SCALE)))
        self.orders: Final[tuple[Any, ...]] = tuple(
            PlaceOrder(payee, market, side, MARKET_ORDER, kind, size)
            for market in state.markets
            for side, kind, size in ((BUY, CASH, 1_000_00), (SELL, UNITS, 10_000_000))
        )

    def place(self, count: int) -> None:
        """Place orders evenly in time, each with what came due until then."""
        engine, keep, orders = self.engine, self._keep, self.orders
        now = self.now
        for number in range(count):
            now += ORDER_EVERY_US
            entry = engine.decide(orders[number % len(orders)], now).entry
            assert entry is not None
            keep(entry)
            while (woken := engine.wake(now)) is not None:
                keep(woken)
        self.now = now

    def pass_time(self, duration_us: int) -> None:
        """Let this much time pass, and everything happen that comes due in it."""
        end = self.now + duration_us
        while 0 < (due := self.engine.next_due()) <= end:
            self.now = max(self.now, due)
            while (woken := self.engine.wake(self.now)) is not None:
                self._keep(woken)
        self.now = end

    def _decide(self, command: Any) -> None:
        self.now += ORDER_EVERY_US
        decision = self.engine.decide(command, self.now)
        assert not isinstance(decision.answer, Refused), decision.answer
        if decision.entry is not None:
            self._keep(decision.entry)
