"""A market's trading rules, and an order's amounts made to fit them: floored to increments, minimums, codes of refusal.

What a strategy says in decimals becomes integers at the market's scales here, and nowhere else. Flooring never makes an
order larger than was asked; a price is floored too, as upstream does for both sides (specs/hummingbot.md §2.1).
"""

from decimal import ROUND_FLOOR, Context, Decimal
from math import lcm
from typing import Final

from tallystick.core.amounts import CEILING, FLOOR, rescale
from tallystick.facts.client_terms import MarketListed
from tallystick.facts.codes import UNITS

# Why an order is not sent.
UNSUPPORTED_ORDER_TYPE: Final = "unsupported_order_type"
UNSUPPORTED_SIZE: Final = "unsupported_size"
PRICE_REQUIRED: Final = "price_required"
MARKET_CLOSED: Final = "market_closed"
BELOW_INCREMENT: Final = "below_increment"
BELOW_MINIMUM: Final = "below_minimum"
ABOVE_MAXIMUM: Final = "above_maximum"

_EXACT: Final = Context(prec=400, rounding=ROUND_FLOOR)  # the usual 28 digits would round an order up


class TradingRule:
    """``name`` is the market's public name, as ACME-USD: ``unit`` is traded for ``currency``. ``symbol`` is the
    venue's.

    Increments and minimums are amounts at the market's scales; 0 for none, but an increment is at least 1.
    ``units_max`` is the most in one order. ``notional_min`` is of an order with a price. While it is not ``is_open``
    the market takes no orders.
    """

    __slots__ = (
        "cash_increment",
        "cash_min",
        "cash_scale",
        "currency",
        "is_open",
        "name",
        "notional_min",
        "price_increment",
        "price_scale",
        "symbol",
        "unit",
        "unit_increment",
        "unit_scale",
        "units_max",
        "units_min",
    )

    def __init__(
        self,
        name: str,
        symbol: str,
        unit: str,
        currency: str,
        *,
        price_scale: int,
        unit_scale: int,
        cash_scale: int,
        price_increment: int = 1,
        unit_increment: int = 1,
        cash_increment: int = 1,
        units_min: int = 0,
        units_max: int = 0,
        cash_min: int = 0,
        notional_min: int = 0,
        is_open: bool = True,
    ) -> None:
        self.name: Final = name
        self.symbol: Final = symbol
        self.unit: Final = unit
        self.currency: Final = currency
        self.price_scale: Final = price_scale
        self.unit_scale: Final = unit_scale
        self.cash_scale: Final = cash_scale
        self.price_increment: Final = max(1, price_increment)
        self.unit_increment: Final = max(1, unit_increment)
        self.cash_increment: Final = max(1, cash_increment)
        self.units_min: Final = units_min
        self.units_max: Final = units_max
        self.cash_min: Final = cash_min
        self.notional_min: Final = notional_min
        self.is_open: Final = is_open

    def at(self, market: MarketListed) -> "TradingRule":
        """The rule at the scales that its market was first listed with, should the venue have others by now."""
        prices, units, cash = market.price_scale, market.unit_scale, market.cash_scale
        if (prices, units, cash) == (self.price_scale, self.unit_scale, self.cash_scale):
            return self
        return TradingRule(
            self.name,
            self.symbol,
            self.unit,
            self.currency,
            price_scale=prices,
            unit_scale=units,
            cash_scale=cash,
            price_increment=_increment_at(self.price_increment, self.price_scale, prices),
            unit_increment=_increment_at(self.unit_increment, self.unit_scale, units),
            cash_increment=_increment_at(self.cash_increment, self.cash_scale, cash),
            units_min=rescale(self.units_min, self.unit_scale, units, CEILING),
            units_max=rescale(self.units_max, self.unit_scale, units, FLOOR),
            cash_min=rescale(self.cash_min, self.cash_scale, cash, CEILING),
            notional_min=rescale(self.notional_min, self.cash_scale, cash, CEILING),
            is_open=self.is_open,
        )


class Quantised:
    """An order's amounts as integers; ``code`` says why it cannot be sent, "" if it can."""

    __slots__ = ("code", "detail", "price", "size")

    def __init__(self, size: int, price: int, code: str = "", detail: str = "") -> None:
        self.size: Final = size
        self.price: Final = price
        self.code: Final = code
        self.detail: Final = detail


def _increment_at(increment: int, scale: int, other: int) -> int:
    """The least multiple of the increment that can be said at the ``other`` scale, at that scale."""
    if other >= scale:
        return increment * int(10 ** (other - scale))
    coarser = int(10 ** (scale - other))
    return lcm(increment, coarser) // coarser


def integer(amount: Decimal, scale: int) -> int:
    """``amount`` at ``scale``, floored. Raises ValueError for what is not a finite number of zero or more."""
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"an amount is a number of zero or more, not {amount}")
    return int(amount.scaleb(scale, _EXACT).to_integral_value(context=_EXACT))


def decimal(amount: int, scale: int) -> Decimal:
    """The inverse of ``integer``, with exactly ``scale`` decimals."""
    return Decimal(amount).scaleb(-scale, _EXACT)


def quantise(rule: TradingRule, market: MarketListed, kind: int, amount: Decimal, price: Decimal | None) -> Quantised:
    """The order's size in ``kind`` and its price, floored to the rule's increments at the scales of ``market``.

    Raises ValueError for amounts that are no numbers.
    """
    if kind == UNITS:
        scale, increment, least, word = market.unit_scale, rule.unit_increment, rule.units_min, market.unit
    else:
        scale, increment, least, word = market.cash_scale, rule.cash_increment, rule.cash_min, market.currency
    asked = integer(amount, scale)
    size = asked - asked % increment
    at = 0
    if price is not None:
        at = integer(price, market.price_scale)
        at -= at % rule.price_increment
        if not at:
            return Quantised(size, 0, BELOW_INCREMENT, f"a price of {price} is less than one increment")
    if not size:
        return Quantised(asked, at, BELOW_INCREMENT, f"{amount} {word} is less than one increment")
    if size < least:
        return Quantised(size, at, BELOW_MINIMUM, f"an order is of at least {decimal(least, scale)} {word}")
    if kind == UNITS and 0 < rule.units_max < size:
        return Quantised(size, at, ABOVE_MAXIMUM, f"an order is of at most {decimal(rule.units_max, scale)} {word}")
    if at and rule.notional_min and notional_of(market, kind, size, at) < rule.notional_min:
        least_notional = decimal(rule.notional_min, market.cash_scale)
        return Quantised(size, at, BELOW_MINIMUM, f"an order is worth at least {least_notional} {market.currency}")
    return Quantised(size, at)


def notional_of(market: MarketListed, kind: int, size: int, price: int) -> int:
    """What the order is worth at ``price``, at the market's cash scale, rounded up."""
    if kind != UNITS:
        return size
    excess = market.unit_scale + market.price_scale - market.cash_scale
    worth: int = size * price
    return -(-worth // int(10**excess)) if excess >= 0 else worth * int(10**-excess)
