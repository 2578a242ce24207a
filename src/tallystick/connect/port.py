"""What a connector is: the port to one venue. Everything else of the client half is written against this.

A connector translates, and keeps no books. It is told of an order what it needs (``Order``) and answers with the
tracker's observations (tallystick.tracker.observations), each with ``as_of``: for the answer to a question the time at
which the question was sent (``Context.now`` before the request), for a message the venue's time of it on our clock.
What it cannot do it says by an error of ``connect.errors``; what that means for the order is decided by the runtime:

    raised             by place                  by cancel             by a question
    NotSent            the order failed          outcome unknown       asked again later
    Refused            the order failed          refused(code)         asked again later
    NotThere           the order failed          not found             the order is not found (fetch_order)
    Ambiguous          in doubt, and asked for   outcome unknown       asked again later
    anything else      as Ambiguous, and logged

No method is called before ``start`` has returned or after ``close`` was called, and any of them may be cancelled.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Final, Protocol

from tallystick.connect.trading_rules import TradingRule
from tallystick.facts.client_codes import BY_BOTH, FILLS_NAMED
from tallystick.facts.client_terms import MarketListed, OrderIntended
from tallystick.facts.codes import CASH, MARKET_ORDER, UNITS
from tallystick.tracker.observations import CancelReport, Gap, Observation, OpenOrders, Position

ORDERS: Final = "orders"
"""The name of a connector's stream in Position and Gap."""
ID_CHARACTERS: Final = "0123456789abcdefghjkmnpqrstvwxyz"


class Order:
    """An order as its connector sees it: the terms it was intended with, and the venue's id once that is known ("").

    Amounts are integers at the scales of ``market``. ``made`` is when it was intended, in microseconds.
    """

    __slots__ = ("made", "market", "terms", "venue_id")

    def __init__(self, terms: OrderIntended, market: MarketListed, venue_id: str, made: int) -> None:
        self.terms: Final = terms
        self.market: Final = market
        self.venue_id: Final = venue_id
        self.made: Final = made

    @property
    def client_id(self) -> str:
        return self.terms.client_id


class Capabilities:
    """What the venue can do, and how it says things; what is not declared here is refused before it is sent.

    ``order_types`` are codes of facts.codes; ``buy_kinds`` and ``sell_kinds`` what a size may count. ``completion`` is
    how the venue says that an order is complete (facts.client_codes). Fills may come up to ``late_us`` after an order's
    end; ``fills_wait_us``, ``lost_misses``, ``lost_after_us``, ``slack_us``, ``fills``, ``absent_lists`` and
    ``absent_us`` are as in facts.client_terms.VenueJoined.

    ``resumes``: the stream, begun at a stored position, misses nothing; where it does not, each new beginning is a Gap.
    A stream that gives nothing, not even Live, for ``quiet_seconds`` is taken for broken.

    ``place_batch_max`` and ``cancel_batch_max`` are the orders in one request, ``at_once_max`` the requests under way
    for each purpose. A client id has at most ``client_id_max`` characters of ``client_id_alphabet``, after
    ``client_id_prefix``. ``requests_per_second`` and ``burst`` are the venue's limit on all requests.

    ``markets`` is asked anew every ``rules_seconds``, and when an order was refused with one of ``rule_refusals``,
    codes that speak of a market or its rules. ``cancels_foreign``: see ForeignCancels.
    """

    __slots__ = (
        "absent_lists",
        "absent_us",
        "at_once_max",
        "burst",
        "buy_kinds",
        "can_cancel",
        "cancel_batch_max",
        "cancels_by_client_id",
        "cancels_foreign",
        "client_id_alphabet",
        "client_id_max",
        "client_id_prefix",
        "completion",
        "fills",
        "fills_wait_us",
        "has_heartbeat",
        "late_us",
        "lost_after_us",
        "lost_misses",
        "order_types",
        "place_batch_max",
        "quiet_seconds",
        "requests_per_second",
        "resumes",
        "rule_refusals",
        "rules_seconds",
        "sell_kinds",
        "slack_us",
    )

    def __init__(
        self,
        *,
        order_types: tuple[int, ...] = (MARKET_ORDER,),
        buy_kinds: tuple[int, ...] = (UNITS,),
        sell_kinds: tuple[int, ...] = (UNITS,),
        can_cancel: bool = True,
        cancels_by_client_id: bool = False,
        has_heartbeat: bool = False,
        completion: int = BY_BOTH,
        late_us: int = 0,
        fills_wait_us: int = 0,
        lost_misses: int = 3,
        lost_after_us: int = 30_000_000,
        slack_us: int = 0,
        fills: int = FILLS_NAMED,
        absent_lists: int = 1,
        absent_us: int = 0,
        resumes: bool = False,
        quiet_seconds: float = 30.0,
        place_batch_max: int = 1,
        cancel_batch_max: int = 1,
        at_once_max: int = 8,
        client_id_prefix: str = "ts",
        client_id_max: int = 32,
        client_id_alphabet: str = ID_CHARACTERS,
        requests_per_second: float = 50.0,
        burst: float = 50.0,
        rules_seconds: float = 300.0,
        rule_refusals: frozenset[str] = frozenset(),
        cancels_foreign: bool = False,
    ) -> None:
        self.order_types: Final = order_types
        self.buy_kinds: Final = buy_kinds
        self.sell_kinds: Final = sell_kinds
        self.can_cancel: Final = can_cancel
        self.cancels_by_client_id: Final = cancels_by_client_id
        self.has_heartbeat: Final = has_heartbeat
        self.completion: Final = completion
        self.late_us: Final = late_us
        self.fills_wait_us: Final = fills_wait_us
        self.lost_misses: Final = lost_misses
        self.lost_after_us: Final = lost_after_us
        self.slack_us: Final = slack_us
        self.fills: Final = fills
        self.absent_lists: Final = absent_lists
        self.absent_us: Final = absent_us
        self.resumes: Final = resumes
        self.quiet_seconds: Final = quiet_seconds
        self.place_batch_max: Final = place_batch_max
        self.cancel_batch_max: Final = cancel_batch_max
        self.at_once_max: Final = at_once_max
        self.client_id_prefix: Final = client_id_prefix
        self.client_id_max: Final = client_id_max
        self.client_id_alphabet: Final = client_id_alphabet
        self.requests_per_second: Final = requests_per_second
        self.burst: Final = burst
        self.rules_seconds: Final = rules_seconds
        self.rule_refusals: Final = rule_refusals
        self.cancels_foreign: Final = cancels_foreign


CASH_BUYS: Final = (CASH,)
"""For ``buy_kinds``, where a buy names what it spends."""


class Live:
    """The stream is connected: from here on everything comes. Given again whenever that is known to be still so."""

    __slots__ = ()


StreamItem = Observation | Position | Gap | Live
"""A stream gives observations, then the Position after them; a Gap where it knows that something is missing."""


class Context(Protocol):
    """What a connector may know of its own venue, and no more; given to it by ``start``."""

    @property
    def venue(self) -> int:
        """The venue's number, which every observation names."""
        ...

    def now(self) -> int:
        """Microseconds since the epoch, on the clock that ``as_of`` counts by; it never goes backwards."""
        ...

    def market(self, name: str) -> MarketListed | None:
        """A market of ``markets`` under its public name, with the scales that its amounts have."""
        ...

    def is_ours(self, venue_id: str) -> bool:
        """Whether an order that we placed is known to have this id."""
        ...

    def order(self, venue_id: str) -> Order | None:
        """The order of ours that has this id, unless it has long been over."""
        ...

    def oldest_open(self) -> int:
        """When the oldest order was intended that may still be open; the time now if there is none."""
        ...

    async def durable(self) -> None:
        """Return when everything that was given so far is durable here, so that it may be acknowledged."""
        ...

    async def turn(self) -> None:
        """Wait for another request to be within the venue's limit. The first request of each call has had its turn."""
        ...


class Connector(Protocol):
    """One venue. ``name`` is what its orders are journaled under: the same for the same account, for ever."""

    @property
    def name(self) -> str: ...

    @property
    def capabilities(self) -> Capabilities: ...

    async def start(self) -> None:
        """Open what is needed and sign in. Raises VenueError; it is then tried again, but for SignInRefused."""
        ...

    async def close(self) -> None:
        """Let go of everything; also after a start that failed. Closing twice is harmless."""
        ...

    async def markets(self) -> Sequence[TradingRule]:
        """All that is traded, with its rules. Asked again while everything else goes on."""
        ...

    def enter(self, context: Context) -> None:
        """Called once, after the first ``markets``; all that follow name the venue's number in what they answer."""
        ...

    def identify(self, order: Order) -> str:
        """The venue's id for an order that is about to be sent, where that is known beforehand (a hash); else "".

        It is no sign that the venue has the order.
        """
        ...

    async def place(self, orders: Sequence[Order]) -> Sequence[Observation]:
        """Send new orders, at most ``place_batch_max``. All that the answer says of each: OrderReport, Refusal, fills.

        An order of which nothing is said is in doubt.
        """
        ...

    async def cancel(self, orders: Sequence[Order]) -> Sequence[Observation]:
        """Ask for orders to be cancelled, at most ``cancel_batch_max``: a CancelReport for each."""
        ...

    async def fetch_order(self, order: Order) -> Sequence[Observation]:
        """All that the venue says of an order now, its fills included if they come with it. Raises NotThere, or gives
        NotFound after all of its fills.

        Where ``venue_id`` is "" it is not known whether the order ever arrived: that is then the question.
        """
        ...

    async def fetch_fills(self, order: Order) -> Sequence[Observation]:
        """All fills of an order."""
        ...

    async def open_orders(self) -> OpenOrders:
        """All orders that are open, and what else is known of those that are ours."""
        ...

    def stream(self, position: str) -> AsyncIterator[StreamItem]:
        """What happens from ``position`` on (the last Position given, "" for none: from now on), until an error.

        Raises VenueError when it breaks; it is begun anew after a while.
        """
        ...


class Heartbeat(Protocol):
    """What a connector with ``has_heartbeat`` has besides: the venue itself cancels everything on silence."""

    async def heartbeat(self, seconds: float) -> None:
        """Unless this is sent again within ``seconds`` the venue is to cancel all orders."""
        ...


class ForeignCancels(Protocol):
    """What a connector with ``cancels_foreign`` has besides: it cancels orders that were not made here."""

    async def cancel_foreign(self, venue_ids: Sequence[str]) -> Sequence[CancelReport]:
        """Ask for these to be cancelled, at most ``cancel_batch_max``: a CancelReport for each, by its ``venue_id``."""
        ...
