"""What operators, or those who test, ask of a Sophic order or trade under way: clear, execute, fail, settle."""

from typing import Any

from tallystick.core.amounts import is_multiple
from tallystick.core.lifecycle import OPEN, PENDING, TRADE_EXECUTED
from tallystick.core.order import Order
from tallystick.dialects.sophic.policy import back_off
from tallystick.dialects.sophic.steps import Steps, possible_quantity
from tallystick.facts.codes import (
    ACCOUNT_SUSPENDED,
    COMPLIANCE,
    INVALID_AMOUNT,
    MARKET_NOT_TRADING,
    NOT_TRADING,
    ORDER_NOT_EXECUTING,
    ORDER_NOT_WAITING,
    PREREQUISITE_FAILED,
    PRICE_UNKNOWN,
    SUSPENDED,
    TRADE_NOT_EXECUTED,
    UNKNOWN_ORDER,
    UNKNOWN_TRADE,
)
from tallystick.facts.commands import (
    Accepted,
    Answer,
    ClearPrerequisite,
    ExecutePart,
    FailExecution,
    Refused,
    SettleTrade,
)
from tallystick.facts.venue import UNCHANGED, ExecutionFailed, SettlementFailed, TradeSettled
from tallystick.venue.broker import notional_of
from tallystick.venue.draft import Draft


def carry_out(steps: Steps, draft: Draft, command: Any) -> Answer:
    """Decide one of ClearPrerequisite, ExecutePart, FailExecution and SettleTrade."""
    kind = type(command)
    if kind is SettleTrade:
        return _settle_trade(steps, draft, command)
    order = draft.state.orders.get(command.order)
    if order is None:
        return Refused(UNKNOWN_ORDER, "There is no such order, or it was over long ago.", "order")
    if kind is ClearPrerequisite:
        return _clear_prerequisite(steps, draft, order, command)
    if order.status != OPEN:
        return Refused(ORDER_NOT_EXECUTING, "The order is not executing.", "order")
    if kind is ExecutePart:
        return _execute_part(steps, draft, order, command)
    return _fail_execution(steps, draft, order, command)


def _clear_prerequisite(steps: Steps, draft: Draft, order: Order, command: ClearPrerequisite) -> Answer:
    """A price is never cleared: it comes from its feed or not at all. Whatever is waited for may fail."""
    if order.status != PENDING:
        return Refused(ORDER_NOT_WAITING, "The order is not pending.", "order")
    if not command.passed:
        steps.stop_order(draft, order, PREREQUISITE_FAILED, 0)
        return Accepted(order.number)
    if draft.state.waiting[order.number].prerequisite != COMPLIANCE:
        return Refused(ORDER_NOT_WAITING, "The order waits for a price, which only its feed can give.", "order")
    steps.clear_compliance(draft, order)
    steps.wake_order(draft, order)
    return Accepted(order.number)


def _execute_part(steps: Steps, draft: Draft, order: Order, command: ExecutePart) -> Answer:
    market = draft.state.markets[order.market]
    if market.status == NOT_TRADING:
        return Refused(MARKET_NOT_TRADING, "The instrument is not trading at the moment.", "order")
    if draft.state.accounts[order.account].status == SUSPENDED:
        return Refused(ACCOUNT_SUSPENDED, "The account is suspended.", "order")
    price = command.price or steps.price(draft, order.market)
    if price <= 0:
        return Refused(PRICE_UNKNOWN, "The instrument has no price; name one.", "price")
    possible = possible_quantity(order, price, market)
    quantity = command.quantity or possible
    if not 0 < quantity <= possible or not is_multiple(quantity, market.increment):
        return Refused(
            INVALID_AMOUNT, "The quantity is a multiple of the increment, and no more than is left.", "quantity"
        )
    notional = notional_of(quantity, price, market)
    if notional == 0:
        return Refused(INVALID_AMOUNT, "That quantity is worth nothing at this price.", "quantity")
    steps.trade(draft, order, quantity, possible, price, notional, UNCHANGED)
    return Accepted(order.number)


def _fail_execution(steps: Steps, draft: Draft, order: Order, command: FailExecution) -> Answer:
    reason = command.reason or "execution_failed"
    if not command.retriable:
        steps.stop_order(draft, order, reason, 0)
        return Accepted(order.number)
    retry = draft.state.order_retries.get(order.number)
    due = draft.started + back_off(steps.policy.retry_us, 0 if retry is None else retry.attempts)
    draft.emit(ExecutionFailed(order.account, order.number, order.market, reason, due))
    return Accepted(order.number)


def _settle_trade(steps: Steps, draft: Draft, command: SettleTrade) -> Answer:
    trade = draft.state.trades.get(command.trade)
    if trade is None:
        return Refused(UNKNOWN_TRADE, "There is no such trade, or it was over long ago.", "trade")
    if trade.status != TRADE_EXECUTED:
        return Refused(TRADE_NOT_EXECUTED, "The trade is settled.", "trade")
    order = draft.state.orders[trade.terms.order]
    if not command.failed:
        draft.emit(TradeSettled(order.account, order.number, order.market, trade.number))
        steps.settle_if_done(draft, order)
        return Accepted(trade.number)
    retry = draft.state.trade_retries.get(trade.number)
    wait = back_off(steps.policy.settlement_retry_us, 0 if retry is None else retry.attempts)
    reason = command.reason or "settlement_failed"
    again = max(trade.terms.due, draft.started + wait)  # never before the day that it was to settle on
    draft.emit(SettlementFailed(order.account, order.number, order.market, trade.number, reason, again))
    return Accepted(trade.number)
