"""An entry while it is being decided: rules look at the state through it and emit events, which apply at once.

So a decision of several steps (place, open, trade, fill) sees after each step what the step has done. Every check that
can refuse a command comes before its first event: a draft is never taken back.
"""

from typing import Any, Final

from mypy_extensions import mypyc_attr

from tallystick.core.keys import Number, order_key
from tallystick.core.lifecycle import LifecycleError
from tallystick.core.order import Order
from tallystick.core.trade import Trade
from tallystick.facts.common import Cause
from tallystick.facts.venue import EVENTS_PER_ENTRY_MAX, Entry, Transferred
from tallystick.venue.ambient import Ambient
from tallystick.venue.fold import apply_to
from tallystick.venue.state import State
from tallystick.venue.timers import ORDER_TIMER, TRADE_TIMER, Timers


@mypyc_attr(acyclic=True, free_list_len=1)
class Draft:
    """``started`` is the time of the decision and of its first event, ``time`` that of its next.

    ``state`` is the writer's: rules read it and change it only by emitting.
    """

    __slots__ = (
        "_due",
        "_events",
        "_links",
        "_order",
        "_sequence",
        "ambient",
        "started",
        "state",
        "time",
        "timers",
    )

    def __init__(self, state: State, ambient: Ambient, timers: Timers, now: int) -> None:
        self.state: Final = state
        self.ambient: Final = ambient
        self.timers: Final = timers
        started = now if now > state.time else state.time + 1
        self.started: Final = started
        self.time = started
        self._sequence: Final[Number] = state.sequence + 1
        self._events: Final[list[Any]] = []
        self._links: Final[list[Number]] = []
        self._order: Order | None = None  # the one at hand: most entries are about one
        self._due = 0  # what its due was before

    @property
    def length(self) -> int:
        """How many events have happened; at most EVENTS_PER_ENTRY_MAX may."""
        return len(self._events)

    def emit(self, event: Any) -> None:
        """Let ``event`` happen."""
        if len(self._events) == EVENTS_PER_ENTRY_MAX:
            raise LifecycleError(f"an entry has at most {EVENTS_PER_ENTRY_MAX} events")
        number: Number = event.order
        order = self._order
        if order is not None and order.number is number:  # an equal number is as good, and takes the longer way
            trade = apply_to(self.state, order, event, self.time)
        else:
            trade = self._turn_to(number, event)
        if trade is not None:
            self._touch_legs(trade)
        self._events.append(event)
        self.time += 1

    def seal(self, cause: Cause) -> Entry | None:
        """The finished entry, or None if nothing happened. What it made due is set."""
        if not self._events:
            return None
        self._leave_order()
        self.timers.prune(self.state)
        self.state.close_entry(self._sequence, self.time - 1)
        return _ENTRY(self._sequence, self.started, cause, tuple(self._links), tuple(self._events))

    def _turn_to(self, number: Number, event: Any) -> Trade | None:
        """Apply an event of an order that is not at hand, or of none; what it is about exists afterwards."""
        self._leave_order()
        state = self.state
        found = state.orders.get(number)
        due = 0 if found is None else found.due
        trade = apply_to(state, found, event, self.time)
        if not number:
            self._touch_account(event.account)
            if type(event) is _TRANSFERRED:
                self._touch_account(event.payer)
            self._touch_market(event.market)
            return trade
        order = state.orders[number] if found is None else found
        self._order = order
        self._due = due
        self._touch_account(order.account)
        self._touch_order(order)
        self._touch_market(order.market)
        return trade

    def _leave_order(self) -> None:
        if self._order is not None:
            self._set_timer(self._order, self._due)
            self._order = None

    def _set_timer(self, order: Order, before: int) -> None:
        if order.due != before or order.due <= self.started:
            self.timers.set(order.due, ORDER_TIMER, order.number)

    def _touch_account(self, number: int) -> None:
        if number:
            account = self.state.accounts[number]
            if account.last is not self._sequence:
                self._link(account.key, account.touch(self._sequence))

    def _touch_market(self, number: int) -> None:
        if number:
            market = self.state.markets[number]
            if market.last is not self._sequence:
                self._link(market.key, market.touch(self._sequence))

    def _touch_order(self, order: Order) -> None:
        if order.last != self._sequence:
            self._link(order_key(order.number), order.touch(self._sequence))

    def _link(self, key: Number, before: Number) -> None:
        links = self._links
        links.append(key)
        links.append(before)

    def _touch_legs(self, trade: Trade) -> None:
        """A trade is routed to the order and account of each of its legs."""
        self.timers.set(trade.due, TRADE_TIMER, trade.number)
        if trade.holders > 1:  # a single leg is the one that the event's own keys name
            for leg in trade.terms.legs:
                order = self.state.orders[leg.order]
                self._touch_account(leg.account)
                self._touch_order(order)
                if order is not self._order:
                    self._set_timer(order, order.due)


_ENTRY: Final = Entry  # compiled, a constant of the module is at hand and a name that it imports is looked up
_TRANSFERRED: Final = Transferred  # routed to its payer too
