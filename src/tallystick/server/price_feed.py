"""What a venue's markets are quoted at: the price of each one's source, or what somebody has put in its place."""

import logging
from collections.abc import Mapping
from typing import Final

from tallystick.venue.prices import PriceSource

FOLLOWING: Final = "following"
SET: Final = "set"
FROZEN: Final = "frozen"
SILENT: Final = "silent"

_log = logging.getLogger(__name__)


class PriceFeed:
    """``sources`` are by the markets' names; one without a source has no price until somebody sets it."""

    def __init__(self, sources: Mapping[str, PriceSource]) -> None:
        self._sources: Final = sources
        self._instead: Final[dict[str, tuple[str, int]]] = {}
        self._failing: Final[set[str]] = set()

    def mode(self, market: str) -> str:
        """FOLLOWING its source, SET or FROZEN at a price, or SILENT."""
        return self._instead.get(market, (FOLLOWING, 0))[0]

    def has_source(self, market: str) -> bool:
        """Whether it has a price without anybody's doing."""
        return market in self._sources

    def set(self, market: str, price: int) -> None:
        """Quote this price from now on, at the market's price scale; 0 says that there is none."""
        self._instead[market] = (SET, price)

    def freeze(self, market: str, price: int) -> None:
        """Go on to quote the price that it has."""
        self._instead[market] = (FROZEN, price)

    def silence(self, market: str) -> None:
        """Quote nothing: what was quoted last grows old."""
        self._instead[market] = (SILENT, 0)

    def follow(self, market: str) -> None:
        """Quote what the source says again."""
        self._instead.pop(market, None)

    def price(self, market: str, now: int) -> int | None:
        """What to quote at ``now``: a price, 0 for none, or None for no quote at all."""
        instead = self._instead.get(market)
        if instead is not None:
            mode, price = instead
            return None if mode == SILENT else price
        source = self._sources.get(market)
        return None if source is None else self._ask(market, source, now)

    def _ask(self, market: str, source: PriceSource, now: int) -> int:
        """The source's price; none if it fails, for a price that stands still unnoticed is worse."""
        try:
            price = source.price(now)
        except Exception:  # noqa: BLE001 - a source is somebody else's; the other markets go on
            if market not in self._failing:
                _log.exception("the price source of %s fails; orders wait until it gives a price again", market)
            self._failing.add(market)
            return 0
        self._failing.discard(market)
        return price
