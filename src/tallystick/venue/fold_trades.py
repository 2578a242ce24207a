"""Applying the events of trades: each leg moves its order, and the obligations move balances.

Every function is given the order at hand, which is the one that the event names, if there is one.
"""

from collections.abc import Callable
from typing import Any, Final

from tallystick.core.keys import Number
from tallystick.core.lifecycle import (
    CONFIRM,
    REVERT,
    SETTLE,
    TRADE_EXECUTED,
    TRADE_PENDING,
    TRADE_SETTLED,
    LifecycleError,
)
from tallystick.core.order import Order
from tallystick.core.trade import Trade
from tallystick.facts.codes import MAKER
from tallystick.facts.common import values
from tallystick.facts.venue import (
    UNCHANGED,
    Leg,
    Obligation,
    SettlementFailed,
    TradeConfirmed,
    TradeMade,
    TradeReverted,
    TradeSettled,
)
from tallystick.venue.ledger import discharge, owe, transfer, unreserve
from tallystick.venue.state import Retry, State


def trade_made(state: State, at_hand: Order | None, event: TradeMade, time: int) -> Trade:
    _, _, market, number, status, price, legs, obligations, due, _, order_due = _made(event)
    accounts = state.accounts
    for leg in legs:
        key, _, consumed, quantity, notional, fee, posted, liquidity, _ = _leg(leg)
        order = _order_of(state, at_hand, key)
        if status == TRADE_PENDING:
            order.add_pending(number, consumed, posted, time)
        else:
            order.add_executed(number, consumed, quantity, notional, fee, posted, time)
            _post(state, order, posted)
            if status == TRADE_SETTLED:
                order.settle(time)
        if liquidity == MAKER:
            state.take(order, consumed)
    if status == TRADE_SETTLED:
        for obligation in obligations:
            payer, payee, asset, amount = _obligation(obligation)
            transfer(accounts[payer].book.of(asset), accounts[payee].book.of(asset), amount)
    elif status != TRADE_PENDING:
        _owe(state, obligations)
    trade = Trade(event, number, status, due, time, len(legs))
    if len(legs) > 1:
        state.markets[market].traded = price
    state.trades[number] = trade
    state.trades_made = number
    if order_due != UNCHANGED and at_hand is not None:
        at_hand.due = order_due
    return trade


def _trade_confirmed(state: State, at_hand: Order | None, event: TradeConfirmed, time: int) -> Trade:
    trade = _trade_of(state, event)
    trade.advance(CONFIRM, event.due, time)
    terms: TradeMade = trade.terms
    for leg in terms.legs:
        order = _order_of(state, at_hand, leg.order)
        order.confirm(leg.consumed, leg.quantity, leg.notional, leg.fee, leg.posted, time)
        _post(state, order, leg.posted)
    _owe(state, terms.obligations)
    return trade


def _trade_reverted(state: State, at_hand: Order | None, event: TradeReverted, time: int) -> Trade:
    trade = _trade_of(state, event)
    trade.advance(REVERT, 0, time)
    for leg, voided in zip(trade.terms.legs, event.voided, strict=True):
        order = _order_of(state, at_hand, leg.order)
        order.revert(leg.consumed, leg.posted, voided, time)
        _post(state, order, voided)
        state.is_done(order, time)
    return trade


def trade_settled(state: State, at_hand: Order | None, event: TradeSettled, time: int) -> Trade:
    trade = _trade_of(state, event)
    trade.advance(SETTLE, 0, time)
    if state.trade_retries:
        state.trade_retries.pop(trade.number, None)
    terms: TradeMade = trade.terms
    for due in terms.obligations:
        payer, payee, asset, amount = _obligation(due)
        discharge(state.balance(payer, asset), state.balance(payee, asset), amount)
    for leg in terms.legs:
        order = _order_of(state, at_hand, leg.order)
        order.settle(time)
        state.is_done(order, time)
    return trade


def _settlement_failed(state: State, at_hand: Order | None, event: SettlementFailed, time: int) -> Trade:
    trade = _trade_of(state, event)
    if trade.status != TRADE_EXECUTED:
        raise LifecycleError("fails to settle a trade that is not executed")
    trade.due = event.due
    before = state.trade_retries.get(trade.number)
    state.trade_retries[trade.number] = Retry(1 if before is None else before.attempts + 1, event.reason)
    return trade


def _order_of(state: State, at_hand: Order | None, number: Number) -> Order:
    """The order of a leg: mostly the one at hand, which the event itself names."""
    return at_hand if at_hand is not None and at_hand.number is number else state.orders[number]


def _trade_of(state: State, event: Any) -> Trade:
    return state.trades[event.trade]


def _owe(state: State, obligations: tuple[Obligation, ...]) -> None:
    for obligation in obligations:
        payer, payee, asset, amount = _obligation(obligation)
        owe(state.balance(payer, asset), state.balance(payee, asset), amount)


def _post(state: State, order: Order, amount: int) -> None:
    if amount:
        unreserve(state.balance(order.account, order.terms.reserve_asset), amount)


_obligation: Final[Callable[[Obligation], tuple[Number, Number, Number, int]]] = values
_made: Final[
    Callable[
        [TradeMade],
        tuple[Number, Number, Number, Number, int, int, tuple[Leg, ...], tuple[Obligation, ...], int, int, int],
    ]
] = values
_leg: Final[Callable[[Leg], tuple[Number, int, int, int, int, int, int, int, int]]] = values

FOLDS_OF_TRADES: Final[dict[type, Callable[[State, Order | None, Any, int], Trade]]] = {
    TradeMade: trade_made,
    TradeConfirmed: _trade_confirmed,
    TradeReverted: _trade_reverted,
    TradeSettled: trade_settled,
    SettlementFailed: _settlement_failed,
}
