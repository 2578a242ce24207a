"""Which public events a journal's entry gives (seeds/004): the one mapping for whoever lists them or sends them.

An event that is not named here shows nothing: a prerequisite that was cleared, an attempt that failed and is made
again, a refusal. What is shown is never more than the entry says, so it is the same for ever.
"""

from typing import Final, NamedTuple

from tallystick.dialects.sophic.wire import EventName, ResourceType
from tallystick.facts.venue import (
    Entry,
    OrderCancelled,
    OrderFilled,
    OrderOpened,
    OrderPlaced,
    OrderSettled,
    OrderWaiting,
    TradeMade,
    TradeSettled,
    event_number,
)

_ORDER_EVENTS: Final[dict[type, EventName]] = {
    OrderPlaced: "order.placed",
    OrderWaiting: "order.pending",
    OrderOpened: "order.executing",
    OrderFilled: "order.filled",
    OrderSettled: "order.settled",
    OrderCancelled: "order.cancelled",
}


class PublicEvent(NamedTuple):
    """``number`` tells it from every other of its venue, and grows; ``resource`` is an order's or a trade's number.

    ``time`` is in microseconds since the epoch, and later than that of every event before it.
    """

    number: int
    name: EventName
    account: int
    resource_type: ResourceType
    resource: int
    time: int


def events_of(entry: Entry) -> list[PublicEvent]:
    """The entry's public events, oldest first."""
    found: list[PublicEvent] = []
    for index, event in enumerate(entry.events):
        number, time = event_number(entry.sequence, index), entry.time + index
        name = _ORDER_EVENTS.get(type(event))
        if name is not None:
            found.append(PublicEvent(number, name, event.account, "order", event.order, time))
        elif isinstance(event, TradeMade):
            found.append(PublicEvent(number, "trade.executed", event.account, "trade", event.trade, time))
        elif isinstance(event, TradeSettled):
            found.append(PublicEvent(number, "trade.settled", event.account, "trade", event.trade, time))
    return found
