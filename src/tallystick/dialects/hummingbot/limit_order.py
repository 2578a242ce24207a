"""A limit order as strategies and displays see it: a value (specs/hummingbot.md §1.2)."""

import time
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum

from tallystick.dialects.hummingbot.common import OrderType, PositionAction


class LimitOrderStatus(Enum):
    UNKNOWN = 0
    NEW = 1
    OPEN = 2
    CANCELING = 3
    CANCELED = 4
    COMPLETED = 5
    FAILED = 6


@dataclass(frozen=True)
class LimitOrder:
    """``creation_timestamp`` is in microseconds; 0 for unknown."""

    client_order_id: str
    trading_pair: str
    is_buy: bool
    base_currency: str
    quote_currency: str
    price: Decimal | None
    quantity: Decimal
    filled_quantity: Decimal = Decimal("NaN")
    creation_timestamp: int = 0
    status: LimitOrderStatus = LimitOrderStatus.UNKNOWN
    position: PositionAction = PositionAction.NIL

    def age(self) -> int:
        """Seconds since it was made, -1 where that is not known."""
        return self.age_til(time.time_ns() // 1000)

    def age_til(self, end_timestamp: int) -> int:
        """As ``age``, until a time in microseconds."""
        return -1 if self.creation_timestamp <= 0 else (end_timestamp - self.creation_timestamp) // 1_000_000

    def order_type(self) -> OrderType:
        return OrderType.LIMIT

    def copy_with_id(self, client_order_id: str) -> "LimitOrder":
        return replace(self, client_order_id=client_order_id)
