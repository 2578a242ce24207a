"""An order as it was right after it was placed, so that a repeated request gets the answer that it got at first.

The journal's entry that placed it says all that had happened to it by then; its instrument is shown as of that time.
"""

from typing import Any

from tallystick.core.lifecycle import CANCEL, FILL, PLACE, RELEASE, WAIT, LifecycleError
from tallystick.core.order import Order
from tallystick.core.trade import Trade
from tallystick.facts.venue import (
    OrderCancelled,
    OrderFilled,
    OrderOpened,
    OrderPlaced,
    OrderWaiting,
    TradeMade,
)
from tallystick.readers.index import Index


def first_sight(index: Index, now: Order) -> tuple[Order, list[Trade]]:
    """The order and its trades as they were after its first entry; ``now`` is the order as it is."""
    entry = index.entry(index.since(now.placed))
    placed = entry.events[0]  # what places an order begins with that
    if not isinstance(placed, OrderPlaced) or placed.order != now.number:
        raise LifecycleError(f"entry {entry.sequence} does not place order {now.number}")
    number, account, market = placed.order, placed.account, placed.market
    order = Order(placed, number, account, market, placed.size, placed.reserved, placed.due, entry.time)
    order.advance(PLACE, placed.due, entry.time)
    trades: list[Trade] = []
    for time, event in enumerate(entry.events[1:], start=entry.time + 1):
        if isinstance(event, TradeMade):
            trades.append(_trade(order, event, time))
        else:
            _step(order, event, time)
    return order, trades


def _step(order: Order, event: Any, time: int) -> None:
    if isinstance(event, OrderWaiting):
        order.advance(WAIT, event.due, time)
    elif isinstance(event, OrderOpened):
        order.advance(RELEASE, event.due, time)
    elif isinstance(event, OrderFilled):
        order.close(FILL, event.released, event.voided, time)
    elif isinstance(event, OrderCancelled):
        order.close(CANCEL, event.released, event.voided, time)
    else:
        raise LifecycleError(f"an order is not placed and {type(event).__name__} in one entry")


def _trade(order: Order, made: TradeMade, time: int) -> Trade:
    for leg in made.legs:
        if leg.order == order.number:
            order.add_executed(made.trade, leg.consumed, leg.quantity, leg.notional, leg.fee, leg.posted, time)
    return Trade(made, made.trade, made.status, made.due, time, len(made.legs))
