"""The tracker's questions, put to one venue: each at most once at a time, paced, and answered as observations.

A question that gets no answer is simply asked again, when the tracker hands it out the next time (tracker.agenda).
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from tallystick.connect.desk import VenueDesk
from tallystick.connect.errors import NotThere, RateLimited, VenueError
from tallystick.connect.pacer import ASK, AUDIT, in_lane
from tallystick.connect.placing import ANSWER_SECONDS
from tallystick.tracker.agenda import ASK_FILLS, ASK_OPEN_ORDERS, QUESTION_NAMES, Question
from tallystick.tracker.agenda import AUDIT as AUDIT_URGENCY
from tallystick.tracker.observations import ANSWER, AllFills, NotFound, Observation
from tallystick.tracker.order import TrackedOrder

QUEUED_MAX: Final = 1024
"""Questions that wait here; more are left to the tracker, which repeats them."""

_log = logging.getLogger(__name__)


class Asking:
    def __init__(self, desk: VenueDesk) -> None:
        self._desk: Final = desk
        self._queue: Final[asyncio.PriorityQueue[tuple[int, int, Question]]] = asyncio.PriorityQueue()
        self._known: Final[set[tuple[int, int]]] = set()
        self._taken = 0

    def take(self, question: Question) -> None:
        """Ask it, unless it is about to be asked already, or is about an order that is on its way this moment."""
        key = (question.what, question.order)
        if key in self._known or question.order in self._desk.under_way or self._queue.qsize() >= QUEUED_MAX:
            return
        self._known.add(key)
        self._taken += 1
        self._queue.put_nowait((question.urgency, self._taken, question))

    def run(self, group: asyncio.TaskGroup) -> None:
        for _ in range(self._desk.connector.capabilities.at_once_max):
            group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            urgency, _, question = await self._queue.get()
            is_outdated = False
            try:
                with in_lane(AUDIT if urgency == AUDIT_URGENCY else ASK):
                    await self._desk.pacer.turn()
                    async with asyncio.timeout(ANSWER_SECONDS):
                        is_outdated = await self._ask(question)
            except Exception as error:  # noqa: BLE001 - it is asked again; nothing else depends on it
                self._failed(question, error)
            finally:
                self._known.discard((question.what, question.order))
            if is_outdated:
                self.take(question)

    async def _ask(self, question: Question) -> bool:
        """Whether what was asked for is wanted again, because the answer is older than what has broken meanwhile."""
        desk = self._desk
        if question.what == ASK_OPEN_ORDERS:
            broken_at = desk.tracked.broken_at
            await desk.list_open()
            return desk.tracked.broken_at > broken_at
        order = desk.store.tracker.state.orders.get(question.order)
        if order is not None and order.number not in desk.under_way:
            await self._ask_of(order, question.what)
        return False

    async def _ask_of(self, order: TrackedOrder, what: int) -> None:
        desk = self._desk
        view = desk.order_view(order)
        asked_at = desk.now()
        answer: Sequence[Observation]
        if what == ASK_FILLS:
            fills = await desk.connector.fetch_fills(view)
            answer = [*fills, AllFills(desk.number, view.client_id, "", asked_at, ANSWER)]
        else:
            try:
                answer = await desk.connector.fetch_order(view)
            except NotThere:
                answer = [NotFound(desk.number, view.client_id, view.venue_id, asked_at, ANSWER)]
        desk.observe(answer)

    def _failed(self, question: Question, error: Exception) -> None:
        if isinstance(error, RateLimited):
            self._desk.pacer.pause(error.retry_after)
        what = QUESTION_NAMES[question.what]
        if isinstance(error, (VenueError, TimeoutError)):
            # Nothing is placed without the list, and nothing else says why.
            blocks = question.what == ASK_OPEN_ORDERS and self._desk.is_live and not self._desk.is_trusted
            level = logging.WARNING if blocks else logging.INFO
            _log.log(level, "%s: no answer about %s: %s", self._desk.name, what, str(error) or type(error).__name__)
        else:
            _log.exception("%s: its connector failed at asking about %s", self._desk.name, what, exc_info=error)
