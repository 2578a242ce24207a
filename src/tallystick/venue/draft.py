"""An entry while it is being decided: rules look at the state through it and emit events, which apply at once.

So a decision of several steps (place, open, trade, fill) sees after each step what the step has done. Every check that
can refuse a command comes before its first event: a draft is never taken back.
"""

from typing import Any, Final

from tallystick.core.keys import account_key, market_key, order_key
from tallystick.core.lifecycle import LifecycleError
from tallystick.facts.common import Cause
from tallystick.facts.venue import (
    EVENTS_PER_ENTRY_MAX,
    Entry,
    TradeConfirmed,
    TradeMade,
    TradeReverted,
    TradeSettled,
    Transferred,
)
from tallystick.venue.ambient import Ambient
from tallystick.venue.fold import apply
from tallystick.venue.state import State
from tallystick.venue.timers import ORDER_TIMER, TRADE_TIMER, Timers


class Draft:
    """``started`` is the time of the decision and of its first event, ``time`` that of its next.

    ``state`` is the writer's: rules read it and change it only by emitting.
    """

    __slots__ = ("_events", "_keys", "_order", "_orders", "_trades", "ambient", "started", "state", "time", "timers")

    def __init__(self, state: State, ambient: Ambient, timers: Timers, now: int) -> None:
        self.state: Final = state
        self.ambient: Final = ambient
        self.timers: Final = timers
        started = now if now > state.time else state.time + 1
        self.started: Final = started
        self.time = started
        self._events: Final[list[Any]] = []
        self._keys: Final[dict[int, None]] = {}
        self._order = 0  # the last one touched: most entries are about one
        self._orders: Final[list[tuple[int, int]]] = []  # each order touched, and what its due was before
        self._trades: Final[list[int]] = []

    @property
    def length(self) -> int:
        """How many events have happened; at most EVENTS_PER_ENTRY_MAX may."""
        return len(self._events)

    def emit(self, event: Any) -> None:
        """Let ``event`` happen."""
        if len(self._events) == EVENTS_PER_ENTRY_MAX:
            raise LifecycleError(f"an entry has at most {EVENTS_PER_ENTRY_MAX} events")
        order: int = event.order
        if order == 0:
            self._touch_account(event.account)
            self._touch_market(event.market)
        elif order != self._order:
            self._order = order
            self._touch_account(event.account)
            self._touch_order(order)
            self._touch_market(event.market)
        if type(event) in _TOUCH_MORE:
            self._touch_more(event)
        apply(self.state, event, self.time)
        self._events.append(event)
        self.time += 1

    def seal(self, cause: Cause) -> Entry | None:
        """The finished entry, or None if nothing happened. What it made due is set."""
        if not self._events:
            return None
        state = self.state
        sequence = state.sequence + 1
        links: list[int] = []
        for key in self._keys:
            links.append(key)
            links.append(state.touch(key, sequence))
        self._set_timers()
        state.close_entry(sequence, self.time - 1)
        return Entry(sequence, self.started, cause, tuple(links), tuple(self._events))

    def _set_timers(self) -> None:
        for number, before in self._orders:
            due = self.state.orders[number].due
            if due != before or due <= self.started:
                self.timers.set(due, ORDER_TIMER, number)
        for number in self._trades:
            self.timers.set(self.state.trades[number].due, TRADE_TIMER, number)
        self.timers.prune(self.state)

    def _touch_account(self, number: int) -> None:
        if number:
            self._keys[account_key(number)] = None

    def _touch_market(self, number: int) -> None:
        if number:
            self._keys[market_key(number)] = None

    def _touch_order(self, number: int) -> None:
        key = order_key(number)
        if key not in self._keys:
            self._keys[key] = None
            order = self.state.orders.get(number)
            self._orders.append((number, 0 if order is None else order.due))

    def _touch_more(self, event: Any) -> None:
        """A transfer is routed to its payer too, a trade to the order and account of each of its legs."""
        kind = type(event)
        if kind is Transferred:
            self._touch_account(event.payer)
            return
        self._trades.append(event.trade)
        legs = (event if kind is TradeMade else self.state.trades[event.trade].terms).legs
        if len(legs) > 1:  # a single leg is the one that the event's own keys name
            for leg in legs:
                self._touch_account(leg.account)
                self._touch_order(leg.order)


_TOUCH_MORE: Final = frozenset((Transferred, TradeMade, TradeConfirmed, TradeReverted, TradeSettled))
