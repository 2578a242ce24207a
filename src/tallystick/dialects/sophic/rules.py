"""What a Sophic venue chooses (seeds/004, specs/sophic.md §4, §5): who may place what, and each step to settlement.

A buy is sized in cash, fees inside; a sell in units. An order is placed, waits for a price if there is none, executes
against it in one or more trades, is filled when nothing more can be bought or sold, and each trade settles on its date.
"""

from typing import Final

from tallystick.core.amounts import is_multiple
from tallystick.core.lifecycle import OPEN, PLACED
from tallystick.core.order import Order
from tallystick.core.trade import Trade
from tallystick.facts.codes import (
    BELOW_INCREMENT,
    BUY,
    CASH,
    COUNTERPARTY,
    CUSTOMER,
    EXACT,
    FEES,
    INSUFFICIENT_FUNDS,
    INSUFFICIENT_UNITS,
    INVALID_AMOUNT,
    INVALID_ORDER_TYPE,
    MARKET_ORDER,
    NOT_OPERATING,
    ORDER_HAS_TRADES,
    PRICE_FEED,
    UNITS,
    UNKNOWN_ACCOUNT,
    UNKNOWN_MARKET,
)
from tallystick.facts.commands import Accepted, Answer, CancelOrders, Known, PlaceOrder, Refused
from tallystick.facts.venue import (
    EVENTS_PER_ENTRY_MAX,
    OrderCancelled,
    OrderFilled,
    OrderOpened,
    OrderPlaced,
    OrderSettled,
    OrderWaiting,
    TradeSettled,
)
from tallystick.venue.broker import BASIS_POINTS, affordable, execute, fee_inside, notional_of
from tallystick.venue.calendar import Settlement
from tallystick.venue.draft import Draft
from tallystick.venue.operations import cancel_orders, repetition
from tallystick.venue.state import Account, Market

STEPS_MAX: Final = EVENTS_PER_ENTRY_MAX - 2  # a step makes at most two events


class Policy:
    """The venue's numbers. Times are microseconds; ``trade_cash_max`` is the most one trade moves; 0 for no limit,
    and none where it would not buy one increment.
    """

    def __init__(
        self,
        settlement: Settlement,
        fee_bps: int = 25,
        submit_after_us: int = 0,
        execute_after_us: int = 0,
        trade_interval_us: int = 0,
        trade_cash_max: int = 0,
    ) -> None:
        if not 0 <= fee_bps < BASIS_POINTS:
            raise ValueError(f"a fee is from 0 to less than {BASIS_POINTS} basis points, not {fee_bps}")
        self.settlement: Final = settlement
        self.fee_bps: Final = fee_bps
        self.submit_after_us: Final = submit_after_us
        self.execute_after_us: Final = execute_after_us
        self.trade_interval_us: Final = trade_interval_us
        self.trade_cash_max: Final = trade_cash_max


class SophicRules:
    def __init__(self, policy: Policy) -> None:
        self.policy: Final = policy

    def place(self, draft: Draft, command: PlaceOrder, known: Known) -> Answer:
        """Accept and reserve, or refuse; the precedence of refusals is specs/sophic.md §5."""
        account = draft.state.accounts.get(command.account)
        if account is None or account.role != CUSTOMER:
            return Refused(UNKNOWN_ACCOUNT, "There is no such account.", "account")
        repeated = repetition(draft, command, known)
        if repeated is not None:
            return repeated
        if command.order_type != MARKET_ORDER:
            return Refused(INVALID_ORDER_TYPE, "Only market orders are taken.", "order_type")
        market = draft.state.markets.get(command.market)
        if market is None:
            return Refused(UNKNOWN_MARKET, "There is no such instrument.", "market")
        if COUNTERPARTY not in draft.state.account_of_role or FEES not in draft.state.account_of_role:
            return Refused(NOT_OPERATING, "The venue has no counterparty and fee accounts yet.")
        if command.side == BUY:
            return self._place_buy(draft, command, account, market)
        return self._place_sell(draft, command, account, market)

    def cancel(self, draft: Draft, command: CancelOrders) -> Answer:
        """For operators: there is no public cancel. An order with a trade is never cancelled (§5, closed short)."""
        return cancel_orders(draft, command, ORDER_HAS_TRADES)

    def wake_order(self, draft: Draft, order: Order) -> None:
        """Take every step that is due, as long as one leads to the next and the entry has room."""
        before = -1
        while 0 < order.due <= draft.started and draft.length != before and draft.length < STEPS_MAX:
            before = draft.length
            self._step(draft, order)

    def _step(self, draft: Draft, order: Order) -> None:
        price = draft.ambient.price(order.market)
        if order.status == OPEN:
            if price:
                self._execute(draft, order, price)
            else:
                draft.ambient.await_price(order.market, order.number)
        elif price:
            draft.emit(
                OrderOpened(order.account, order.number, order.market, draft.started + self.policy.execute_after_us)
            )
        elif order.status == PLACED:
            draft.emit(OrderWaiting(order.account, order.number, order.market, PRICE_FEED, draft.started))
        else:
            draft.ambient.await_price(order.market, order.number)

    def wake_trade(self, draft: Draft, trade: Trade) -> None:
        """Settle the trade, and say so of the order if this was its last."""
        order = draft.state.orders[trade.terms.order]
        draft.emit(TradeSettled(order.account, order.number, order.market, trade.number))
        _settle_if_done(draft, order)

    def _place_buy(self, draft: Draft, command: PlaceOrder, account: Account, market: Market) -> Answer:
        if command.kind != CASH or command.size <= 0:
            return Refused(INVALID_AMOUNT, "A buy gives a positive cash amount.", "size")
        tradeable = command.size - fee_inside(command.size, self.policy.fee_bps)
        if tradeable <= 0:
            return Refused(INVALID_AMOUNT, "Nothing is left of the cash amount after fees.", "size")
        if account.book.look(market.currency.number).available < command.size:
            return Refused(INSUFFICIENT_FUNDS, "The account's buying power is less than the cash amount.", "size")
        return self._accept(draft, command, tradeable, market.currency.number)

    def _place_sell(self, draft: Draft, command: PlaceOrder, account: Account, market: Market) -> Answer:
        if command.kind != UNITS or command.size <= 0:
            return Refused(INVALID_AMOUNT, "A sell gives a positive quantity.", "size")
        if not is_multiple(command.size, market.increment):
            return Refused(INVALID_AMOUNT, "The quantity is not a multiple of the trading increment.", "size")
        if account.book.look(market.unit.number).available_settled < command.size:
            return Refused(INSUFFICIENT_UNITS, "The account has fewer units settled and free.", "size")
        return self._accept(draft, command, command.size, market.unit.number)

    def _accept(self, draft: Draft, command: PlaceOrder, tradeable: int, reserve_asset: int) -> Answer:
        number = draft.state.orders_made + 1
        draft.emit(
            OrderPlaced(
                command.account,
                number,
                command.market,
                command.side,
                command.order_type,
                command.kind,
                command.size,
                tradeable,
                reserve_asset,
                command.size,
                draft.started + self.policy.submit_after_us,
                command.client_key,
                command.fingerprint,
                self.policy.fee_bps,
            )
        )
        self.wake_order(draft, draft.state.orders[number])
        return Accepted(number)

    def _execute(self, draft: Draft, order: Order, price: int) -> None:
        market = draft.state.markets[order.market]
        possible = _possible(order, price, market)
        quantity = self._slice(possible, price, market)
        if notional_of(quantity, price, market) == 0:
            _give_up(draft, order)
            return
        settlement = self.policy.settlement
        now = draft.started
        execute(
            draft,
            order,
            quantity,
            price,
            settlement.settles_at(now),
            settlement.value_date(now),
            0 if quantity == possible else now + self.policy.trade_interval_us,
        )
        if quantity == possible:
            leaves = order.leaves
            draft.emit(
                OrderFilled(
                    order.account,
                    order.number,
                    order.market,
                    leaves,
                    order.reserved,
                    BELOW_INCREMENT if leaves else EXACT,
                )
            )

    def _slice(self, possible: int, price: int, market: Market) -> int:
        """How much of ``possible`` the next trade takes."""
        if self.policy.trade_cash_max == 0:
            return possible
        most = affordable(self.policy.trade_cash_max, price, market)
        return min(possible, most) if most else possible


def _possible(order: Order, price: int, market: Market) -> int:
    """The quantity that the rest of the order comes to at ``price``."""
    if order.terms.side == BUY:
        return affordable(order.terms.tradeable - order.progress.notional, price, market)
    return order.leaves


def _give_up(draft: Draft, order: Order) -> None:
    """What is left is worth nothing at this price: an order with trades is done, one without is cancelled."""
    if not order.progress.trades:
        draft.emit(
            OrderCancelled(order.account, order.number, order.market, order.leaves, order.reserved, "below_increment")
        )
    else:
        draft.emit(
            OrderFilled(order.account, order.number, order.market, order.leaves, order.reserved, BELOW_INCREMENT)
        )
    _settle_if_done(draft, order)


def _settle_if_done(draft: Draft, order: Order) -> None:
    """Say it of an order whose last fill has settled and which is closed, whichever came last."""
    if order.progress.trades and order.is_settled():
        draft.emit(OrderSettled(order.account, order.number, order.market))
