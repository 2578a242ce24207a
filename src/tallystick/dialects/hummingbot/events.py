"""Hummingbot's market events: its names, fields, their order, and its numbers (specs/hummingbot.md §1.5).

``timestamp`` is the connector's clock in seconds; amounts are Decimals. Two are told here that upstream only names:
OrderExpiredEvent, and for ``MarketEvent.OrderUpdate`` the OrderUpdatedEvent.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from tallystick.dialects.hummingbot.common import OrderType, PositionAction, PositionMode, PositionSide, TradeType
from tallystick.dialects.hummingbot.trade_fee import AddedToCostTradeFee, TradeFeeBase

__all__ = [
    "AccountEvent",
    "AddedToCostTradeFee",
    "BalanceUpdateEvent",
    "BuyOrderCompletedEvent",
    "BuyOrderCreatedEvent",
    "FundingPaymentCompletedEvent",
    "MarketEvent",
    "MarketOrderFailureEvent",
    "MarketTransactionFailureEvent",
    "OrderCancelledEvent",
    "OrderExpiredEvent",
    "OrderFilledEvent",
    "OrderUpdatedEvent",
    "PositionModeChangeEvent",
    "PositionUpdateEvent",
    "SellOrderCompletedEvent",
    "SellOrderCreatedEvent",
    "TradeFeeBase",
]


class MarketEvent(Enum):
    ReceivedAsset = 101
    BuyOrderCompleted = 102
    SellOrderCompleted = 103
    WithdrawAsset = 105
    OrderCancelled = 106
    OrderFilled = 107
    OrderExpired = 108
    OrderUpdate = 109
    TradeUpdate = 110
    OrderFailure = 198
    TransactionFailure = 199
    BuyOrderCreated = 200
    SellOrderCreated = 201
    FundingPaymentCompleted = 202
    FundingInfo = 203
    RangePositionLiquidityAdded = 300
    RangePositionLiquidityRemoved = 301
    RangePositionUpdateFailure = 303


class AccountEvent(Enum):
    PositionModeChangeSucceeded = 400
    PositionModeChangeFailed = 401
    BalanceEvent = 402
    PositionUpdate = 403
    MarginCall = 404
    LiquidationEvent = 405


@dataclass
class _OrderCreatedEvent:
    timestamp: float
    type: OrderType
    trading_pair: str
    amount: Decimal
    price: Decimal | None
    order_id: str
    creation_timestamp: float
    exchange_order_id: str | None = None
    leverage: int | None = 1
    position: str | None = PositionAction.NIL.value


@dataclass
class BuyOrderCreatedEvent(_OrderCreatedEvent):
    """The venue has a buy of ours."""


@dataclass
class SellOrderCreatedEvent(_OrderCreatedEvent):
    """The venue has a sell of ours."""


class OrderFilledEvent(NamedTuple):
    """One fill: ``amount`` is of it alone, in units of the base."""

    timestamp: float
    order_id: str
    trading_pair: str
    trade_type: TradeType
    order_type: OrderType
    price: Decimal
    amount: Decimal
    trade_fee: TradeFeeBase
    exchange_trade_id: str = ""
    exchange_order_id: str | None = ""
    leverage: int | None = 1
    position: str | None = PositionAction.NIL.value


@dataclass
class _OrderCompletedEvent:
    timestamp: float
    order_id: str
    base_asset: str
    quote_asset: str
    base_asset_amount: Decimal
    quote_asset_amount: Decimal
    order_type: OrderType
    exchange_order_id: str | None = None


@dataclass
class BuyOrderCompletedEvent(_OrderCompletedEvent):
    """A buy is filled, and its fills were told, but for those that did not come in time."""


@dataclass
class SellOrderCompletedEvent(_OrderCompletedEvent):
    """A sell is filled, likewise."""


@dataclass
class OrderCancelledEvent:
    """It was cancelled, by whomever; what it had filled stays filled, and fills may still come."""

    timestamp: float
    order_id: str
    exchange_order_id: str | None = None


class OrderExpiredEvent(NamedTuple):
    """Its own time in force ended it."""

    timestamp: float
    order_id: str


class MarketOrderFailureEvent(NamedTuple):
    """The venue refused it, it was never sent, or it was denied so often that it counts as lost."""

    timestamp: float
    order_id: str
    order_type: OrderType
    error_message: str | None = None
    error_type: str | None = None


class MarketTransactionFailureEvent(NamedTuple):
    timestamp: float
    order_id: str


@dataclass
class OrderUpdatedEvent:
    """Something else changed: ``changed`` names what (status, certainty, cancel, fills, quarantine, ids).

    ``certainty`` is how sure the order's state is: CONFIRMED, INFERRED, AMBIGUOUS or LOST; ``problems`` are sentences
    about evidence that cannot be true and is set aside, all there are now.
    """

    timestamp: float
    order_id: str
    exchange_order_id: str | None
    changed: tuple[str, ...]
    certainty: str
    problems: tuple[str, ...] = ()


@dataclass
class FundingPaymentCompletedEvent:
    timestamp: float
    market: str
    trading_pair: str
    amount: Decimal
    funding_rate: Decimal


@dataclass
class PositionModeChangeEvent:
    timestamp: float
    trading_pair: str
    position_mode: PositionMode
    message: str | None = None


@dataclass
class BalanceUpdateEvent:
    timestamp: float
    asset_name: str
    total_balance: Decimal | None = None
    available_balance: Decimal | None = None


@dataclass
class PositionUpdateEvent:
    """``position_side`` is None for a position that is closed."""

    timestamp: float
    trading_pair: str
    position_side: PositionSide | None
    unrealized_pnl: Decimal
    entry_price: Decimal
    amount: Decimal
    leverage: Decimal
