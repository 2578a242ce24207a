"""Applying events to a state: one small function for each kind of event, found in one table.

An event that does not fit (LifecycleError, LedgerError, KeyError) is a fault of the program or of the journal: the
state is then of no further use, and whoever owns it stops.
"""

from collections.abc import Callable
from typing import Any, Final

from tallystick.core.cancel import CancelRequest
from tallystick.core.lifecycle import (
    CANCEL,
    CONFIRM,
    EXPIRE,
    FILL,
    PLACE,
    RELEASE,
    REVERT,
    SETTLE,
    TRADE_PENDING,
    TRADE_SETTLED,
    WAIT,
)
from tallystick.core.order import Order
from tallystick.core.trade import Trade
from tallystick.facts.venue import (
    UNCHANGED,
    AccountOpened,
    AssetDefined,
    CancelRefused,
    CancelRequested,
    Entry,
    MarketDefined,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderOpened,
    OrderPlaced,
    OrderSettled,
    OrderWaiting,
    TradeConfirmed,
    TradeMade,
    TradeReverted,
    TradeSettled,
    Transferred,
    VenueOpened,
)
from tallystick.venue.ledger import discharge, owe, reserve, transfer, unreserve
from tallystick.venue.state import OutOfSequence, State


def fold(state: State, entry: Entry) -> None:
    """Apply one whole entry; raises OutOfSequence unless it is the next one."""
    if entry.sequence != state.sequence + 1:
        raise OutOfSequence(f"entry {entry.sequence} does not follow {state.sequence}")
    time: int = entry.time
    for event in entry.events:
        apply(state, event, time)
        time += 1
    sequence: int = entry.sequence
    for key in entry.links[::2]:
        state.touch(key, sequence)
    state.close_entry(sequence, time - 1)


def apply(state: State, event: Any, time: int) -> None:
    """Apply one event that happened at ``time``."""
    _FOLDS[type(event)](state, event, time)


def _venue_opened(state: State, event: VenueOpened, time: int) -> None:
    state.name = event.name
    state.key_check = event.key_check
    state.retain_us = event.retain_us
    state.retire_max = event.retire_max


def _asset_defined(state: State, event: AssetDefined, time: int) -> None:
    state.define_asset(event)


def _market_defined(state: State, event: MarketDefined, time: int) -> None:
    state.define_market(event)


def _account_opened(state: State, event: AccountOpened, time: int) -> None:
    state.open_account(event)


def _transferred(state: State, event: Transferred, time: int) -> None:
    asset = event.asset
    transfer(state.balance(event.payer, asset), state.balance(event.payee, asset), event.amount)


def _order_placed(state: State, event: OrderPlaced, time: int) -> None:
    number: Any = event.order  # an object that both folds share, not a copy of its value in each
    account = state.accounts[event.account]
    reserved: int = event.reserved
    order = Order(event, reserved, event.due, time)
    order.advance(PLACE, order.due, time)
    reserve(account.book.of(event.reserve_asset), reserved)
    state.orders[number] = order
    state.orders_made = number
    account.orders.append(number)
    if event.client_key:
        account.keys[event.client_key] = number


def _order_waiting(state: State, event: OrderWaiting, time: int) -> None:
    state.orders[event.order].advance(WAIT, event.due, time)


def _order_opened(state: State, event: OrderOpened, time: int) -> None:
    state.orders[event.order].advance(RELEASE, event.due, time)


def _order_filled(state: State, event: OrderFilled, time: int) -> None:
    _close(state, event, FILL, time)


def _order_cancelled(state: State, event: OrderCancelled, time: int) -> None:
    _close(state, event, CANCEL, time)
    if event.request:
        state.requests[event.request].done(event.order)


def _order_expired(state: State, event: OrderExpired, time: int) -> None:
    _close(state, event, EXPIRE, time)


def _close(state: State, event: Any, verb: int, time: int) -> None:
    order = state.orders[event.order]
    voided: int = event.voided
    order.close(verb, event.released, voided, time)
    if voided:
        unreserve(state.balance(order.account, order.terms.reserve_asset), voided)
    state.is_done(order, time)


def _order_settled(state: State, event: OrderSettled, time: int) -> None:
    state.orders[event.order].updated = time


def _trade_made(state: State, event: TradeMade, time: int) -> None:
    number: int = event.trade
    status: int = event.status
    for leg in event.legs:
        order = state.orders[leg.order]
        if status == TRADE_PENDING:
            order.add_pending(number, leg.consumed, leg.posted, time)
        else:
            order.add_executed(number, leg.consumed, leg.quantity, leg.notional, leg.fee, leg.posted, time)
            _post(state, order, leg.posted)
            if status == TRADE_SETTLED:
                order.settle(time)
    if status == TRADE_SETTLED:
        for due in event.obligations:
            asset: int = due.asset
            transfer(state.balance(due.payer, asset), state.balance(due.payee, asset), due.amount)
    elif status != TRADE_PENDING:
        _owe(state, event)
    state.trades[number] = Trade(event, number, status, event.due, time, len(event.legs))
    state.trades_made = number
    if event.order and event.order_due != UNCHANGED:
        state.orders[event.order].due = event.order_due


def _trade_confirmed(state: State, event: TradeConfirmed, time: int) -> None:
    trade = state.trades[event.trade]
    trade.advance(CONFIRM, event.due, time)
    for leg in trade.terms.legs:
        order = state.orders[leg.order]
        order.confirm(leg.consumed, leg.quantity, leg.notional, leg.fee, leg.posted, time)
        _post(state, order, leg.posted)
    _owe(state, trade.terms)


def _trade_reverted(state: State, event: TradeReverted, time: int) -> None:
    trade = state.trades[event.trade]
    trade.advance(REVERT, 0, time)
    for leg, voided in zip(trade.terms.legs, event.voided, strict=True):
        order = state.orders[leg.order]
        order.revert(leg.consumed, leg.posted, voided, time)
        _post(state, order, voided)
        state.is_done(order, time)


def _trade_settled(state: State, event: TradeSettled, time: int) -> None:
    trade = state.trades[event.trade]
    trade.advance(SETTLE, 0, time)
    for due in trade.terms.obligations:
        asset: int = due.asset
        discharge(state.balance(due.payer, asset), state.balance(due.payee, asset), due.amount)
    for leg in trade.terms.legs:
        order = state.orders[leg.order]
        order.settle(time)
        state.is_done(order, time)


def _owe(state: State, terms: Any) -> None:
    for due in terms.obligations:
        asset: int = due.asset
        owe(state.balance(due.payer, asset), state.balance(due.payee, asset), due.amount)


def _post(state: State, order: Order, amount: int) -> None:
    if amount:
        unreserve(state.balance(order.account, order.terms.reserve_asset), amount)


def _cancel_requested(state: State, event: CancelRequested, time: int) -> None:
    number: int = event.request
    state.requests[number] = CancelRequest(number, event.scope, event.orders, time)
    state.requests_made = number
    state.leaving.append((time, -number))


def _cancel_refused(state: State, event: CancelRefused, time: int) -> None:
    state.requests[event.request].refused(event.order, event.reason)


_FOLDS: Final[dict[type, Callable[[State, Any, int], None]]] = {
    VenueOpened: _venue_opened,
    AssetDefined: _asset_defined,
    MarketDefined: _market_defined,
    AccountOpened: _account_opened,
    Transferred: _transferred,
    OrderPlaced: _order_placed,
    OrderWaiting: _order_waiting,
    OrderOpened: _order_opened,
    OrderFilled: _order_filled,
    OrderCancelled: _order_cancelled,
    OrderExpired: _order_expired,
    OrderSettled: _order_settled,
    TradeMade: _trade_made,
    TradeConfirmed: _trade_confirmed,
    TradeReverted: _trade_reverted,
    TradeSettled: _trade_settled,
    CancelRequested: _cancel_requested,
    CancelRefused: _cancel_refused,
}
