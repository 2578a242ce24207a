"""What operators, and those who test, ask of a seed's venue: halt, hold, clear, execute, fail, settle, cancel."""

from collections.abc import Sequence
from random import Random
from typing import Any, Final

from tallystick.core.lifecycle import OPEN, PENDING, TRADE_EXECUTED
from tallystick.core.order import Order
from tallystick.facts.codes import (
    ACTIVE,
    BUY,
    BUY_ONLY,
    BUY_SELL,
    BUYS_FORBIDDEN,
    EXECUTING_STAGE,
    NOT_TRADING,
    PENDING_STAGE,
    PLACED_STAGE,
    PROFESSIONAL,
    REVIEWED,
    SELL_ONLY,
    SELLS_FORBIDDEN,
    SETTLEMENT_STAGE,
    SUSPENDED,
)
from tallystick.facts.commands import (
    CancelOrders,
    ChangeAccount,
    ChangeMarket,
    ClearPrerequisite,
    ExecutePart,
    FailExecution,
    Hold,
    SettleTrade,
)
from tallystick.simulate.terms import Instrument
from tallystick.venue.state import State

STAGES: Final = (PLACED_STAGE, PENDING_STAGE, EXECUTING_STAGE, SETTLEMENT_STAGE)
FLAGS: Final = (0, 0, PROFESSIONAL, BUYS_FORBIDDEN, SELLS_FORBIDDEN, REVIEWED, PROFESSIONAL | REVIEWED, 64)
STATUSES: Final = (BUY_SELL, BUY_SELL, BUY_ONLY, SELL_ONLY, NOT_TRADING, NOT_TRADING, 0, 9)


class Operators:
    """Everything is drawn from ``random``; what is asked for mostly exists."""

    def __init__(self, random: Random, instruments: Sequence[Instrument]) -> None:
        self._random: Final = random
        self._instruments: Final = instruments

    def command(self, state: State, account: int) -> Any:
        """``account`` is the one that something is done to, if it is about an account."""
        random = self._random
        stopped = _stopped(state)
        if stopped and random.random() < 0.3:
            return random.choice(stopped)
        chance = random.random()
        if chance < 0.10:
            return self._change_market()
        if chance < 0.20:
            return self._change_account(account)
        if chance < 0.34:
            return self._hold()
        if chance < 0.46:
            return self._cancel(state)
        return self._move_on(state, random.random())

    def just_after(self, command: Any, state: State) -> list[Any]:
        """What comes between a halt, or a suspension, and the end of the orders that it stops."""
        random = self._random
        if not _stops(command) or random.random() < 0.4:
            return []
        named = [order for order in state.orders.values() if _is_of(order, command)]
        found: list[Any] = [ClearPrerequisite(order.number, passed=True) for order in named if order.status == PENDING]
        found += [ExecutePart(order.number, 0, 0) for order in named if order.status == OPEN]
        return random.sample(found, min(len(found), 2))

    def execute_part(self, state: State) -> ExecutePart:
        """A part of an open order, or all that is left, or more; at the market's price or at another."""
        random = self._random
        number = self._open_order(state)
        order = state.orders.get(number)
        each = self._instruments[random.randrange(len(self._instruments)) if order is None else order.market - 1]
        most = 1000
        if order is not None:
            parity = state.markets[order.market].parity
            buys = order.terms.tradeable * parity // each.price
            most = max(1, (buys if order.terms.side == BUY else order.size) // each.increment)
        quantity = random.choice((0, 1, most, random.randint(1, most), random.randint(1, most))) * each.increment
        quantity += 1 if random.random() < 0.05 else 0
        price = random.choice((0, 0, each.price, max(1, each.price * random.randint(500, 2000) // 1000), -1, 1))
        return ExecutePart(number, quantity, price, reason=self._reason())

    def _move_on(self, state: State, chance: float) -> Any:
        """What is under way: cleared, executed, failed, settled."""
        random = self._random
        if chance < 0.25:
            passed = random.random() < 0.7
            return ClearPrerequisite(self._order(state, list(state.waiting)), passed, reason=self._reason())
        if chance < 0.60:
            return self.execute_part(state)
        if chance < 0.78:
            return FailExecution(self._open_order(state), random.random() < 0.7, reason=self._reason())
        return SettleTrade(self._trade(state), random.random() < 0.6, reason=self._reason())

    def _change_market(self) -> ChangeMarket:
        random = self._random
        market = random.randint(1, len(self._instruments)) if random.random() < 0.95 else random.choice((0, 77))
        return ChangeMarket(market, random.choice(STATUSES), reason=self._reason())

    def _change_account(self, account: int) -> ChangeAccount:
        random = self._random
        account = account if random.random() < 0.95 else random.choice((0, 1, 77))
        status = random.choice((None, None, ACTIVE, SUSPENDED, SUSPENDED)) if random.random() < 0.97 else 7
        flags = random.choice(FLAGS) if random.random() < 0.3 else None
        return ChangeAccount(account, status, flags, random.choice((None, None, "client")), reason=self._reason())

    def _hold(self) -> Hold:
        """Held for a while, released more often than not; of a stage that there is, mostly."""
        random = self._random
        stage = random.choice(STAGES) if random.random() < 0.95 else random.choice((0, 5))
        market = random.choice((0, random.randint(1, len(self._instruments))))
        market = market if random.random() < 0.95 else 77
        return Hold(stage, market, random.random() < 0.65, reason=self._reason())

    def _cancel(self, state: State) -> CancelOrders:
        random = self._random
        made = state.orders_made
        orders = tuple([max(0, made - random.randint(0, 12)) or made for _ in range(random.choice((1, 1, 1, 2, 3)))])
        if random.random() < 0.1:
            orders = random.choice(((), (made + 5,), (0,)))
        return CancelOrders(orders, reason=self._reason())

    def _open_order(self, state: State) -> int:
        return self._order(state, [number for number, order in state.orders.items() if order.status == OPEN])

    def _order(self, state: State, likely: list[int]) -> int:
        random = self._random
        if likely and random.random() < 0.9:
            return random.choice(likely)
        return random.randint(0, state.orders_made + 1)

    def _trade(self, state: State) -> int:
        random = self._random
        likely = [number for number, trade in state.trades.items() if trade.status == TRADE_EXECUTED]
        if likely and random.random() < 0.9:
            return random.choice(likely)
        return random.randint(0, state.trades_made + 1)

    def _reason(self) -> str:
        return self._random.choice(("", "", "asked for"))


def _stopped(state: State) -> list[ChangeMarket | ChangeAccount]:
    """What would set going again what is stopped; a halt or a suspension is soon over, or everything stands still."""
    found: list[ChangeMarket | ChangeAccount] = [
        ChangeMarket(number, BUY_SELL) for number, market in state.markets.items() if market.status != BUY_SELL
    ]
    for number, account in state.accounts.items():
        if account.status == SUSPENDED:
            found.append(ChangeAccount(number, ACTIVE))
        if account.flags & (BUYS_FORBIDDEN | SELLS_FORBIDDEN):
            found.append(ChangeAccount(number, flags=PROFESSIONAL))
    return found


def _stops(command: Any) -> bool:
    if isinstance(command, ChangeMarket):
        return bool(command.status == NOT_TRADING)
    return bool(isinstance(command, ChangeAccount) and command.status == SUSPENDED)


def _is_of(order: Order, command: Any) -> bool:
    if isinstance(command, ChangeMarket):
        return bool(order.market == command.market)
    return bool(order.account == command.account)
