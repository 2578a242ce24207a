"""What is on its way to one endpoint, and which delivery is next. Pure: time comes in as data.

Each endpoint has a lane of its own, so none waits for another's. In it nothing waits for what was sent before, unless
order is wanted: then only the oldest unfinished delivery of each order is attempted, and the others of that order wait.
"""

from collections import deque
from heapq import heappop, heappush
from typing import Final

from tallystick.deliver.records import Delivery

CONCURRENCY_MAX: Final = 32
CONCURRENCY_AT_FIRST: Final = 4
WINDOW: Final = 1000
"""So many deliveries of an endpoint are under way; the journal keeps what comes after them."""


class Lane:
    """How many attempts are made at once is learned: doubled by a success, halved by a failure, and one alone where
    there is no answer, so that who hangs takes little from the others."""

    def __init__(self, is_ordered: bool, concurrency_max: int = CONCURRENCY_MAX, window: int = WINDOW) -> None:
        self._is_ordered: Final = is_ordered
        self._concurrency_max: Final = concurrency_max
        self._window: Final = window
        self._allowed = min(CONCURRENCY_AT_FIRST, concurrency_max)
        self._flying: Final[set[int]] = set()
        self._known: Final[dict[int, Delivery]] = {}
        self._due: Final[dict[int, int]] = {}
        self._queue: Final[list[tuple[int, int]]] = []
        self._groups: Final[dict[str, deque[int]]] = {}
        self.pause_until = 0

    @property
    def room(self) -> int:
        """How many more may be added."""
        return max(0, self._window - len(self._known))

    @property
    def in_flight(self) -> int:
        """How many are being attempted."""
        return len(self._flying)

    def add(self, delivery: Delivery) -> None:
        """One that is not over; one that is known already is attempted when this says, if this is newer."""
        number = delivery.number
        known = self._known.get(number)
        if known is not None:
            if number in self._due and delivery.modified_at > known.modified_at:
                self._known[number] = delivery
                self._put(number, delivery.next_at)
            return
        self._known[number] = delivery
        if self._is_ordered and delivery.group:
            group = self._groups.setdefault(delivery.group, deque())
            group.append(number)
            if len(group) > 1:
                return
        self._put(number, delivery.next_at)

    def take(self, now: int) -> Delivery | None:
        """The next one to attempt now, if there is one; ``finish`` it."""
        if len(self._flying) >= self._allowed or now < self.pause_until:
            return None
        due = self._first_due()
        if not due or due > now:
            return None
        _, number = heappop(self._queue)
        del self._due[number]
        self._flying.add(number)
        return self._known[number]

    def finish(self, delivery: Delivery, is_success: bool, is_answered: bool) -> None:
        """It was attempted. One that is over stays in the lane until ``forget``."""
        number = delivery.number
        self._flying.remove(number)
        self._known[number] = delivery
        if is_success:
            self._allowed = min(self._concurrency_max, self._allowed * 2)
        else:
            self._allowed = max(1, self._allowed // 2) if is_answered else 1
        if delivery.next_at:
            self._put(number, delivery.next_at)
        elif self._is_ordered and delivery.group:
            self._lead_on(delivery.group)

    def forget(self, number: int) -> None:
        """It is over, and that is on record."""
        self._known.pop(number, None)

    def next_due(self) -> int:
        """When ``take`` may have something, unless an attempt ends before; 0 for never."""
        if len(self._flying) >= self._allowed:
            return 0
        due = self._first_due()
        return max(due, self.pause_until) if due else 0

    def _lead_on(self, group_id: str) -> None:
        group = self._groups[group_id]
        group.popleft()
        if group:
            self._put(group[0], self._known[group[0]].next_at)
        else:
            del self._groups[group_id]

    def _put(self, number: int, due: int) -> None:
        self._due[number] = due
        heappush(self._queue, (due, number))

    def _first_due(self) -> int:
        """Of what waits for its turn, 0 for nothing. What was put elsewhere since is dropped on the way."""
        while self._queue:
            due, number = self._queue[0]
            if self._due.get(number) == due:
                return due
            heappop(self._queue)
        return 0
