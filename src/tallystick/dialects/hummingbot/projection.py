"""What is believed of an order, shown in the fields that Hummingbot's InFlightOrder has.

An end is shown when it is told: an order whose fills are still awaited is not FILLED yet. A failure that was told
stays, whatever is learned later, as upstream's own tests want it.
"""

from typing import Any

from tallystick.core.lifecycle import FILLED, REJECTED, SUBMITTED
from tallystick.dialects.hummingbot.book import NO_IDS, Followed
from tallystick.dialects.hummingbot.order_update import OrderState, OrderUpdate, TradeUpdate
from tallystick.facts.client_codes import FAILED


def state_of(followed: Followed) -> OrderState:
    tracked = followed.tracked
    status = tracked.status
    if followed.end == FAILED or status == REJECTED:
        return OrderState.FAILED
    if status > FILLED:
        return OrderState.FAILED if followed.said is OrderState.FAILED else OrderState.CANCELED
    if status == FILLED and followed.end:
        return OrderState.FILLED
    if followed.said is OrderState.PENDING_CANCEL:
        return OrderState.PENDING_CANCEL
    if status == SUBMITTED:
        return OrderState.PENDING_CREATE
    if tracked.consumed or followed.said is OrderState.PARTIALLY_FILLED:
        return OrderState.PARTIALLY_FILLED
    return OrderState.OPEN


def show_state(followed: Followed) -> None:
    """The order is in the state that is believed, in the words of its own class."""
    order = followed.order
    order.current_state = type(order.current_state)(state_of(followed).value)
    order.check_processed_by_exchange_condition()


def show_update(followed: Followed, update: OrderUpdate) -> bool:
    """After a report: state and exchange id. Whether either has changed."""
    order = followed.order
    before = (order.exchange_order_id, order.current_state)
    show_exchange_id(followed, update.exchange_order_id)
    show_state(followed)
    changed = before != (order.exchange_order_id, order.current_state)
    if changed:
        order.last_update_timestamp = update.update_timestamp
    return changed


def show_exchange_id(followed: Followed, exchange_order_id: str | None) -> None:
    """The first id that is one, as it came."""
    if followed.order.exchange_order_id in NO_IDS and exchange_order_id not in NO_IDS:
        followed.order.update_exchange_order_id(exchange_order_id)


def show_fill(followed: Followed, update: TradeUpdate) -> bool:
    """After a fill: the amounts, if it counts. Whether it is new."""
    order = followed.order
    if not counts(followed, update) or update.trade_id in order.order_fills:
        return False
    order.order_fills[update.trade_id] = update
    order.executed_amount_base += update.fill_base_amount
    order.executed_amount_quote += update.fill_quote_amount
    order.last_update_timestamp = update.fill_timestamp
    if followed.tracked.is_full:
        order.completely_filled_event.set()
    return True


def counts(followed: Followed, update: Any) -> bool:
    """Whether this account of the trade is the one that counts."""
    trade = str(update.trade_id)
    return trade in (followed.tracked.fills or {}) and followed.trades.get(trade) is update
