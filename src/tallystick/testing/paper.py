"""A venue in memory: it takes market and limit orders and cancels, and fills, refuses, loses and mutters as it is told.

``script`` says what becomes of the next requests to place, one word each: accept (the default), refuse, lost (it
arrives, the answer does not), garbled (it arrives, the answer makes no sense), swallowed (neither arrives), late (it
arrives after the answer was given up), unsent, limited, hang, nonsense, crash. ``cancels`` does so for requests to
cancel: done (the default), request, refuse, lost (cancelled, no answer), swallowed, not-there, crash.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tallystick.connect.port import Order
from tallystick.connect.trading_rules import TradingRule, decimal, integer
from tallystick.core.lifecycle import CANCELLED, EXPIRED, FILLED, OPEN, TRADE_EXECUTED, TRADE_PENDING, TRADE_REVERTED
from tallystick.testing.controls import Controls, VenueOrder

if TYPE_CHECKING:
    from tallystick.testing.paper_connector import PaperConnector

RULE: Final = TradingRule(
    "ACME-USD",
    "acme",
    "ACME",
    "USD",
    price_scale=2,
    unit_scale=3,
    cash_scale=2,
    price_increment=5,
    unit_increment=10,
    units_min=100,
    units_max=1_000_000,
    notional_min=500,
)
PRICE: Final = 1000
LATE_SECONDS: Final = 20.0
RETRY_SECONDS: Final = 5.0


class PaperFill:
    """Integers at the market's scales; ``state`` is of core/lifecycle.py."""

    __slots__ = ("price", "size", "state", "trade")

    def __init__(self, trade: str, size: int, price: int, state: int) -> None:
        self.trade: Final = trade
        self.size: Final = size
        self.price: Final = price
        self.state = state


class PaperOrder:
    """``price`` is 0 for a market order; ``word`` what its status is called while nobody knows that word."""

    def __init__(self, client_id: str, venue_id: str, size: int, price: int = 0) -> None:
        self.client_id: Final = client_id
        self.venue_id: Final = venue_id
        self.size: Final = size
        self.price: Final = price
        self.status = OPEN
        self.word = ""
        self.fills: list[PaperFill] = []

    @property
    def filled(self) -> int:
        return sum(fill.size for fill in self.fills if fill.state == TRADE_EXECUTED)


class PaperVenue(Controls):
    """See Controls; an order may also be named by its client order id, by which ``orders`` has them.

    ``requests`` counts what it was asked, by name. While ``is_down`` nothing is answered; while ``is_mute`` its stream
    says nothing of what happens. Requests take ``delay`` seconds to arrive, answers ``answer_delay``. ``on_place`` is
    called for each request to place.
    """

    def __init__(self, *, fills_by_itself: bool = False) -> None:
        self.fills_by_itself = fills_by_itself
        self.orders: Final[dict[str, PaperOrder]] = {}
        self.script: Final[deque[str]] = deque()
        self.cancels: Final[deque[str]] = deque()
        self.requests: Final[list[str]] = []
        self.is_down = False
        self.is_mute = False
        self.is_garbled = False  # the next thing that its stream says
        self.copies = 1  # of each thing that its stream says
        self.delay = 0.0
        self.answer_delay = 0.0
        self.retry_after = RETRY_SECONDS
        self.tells_amounts = False  # whether the answer to a cancel says how much was filled
        self.said: Final[list[tuple[PaperOrder, str]]] = []
        self.followers: Final[list[asyncio.Event]] = []
        self.position = 0
        self.on_place: Callable[[Order], object] | None = None

    def connector(self, name: str = "paper", **capabilities: Any) -> "PaperConnector":
        """A connector to this venue, for ``tallystick.connect`` or ``Client.add``."""
        from tallystick.testing.paper_connector import PaperConnector

        return PaperConnector(self, name, **capabilities)

    def truth(self) -> Sequence[VenueOrder]:
        return [
            VenueOrder(order.venue_id, order.status, decimal(order.filled, RULE.unit_scale))
            for order in self.orders.values()
        ]

    def calm(self) -> None:
        self.script.clear()
        self.cancels.clear()
        self.is_down = self.is_mute = self.is_garbled = False
        self.copies = 1
        self.delay = self.answer_delay = 0.0
        for order in self.orders.values():
            order.word = ""

    # --- What happens there -------------------------------------------------------------------------------------------

    def add(self, client_id: str, size: int, price: int = 0) -> PaperOrder:
        """The order with this client id, taken now unless it was before."""
        known = self.orders.get(client_id)
        if known is None:
            known = self.orders[client_id] = PaperOrder(client_id, f"v{len(self.orders) + 1}", size, price)
            self.say(known, "order")
            if self.fills_by_itself and not price:
                self._trade(known, size, PRICE, TRADE_EXECUTED)
        return known

    def fill(self, order_id: str, units: Decimal | int, price: Decimal | int | None = None) -> None:
        """At ``price``, or the order's own, or 10.00."""
        order = self._order(order_id)
        at = order.price or PRICE if price is None else integer(Decimal(price), RULE.price_scale)
        self._trade(order, integer(Decimal(units), RULE.unit_scale), at, TRADE_EXECUTED)

    def fill_pending(self, order_id: str, units: Decimal | int) -> str:
        order = self._order(order_id)
        size = integer(Decimal(units), RULE.unit_scale)
        return self._trade(order, size, order.price or PRICE, TRADE_PENDING)

    def confirm(self, trade: str) -> None:
        self._decide(trade, TRADE_EXECUTED)

    def revert(self, trade: str) -> None:
        self._decide(trade, TRADE_REVERTED)

    def end(self, order_id: str, status: int = CANCELLED) -> None:
        order = self._order(order_id)
        order.status = status
        self.say(order, "order")

    def end_if_open(self, order_id: str) -> None:
        if self._order(order_id).status == OPEN:
            self.end(order_id)

    def cancel(self, order_id: str) -> None:
        self.end(order_id)

    def expire(self, order_id: str) -> None:
        self.end(order_id, EXPIRED)

    # --- Faults -------------------------------------------------------------------------------------------------------

    def refuse_next(self) -> None:
        self.script.append("refuse")

    def lose_next_request(self) -> None:
        self.script.append("swallowed")

    def lose_next_answer(self) -> None:
        self.script.append("lost")

    def delay_next_request(self) -> None:
        self.script.append("late")

    def garble_next_answer(self) -> None:
        self.script.append("garbled")

    def limit_next(self, retry_after: float) -> None:
        self.retry_after = retry_after
        self.script.append("limited")

    def lose_next_cancel(self) -> None:
        self.cancels.append("swallowed")

    def lose_next_cancel_answer(self) -> None:
        self.cancels.append("lost")

    def go_down(self) -> None:
        self.is_down = True
        self.wake()

    def cut_stream(self) -> None:
        """Whoever follows is cut off, and what happens until they are back is not repeated."""
        self.position += 1
        self.wake()

    def duplicate_stream(self) -> None:
        """It tells everything twice, until ``calm``."""
        self.copies = 2

    def garble_stream(self) -> None:
        self.is_garbled = True

    def mute(self) -> None:
        self.is_mute = True

    def slow_down(self, seconds: float) -> None:
        self.answer_delay = seconds

    def say_unknown(self, order_id: str, word: str) -> None:
        order = self._order(order_id)
        order.word = word
        self.say(order, "order")

    # --- Its stream ---------------------------------------------------------------------------------------------------

    def say(self, order: PaperOrder, what: str) -> None:
        """Tell whoever follows: "order", or the trade that something became of."""
        if not self.is_mute:
            self.said.extend([(order, what)] * self.copies)
            self.wake()

    def wake(self) -> None:
        for follower in self.followers:
            follower.set()

    def _order(self, order_id: str) -> PaperOrder:
        found = self.orders.get(order_id)
        if found is not None:
            return found
        for order in self.orders.values():
            if order.venue_id == order_id:
                return order
        raise LookupError(f"the venue has no order {order_id!r}")

    def _trade(self, order: PaperOrder, size: int, price: int, state: int) -> str:
        trade = f"{order.venue_id}-{len(order.fills) + 1}"
        order.fills.append(PaperFill(trade, size, price, state))
        self.say(order, trade)
        self._finish(order)
        return trade

    def _decide(self, trade: str, state: int) -> None:
        for order in self.orders.values():
            for fill in order.fills:
                if fill.trade == trade:
                    fill.state = state
                    self.say(order, trade)
                    self._finish(order)

    def _finish(self, order: PaperOrder) -> None:
        if order.filled >= order.size and order.status == OPEN:
            order.status = FILLED
            self.say(order, "order")
