"""Limits of one's own, checked before an order is sent: its size, all that is open, how many, and the kill switch.

They protect from a strategy gone wrong, so they fail closed: where a limit needs a price and there is none, it is
refused. A refused order is journaled and fails with a MarketOrderFailureEvent, whose code is one of those below.
"""

from collections import deque
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from tallystick.connect.trading_rules import decimal, notional_of
from tallystick.core.lifecycle import FILLED
from tallystick.facts.client_terms import MarketListed
from tallystick.facts.codes import UNITS
from tallystick.tracker.order import TrackedOrder

ORDER_TOO_LARGE: Final = "order_too_large"
OPEN_TOO_LARGE: Final = "open_notional_too_large"
TOO_MANY_OPEN: Final = "too_many_open_orders"
TOO_MANY_ORDERS: Final = "too_many_orders"
PRICE_UNKNOWN: Final = "price_unknown"
KILLED: Final = "killed"

NO_UNITS: Final[Mapping[str, Decimal]] = MappingProxyType({})


class Limits:
    """None for no limit. Notionals are in each market's own currency, and of each currency by itself.

    ``order_units_max`` is by market. At most ``orders_max`` orders are placed within any ``orders_seconds``.
    """

    __slots__ = (
        "open_notional_max",
        "open_orders_max",
        "order_notional_max",
        "order_units_max",
        "orders_max",
        "orders_seconds",
    )

    def __init__(
        self,
        *,
        order_notional_max: Decimal | None = None,
        order_units_max: Mapping[str, Decimal] = NO_UNITS,
        open_notional_max: Decimal | None = None,
        open_orders_max: int | None = None,
        orders_max: int | None = None,
        orders_seconds: float = 1.0,
    ) -> None:
        self.order_notional_max: Final = order_notional_max
        self.order_units_max: Final = dict(order_units_max)
        self.open_notional_max: Final = open_notional_max
        self.open_orders_max: Final = open_orders_max
        self.orders_max: Final = orders_max
        self.orders_seconds: Final = orders_seconds

    @property
    def need_a_price(self) -> bool:
        return self.order_notional_max is not None or self.open_notional_max is not None


class Guard:
    """The limits of one venue, and what counts against them. ``price`` is a market's last known price, 0 for none.

    An order counts with its whole notional from when it is intended until it is over. One that was found open, and
    whose market has no price yet, cannot be measured (``_unmeasured``): until it is, nothing is added to it.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits: Final = limits
        self._open: Final[dict[int, tuple[str, Decimal]]] = {}
        self._sums: Final[dict[str, Decimal]] = {}
        self._unmeasured: Final[dict[int, tuple[TrackedOrder, MarketListed]]] = {}
        self._placed: Final[deque[int]] = deque()
        self._prices: Final[dict[int, int]] = {}
        self.killed = ""
        """Why every order is refused, "" while they are not; VenueDesk keeps it with the journal."""

    def set_price(self, market: int, price: int) -> None:
        self._prices[market] = price
        for order, listed in [each for each in self._unmeasured.values() if each[1].market == market]:
            self.closed(order.number)
            self.opened(order, listed)

    def check(self, market: MarketListed, kind: int, size: int, price: int, now: int) -> tuple[str, str]:
        """(code, detail) of why an order may not be placed, ("", "") if it may. ``now`` is in microseconds."""
        limits = self._limits
        if self.killed:
            return KILLED, f"placing is switched off until it is allowed again: {self.killed}"
        units_max = limits.order_units_max.get(market.name)
        if kind == UNITS and units_max is not None and decimal(size, market.unit_scale) > units_max:
            return ORDER_TOO_LARGE, f"an order is of at most {units_max} {market.unit}"
        if limits.open_orders_max is not None and len(self._open) >= limits.open_orders_max:
            return TOO_MANY_OPEN, f"at most {limits.open_orders_max} orders are open"
        self._forget(now)
        if limits.orders_max is not None and len(self._placed) >= limits.orders_max:
            return TOO_MANY_ORDERS, f"at most {limits.orders_max} orders are placed in {limits.orders_seconds} s"
        return self._check_notional(market, kind, size, price) if limits.need_a_price else ("", "")

    def _check_notional(self, market: MarketListed, kind: int, size: int, price: int) -> tuple[str, str]:
        limits = self._limits
        notional = self._notional(market, kind, size, price)
        if notional is None:
            return PRICE_UNKNOWN, f"{market.name} has no price yet that the order could be measured by"
        if limits.order_notional_max is not None and notional > limits.order_notional_max:
            return ORDER_TOO_LARGE, f"an order is worth at most {limits.order_notional_max} {market.currency}"
        if limits.open_notional_max is not None and self._unmeasured:
            return PRICE_UNKNOWN, "an order is open that has no price yet by which it could be measured"
        whole = self._sums.get(market.currency, Decimal(0)) + notional
        if limits.open_notional_max is not None and whole > limits.open_notional_max:
            return OPEN_TOO_LARGE, f"open orders are worth at most {limits.open_notional_max} {market.currency}"
        return "", ""

    def opened(self, order: TrackedOrder, market: MarketListed) -> None:
        """It is intended, or was found to be open."""
        if order.number in self._open or order.status >= FILLED:
            return
        terms = order.terms
        notional = self._notional(market, terms.kind, terms.size, terms.price)
        if notional is None:
            self._unmeasured[order.number] = (order, market)
            notional = Decimal(0)
        self._open[order.number] = (market.currency, notional)
        self._sums[market.currency] = self._sums.get(market.currency, Decimal(0)) + notional

    def placed(self, now: int) -> None:
        """One more order was intended, at ``now``."""
        if self._limits.orders_max is not None:
            self._placed.append(now)

    def closed(self, number: int) -> None:
        """It is over; harmless when repeated."""
        self._unmeasured.pop(number, None)
        found = self._open.pop(number, None)
        if found is not None:
            self._sums[found[0]] -= found[1]

    def _notional(self, market: MarketListed, kind: int, size: int, price: int) -> Decimal | None:
        price = price or self._prices.get(market.market, 0)
        if kind == UNITS and not price:
            return None
        return decimal(notional_of(market, kind, size, price), market.cash_scale)

    def _forget(self, now: int) -> None:
        since = now - int(self._limits.orders_seconds * 1_000_000)
        while self._placed and self._placed[0] <= since:
            self._placed.popleft()
