"""What listeners are told of an order: the event and, for people, the line in the log, in upstream's words.

The lines are those of specs/hummingbot.md §1.3, because dashboards and tests read them.
"""

from typing import Any

from tallystick.dialects.hummingbot.book import Followed
from tallystick.dialects.hummingbot.events import (
    BuyOrderCompletedEvent,
    BuyOrderCreatedEvent,
    MarketEvent,
    MarketOrderFailureEvent,
    OrderCancelledEvent,
    OrderExpiredEvent,
    OrderFilledEvent,
    OrderUpdatedEvent,
    SellOrderCompletedEvent,
    SellOrderCreatedEvent,
)
from tallystick.dialects.hummingbot.order_update import OrderUpdate, TradeUpdate
from tallystick.facts.client import Announced
from tallystick.facts.client_codes import ASIDE_NAMES, CANCELLED, CERTAINTY_NAMES, CHANGE_NAMES, COMPLETED, EXPIRED
from tallystick.tracker.belief import contradictions

Said = tuple[MarketEvent, Any]
"""A tag and its event."""


def _is_buy(order: Any) -> bool:
    return bool(order.trade_type.name == "BUY")


def created(order: Any, timestamp: float) -> Said:
    kind = BuyOrderCreatedEvent if _is_buy(order) else SellOrderCreatedEvent
    return MarketEvent.BuyOrderCreated if _is_buy(order) else MarketEvent.SellOrderCreated, kind(
        timestamp,
        order.order_type,
        order.trading_pair,
        order.amount,
        order.price,
        order.client_order_id,
        order.creation_timestamp,
        exchange_order_id=order.exchange_order_id,
        leverage=order.leverage,
        position=order.position.value,
    )


def filled(order: Any, fill: TradeUpdate, timestamp: float) -> Said:
    return MarketEvent.OrderFilled, OrderFilledEvent(
        timestamp,
        order.client_order_id,
        order.trading_pair,
        order.trade_type,
        order.order_type,
        fill.fill_price,
        fill.fill_base_amount,
        fill.fee,
        exchange_trade_id=fill.trade_id,
        exchange_order_id=order.exchange_order_id,
        leverage=order.leverage,
        position=order.position.value,
    )


def filled_line(order: Any, fill: TradeUpdate) -> str:
    return (
        f"The {order.trade_type.name} order {order.client_order_id} amounting to "
        f"{order.executed_amount_base}/{order.amount} {order.base_asset} has been filled at {fill.fill_price} "
        f"{order.quote_asset}."
    )


def ended(order: Any, end: int, update: OrderUpdate | None, timestamp: float) -> Said:
    """``end`` is a code of facts.client_codes, ``update`` what was said at the end."""
    if end == COMPLETED:
        return _completed(order, timestamp)
    if end == CANCELLED:
        return MarketEvent.OrderCancelled, OrderCancelledEvent(
            timestamp, order.client_order_id, exchange_order_id=order.exchange_order_id
        )
    if end == EXPIRED:
        return MarketEvent.OrderExpired, OrderExpiredEvent(timestamp, order.client_order_id)
    misc_updates = (update.misc_updates if update is not None else None) or {}
    return MarketEvent.OrderFailure, MarketOrderFailureEvent(
        timestamp,
        order.client_order_id,
        order.order_type,
        error_message=misc_updates.get("error_message"),
        error_type=misc_updates.get("error_type"),
    )


def ended_line(order: Any, end: int, update: OrderUpdate | None) -> str:
    if end == COMPLETED:
        return f"{order.trade_type.name} order {order.client_order_id} completely filled."
    if end == CANCELLED:
        return f"Successfully canceled order {order.client_order_id}."
    if end == EXPIRED:
        return f"Order {order.client_order_id} has expired."
    return f"Order {order.client_order_id} has failed. Order Update: {update}"


def updated(followed: Followed, said: Announced, timestamp: float) -> Said:
    order = followed.order
    tracked = followed.tracked
    changed = tuple(name for bit, name in enumerate(CHANGE_NAMES) if said.changed & 1 << bit)
    aside = tracked.seldom.aside.values() if tracked.seldom is not None else ()
    fills = [f"fill {each.fill.trade} is set aside: {ASIDE_NAMES[each.reason]}" for each in aside]
    return MarketEvent.OrderUpdate, OrderUpdatedEvent(
        timestamp,
        order.client_order_id,
        order.exchange_order_id,
        changed,
        CERTAINTY_NAMES[tracked.certainty],
        (*contradictions(tracked), *fills),
    )


def _completed(order: Any, timestamp: float) -> Said:
    kind = BuyOrderCompletedEvent if _is_buy(order) else SellOrderCompletedEvent
    return MarketEvent.BuyOrderCompleted if _is_buy(order) else MarketEvent.SellOrderCompleted, kind(
        timestamp,
        order.client_order_id,
        order.base_asset,
        order.quote_asset,
        order.executed_amount_base,
        order.executed_amount_quote,
        order.order_type,
        exchange_order_id=order.exchange_order_id,
    )
