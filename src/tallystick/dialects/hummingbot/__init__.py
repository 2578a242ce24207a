"""Hummingbot's order tracking, by its own names, over Tallystick's tracker (docs/hummingbot.md).

    from tallystick.dialects.hummingbot import ClientOrderTracker

A connector that was written for Hummingbot keeps its code; what happens to its orders is then decided by one lifecycle.
"""

from tallystick.dialects.hummingbot.client_order_tracker import ClientOrderTracker
from tallystick.dialects.hummingbot.common import OrderType, PositionAction, PositionMode, PositionSide, TradeType
from tallystick.dialects.hummingbot.event_logger import EventLogger
from tallystick.dialects.hummingbot.events import (
    AccountEvent,
    BalanceUpdateEvent,
    BuyOrderCompletedEvent,
    BuyOrderCreatedEvent,
    FundingPaymentCompletedEvent,
    MarketEvent,
    MarketOrderFailureEvent,
    MarketTransactionFailureEvent,
    OrderCancelledEvent,
    OrderExpiredEvent,
    OrderFilledEvent,
    OrderUpdatedEvent,
    PositionModeChangeEvent,
    PositionUpdateEvent,
    SellOrderCompletedEvent,
    SellOrderCreatedEvent,
)
from tallystick.dialects.hummingbot.exchange_base import ConnectorBase, ExchangeBase
from tallystick.dialects.hummingbot.in_flight_order import InFlightOrder, PerpetualDerivativeInFlightOrder
from tallystick.dialects.hummingbot.limit_order import LimitOrder, LimitOrderStatus
from tallystick.dialects.hummingbot.order_update import OrderState, OrderUpdate, TradeUpdate
from tallystick.dialects.hummingbot.pubsub import EventListener, PubSub
from tallystick.dialects.hummingbot.rate_oracle import RateOracle
from tallystick.dialects.hummingbot.trade_fee import (
    AddedToCostTradeFee,
    DeductedFromReturnsTradeFee,
    TokenAmount,
    TradeFeeBase,
)

__all__ = [
    "AccountEvent",
    "AddedToCostTradeFee",
    "BalanceUpdateEvent",
    "BuyOrderCompletedEvent",
    "BuyOrderCreatedEvent",
    "ClientOrderTracker",
    "ConnectorBase",
    "DeductedFromReturnsTradeFee",
    "EventListener",
    "EventLogger",
    "ExchangeBase",
    "FundingPaymentCompletedEvent",
    "InFlightOrder",
    "LimitOrder",
    "LimitOrderStatus",
    "MarketEvent",
    "MarketOrderFailureEvent",
    "MarketTransactionFailureEvent",
    "OrderCancelledEvent",
    "OrderExpiredEvent",
    "OrderFilledEvent",
    "OrderState",
    "OrderType",
    "OrderUpdate",
    "OrderUpdatedEvent",
    "PerpetualDerivativeInFlightOrder",
    "PositionAction",
    "PositionMode",
    "PositionModeChangeEvent",
    "PositionSide",
    "PositionUpdateEvent",
    "PubSub",
    "RateOracle",
    "SellOrderCompletedEvent",
    "SellOrderCreatedEvent",
    "TokenAmount",
    "TradeFeeBase",
    "TradeType",
    "TradeUpdate",
]
