"""When orders and trades want to be called, as data: the earliest first, ties by number and kind.

A timer is a hint to look: its subject's own ``due`` decides. So a timer that is late, doubled or stale does no harm,
and the whole heap can be made anew from the state.
"""

from heapq import heapify, heappop, heappush
from typing import Final

from tallystick.core.lifecycle import is_closed
from tallystick.venue.state import State

ORDER_TIMER: Final = 0
TRADE_TIMER: Final = 1
PRUNE_MIN: Final = 4096

# A timer is one integer, which the heap compares faster than a tuple and keeps in less: due, number and kind.
_SUBJECT_BITS: Final = 48
_SUBJECT: Final = (1 << _SUBJECT_BITS) - 1

# Compiled, a constant of the module is at hand, and a name that it imports is looked up at each use.
_push: Final = heappush
_pop: Final = heappop


class Timers:
    __slots__ = ("_heap", "_next")

    def __init__(self) -> None:
        self._heap: Final[list[int]] = []
        self._next = 0

    def next_due(self) -> int:
        """When to look next, 0 for never."""
        return self._next

    def set(self, due: int, kind: int, number: int) -> None:
        """Look at the order or trade ``number`` at ``due``; 0 sets nothing."""
        if due:
            _push(self._heap, _timer(due, kind, number))
            if due < self._next or self._next == 0:
                self._next = due

    def pop(self) -> tuple[int, int]:
        """The (kind, number) of the earliest timer, which is gone then."""
        subject = _pop(self._heap) & _SUBJECT
        self._look()
        return subject & 1, subject >> 1

    def prune(self, state: State) -> None:
        """Rebuild when most timers are of what is over: an order that is cancelled leaves its timer behind."""
        if len(self._heap) > PRUNE_MIN and len(self._heap) > 4 * (len(state.orders) + len(state.trades)):
            self.rebuild(state)

    def rebuild(self, state: State) -> None:
        """Forget everything and ask the state."""
        heap = self._heap
        heap.clear()
        for number, order in state.orders.items():
            if order.due and not is_closed(order.status):
                heap.append(_timer(order.due, ORDER_TIMER, number))
        for number, trade in state.trades.items():
            if trade.due:
                heap.append(_timer(trade.due, TRADE_TIMER, number))
        heapify(heap)
        self._look()

    def _look(self) -> None:
        self._next = self._heap[0] >> _SUBJECT_BITS if self._heap else 0


def _timer(due: int, kind: int, number: int) -> int:
    return (due << _SUBJECT_BITS) + (number << 1 | kind)
