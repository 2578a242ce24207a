"""The client's half, folded from its journal alone: orders that have left its memory are in it too."""

from collections.abc import Iterable, Iterator
from typing import Final

from tallystick.core.lifecycle import TRADE_EXECUTED, TRADE_SETTLED
from tallystick.facts.client import Entry
from tallystick.facts.client_terms import MarketListed
from tallystick.facts.codes import UNITS
from tallystick.match.half import HalfFill, HalfOrder, exact
from tallystick.tracker.fold import fold
from tallystick.tracker.order import TrackedOrder
from tallystick.tracker.state import State


class ClientHalf:
    """Raises what folding raises (KeyError, OutOfSequence) for entries that are no client's journal."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.state: Final = State()
        self._left: Final[dict[int, TrackedOrder]] = {}
        self.state.left = []
        for entry in entries:
            fold(self.state, entry)
            for order in self.state.left:
                self._left[order.number] = order
            self.state.left.clear()

    @property
    def venues(self) -> list[str]:
        """The names of the venues it has orders for, or may have."""
        return list(self.state.venue_named)

    def orders(self, venue: str) -> Iterator[HalfOrder]:
        """All orders that were ever intended there, oldest first."""
        number = self.state.venue_named[venue].number
        for made in range(1, self.state.orders_made + 1):
            order = self.state.orders.get(made) or self._left[made]
            if order.venue == number:
                yield _half(order, self.state.markets[order.terms.market])


def _half(order: TrackedOrder, market: MarketListed) -> HalfOrder:
    terms, units, cash = order.terms, market.unit_scale, market.cash_scale
    size_scale = units if terms.kind == UNITS else cash
    fills = {
        trade: HalfFill(
            exact(fill.consumed, size_scale),
            exact(fill.quantity, units),
            exact(fill.notional, cash),
            exact(fill.fee, fill.fee_scale),
            fill.state,
        )
        for trade, fill in (order.fills or {}).items()
    }
    executed = [fill for fill in fills.values() if fill.state in (TRADE_EXECUTED, TRADE_SETTLED)]
    seldom = order.seldom
    return HalfOrder(
        order.client_id,
        tuple(order.ids()),
        "",
        f"{market.unit}-{market.currency}",
        terms.side,
        terms.kind,
        exact(order.size, size_scale),
        order.status,
        exact(order.consumed, size_scale),
        exact(order.pending, size_scale),
        exact(order.quantity, units),
        exact(order.notional, cash),
        sum((fill.fee for fill in executed), exact(0, 0)),
        fills,
        None if seldom is None or not seldom.cancel[0] else seldom.cancel[1],
        order.certainty,
        "" if seldom is None else seldom.refusal[1],
        exact(order.price, market.price_scale) if order.price else None,
    )
