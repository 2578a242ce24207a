"""A market's rules as Hummingbot states them, and an order's amounts made to fit them (specs/hummingbot.md §2.1)."""

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Context, Decimal
from typing import Final

from tallystick.connect.trading_rules import (
    ABOVE_MAXIMUM,
    BELOW_INCREMENT,
    BELOW_MINIMUM,
    PRICE_REQUIRED,
    UNSUPPORTED_ORDER_TYPE,
    UNSUPPORTED_SIZE,
)
from tallystick.dialects.hummingbot.common import OrderType

LARGEST: Final = Decimal("1e56")
SMALLEST: Final = Decimal("1e-56")
_WIDE: Final = Context(prec=200)


@dataclass
class TradingRule:
    """Sizes and increments are in units of the base, notionals and prices in the quote."""

    trading_pair: str
    min_order_size: Decimal = Decimal(0)
    max_order_size: Decimal = LARGEST
    min_price_increment: Decimal = SMALLEST
    min_base_amount_increment: Decimal = SMALLEST
    min_quote_amount_increment: Decimal = SMALLEST
    min_notional_size: Decimal = Decimal(0)
    supports_limit_orders: bool = True
    supports_market_orders: bool = True

    def quantize_amount(self, amount: Decimal) -> Decimal:
        return floored(amount, self.min_base_amount_increment)

    def quantize_price(self, price: Decimal | None) -> Decimal | None:
        """Floored for both sides, as upstream does."""
        return price if price is None else floored(price, self.min_price_increment)

    def objection(self, order_type: OrderType, amount: Decimal, price: Decimal | None) -> tuple[str, str]:
        """(code, sentence) of why such an order is not sent; ("", "") if it may be. Amounts are quantised already."""
        pair = self.trading_pair
        if not (self.supports_limit_orders if order_type.is_limit_type() else self.supports_market_orders):
            return UNSUPPORTED_ORDER_TYPE, f"{pair} takes no {order_type.name} orders"
        if not amount.is_finite():
            return UNSUPPORTED_SIZE, f"an order's amount is a number, not {amount}"
        if amount <= 0:
            return BELOW_INCREMENT, f"the amount is less than one increment, {self.min_base_amount_increment}"
        if amount < self.min_order_size:
            return BELOW_MINIMUM, f"an order of {pair} is of at least {self.min_order_size}, not {amount}"
        if amount > self.max_order_size:
            return ABOVE_MAXIMUM, f"an order of {pair} is of at most {self.max_order_size}, not {amount}"
        has_price = price is not None and price.is_finite() and price > 0
        if order_type.is_limit_type() and not has_price:
            return PRICE_REQUIRED, f"a {order_type.name} order has a price of at least {self.min_price_increment}"
        if has_price and price is not None and price * amount < self.min_notional_size:
            least = self.min_notional_size
            return BELOW_MINIMUM, f"an order of {pair} is worth at least {least}, not {price * amount}"
        return "", ""


def floored(number: Decimal, increment: Decimal) -> Decimal:
    """The largest multiple of ``increment`` that is not above ``number``; what is no finite number stays."""
    if not number.is_finite() or increment <= SMALLEST:
        return number
    times = _WIDE.divide(number, increment).to_integral_value(ROUND_FLOOR, _WIDE)
    return _WIDE.multiply(times, increment)
