"""What is true now and is not a fact: prices. Absent after a restart; a fact they decide records the value used."""

from typing import Final


class Ambient:
    """``prices`` holds each market's price at its price scale; ``waiting`` the orders that would go on with one."""

    __slots__ = ("prices", "waiting")

    def __init__(self) -> None:
        self.prices: Final[dict[int, int]] = {}
        self.waiting: Final[dict[int, dict[int, None]]] = {}

    def price(self, market: int) -> int:
        """The market's price, 0 if none is known."""
        return self.prices.get(market, 0)

    def await_price(self, market: int, order: int) -> None:
        """Call the order again when the market has a price."""
        waiting = self.waiting.get(market)
        if waiting is None:
            waiting = {}
            self.waiting[market] = waiting
        waiting[order] = None

    def quote(self, market: int, price: int) -> list[int]:
        """The market's price is now this; returns the orders that waited for it."""
        if price <= 0:
            self.prices.pop(market, None)
            return []
        self.prices[market] = price
        return list(self.waiting.pop(market, {}))
