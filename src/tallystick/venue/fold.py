"""Applying events to a state: one small function for each kind of event, found by its kind.

An event that does not fit (LifecycleError, LedgerError, KeyError) is a fault of the program or of the journal: the
state is then of no further use, and whoever owns it stops.
"""

from collections.abc import Callable
from typing import Any, Final

from tallystick.core.cancel import CancelRequest
from tallystick.core.keys import Number
from tallystick.core.lifecycle import (
    CANCEL,
    EXPIRE,
    FILL,
    OPEN,
    PLACE,
    RELEASE,
    WAIT,
    LifecycleError,
)
from tallystick.core.order import Order
from tallystick.core.trade import Trade
from tallystick.facts.codes import CUSTOMER, SCOPE_ACCOUNT, SCOPE_ORDERS, TRIGGER
from tallystick.facts.common import values
from tallystick.facts.venue import (
    AccountChanged,
    AccountOpened,
    AssetDefined,
    CancelFinished,
    CancelRefused,
    CancelRequested,
    Entry,
    ExecutionFailed,
    Instructions,
    LeverageChanged,
    MarketChanged,
    MarketDefined,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderOpened,
    OrderPlaced,
    OrderRefused,
    OrderRested,
    OrderSettled,
    OrdersReached,
    OrderTriggered,
    OrderWaiting,
    PrerequisiteCleared,
    TradeMade,
    TradeSettled,
    Transferred,
    VenueOpened,
)
from tallystick.venue.fold_trades import FOLDS_OF_TRADES, trade_made, trade_settled
from tallystick.venue.ledger import reserve, transfer, unreserve
from tallystick.venue.state import OutOfSequence, Refusal, Retry, State, Waiting


def fold(state: State, entry: Entry) -> None:
    """Apply one whole entry; raises OutOfSequence unless it is the next one."""
    if entry.sequence != state.sequence + 1:
        raise OutOfSequence(f"entry {entry.sequence} does not follow {state.sequence}")
    time: int = entry.time
    for event in entry.events:
        apply(state, event, time)
        time += 1
    sequence: Number = entry.sequence
    for key in entry.links[::2]:
        state.touch(key, sequence)
    state.close_entry(sequence, time - 1)


def apply(state: State, event: Any, time: int) -> None:
    """Apply one event that happened at ``time``."""
    apply_to(state, state.orders.get(event.order), event, time)


def apply_to(state: State, order: Order | None, event: Any, time: int) -> Trade | None:
    """Apply one event about ``order``, which is the one it names, if there is one; the trade that it is about."""
    # What every order goes through is told apart here: compiled, that is a fifth of what a table costs.
    kind = type(event)
    if order is None:
        if kind is _ORDER_PLACED:
            _order_placed(state, event, time)
            return None
        return _apply_other(state, order, event, time)
    if kind is _TRADE_MADE:
        return trade_made(state, order, event, time)
    if kind is _TRADE_SETTLED:
        return trade_settled(state, order, event, time)
    if kind is _ORDER_OPENED:
        _order_opened(state, order, event, time)
    elif kind is _ORDER_FILLED:
        _order_filled(state, order, event, time)
    elif kind is _ORDER_RESTED:
        _order_rested(state, order, event, time)
    elif kind is _ORDER_SETTLED:
        _order_settled(state, order, event, time)
    else:
        return _apply_other(state, order, event, time)
    return None


def _apply_other(state: State, order: Order | None, event: Any, time: int) -> Trade | None:
    kind = type(event)
    if kind in _FOLDS:
        _FOLDS[kind](state, event, time)
        return None
    if kind in FOLDS_OF_TRADES:
        return FOLDS_OF_TRADES[kind](state, order, event, time)
    if order is None:
        raise KeyError(event.order)
    _FOLDS_OF_ORDERS[kind](state, order, event, time)
    return None


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


def _market_changed(state: State, event: MarketChanged, time: int) -> None:
    state.markets[event.market].change(event.status, time)


def _account_changed(state: State, event: AccountChanged, time: int) -> None:
    account = state.accounts[event.account]
    account.status = event.status
    account.flags = event.flags
    if account.owner != event.owner:
        state.change_owner(account, event.owner)


def _leverage_changed(state: State, event: LeverageChanged, time: int) -> None:
    state.accounts[event.account].leverage[event.market] = event.leverage


def _transferred(state: State, event: Transferred, time: int) -> None:
    asset = event.asset
    transfer(state.balance(event.payer, asset), state.balance(event.payee, asset), event.amount)
    if event.reference:
        for account in (state.accounts[event.payer], state.accounts[event.payee]):
            if account.role == CUSTOMER:
                account.remember(event)


def _order_placed(state: State, event: OrderPlaced, time: int) -> None:
    of, number, market, side, _, _, size, _, asset, reserved, due, key, _, _, instructions = _placed(event)
    account = state.accounts[of]
    order = Order(event, number, of, market, size, reserved, due, time)
    order.advance(PLACE, due, time)
    reserve(account.book.of(asset), reserved)
    state.orders[number] = order
    state.orders_made = number
    account.orders.append(number)
    if key:
        account.keys[key] = number
    if instructions is not None:
        state.work(order, side)


def _order_waiting(state: State, order: Order, event: OrderWaiting, time: int) -> None:
    order.advance(WAIT, event.due, time)
    state.waiting[order.number] = Waiting(event.prerequisite, event.deadline)
    if event.prerequisite == TRIGGER:
        state.stand_by(order)


def _order_triggered(state: State, order: Order, event: OrderTriggered, time: int) -> None:
    order.trigger(event.reserved, time)
    reserve(state.balance(order.account, order.terms.reserve_asset), event.reserved)
    state.waiting.pop(order.number, None)
    state.markets[order.market].standby.remove(order.number)


def _orders_reached(state: State, event: OrdersReached, time: int) -> None:
    standby = state.markets[event.market].standby
    for number in event.orders:
        state.orders[number].advance(WAIT, event.due, time)
        state.waiting[number] = Waiting(0, state.waiting[number].deadline)
        standby.remove(number)


def _order_rested(state: State, order: Order, event: OrderRested, time: int) -> None:
    if order.status != OPEN:
        order.advance(RELEASE, event.due, time)
    order.due = event.due
    state.rest(order)


def _prerequisite_cleared(state: State, order: Order, event: PrerequisiteCleared, time: int) -> None:
    order.advance(WAIT, event.due, time)
    state.waiting[order.number] = Waiting(event.then, event.deadline)


def _order_opened(state: State, order: Order, event: OrderOpened, time: int) -> None:
    order.advance(RELEASE, event.due, time)
    if state.waiting:
        state.waiting.pop(order.number, None)


def _execution_failed(state: State, order: Order, event: ExecutionFailed, time: int) -> None:
    number = order.number
    if order.status != OPEN:
        raise LifecycleError("fails to execute an order that is not executing")
    order.due = event.due
    order.updated = time
    before = state.order_retries.get(number)
    state.order_retries[number] = Retry(1 if before is None else before.attempts + 1, event.reason)


def _order_refused(state: State, event: OrderRefused, time: int) -> None:
    state.refusals_made = event.refusal
    if event.client_key:
        state.add_refusal(Refusal(event, time))


def _order_filled(state: State, order: Order, event: OrderFilled, time: int) -> None:
    _, number, _, released, voided, _, _, request = _filled(event)
    _close(state, order, FILL, released, voided, time)
    if request:
        state.requests[request].succeeded(number)


def _order_cancelled(state: State, order: Order, event: OrderCancelled, time: int) -> None:
    _close(state, order, CANCEL, event.released, event.voided, time)
    if event.request:
        state.requests[event.request].succeeded(event.order)


def _order_expired(state: State, order: Order, event: OrderExpired, time: int) -> None:
    _close(state, order, EXPIRE, event.released, event.voided, time)


def _close(state: State, order: Order, verb: int, released: int, voided: int, time: int) -> None:
    order.close(verb, released, voided, time)
    if voided:
        unreserve(state.balance(order.account, order.terms.reserve_asset), voided)
    if state.waiting:
        state.waiting.pop(order.number, None)
    if state.order_retries:
        state.order_retries.pop(order.number, None)
    if state.has_books:
        state.stop_working(order)
    state.is_done(order, time)


def _order_settled(state: State, order: Order, event: OrderSettled, time: int) -> None:
    order.updated = time


def _cancel_requested(state: State, event: CancelRequested, time: int) -> None:
    number: int = event.request
    subject: int = 0
    if event.scope != SCOPE_ORDERS:
        subject = event.account if event.scope == SCOPE_ACCOUNT else event.market
    state.requests_made = number
    state.add_request(CancelRequest(number, event.scope, event.orders, time, subject, event.through, event.reason))
    if not subject:
        state.leaving.append((time, -number))


def _cancel_refused(state: State, event: CancelRefused, time: int) -> None:
    if event.order:
        state.requests[event.request].refused(event.order, event.reason)


def _cancel_finished(state: State, event: CancelFinished, time: int) -> None:
    number: int = event.request
    state.sweeps.pop(number).finish()
    state.leaving.append((time, -number))


_placed: Final[
    Callable[
        [OrderPlaced],
        tuple[Number, Number, Number, int, int, int, int, int, Number, int, int, str, str, int, Instructions | None],
    ]
] = values
_filled: Final[Callable[[OrderFilled], tuple[Number, Number, Number, int, int, int, str, int]]] = values
# Compiled, a constant of the module is at hand, and a name that it imports is looked up at each use.
_ORDER_PLACED: Final = OrderPlaced
_ORDER_OPENED: Final = OrderOpened
_TRADE_MADE: Final = TradeMade
_ORDER_FILLED: Final = OrderFilled
_TRADE_SETTLED: Final = TradeSettled
_ORDER_SETTLED: Final = OrderSettled
_ORDER_RESTED: Final = OrderRested

_FOLDS_OF_ORDERS: Final[dict[type, Callable[[State, Order, Any, int], None]]] = {
    OrderWaiting: _order_waiting,
    PrerequisiteCleared: _prerequisite_cleared,
    OrderOpened: _order_opened,
    ExecutionFailed: _execution_failed,
    OrderFilled: _order_filled,
    OrderCancelled: _order_cancelled,
    OrderExpired: _order_expired,
    OrderSettled: _order_settled,
    OrderTriggered: _order_triggered,
    OrderRested: _order_rested,
}

_FOLDS: Final[dict[type, Callable[[State, Any, int], None]]] = {
    VenueOpened: _venue_opened,
    AssetDefined: _asset_defined,
    MarketDefined: _market_defined,
    MarketChanged: _market_changed,
    AccountOpened: _account_opened,
    AccountChanged: _account_changed,
    LeverageChanged: _leverage_changed,
    Transferred: _transferred,
    OrderRefused: _order_refused,
    OrdersReached: _orders_reached,
    CancelRequested: _cancel_requested,
    CancelRefused: _cancel_refused,
    CancelFinished: _cancel_finished,
}
