"""Where a fee in one token is told in another: rates that the application knows, by pair; nothing is fetched here."""

from decimal import Decimal
from typing import ClassVar


class RateOracle:
    """One for the process (``get_instance``); rates are set by whoever knows them."""

    _instance: ClassVar["RateOracle | None"] = None

    def __init__(self) -> None:
        self._prices: dict[str, Decimal] = {}

    @classmethod
    def get_instance(cls) -> "RateOracle":
        if RateOracle._instance is None:
            RateOracle._instance = cls()
        return RateOracle._instance

    def set_price(self, pair: str, price: Decimal) -> None:
        """One of the base of ``pair``, as BTC-USD, is worth ``price`` of its quote."""
        self._prices[pair] = price

    def get_pair_rate(self, pair: str) -> Decimal | None:
        """The rate of the pair, by its own price or the inverse of the other way round; None if nobody set it."""
        price = self._prices.get(pair)
        if price is not None:
            return price
        base, _, quote = pair.partition("-")
        inverse = self._prices.get(f"{quote}-{base}")
        return 1 / inverse if inverse else None
