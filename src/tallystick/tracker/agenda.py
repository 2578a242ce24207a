"""What the tracker wants to know, and when it asks: it never asks itself, it hands out questions (docs/design.md §5).

An order is looked at again a while after it was sent, shortly after its evidence became one-sided (a status ahead of
its fills, fills ahead of the status, a cancel without an outcome), and when nothing was heard of it for long. If it
then still wants to know something, the question is handed out, and again with growing intervals until it is answered.
All of this is ambient: after a restart it is made anew from the state, and everything is due at once.
"""

from collections import deque
from heapq import heappop, heappush
from typing import Final

from tallystick.core.back_off import back_off
from tallystick.core.lifecycle import DONE, FILLED, SUBMITTED
from tallystick.facts.client_codes import AMBIGUOUS, CONFIRMED, FILLS_NAMED, FILLS_SUMMED, LOST
from tallystick.tracker.belief import absences, is_complete, lacks_amount, lacks_fills
from tallystick.tracker.kept import Kept
from tallystick.tracker.order import TOLD_END, Seldom, TrackedOrder
from tallystick.tracker.state import State

# What may be asked.
ASK_ORDER: Final = 1
ASK_FILLS: Final = 2
ASK_CANCEL: Final = 4  # what became of a request to cancel the order; where a venue has no such question, the order
ASK_OPEN_ORDERS: Final = 8  # of the whole venue, with all fills if it can
QUESTION_NAMES: Final = {
    ASK_ORDER: "order",
    ASK_FILLS: "fills",
    ASK_CANCEL: "cancel",
    ASK_OPEN_ORDERS: "open orders",
}

# How urgent it is, the most urgent first. Cancels go before all of them, new orders between the second and the third.
URGENT: Final = 1  # we do not know whether we have an order, or whether it is cancelled
WANTED: Final = 2  # something is known to be missing
AUDIT: Final = 3  # nothing is known to be wrong
URGENCY_NAMES: Final = ("", "urgent", "wanted", "audit")

LEAVE_MAX: Final = 512


class Question:
    """``order`` is 0 for a question about the whole venue; ``client_id`` and ``venue_id`` are the order's, as known.
    ``attempt`` counts from 1, ``asked_at`` is the ``as_of`` of its answer."""

    __slots__ = ("asked_at", "attempt", "client_id", "order", "urgency", "venue", "venue_id", "what")

    def __init__(
        self,
        what: int,
        urgency: int,
        venue: int,
        order: int,
        client_id: str,
        venue_id: str,
        attempt: int,
        asked_at: int,
    ) -> None:
        self.what: Final = what
        self.urgency: Final = urgency
        self.venue: Final = venue
        self.order: Final = order
        self.client_id: Final = client_id
        self.venue_id: Final = venue_id
        self.attempt: Final = attempt
        self.asked_at: Final = asked_at


class Patience:
    """How long to wait before asking, in microseconds: for the answer to a new order, for evidence that should follow
    by itself, for any news of an open order, and between the same question (doubled each time, up to the most).

    ``retain_us`` is for how long a closed order stays, if its venue does not ask for more. Of more than ``retain_max``
    closed orders (0: no such bound) those that were closed first leave earlier, unless something is expected of them.
    """

    __slots__ = ("again_max_us", "again_us", "grace_us", "retain_max", "retain_us", "stale_us", "submit_us")

    def __init__(
        self,
        submit_us: int = 5_000_000,
        grace_us: int = 2_000_000,
        stale_us: int = 30_000_000,
        again_us: int = 2_000_000,
        again_max_us: int = 60_000_000,
        retain_us: int = 30_000_000,
        retain_max: int = 0,
    ) -> None:
        self.submit_us: Final = submit_us
        self.grace_us: Final = grace_us
        self.stale_us: Final = stale_us
        self.again_us: Final = again_us
        self.again_max_us: Final = again_max_us
        self.retain_us: Final = retain_us
        self.retain_max: Final = retain_max


def wants(order: TrackedOrder) -> int:
    """What should be asked about the order, as bits, if nothing comes by itself."""
    status = order.status
    seldom = order.seldom
    if status >= FILLED:
        if not is_complete(order) if status == FILLED else lacks_fills(order) or lacks_amount(order):
            return _fills_of(order)
        return ASK_FILLS if seldom is not None and lacks_names(order, seldom) else 0
    wanted = ASK_OPEN_ORDERS if seldom is not None and seldom.absences and absences(order, seldom) else 0
    if status == SUBMITTED or order.certainty != CONFIRMED:
        return wanted | ASK_ORDER
    if order.consumed and order.consumed >= order.size - order.tolerance:
        wanted = ASK_ORDER
    if order.told_consumed > order.consumed or order.told_quantity > order.quantity:
        wanted |= _fills_of(order)
    if seldom is not None:
        if seldom.misses or (seldom.words and max([at for at, _ in seldom.words.values()]) > order.heard):
            wanted |= ASK_ORDER
        if lacks_names(order, seldom):
            wanted |= ASK_FILLS
        if seldom.cancel[0] > order.heard and seldom.cancel[1] != DONE:
            wanted |= ASK_CANCEL
    return wanted


def lacks_names(order: TrackedOrder, seldom: Seldom) -> bool:
    """Some of its fills follow from sums alone, and their trades' ids can be asked for."""
    sums = seldom.sums
    return sums is not None and order.profile.fills != FILLS_SUMMED and (sums.consumed > 0 or sums.pending > 0)


def _fills_of(order: TrackedOrder) -> int:
    """What says which fills it has: at a venue that says sums, the order itself."""
    fills = order.profile.fills
    return ASK_FILLS if fills == FILLS_NAMED else (ASK_ORDER if fills == FILLS_SUMMED else ASK_ORDER | ASK_FILLS)


class Agenda:
    """The queues of what is to be looked at. Where every one waits equally long, what comes first is due first."""

    __slots__ = (
        "_again",
        "_asking",
        "_completing",
        "_fresh",
        "_leaving",
        "_patience",
        "_soon",
        "_stale",
        "_state",
        "_staying",
        "_venues",
    )

    def __init__(self, state: State, patience: Patience) -> None:
        self._state: Final = state
        self._patience: Final = patience
        self._fresh: Final[deque[int]] = deque()  # orders sent, by their ``look``
        self._stale: Final[deque[int]] = deque()  # orders open, by their ``look``
        self._soon: Final[deque[tuple[int, int]]] = deque()  # (due, order): should follow by itself
        self._again: Final[list[tuple[int, int]]] = []  # a heap of (due, order): asked before, or cannot wait
        self._asking: Final[dict[int, int]] = {}  # attempts, of orders in the two above
        self._completing: Final[list[tuple[int, int]]] = []  # a heap of (due, order): completed without its fills then
        self._leaving: Final[deque[tuple[int, Kept]]] = deque()  # (due, order): over
        self._staying: Final[list[tuple[int, int]]] = []  # a heap of (due, order): over, and more was expected
        self._venues: Final[dict[int, tuple[int, int]]] = {}  # (due, attempts) of asking for all open orders

    # --- What happens -------------------------------------------------------------------------------------------------

    def sent(self, order: TrackedOrder, now: int) -> None:
        """A new order: an answer should come."""
        order.look = now + self._patience.submit_us
        self._fresh.append(order.number)

    def changed(self, order: TrackedOrder, told_before: int, now: int) -> None:
        """There was evidence of the order; ``told_before`` is what was announced before it."""
        status = order.status
        if order.told & TOLD_END:
            if not told_before & TOLD_END:
                self._leaving.append((self._leaves_at(order, now), order.number))
        elif status == FILLED and order.profile.fills_wait_us:
            heappush(self._completing, (now + order.profile.fills_wait_us, order.number))
        if status == SUBMITTED and order.certainty == CONFIRMED:
            return  # an answer should come: it was noted when it was sent
        if wants(order) and order.number not in self._asking:
            self._asking[order.number] = 0
            if status == SUBMITTED:
                heappush(self._again, (now, order.number))
            else:
                self._soon.append((now + self._patience.grace_us, order.number))

    def recalled(self, order: TrackedOrder, now: int) -> None:
        """The order is back, for as long as it would have stayed."""
        self._leaving.append((self._leaves_at(order, now), order.number))

    def want_open_orders(self, venue: int, now: int) -> None:
        """Messages may be missing: ask for everything, at once."""
        self._venues[venue] = (now, 0)

    def have_open_orders(self, venue: int) -> None:
        self._venues.pop(venue, None)

    def rebuild(self, now: int) -> None:
        """Everything anew from the state: whatever is not over is to be asked for at once."""
        state = self._state
        for venue in state.venues:
            self.want_open_orders(venue, now)
        over = [order for order in state.orders.values() if order.told & TOLD_END]
        for order in sorted(over, key=_age):
            self._leaving.append((self._leaves_at(order, order.updated), order.number))
        for order in state.orders.values():
            if wants(order):
                self._asking[order.number] = 0
                heappush(self._again, (now, order.number))
            if order.status < FILLED:
                order.look = now + self._patience.stale_us
                self._stale.append(order.number)
            elif order.status == FILLED and not order.told & TOLD_END and order.profile.fills_wait_us:
                heappush(self._completing, (now + order.profile.fills_wait_us, order.number))

    # --- What is due --------------------------------------------------------------------------------------------------

    def next_decision(self) -> int:
        """When an order is to be completed without its fills, or to leave; 0 for never."""
        if self._is_crowded():
            return 1
        due = _sooner(self._completing[0][0] if self._completing else 0, self._leaving[0][0] if self._leaving else 0)
        return _sooner(due, self._staying[0][0] if self._staying else 0)

    def overdue(self, now: int) -> TrackedOrder | None:
        """An order that has waited for its fills long enough."""
        heap = self._completing
        while heap and heap[0][0] <= now:
            order = self._state.orders.get(heappop(heap)[1])
            if order is not None and order.status == FILLED and not order.told & TOLD_END:
                return order
        return None

    def leaving(self, now: int) -> list[int]:
        """Orders that have stayed long enough after their end; those of which something is expected stay on."""
        found: list[int] = []
        orders = self._state.orders
        queue = self._leaving
        while queue and (queue[0][0] <= now or self._is_crowded()) and len(found) < LEAVE_MAX:
            due, number = queue.popleft()
            order = orders.get(number)
            if due > now and order is not None and wants(order):  # it leaves early, but is asked for first
                heappush(self._staying, (now + self._patience.again_max_us, number))
            else:
                self._leave_or_stay(order, now, found)
        staying = self._staying
        while staying and staying[0][0] <= now and len(found) < LEAVE_MAX:
            self._leave_or_stay(orders.get(heappop(staying)[1]), now, found)
        return found

    def _is_crowded(self) -> bool:
        return 0 < self._patience.retain_max < len(self._leaving)

    def _leave_or_stay(self, order: TrackedOrder | None, now: int, found: list[int]) -> None:
        if order is None:
            return
        if order.status < FILLED or lacks_fills(order):
            heappush(self._staying, (self._leaves_at(order, now), order.number))
        else:
            found.append(order.number)
            if self._asking:
                self._asking.pop(order.number, None)

    def next_question(self) -> int:
        """When ``questions`` is worth calling next, 0 for never."""
        due = _sooner(self._first_look(self._fresh), self._first_look(self._stale))
        due = _sooner(due, self._soon[0][0] if self._soon else 0)
        due = _sooner(due, self._again[0][0] if self._again else 0)
        for at, _ in self._venues.values():
            due = _sooner(due, at)
        return due

    def questions(self, now: int, limit: int) -> list[Question]:
        """Up to ``limit`` questions that are due, whole venues first; each comes again unless it is answered."""
        found: list[Question] = []
        self._look_at_fresh(now)
        self._look_at_stale(now)
        while self._soon and self._soon[0][0] <= now:
            heappush(self._again, self._soon.popleft())
        for venue, (due, attempts) in list(self._venues.items()):
            if due <= now and len(found) < limit:
                urgency = URGENT if not self._state.venues[venue].is_trusted else AUDIT
                found.append(Question(ASK_OPEN_ORDERS, urgency, venue, 0, "", "", attempts + 1, now))
                self._venues[venue] = (now + self._pause(attempts), attempts + 1)
        heap = self._again
        while heap and heap[0][0] <= now and len(found) < limit:
            self._ask(heappop(heap)[1], now, found)
        return found

    def _ask(self, number: int, now: int, found: list[Question]) -> None:
        order = self._state.orders.get(number)
        wanted = 0 if order is None else wants(order)
        if order is None or not wanted:
            self._asking.pop(number, None)
            return
        attempts = self._asking.get(number, 0)
        self._asking[number] = attempts + 1
        heappush(self._again, (now + self._pause(attempts), number))
        if wanted & ASK_OPEN_ORDERS and order.venue not in self._venues:
            self.want_open_orders(order.venue, now)
        for what in (ASK_CANCEL, ASK_ORDER, ASK_FILLS):
            if wanted & what:
                urgency = _urgency(order, what)
                found.append(
                    Question(what, urgency, order.venue, number, order.client_id, order.venue_id, attempts + 1, now)
                )

    def _first_look(self, queue: deque[int]) -> int:
        """When the first open order in the queue is due; those before it that are over are dropped."""
        orders = self._state.orders
        while queue:
            order = orders.get(queue[0])
            if order is not None and order.status < FILLED:
                return order.look
            queue.popleft()
        return 0

    def _look_at_fresh(self, now: int) -> None:
        queue = self._fresh
        while 0 < self._first_look(queue) <= now:
            order = self._state.orders[queue.popleft()]
            if order.status == SUBMITTED and order.number not in self._asking:
                self._asking[order.number] = 0
                heappush(self._again, (now, order.number))
            order.look = now + self._patience.stale_us
            self._stale.append(order.number)

    def _look_at_stale(self, now: int) -> None:
        """Nothing was heard of an open order for long: its venue is audited."""
        queue = self._stale
        stale_us = self._patience.stale_us
        while 0 < self._first_look(queue) <= now:
            order = self._state.orders[queue.popleft()]
            if order.updated + stale_us <= now and order.venue not in self._venues:
                self._venues[order.venue] = (now, 0)
            order.look = now + stale_us
            queue.append(order.number)

    def _pause(self, attempts: int) -> int:
        return back_off(self._patience.again_us, attempts, self._patience.again_max_us)

    def _leaves_at(self, order: TrackedOrder, since: int) -> int:
        late_us = order.profile.late_us
        retain_us = self._patience.retain_us
        return since + (late_us if late_us > retain_us else retain_us)


def _urgency(order: TrackedOrder, what: int) -> int:
    if what == ASK_CANCEL or order.certainty == AMBIGUOUS or (order.status == SUBMITTED and order.certainty != LOST):
        return URGENT
    return WANTED


def _sooner(due: int, other: int) -> int:
    if due == 0 or (0 < other < due):
        return other
    return due


def _age(order: TrackedOrder) -> int:
    return order.updated
