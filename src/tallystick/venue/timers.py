"""When orders and trades want to be called, as data: the earliest first, ties by kind and number.

A timer is a hint to look: its subject's own ``due`` decides. So a timer that is late, doubled or stale does no harm,
and the whole heap can be made anew from the state.
"""

from heapq import heapify, heappop, heappush
from typing import Any, Final

from tallystick.core.lifecycle import TRADE_EXECUTED, is_closed
from tallystick.facts.venue import OrderOpened, OrderPlaced, OrderWaiting, TradeConfirmed, TradeMade
from tallystick.venue.state import State

ORDER_TIMER: Final = 0
TRADE_TIMER: Final = 1


class Timers:
    __slots__ = ("_heap",)

    def __init__(self) -> None:
        self._heap: Final[list[tuple[int, int, int]]] = []

    def next_due(self) -> int:
        """When to look next, 0 for never."""
        return self._heap[0][0] if self._heap else 0

    def set(self, due: int, kind: int, number: int) -> None:
        """Look at the order or trade ``number`` at ``due``; 0 sets nothing."""
        if due:
            heappush(self._heap, (due, kind, number))

    def pop(self) -> tuple[int, int, int]:
        """The earliest (due, kind, number)."""
        return heappop(self._heap)

    def follow(self, state: State, events: list[Any]) -> None:
        """Set what these events, just applied to ``state``, say is due, unless a later one of them changed it."""
        for event in events:
            kind = type(event)
            if kind is OrderPlaced or kind is OrderOpened or kind is OrderWaiting:
                self._set_order(state, event.order, event.due)
            elif kind is TradeMade:
                self.set(event.due, TRADE_TIMER, event.trade)
                self._set_order(state, event.order, event.order_due)
            elif kind is TradeConfirmed:
                self.set(event.due, TRADE_TIMER, event.trade)

    def rebuild(self, state: State) -> None:
        """Forget everything and ask the state."""
        heap = self._heap
        heap.clear()
        for number, order in state.orders.items():
            if order.due and not is_closed(order.status):
                heap.append((order.due, ORDER_TIMER, number))
        for number, trade in state.trades.items():
            if trade.due and trade.status == TRADE_EXECUTED:
                heap.append((trade.due, TRADE_TIMER, number))
        heapify(heap)

    def _set_order(self, state: State, order: int, due: int) -> None:
        if due and state.orders[order].due == due:
            self.set(due, ORDER_TIMER, order)
