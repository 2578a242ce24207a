"""What the neutral API shows, as types: they are its description too. Amounts are decimal strings, times RFC 3339.

The words are those of the lifecycle (docs/lifecycle.md), the same for every venue.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from tallystick.facts.instants import instant as instant

Amount = Annotated[str, Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?$", examples=["100.00"])]
Instant = Annotated[str, Meta(extra_json_schema={"format": "date-time"}, examples=["2026-03-12T14:30:05.000001Z"])]
Date = Annotated[str, Meta(extra_json_schema={"format": "date"}, examples=["2026-03-16"])]
VenueName = Annotated[str, Meta(examples=["sophic"])]
OrderId = Annotated[str, Meta(examples=["ord_dxr5zpd2bmgb8"])]
TradeId = Annotated[str, Meta(examples=["trd_4k7q1s2m9n0pa"])]
EventId = Annotated[str, Meta(examples=["evt_1n8p3q1w5vzk2"])]
RequestId = Annotated[str, Meta(examples=["can_7m2x0ye5wq3rh"])]
Position = Annotated[str, Meta(examples=["sophic.5w0c3s8r1v7e2"])]
AccountName = Annotated[str, Meta(examples=["acc_demo"])]
MarketName = Annotated[str, Meta(examples=["ins_acme"])]

Side = Literal["buy", "sell"]
SizeKind = Literal["units", "cash", "stake"]
OrderStatus = Literal["submitted", "placed", "pending", "open", "filled", "cancelled", "expired", "rejected"]
TradeStatus = Literal["pending", "executed", "settled", "reverted"]
Scope = Literal["orders", "market", "account"]
Liquidity = Literal["taker", "maker"]
TimeInForce = Literal["good_till_time", "immediate_or_cancel", "fill_or_kill"]
Instruction = Literal["post_only", "reduce_only"]
Outcome = Literal["requested", "refused", "done"]
EventKind = Literal[
    "order_placed",
    "order_waiting",
    "prerequisite_cleared",
    "order_triggered",
    "order_opened",
    "order_rested",
    "execution_failed",
    "order_filled",
    "order_cancelled",
    "order_expired",
    "order_settled",
    "order_refused",
    "trade_made",
    "trade_confirmed",
    "trade_reverted",
    "trade_settled",
    "settlement_failed",
    "cancel_requested",
    "cancel_refused",
    "cancel_finished",
]


class Size(Struct, frozen=True):
    """``kind`` says what the amounts count: units of the market, cash of its currency, or a maker's stake.

    While the order is open ``amount = consumed + pending + leaves``, once closed ``consumed + pending + released``.
    """

    kind: SizeKind
    amount: Amount
    consumed: Amount
    pending: Amount
    leaves: Amount
    released: Amount


class Waits(Struct, frozen=True):
    """What a pending order waits for, and until when; without ``until``, for as long as it takes."""

    prerequisite: str
    until: Instant | None


class Retry(Struct, frozen=True):
    """So many attempts have failed, the last for ``reason``; the next is at ``next_at``."""

    attempts: int
    reason: str
    next_at: Instant | None


class Leg(Struct, frozen=True):
    """One order's part of a trade. ``consumed`` counts in the order's size; a fee may be negative: a rebate.
    ``liquidity`` says who came and who rested in a book, null where nobody did either."""

    order: OrderId
    account: AccountName
    side: Side
    consumed: Amount
    quantity: Amount
    notional: Amount
    fee: Amount
    liquidity: Liquidity | None


class Trade(Struct, frozen=True):
    """A trade as a whole is pending, then executed and settled, or reverted. Its ``legs`` are those of orders that the
    reader may see. ``settled_at`` is null until it is settled, ``retry`` while nothing has failed."""

    id: TradeId
    market: MarketName
    status: TradeStatus
    price: Amount
    legs: list[Leg]
    value_date: Date | None
    made_at: Instant
    settled_at: Instant | None
    retry: Retry | None


class Instructions(Struct, frozen=True):
    """How an order is worked in a book; null where it says nothing."""

    limit_price: Amount | None
    trigger_price: Amount | None
    time_in_force: TimeInForce
    expires_at: Instant | None
    flags: list[Instruction]


class Order(Struct, frozen=True):
    """An order in the words of the lifecycle. ``final``: it is closed and each of its trades is settled or reverted, so
    that nothing of it moves any more. ``quantity``, ``notional`` and ``fees`` are sums over its executed trades. Only
    what is worked in a book has ``instructions``. ``wire_id`` is what the venue's own protocol calls it."""

    id: OrderId
    wire_id: str
    venue: VenueName
    account: AccountName
    market: MarketName
    side: Side
    type: str
    status: OrderStatus
    final: bool
    size: Size
    quantity: Amount
    notional: Amount
    fees: Amount
    instructions: Instructions | None
    waits_for: Waits | None
    retry: Retry | None
    trades: list[Trade]
    placed_at: Instant
    updated_at: Instant


class Orders(Struct, frozen=True):
    """A page: each venue's orders newest first, one venue after the other. ``next`` is where it goes on (``after``),
    null at the end; a page may be short, even empty, and not the last."""

    orders: list[Order]
    next: str | None


class Terms(Struct, frozen=True):
    """What an order is from beginning to end; ``wire_id`` is what the venue's own protocol calls it."""

    wire_id: str
    side: Side
    type: str
    size_kind: SizeKind
    size: Amount
    instructions: Instructions | None


class EventTrade(Struct, frozen=True):
    """A trade as it is right after the event; its ``legs`` are those of orders that the reader may see."""

    id: TradeId
    status: TradeStatus
    price: Amount
    legs: list[Leg]


class Cancel(Struct, frozen=True, omit_defaults=True):
    """A request to cancel orders, and what became of it: ``orders`` are those that it names and the reader may see; one
    for a market or an account covers all of its orders."""

    request: RequestId
    outcome: Outcome
    scope: Scope | None = None
    orders: list[OrderId] = field(default_factory=list)


class Event(Struct, frozen=True, omit_defaults=True):
    """One fact; fields that it does not speak of are left out. The same event is the same bytes whenever it is read.

    ``position`` is its place at its venue: what ``as_of`` shows the state right after it. ``status`` is what the order
    is from then on. ``terms`` come with ``order_placed``. ``released`` is what a closed order will not consume,
    ``verdict`` why it counts as filled, ``cancel`` the request it answers. What failed is tried again at ``retry_at``.
    """

    id: EventId
    venue: VenueName
    position: Position
    kind: EventKind
    time: Instant
    account: AccountName | None = None
    order: OrderId | None = None
    market: MarketName | None = None
    status: OrderStatus | None = None
    terms: Terms | None = None
    waits_for: Waits | None = None
    released: Amount | None = None
    verdict: str | None = None
    trade: EventTrade | None = None
    cancel: Cancel | None = None
    reason: str | None = None
    detail: str | None = None
    retry_at: Instant | None = None


class Events(Struct, frozen=True):
    """A page, oldest first at each venue. ``position`` is where the next one begins (``after``): all up to there was
    looked at. A page may be short, even empty, and not the last; it is the last when the position stays the same."""

    events: list[Event]
    position: Position


class Fault(Struct, frozen=True):
    """One thing that is wrong with a request; ``path`` says where, as in ``query.limit``."""

    path: str
    code: str
    detail: str


class ErrorBody(Struct, frozen=True, omit_defaults=True):
    """Why a request was not carried out: ``code`` for programs, ``detail`` for people, ``params`` for each fault."""

    code: str
    detail: str
    params: list[Fault] = field(default_factory=list)
