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
_NUMBERS: Final = 1 << 48


class Timers:
    __slots__ = ("_heap",)

    def __init__(self) -> None:
        self._heap: Final[list[int]] = []

    def next_due(self) -> int:
        """When to look next, 0 for never."""
        return self._heap[0] // _NUMBERS if self._heap else 0

    def set(self, due: int, kind: int, number: int) -> None:
        """Look at the order or trade ``number`` at ``due``; 0 sets nothing."""
        if due:
            heappush(self._heap, _timer(due, kind, number))

    def pop(self) -> tuple[int, int]:
        """The (kind, number) of the earliest timer, which is gone then."""
        subject = heappop(self._heap) % _NUMBERS
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


def _timer(due: int, kind: int, number: int) -> int:
    return due * _NUMBERS + number * 2 + kind
