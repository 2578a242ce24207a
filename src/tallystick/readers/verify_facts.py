"""What an entry's facts say of each other and of what was before: more than a fold needs, and what must be so.

A fold applies whatever fits. Here is what a venue's rules would never write: a trade while its market is halted, an
order ended by a request that is not about it, a prerequisite cleared that nobody waited for.
"""

from collections.abc import Callable
from typing import Any, Final

from tallystick.core.lifecycle import is_closed
from tallystick.core.order import Order
from tallystick.facts.codes import CLOSED_SHORT, EXACT, NOT_TRADING, SCOPE_ACCOUNT, SCOPE_ORDERS, SUSPENDED, TRIGGER
from tallystick.facts.common import Event
from tallystick.facts.venue import (
    AccountChanged,
    CancelFinished,
    CancelRefused,
    CancelRequested,
    ExecutionFailed,
    MarketChanged,
    OrderCancelled,
    OrderFilled,
    OrderPlaced,
    OrderRefused,
    OrderSettled,
    OrdersReached,
    OrderWaiting,
    PrerequisiteCleared,
    SettlementFailed,
    TradeMade,
)
from tallystick.venue.state import State


class Facts:
    """One entry's, from the state as it is before; ``objection`` is about the first fact that is wrong, "" for none."""

    __slots__ = (
        "_finished",
        "_markets",
        "_requests",
        "_settled",
        "_short",
        "_state",
        "_suspended",
        "_time",
        "_waiting",
    )

    def __init__(self, state: State, time: int) -> None:
        self._state: Final = state
        self._time: Final = time
        self._markets: Final[dict[int, int]] = {}  # what this entry has changed so far, here and in the next three
        self._suspended: Final[dict[int, int]] = {}
        self._requests: Final[dict[int, CancelRequested]] = {}
        self._waiting: Final[dict[int, int]] = {}
        self._settled: Final[list[int]] = []
        self._short: Final[list[int]] = []
        self._finished: Final[list[int]] = []

    def objection(self, event: Any) -> str:
        """What is wrong with the entry's next fact."""
        look = _LOOKS.get(type(event))
        return "" if look is None else look(self, event)

    def objection_after(self) -> str:
        """What is wrong once the entry is folded."""
        state = self._state
        for number in self._settled:
            order = state.orders.get(number)
            if order is not None and not order.is_settled():
                return f"it says that order {number} is settled, and it is not"
        for number in self._short:
            order = state.orders.get(number)
            if order is not None and not order.progress.trades:
                return f"it closes order {number} short, which has no trade"
        for number in self._finished:
            found = unswept(state, number)
            if found:
                return f"it finishes request {number}, and order {found} is still open"
        return ""

    def _market_changed(self, event: MarketChanged) -> str:
        self._markets[event.market] = event.status
        return ""

    def _account_changed(self, event: AccountChanged) -> str:
        self._suspended[event.account] = event.status
        return ""

    def _order_placed(self, event: OrderPlaced) -> str:
        return self._stopped(event.account, event.market, "places an order")

    def _trade_made(self, event: TradeMade) -> str:
        for leg in event.legs:
            found = self._stopped(leg.account, event.market, "trades")
            if found:
                return found
        return ""

    def _stopped(self, account: int, market: int, does: str) -> str:
        state = self._state
        if market in state.markets and self._markets.get(market, state.markets[market].status) == NOT_TRADING:
            return f"it {does} in market {market}, which is not trading"
        if account in state.accounts and self._suspended.get(account, state.accounts[account].status) == SUSPENDED:
            return f"it {does} for account {account}, which is suspended"
        return ""

    def _order_waiting(self, event: OrderWaiting) -> str:
        self._waiting[event.order] = event.prerequisite
        return ""

    def _prerequisite_cleared(self, event: PrerequisiteCleared) -> str:
        waiting = self._state.waiting.get(event.order)
        before = self._waiting.get(event.order, 0 if waiting is None else waiting.prerequisite)
        self._waiting[event.order] = event.then
        if before != event.prerequisite:
            return f"it clears prerequisite {event.prerequisite} of order {event.order}, which waits for {before}"
        return ""

    def _orders_reached(self, event: OrdersReached) -> str:
        for number in event.orders:
            waiting = self._state.waiting.get(number)
            before = self._waiting.get(number, 0 if waiting is None else waiting.prerequisite)
            if before != TRIGGER:
                return f"it sets off order {number}, which does not stand by for a price"
            self._waiting[number] = 0
        return ""

    def _failed(self, event: ExecutionFailed | SettlementFailed) -> str:
        return "" if event.due > self._time else f"what failed is to be tried again at {event.due}, which is no later"

    def _order_refused(self, event: OrderRefused) -> str:
        if event.client_key or event.names:
            return ""
        return f"refusal {event.refusal} is on record without a key or a name"

    def _order_settled(self, event: OrderSettled) -> str:
        self._settled.append(event.order)
        before = self._state.orders.get(event.order)
        if before is not None and before.is_settled():
            return f"it says again that order {event.order} is settled"
        return ""

    def _order_filled(self, event: OrderFilled) -> str:
        if (event.verdict == CLOSED_SHORT) != bool(event.reason):
            return f"order {event.order} is filled with verdict {event.verdict} for the reason {event.reason!r}"
        if event.verdict == EXACT and event.released:
            return f"order {event.order} is filled exactly, and releases {event.released}"
        if event.verdict == CLOSED_SHORT:
            self._short.append(event.order)
        return self._asked(event) if event.request else ""

    def _order_cancelled(self, event: OrderCancelled) -> str:
        return self._asked(event) if event.request else ""

    def _cancel_requested(self, event: CancelRequested) -> str:
        self._requests[event.request] = event
        return ""

    def _cancel_finished(self, event: CancelFinished) -> str:
        self._finished.append(event.request)
        return ""

    def _asked(self, event: OrderCancelled | OrderFilled | CancelRefused) -> str:
        """The request that it is the answer to is about this order, or, without an order, is one of this entry."""
        made = self._requests.get(event.request)
        kept = self._state.requests.get(event.request)
        if not event.order:
            return "" if made is not None else f"it refuses something of request {event.request}, which is over"
        if made is not None:
            about = covers(made.scope, made.account or made.market, made.through, tuple(made.orders), event)
        elif kept is not None:
            about = covers(kept.scope, kept.subject, kept.through, tuple(kept.outcomes), event)
        else:
            return ""  # it is nowhere, which folding it will tell
        return "" if about else f"it answers request {event.request} with order {event.order}, which that is not about"


def covers(scope: int, subject: int, through: int, orders: tuple[int, ...], event: Event) -> bool:
    """Whether a request of this scope is about the order of ``event``."""
    if scope == SCOPE_ORDERS:
        return event.order in orders
    return subject == (event.account if scope == SCOPE_ACCOUNT else event.market) and event.order <= through


def unswept(state: State, number: int) -> int:
    """An order that the finished request for a market or an account has left open, 0 for none."""
    request = state.requests.get(number)
    if request is None or not request.subject:
        return 0
    for order in state.orders.values():
        if order.number > request.through:
            break
        if not is_closed(order.status) and _subject(order, request.scope) == request.subject:
            left: int = order.number
            return left
    return 0


def _subject(order: Order, scope: int) -> int:
    subject: int = order.account if scope == SCOPE_ACCOUNT else order.market
    return subject


_LOOKS: Final[dict[type, Callable[[Facts, Any], str]]] = {
    MarketChanged: Facts._market_changed,
    AccountChanged: Facts._account_changed,
    OrderPlaced: Facts._order_placed,
    OrderWaiting: Facts._order_waiting,
    OrderFilled: Facts._order_filled,
    OrderCancelled: Facts._order_cancelled,
    OrderRefused: Facts._order_refused,
    OrderSettled: Facts._order_settled,
    PrerequisiteCleared: Facts._prerequisite_cleared,
    OrdersReached: Facts._orders_reached,
    ExecutionFailed: Facts._failed,
    SettlementFailed: Facts._failed,
    TradeMade: Facts._trade_made,
    CancelRequested: Facts._cancel_requested,
    CancelRefused: Facts._asked,
    CancelFinished: Facts._cancel_finished,
}
