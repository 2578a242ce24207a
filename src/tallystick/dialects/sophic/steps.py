"""Each step of a Sophic order, from placed to settled (seeds/004, specs/sophic.md §4, §5).

A buy is sized in cash, fees inside; a sell in units. An order is placed, waits for a compliance check or a price if it
must, executes against the price in one or more trades, is filled when nothing more can be bought or sold, and each
trade settles on its date. What stops it before its first trade cancels it; after that it is closed short: filled with
what was traded.
"""

from typing import Final

from tallystick.core.amounts import FLOOR, rescale
from tallystick.core.keys import Number
from tallystick.core.lifecycle import OPEN, PLACED
from tallystick.core.order import Order
from tallystick.core.trade import Trade
from tallystick.dialects.sophic.policy import REVIEW_SCALE, Policy
from tallystick.facts.codes import (
    ACCOUNT_SUSPENDED,
    BELOW_INCREMENT,
    BELOW_ONE_INCREMENT,
    BUY,
    CLOSED_SHORT,
    COMPLIANCE,
    EXACT,
    EXECUTING_STAGE,
    MARKET_NOT_TRADING,
    NOT_TRADING,
    PENDING_STAGE,
    PLACED_STAGE,
    PREREQUISITE_TIMED_OUT,
    PRICE_FEED,
    REVIEWED,
    SETTLEMENT_STAGE,
    SUSPENDED,
)
from tallystick.facts.venue import (
    EVENTS_PER_ENTRY_MAX,
    OrderCancelled,
    OrderFilled,
    OrderOpened,
    OrderSettled,
    OrderWaiting,
    PrerequisiteCleared,
    TradeSettled,
)
from tallystick.venue.broker import affordable, execute, notional_of
from tallystick.venue.draft import Draft
from tallystick.venue.state import Account, Market
from tallystick.venue.timers import ORDER_TIMER

TRADES_MAX: Final = 1000  # of one order, so that it can be shown, and listed, in one answer
STEPS_MAX: Final = EVENTS_PER_ENTRY_MAX - 2  # a step makes at most two events

# Compiled, a constant of the module is at hand, and a name that it imports is looked up at each use.
_ORDER_OPENED: Final = OrderOpened
_ORDER_FILLED: Final = OrderFilled
_TRADE_SETTLED: Final = TradeSettled
_ORDER_SETTLED: Final = OrderSettled


class Steps:
    """What becomes of an order, and of its trades, when they are due."""

    def __init__(self, policy: Policy) -> None:
        self.policy: Final = policy

    def wake_order(self, draft: Draft, order: Order) -> None:
        """Take every step that is due, as long as one leads to the next and the entry has room."""
        before = -1
        while 0 < order.due <= draft.started and draft.length != before and draft.length < STEPS_MAX:
            before = draft.length
            self._step(draft, order)

    def wake_trade(self, draft: Draft, trade: Trade) -> None:
        """Settle the trade, and say so of the order if this was its last."""
        order = draft.state.orders[trade.terms.order]
        if draft.ambient.stops(SETTLEMENT_STAGE, order.market, trade.number):
            return
        draft.emit(_TRADE_SETTLED(order.account, order.number, order.market, trade.number))
        self.settle_if_done(draft, order)

    def stop_order(self, draft: Draft, order: Order, reason: str, request: int) -> None:
        """It cannot go on: cancelled if it has no trade, else closed short."""
        account, number, market = order.account, order.number, order.market
        leaves, rest = order.leaves, order.reserved
        if order.progress.trades:
            draft.emit(_ORDER_FILLED(account, number, market, leaves, rest, CLOSED_SHORT, reason, request))
            self.settle_if_done(draft, order)
        else:
            draft.emit(OrderCancelled(account, number, market, leaves, rest, reason, request))

    def price(self, draft: Draft, market: Number) -> int:
        """The market's price, 0 if there is none or it is stale."""
        stale = self.policy.price_stale_us
        return draft.ambient.price(market, draft.started - stale if stale else 0)

    def trade(
        self, draft: Draft, order: Order, quantity: int, possible: int, price: int, notional: int, due: int
    ) -> None:
        """Trade ``quantity`` of the ``possible``, worth ``notional`` at ``price``.

        All of it fills the order, else the order is due again at ``due``.
        """
        settlement = self.policy.settlement
        now = draft.started
        order_due = 0 if quantity == possible else due
        settles_at, value_date = settlement.settles_at(now), settlement.value_date(now)
        execute(draft, order, quantity, price, notional, settles_at, value_date, order_due)
        if quantity == possible:
            leaves = order.leaves
            verdict = BELOW_INCREMENT if leaves else EXACT
            draft.emit(_ORDER_FILLED(order.account, order.number, order.market, leaves, order.reserved, verdict))

    def settle_if_done(self, draft: Draft, order: Order) -> None:
        """Say it of an order whose last fill has settled and which is closed, whichever came last."""
        if order.progress.trades and order.is_settled():
            draft.emit(_ORDER_SETTLED(order.account, order.number, order.market))

    def _step(self, draft: Draft, order: Order) -> None:
        state = draft.state
        market, account = state.markets[order.market], state.accounts[order.account]
        if market.status == NOT_TRADING:
            self.stop_order(draft, order, MARKET_NOT_TRADING, 0)
        elif account.status == SUSPENDED:
            self.stop_order(draft, order, ACCOUNT_SUSPENDED, 0)
        elif order.status == OPEN:
            self._execute(draft, order, market)
        elif order.status == PLACED:
            self._submit(draft, order, market, account)
        else:
            self._wait(draft, order)

    def _submit(self, draft: Draft, order: Order, market: Market, account: Account) -> None:
        if draft.ambient.stops(PLACED_STAGE, order.market, order.number):
            return
        price = self.price(draft, order.market)
        if self._wants_review(order, market, account, price):
            self._await(draft, order, COMPLIANCE, self.deadline(draft))
        elif draft.ambient.stops(PENDING_STAGE, order.market, order.number):
            self._await(draft, order, COMPLIANCE, draft.started)
        elif price:
            self._open(draft, order)
        else:
            self._await(draft, order, PRICE_FEED, draft.started)

    def _await(self, draft: Draft, order: Order, prerequisite: int, due: int) -> None:
        deadline = self.deadline(draft)
        draft.emit(OrderWaiting(order.account, order.number, order.market, prerequisite, due, deadline))

    def _wait(self, draft: Draft, order: Order) -> None:
        waiting = draft.state.waiting[order.number]
        if 0 < waiting.deadline <= draft.started:
            self.stop_order(draft, order, PREREQUISITE_TIMED_OUT, 0)
        elif waiting.prerequisite == PRICE_FEED:
            if self.price(draft, order.market):
                self._open(draft, order)
            else:
                draft.ambient.await_price(order.market, order.number)
                draft.timers.set(waiting.deadline, ORDER_TIMER, order.number)
        elif draft.ambient.stops(PENDING_STAGE, order.market, order.number):
            draft.timers.set(waiting.deadline, ORDER_TIMER, order.number)
        else:  # what waits for a person is due at its deadline, not before: this was held, and is not any more
            self.clear_compliance(draft, order)

    def clear_compliance(self, draft: Draft, order: Order) -> None:
        """Nobody objects to the order; a price is what it needs now."""
        account, number, deadline = order.account, order.number, self.deadline(draft)
        draft.emit(PrerequisiteCleared(account, number, order.market, COMPLIANCE, PRICE_FEED, draft.started, deadline))

    def deadline(self, draft: Draft) -> int:
        """Until when a prerequisite is waited for, from now on."""
        return draft.started + self.policy.prerequisite_us if self.policy.prerequisite_us else 0

    def _open(self, draft: Draft, order: Order) -> None:
        due = draft.started + self.policy.execute_after_us
        draft.emit(_ORDER_OPENED(order.account, order.number, order.market, due))

    def _wants_review(self, order: Order, market: Market, account: Account, price: int) -> bool:
        """Whether it waits for a compliance check: for its account, or for its worth, also while nobody knows that."""
        if account.flags & REVIEWED:
            return True
        if not self.policy.review_over:
            return False
        buy = order.terms.side == BUY
        if not buy and not price:
            return True
        worth = order.size if buy else notional_of(order.size, price, market)
        return worth > rescale(self.policy.review_over, REVIEW_SCALE, market.currency.scale, FLOOR)

    def _execute(self, draft: Draft, order: Order, market: Market) -> None:
        if draft.ambient.stops(EXECUTING_STAGE, order.market, order.number):
            return
        price = self.price(draft, order.market)
        if not price:
            draft.ambient.await_price(order.market, order.number)
            return
        possible = possible_quantity(order, price, market)
        quantity = self._slice(order, possible, price, market)
        notional = notional_of(quantity, price, market)
        if notional == 0:
            self._give_up(draft, order)
        else:
            due = draft.started + self.policy.trade_interval_us
            self.trade(draft, order, quantity, possible, price, notional, due)

    def _slice(self, order: Order, possible: int, price: int, market: Market) -> int:
        """How much of ``possible`` the order's next trade takes; the last that it may have takes all."""
        if self.policy.trade_cash_max == 0 or len(order.progress.trades) >= TRADES_MAX - 1:
            return possible
        most = affordable(self.policy.trade_cash_max, price, market)
        return min(possible, most) if most else possible

    def _give_up(self, draft: Draft, order: Order) -> None:
        """What is left is worth nothing at this price: an order with trades is done, one without is cancelled."""
        if not order.progress.trades:
            self.stop_order(draft, order, BELOW_ONE_INCREMENT, 0)
            return
        draft.emit(
            _ORDER_FILLED(order.account, order.number, order.market, order.leaves, order.reserved, BELOW_INCREMENT)
        )
        self.settle_if_done(draft, order)


def possible_quantity(order: Order, price: int, market: Market) -> int:
    """The quantity that the rest of the order comes to at ``price``."""
    if order.terms.side == BUY:
        return affordable(order.terms.tradeable - order.progress.notional, price, market)
    return order.leaves
