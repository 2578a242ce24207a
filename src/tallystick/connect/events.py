"""What a strategy is told of its orders: Hummingbot's events, by its names and fields, and what those leave out.

Per order: Created (unless it failed), then every fill, then one end: Completed, Cancelled, Expired or Failure. Whatever
else changes is an OrderUpdatedEvent. Fills after the end are ``late``. Each is told once in a run, and again in another
only to whoever asks for what came after the ``position`` that it stored (docs/client.md).

Amounts are Decimals; ``timestamp`` is in seconds since the epoch, when it was journaled here; names of orders, markets
and assets are texts. ``exchange_order_id`` is the venue's, None while it is not known.
"""

from decimal import Decimal
from enum import Enum
from typing import Final, TypeAlias

from msgspec import Struct

from tallystick.facts.codes import BUY, LIMIT_ORDER, MARKET_ORDER, SELL


class OrderType(Enum):
    MARKET = MARKET_ORDER
    LIMIT = LIMIT_ORDER


class TradeType(Enum):
    BUY = BUY
    SELL = SELL


class Fee(Struct, frozen=True):
    """What one fill cost beside its price; ``asset`` is "" while that is not known."""

    amount: Decimal
    asset: str


class OrderEvent(Struct, frozen=True, kw_only=True):
    """What all events have.

    ``position`` names the event in this client's journal. ``status`` and ``certainty`` are what is believed of it
    (names of docs/lifecycle.md; CONFIRMED, INFERRED, AMBIGUOUS, LOST). ``executed_amount_base`` and ``_quote`` are the
    sums of its fills so far, this event's included. ``inferred``: nobody said it in these words, it follows from what
    they said.
    """

    timestamp: float
    order_id: str
    trading_pair: str
    exchange_order_id: str | None
    venue: str
    position: str
    status: str
    certainty: str
    executed_amount_base: Decimal
    executed_amount_quote: Decimal
    late: bool = False
    inferred: bool = False


class OrderCreatedEvent(OrderEvent, frozen=True, kw_only=True):
    """The venue has accepted the order. ``amount`` counts what ``amount_kind`` says: units, cash or stake; ``price`` is
    None where the order has none. ``leverage`` and ``position`` are upstream's fields; spot orders have these."""

    type: OrderType
    amount: Decimal
    amount_kind: str
    price: Decimal | None
    creation_timestamp: float
    leverage: int = 1
    position: str = "NIL"


class BuyOrderCreatedEvent(OrderCreatedEvent, frozen=True, kw_only=True):
    pass


class SellOrderCreatedEvent(OrderCreatedEvent, frozen=True, kw_only=True):
    pass


class OrderFilledEvent(OrderEvent, frozen=True, kw_only=True):
    """One fill that was executed: ``amount`` is of it alone, in units."""

    trade_type: TradeType
    order_type: OrderType
    price: Decimal
    amount: Decimal
    quote_amount: Decimal
    trade_fee: Fee
    exchange_trade_id: str
    leverage: int = 1
    position: str = "NIL"


class OrderCompletedEvent(OrderEvent, frozen=True, kw_only=True):
    """It is filled, and all of its fills were told; ``incomplete`` if they did not come in the time given to them."""

    base_asset: str
    quote_asset: str
    base_asset_amount: Decimal
    quote_asset_amount: Decimal
    order_type: OrderType
    incomplete: bool = False


class BuyOrderCompletedEvent(OrderCompletedEvent, frozen=True, kw_only=True):
    pass


class SellOrderCompletedEvent(OrderCompletedEvent, frozen=True, kw_only=True):
    pass


class OrderCancelledEvent(OrderEvent, frozen=True, kw_only=True):
    """It was cancelled, by whomever; what it had filled stays filled, and fills may still come, late."""


class OrderExpiredEvent(OrderEvent, frozen=True, kw_only=True):
    """Its own time in force ended it."""


class MarketOrderFailureEvent(OrderEvent, frozen=True, kw_only=True):
    """The venue refused it, or it was never sent: ``error_type`` is a code, ``error_message`` is for people."""

    order_type: OrderType
    error_message: str
    error_type: str


class OrderUpdatedEvent(OrderEvent, frozen=True, kw_only=True):
    """Something else changed: ``changed`` names what (status, certainty, cancel, fills, quarantine, ids).

    ``cancel_outcome`` is the newest of a request to cancel it ("", REQUESTED, DONE, REFUSED, UNKNOWN) with its reason;
    ``problems`` are sentences about evidence that contradicts itself and is set aside, all there are now.
    """

    changed: tuple[str, ...]
    cancel_outcome: str = ""
    cancel_reason: str = ""
    problems: tuple[str, ...] = ()


Event: TypeAlias = OrderEvent
TERMINAL: Final[tuple[type[OrderEvent], ...]] = (
    OrderCompletedEvent,
    OrderCancelledEvent,
    OrderExpiredEvent,
    MarketOrderFailureEvent,
)
"""After one of these only late fills and updates may come."""
