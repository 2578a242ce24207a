"""What is true now and is not a fact: prices, and what is held back.

Absent after a restart; a fact that a price decides records the value used.
"""

from typing import Final

from tallystick.core.keys import Number


class Ambient:
    """``prices`` holds each market's price at its price scale and when it was quoted; ``waiting`` the orders that would
    go on with one.

    ``held`` maps a stage and a market (0: any) to the orders, or trades, that stopped there and go on when it is
    released.
    """

    __slots__ = ("held", "prices", "waiting")

    def __init__(self) -> None:
        self.prices: Final[dict[int, tuple[int, int]]] = {}
        self.waiting: Final[dict[int, dict[int, None]]] = {}
        self.held: Final[dict[tuple[int, int], dict[int, None]]] = {}

    def price(self, market: Number, since: int = 0) -> int:
        """The market's price, 0 if none is known that was quoted at ``since`` or later."""
        quoted = self.prices.get(market)
        return 0 if quoted is None or quoted[1] < since else quoted[0]

    def await_price(self, market: int, order: int) -> None:
        """Call the order again when the market has a price."""
        waiting = self.waiting.get(market)
        if waiting is None:
            waiting = {}
            self.waiting[market] = waiting
        waiting[order] = None

    def quote(self, market: int, price: int, time: int) -> list[int]:
        """The market's price is now this; returns the orders that waited for it."""
        if price <= 0:
            self.prices.pop(market, None)
            return []
        self.prices[market] = (price, time)
        return list(self.waiting.pop(market, {})) if self.waiting else []

    def hold(self, stage: int, market: int) -> None:
        """From now on nothing of the market goes beyond the stage."""
        self.held.setdefault((stage, market), {})

    def release(self, stage: int, market: int) -> list[int]:
        """It goes on; returns what stopped there."""
        return list(self.held.pop((stage, market), {}))

    def stops(self, stage: int, market: int, number: int) -> bool:
        """Whether the order (or trade) ``number`` of the market stops at the stage for now; it is noted if so."""
        if not self.held:
            return False
        for key in ((stage, market), (stage, 0)):
            held = self.held.get(key)
            if held is not None:
                held[number] = None
                return True
        return False
