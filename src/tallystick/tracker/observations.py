"""What the tracker is given: what its user intends, and what was observed of a venue.

Every observation says of which order it is (by ``client_id``, ``venue_id`` or both, "" for unknown), ``as_of`` which
time it speaks of, and from where it came. ``as_of`` is in microseconds on the clock of this process: for the answer to
a question, when the question was sent (the answer is at least as new); for a message, the venue's time of it, corrected
by what is known of the venue's clock. Amounts are integers at the scales of the order's market (facts/client.py).

These are plain classes, not Structs: they never go to a journal, and compiled code reads their fields at once.
"""

from typing import Final

from mypy_extensions import mypyc_attr

from tallystick.core.lifecycle import REJECTED, TRADE_EXECUTED
from tallystick.facts.client_codes import LIQUIDITY_UNKNOWN
from tallystick.facts.client_terms import VenueJoined
from tallystick.tracker.kept import Kept

# Where an observation came from.
SUBMIT: Final = 1  # the answer to the request that placed it
STREAM: Final = 2
ANSWER: Final = 3  # to a question of ours
SNAPSHOT: Final = 4
OPERATOR: Final = 5  # somebody who looked for himself
ORIGIN_NAMES: Final = ("", "submit", "stream", "answer", "snapshot", "operator")

# The outcome of a cancel request that core/lifecycle.py has no word for: the venue does not know the order.
CANCEL_NOT_FOUND: Final = 4

UNKNOWN_AMOUNT: Final = -1
UNKNOWN_STATUS: Final = -1


class JoinVenue:
    """A venue's connector is here; ``terms`` says what it declares, its ``venue`` is ignored and given by name."""

    __slots__ = ("terms",)

    def __init__(self, terms: VenueJoined) -> None:
        self.terms: Final = terms


class ListMarket:
    """A market that orders may be for; as in facts/client_terms.py. Listed once for each name at its venue."""

    __slots__ = ("cash_scale", "currency", "name", "price_scale", "unit", "unit_scale", "venue")

    def __init__(
        self, venue: int, name: str, unit: str, currency: str, price_scale: int, unit_scale: int, cash_scale: int
    ) -> None:
        self.venue: Final = venue
        self.name: Final = name
        self.unit: Final = unit
        self.currency: Final = currency
        self.price_scale: Final = price_scale
        self.unit_scale: Final = unit_scale
        self.cash_scale: Final = cash_scale


@mypyc_attr(acyclic=True, free_list_len=1)
class Place:
    """An order is to be sent, under a client id that was never used at this venue; the rest as in OrderIntended."""

    __slots__ = (
        "client_id",
        "kind",
        "market",
        "order_type",
        "price",
        "side",
        "size",
        "tolerance",
        "traits",
        "venue",
    )

    def __init__(
        self,
        venue: Kept,
        client_id: str,
        market: Kept,
        side: Kept,
        order_type: Kept,
        kind: Kept,
        size: Kept,
        price: Kept = 0,
        tolerance: Kept = 0,
        traits: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self.venue: Final = venue
        self.client_id: Final = client_id
        self.market: Final = market
        self.side: Final = side
        self.order_type: Final = order_type
        self.kind: Final = kind
        self.size: Final = size
        self.price: Final = price
        self.tolerance: Final = tolerance
        self.traits: Final = traits


class Cancel:
    """A request to cancel the order is about to be sent."""

    __slots__ = ("client_id", "reason", "venue")

    def __init__(self, venue: int, client_id: str, reason: str = "") -> None:
        self.venue: Final = venue
        self.client_id: Final = client_id
        self.reason: Final = reason


class Kill:
    """Nothing more is to be placed at the venue, until Release."""

    __slots__ = ("reason", "venue")

    def __init__(self, venue: int, reason: str) -> None:
        self.venue: Final = venue
        self.reason: Final = reason


class Release:
    """Orders may be placed at the venue again."""

    __slots__ = ("venue",)

    def __init__(self, venue: int) -> None:
        self.venue: Final = venue


@mypyc_attr(acyclic=True)
class Observation:
    """What all evidence of one order has in common. Each kind sets it by itself, which is faster than one call more."""

    __slots__ = ("as_of", "client_id", "origin", "venue", "venue_id")

    def __init__(self, venue: Kept, client_id: str, venue_id: str, as_of: Kept, origin: int) -> None:
        self.venue = venue
        self.client_id = client_id
        self.venue_id = venue_id
        self.as_of = as_of
        self.origin = origin


@mypyc_attr(acyclic=True, free_list_len=1)
class OrderReport(Observation):
    """The venue's word for an order, projected to a status of core/lifecycle.py. An accepted submit is one too.

    UNKNOWN_STATUS is for a word that the connector does not know; ``word`` is then that word. SUBMITTED says nothing
    but the id, and that the request is not on its way any more: the venue has it, or can no longer take it. As of 0 it
    says the id alone, which is known beforehand where it is a hash. ``consumed`` (in the size kind), ``quantity`` (in
    units) and ``notional`` are what the venue says is filled so far, ``pending`` what is still to be confirmed, in the
    size kind. The last two are read of a venue that says sums (VenueJoined.fills).
    """

    __slots__ = ("consumed", "notional", "pending", "quantity", "status", "word")

    def __init__(
        self,
        venue: Kept,
        client_id: str,
        venue_id: str,
        as_of: Kept,
        origin: int,
        status: int,
        consumed: int = UNKNOWN_AMOUNT,
        quantity: int = UNKNOWN_AMOUNT,
        word: str = "",
        notional: int = UNKNOWN_AMOUNT,
        pending: int = UNKNOWN_AMOUNT,
    ) -> None:
        self.venue = venue
        self.client_id = client_id
        self.venue_id = venue_id
        self.as_of = as_of
        self.origin = origin
        self.status: Final = status
        self.consumed: Final = consumed
        self.quantity: Final = quantity
        self.word: Final = word
        self.notional: Final = notional
        self.pending: Final = pending


@mypyc_attr(acyclic=True, free_list_len=1)
class FillReport(Observation):
    """One fill of an order, and the state of its trade. ``trade`` is the venue's id for it, unique for the order.

    ``consumed`` counts in the order's size kind. A ``fee_asset`` of "" says that the fee is not known yet.
    """

    __slots__ = (
        "consumed",
        "fee",
        "fee_asset",
        "fee_scale",
        "liquidity",
        "notional",
        "price",
        "quantity",
        "state",
        "trade",
    )

    def __init__(
        self,
        venue: Kept,
        client_id: str,
        venue_id: str,
        as_of: Kept,
        origin: int,
        trade: str,
        consumed: Kept,
        quantity: Kept,
        notional: Kept,
        price: Kept,
        fee: Kept = 0,
        fee_asset: str = "",
        fee_scale: Kept = 0,
        liquidity: Kept = LIQUIDITY_UNKNOWN,
        state: int = TRADE_EXECUTED,
    ) -> None:
        self.venue = venue
        self.client_id = client_id
        self.venue_id = venue_id
        self.as_of = as_of
        self.origin = origin
        self.trade: Final = trade
        self.consumed: Final = consumed
        self.quantity: Final = quantity
        self.notional: Final = notional
        self.price: Final = price
        self.fee: Final = fee
        self.fee_asset: Final = fee_asset
        self.fee_scale: Final = fee_scale
        self.liquidity: Final = liquidity
        self.state: Final = state


class TradeReport(Observation):
    """A trade has come to another state; which of our orders it is about may be known by the trade alone."""

    __slots__ = ("state", "trade")

    def __init__(
        self, venue: Kept, client_id: str, venue_id: str, as_of: Kept, origin: int, trade: str, state: int
    ) -> None:
        self.venue = venue
        self.client_id = client_id
        self.venue_id = venue_id
        self.as_of = as_of
        self.origin = origin
        self.trade: Final = trade
        self.state: Final = state


class Refusal(Observation):
    """The venue refused to place the order, or the request was never sent. Nothing ambiguous is a refusal.

    Where a venue has one word for what it refuses and for what it ends, ``lived`` is what that means of an order that
    had lived: CANCELLED or EXPIRED. Otherwise (REJECTED) such an order goes on, and a contradiction is shown.
    """

    __slots__ = ("code", "detail", "lived")

    def __init__(
        self,
        venue: Kept,
        client_id: str,
        venue_id: str,
        as_of: Kept,
        origin: int,
        code: str,
        detail: str = "",
        lived: int = REJECTED,
    ) -> None:
        self.venue = venue
        self.client_id = client_id
        self.venue_id = venue_id
        self.as_of = as_of
        self.origin = origin
        self.code: Final = code
        self.detail: Final = detail
        self.lived: Final = lived


class Unanswered(Observation):
    """The request that places the order was sent, and nobody knows what came of it: a timeout, a 5xx, a lost line."""

    __slots__ = ("reason",)

    def __init__(self, venue: Kept, client_id: str, venue_id: str, as_of: Kept, origin: int, reason: str = "") -> None:
        self.venue = venue
        self.client_id = client_id
        self.venue_id = venue_id
        self.as_of = as_of
        self.origin = origin
        self.reason: Final = reason


class CancelReport(Observation):
    """What came of a request to cancel: REQUESTED (the venue will see), DONE, REFUSED, UNKNOWN or CANCEL_NOT_FOUND.

    DONE is the venue's word that the order is cancelled. Where it only takes the request, that is REQUESTED.
    """

    __slots__ = ("outcome", "reason")

    def __init__(
        self, venue: Kept, client_id: str, venue_id: str, as_of: Kept, origin: int, outcome: int, reason: str = ""
    ) -> None:
        self.venue = venue
        self.client_id = client_id
        self.venue_id = venue_id
        self.as_of = as_of
        self.origin = origin
        self.outcome: Final = outcome
        self.reason: Final = reason


class NotFound(Observation):
    """The venue was asked for the order and says that it has none. An error of the network is no such thing.

    With ``fills_complete`` it is not open as of then, and every fill of it until then was reported before this: its
    absence counts as that from a complete list does (OpenOrders).
    """

    __slots__ = ("fills_complete",)

    def __init__(
        self, venue: Kept, client_id: str, venue_id: str, as_of: Kept, origin: int, fills_complete: bool = False
    ) -> None:
        self.venue = venue
        self.client_id = client_id
        self.venue_id = venue_id
        self.as_of = as_of
        self.origin = origin
        self.fills_complete: Final = fills_complete


class AllFills(Observation):
    """Every fill of the order until ``as_of`` was reported before this: the end of a list of them."""

    __slots__ = ()


class Amendment(Observation):
    """The venue has changed the order's terms: its whole ``size``, of the same kind, and its ``price`` (0 for none).

    ``as_of`` is when they began to hold, and tells one version from another. A new id of the order's comes as any does.
    """

    __slots__ = ("price", "size")

    def __init__(
        self, venue: Kept, client_id: str, venue_id: str, as_of: Kept, origin: int, size: int, price: int
    ) -> None:
        self.venue = venue
        self.client_id = client_id
        self.venue_id = venue_id
        self.as_of = as_of
        self.origin = origin
        self.size: Final = size
        self.price: Final = price


class OpenOrders:
    """All orders that the venue has open, asked at ``as_of``.

    With ``fills_complete`` every fill until then was reported, here or before, so that absence is evidence of an end.
    Fills may be of orders that are not in ``reports``: these alone are open.
    """

    __slots__ = ("as_of", "fills", "fills_complete", "reports", "venue")

    def __init__(
        self, venue: int, as_of: int, reports: list[OrderReport], fills: list[FillReport], fills_complete: bool
    ) -> None:
        self.venue: Final = venue
        self.as_of: Final = as_of
        self.reports: Final = reports
        self.fills: Final = fills
        self.fills_complete: Final = fills_complete


class Gap:
    """Messages of a stream may be missing up to ``as_of``: it broke, was cut off, or began anew."""

    __slots__ = ("as_of", "reason", "stream", "venue")

    def __init__(self, venue: int, stream: str, as_of: int, reason: str = "") -> None:
        self.venue: Final = venue
        self.stream: Final = stream
        self.as_of: Final = as_of
        self.reason: Final = reason


class Position:
    """Everything of a stream up to ``position``, the venue's own word, was given to the tracker before this."""

    __slots__ = ("position", "stream", "venue")

    def __init__(self, venue: int, stream: str, position: str) -> None:
        self.venue: Final = venue
        self.stream: Final = stream
        self.position: Final = position
