"""What a Hummingbot connector says of an order: a state, or one fill (specs/hummingbot.md §1.1)."""

from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple

from tallystick.dialects.hummingbot.trade_fee import TradeFeeBase


class OrderState(Enum):
    """Those from PENDING_APPROVAL on are of gateway connectors, which are outside: they are shown, and end nothing."""

    PENDING_CREATE = 0
    OPEN = 1
    PENDING_CANCEL = 2
    CANCELED = 3
    PARTIALLY_FILLED = 4
    FILLED = 5
    FAILED = 6
    PENDING_APPROVAL = 7
    APPROVED = 8
    CREATED = 9
    COMPLETED = 10


class OrderUpdate(NamedTuple):
    """One of the two ids names the order. ``update_timestamp`` is in seconds.

    Of ``misc_updates`` these mean something here: ``error_type`` and ``error_message`` of a failure, and ``expired``,
    true where it was the order's own time in force that ended it.
    """

    trading_pair: str
    update_timestamp: float
    new_state: OrderState
    client_order_id: str | None = None
    exchange_order_id: str | None = None
    misc_updates: dict[str, Any] | None = None


class TradeUpdate(NamedTuple):
    """One fill: ``trade_id`` is the venue's own, unique for the order; ``fill_timestamp`` is in seconds."""

    trade_id: str
    client_order_id: str
    exchange_order_id: str
    trading_pair: str
    fill_timestamp: float
    fill_price: Decimal
    fill_base_amount: Decimal
    fill_quote_amount: Decimal
    fee: TradeFeeBase
    is_taker: bool = True

    @property
    def fee_asset(self) -> str:
        return self.fee.fee_asset

    def to_json(self) -> dict[str, Any]:
        return {
            **self._asdict(),
            "fill_price": str(self.fill_price),
            "fill_base_amount": str(self.fill_base_amount),
            "fill_quote_amount": str(self.fill_quote_amount),
            "fee": self.fee.to_json(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "TradeUpdate":
        return cls(
            trade_id=data["trade_id"],
            client_order_id=data["client_order_id"],
            exchange_order_id=data["exchange_order_id"],
            trading_pair=data["trading_pair"],
            fill_timestamp=data["fill_timestamp"],
            fill_price=Decimal(data["fill_price"]),
            fill_base_amount=Decimal(data["fill_base_amount"]),
            fill_quote_amount=Decimal(data["fill_quote_amount"]),
            fee=TradeFeeBase.from_json(data["fee"]),
            is_taker=data.get("is_taker", True),
        )
