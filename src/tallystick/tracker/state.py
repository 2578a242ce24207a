"""The state of the client half: every order that something may still happen to, found by any of its ids in one look-up.

It is what the journal's events add up to (``fold``). The writer and the readers each keep a State of their own; terms
are shared by both.
"""

from typing import Final

from tallystick.facts.client_terms import MarketListed, VenueJoined
from tallystick.tracker.kept import Kept
from tallystick.tracker.order import TrackedOrder
from tallystick.tracker.profile import Profile


class OutOfSequence(Exception):
    """An entry that does not follow the last one folded."""


class Venue:
    """One venue: its orders by client id, by venue id and by trade id, and how far its streams are known.

    ``by_trade`` finds the first order that has the trade, ``trade_others`` any further ones (who trades with himself).
    ``broken_at`` and ``snapshot_at`` are the newest times up to which messages may be missing, and at which all open
    orders were seen. ``positions`` are its streams', in the venue's words. ``killed`` is since when nothing is placed
    there, and why; (0, "") while orders are.
    """

    __slots__ = (
        "broken_at",
        "by_client",
        "by_id",
        "by_trade",
        "killed",
        "name",
        "number",
        "positions",
        "profile",
        "snapshot_at",
        "terms",
        "trade_others",
    )

    def __init__(self, terms: VenueJoined) -> None:
        self.number: Final[Kept] = terms.venue
        self.name: Final[str] = terms.name
        self.terms = terms
        self.profile: Final = Profile()
        self.profile.become(terms)
        self.by_client: Final[dict[str, TrackedOrder]] = {}
        self.by_id: Final[dict[str, TrackedOrder]] = {}
        self.by_trade: Final[dict[str, TrackedOrder]] = {}
        self.trade_others: Final[dict[str, list[TrackedOrder]]] = {}
        self.positions: Final[dict[str, str]] = {}
        self.broken_at = 0
        self.snapshot_at = 0
        self.killed: tuple[int, str] = (0, "")

    @property
    def is_trusted(self) -> bool:
        """All that is open there is known: a snapshot is newer than the last time its stream broke."""
        return self.snapshot_at > self.broken_at

    def index_trade(self, trade: str, order: TrackedOrder) -> None:
        if self.by_trade.setdefault(trade, order) is not order:
            others = self.trade_others.setdefault(trade, [])
            if order not in others:
                others.append(order)

    def forget_trade(self, trade: str, order: TrackedOrder) -> None:
        if self.by_trade.get(trade) is order:
            del self.by_trade[trade]
        if self.trade_others and trade in self.trade_others:
            for other in self.trade_others.pop(trade):
                if other is not order:
                    self.index_trade(trade, other)


class State:
    """``sequence`` and ``time`` are the last entry's; numbers of venues, markets and orders are given from 1.

    ``left``, unless it is None, gathers the orders that have left until somebody takes them; ``left_at`` is the
    sequence of the entry with which the last ones did.
    """

    __slots__ = (
        "left",
        "left_at",
        "markets",
        "orders",
        "orders_made",
        "sequence",
        "time",
        "venue_named",
        "venues",
    )

    def __init__(self) -> None:
        self.sequence = 0
        self.time = 0
        self.orders_made = 0
        self.venues: Final[dict[int, Venue]] = {}
        self.venue_named: Final[dict[str, Venue]] = {}
        self.markets: Final[dict[int, MarketListed]] = {}
        self.orders: Final[dict[int, TrackedOrder]] = {}
        self.left: list[TrackedOrder] | None = None
        self.left_at = 0

    def join_venue(self, terms: VenueJoined) -> None:
        """A new venue, or a known one whose connector declares something else now."""
        venue = self.venues.get(terms.venue)
        if venue is None:
            venue = Venue(terms)
            self.venues[venue.number] = venue
            self.venue_named[venue.name] = venue
        else:
            if terms.fills and not venue.profile.fills:
                for order in venue.by_client.values():
                    order.summed().resay((order.consumed, order.quantity, order.notional, 0))
            venue.terms = terms
            venue.profile.become(terms)

    def start(self, venue: Venue, order: TrackedOrder) -> None:
        """A new order, which has no id of the venue's and no trade yet."""
        number = order.number
        self.orders_made = number
        self.orders[number] = order
        venue.by_client[order.client_id] = order

    def add_order(self, order: TrackedOrder) -> None:
        """One that was tracked before, found by all that it has."""
        venue = self.venues[order.venue]
        self.orders[order.number] = order
        venue.by_client[order.client_id] = order
        for venue_id in order.ids():
            venue.by_id[venue_id] = order
        for trade in order.trades():
            venue.index_trade(trade, order)

    def let_go(self, number: Kept) -> None:
        """The order leaves, and is found no longer."""
        order = self.orders[number]
        del self.orders[number]
        venue = self.venues[order.venue]
        del venue.by_client[order.client_id]
        if order.seldom is None:
            if order.venue_id:
                del venue.by_id[order.venue_id]
            if order.fills is not None:
                for trade in order.fills:
                    venue.forget_trade(trade, order)
        else:
            for venue_id in order.ids():
                del venue.by_id[venue_id]
            for trade in order.trades():
                venue.forget_trade(trade, order)
        if self.left is not None:
            self.left.append(order)

    def last(self, number: int) -> int:
        """The sequence of the newest entry about the order, 0 for none."""
        order = self.orders.get(number)
        return 0 if order is None else order.last
