"""Cancelling: of some orders or of all, each with an outcome of its own. It works without a trusted stream, and without
a journal that can be written; it waits for neither.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple, cast

from tallystick.connect.desk import VenueDesk
from tallystick.connect.errors import NoSuchOrder, NotThere, RateLimited, Refused, StoreStopped, VenueError
from tallystick.connect.pacer import CANCEL, in_lane
from tallystick.connect.placing import ANSWER_SECONDS, NOT_SENT
from tallystick.connect.port import ForeignCancels, Order
from tallystick.core.lifecycle import CANCEL_OUTCOME_NAMES, CANCELLED, DONE, FILLED, REFUSED, UNKNOWN
from tallystick.tracker.observations import ANSWER, CANCEL_NOT_FOUND, SUBMIT, Cancel, CancelReport, Observation, Refusal
from tallystick.tracker.order import TrackedOrder

NOT_SUPPORTED: Final = "cancel_not_supported"
CLOSED: Final = "order_closed"
NO_ID: Final = "the venue's id for it is not known yet"
NOT_REACHED: Final = "the venue was not reached yet"
ID_SECONDS: Final = 10.0
REACHED_SECONDS: Final = 30.0
NOT_FOUND_NAME: Final = "NOT_FOUND"

_log = logging.getLogger(__name__)


class CancelResult(NamedTuple):
    """``outcome`` is DONE (it is cancelled), REQUESTED (the venue will see), REFUSED (``reason``; it may be filled),
    NOT_FOUND, or UNKNOWN. Only DONE says what became of the order; its events say the rest."""

    order_id: str
    outcome: str
    reason: str = ""


class Cancelling:
    def __init__(self, desk: VenueDesk) -> None:
        self._desk: Final = desk

    async def cancel(self, order_ids: Iterable[str], seconds: float) -> dict[str, CancelResult]:
        """Ask for these to be cancelled; what is known of each after at most ``seconds``. Raises NoSuchOrder."""
        results: dict[str, CancelResult] = {}
        orders: list[TrackedOrder] = []
        for order_id in dict.fromkeys(order_ids):
            order = self._desk.tracked.by_client.get(order_id)
            if order is None and self._desk.store.storage.archive.placed_as(self._desk.number, order_id) is None:
                raise NoSuchOrder(f"{self._desk.name} has no order {order_id!r} of ours")
            if order is None or order.status >= FILLED:
                results[order_id] = _closed(order_id, order)
            elif order.number in self._desk.unsent or self._withdraw(order):
                results[order_id] = CancelResult(order_id, NOT_FOUND_NAME, NOT_SENT)
            else:
                orders.append(order)
        deadline = asyncio.get_running_loop().time() + seconds
        batches = self._batches(orders)
        tasks = [asyncio.create_task(self._batch(batch, results)) for batch in batches]
        try:
            if tasks:
                await asyncio.wait(tasks, timeout=seconds)
            await self._until_closed(orders, results, deadline)
        finally:
            for task in tasks:
                task.cancel()
        for order in orders:
            results.setdefault(order.client_id, CancelResult(order.client_id, "UNKNOWN", "no answer in time"))
        return results

    async def cancel_all(self, seconds: float, *, foreign: bool = False) -> dict[str, CancelResult]:
        """Every order that is not over, as far as is known; with ``foreign`` the others' on the account too."""
        ours = self.cancel([order.client_id for order in self._desk.orders()], seconds)
        if not foreign:
            return await ours
        both = await asyncio.gather(ours, self._cancel_foreign(seconds))
        return {**both[0], **both[1]}

    async def _cancel_foreign(self, seconds: float) -> dict[str, CancelResult]:
        """What others have open, as it is listed now or, if that cannot be had, was listed last."""
        desk = self._desk
        capabilities = desk.connector.capabilities
        results: dict[str, CancelResult] = {}
        try:
            async with asyncio.timeout(seconds):
                await desk.until_reached(seconds)
                await self._list_anew()
                if capabilities.cancels_foreign:
                    ids = [order.exchange_order_id for order in desk.foreign.all()]
                    size = capabilities.cancel_batch_max
                    for at in range(0, len(ids), size):
                        await self._cancel_others(ids[at : at + size], results)
        except TimeoutError:
            pass
        for order in desk.foreign.all():
            order_id = order.exchange_order_id
            if not capabilities.cancels_foreign:
                results[order_id] = CancelResult(order_id, "REFUSED", NOT_SUPPORTED)
            elif order_id not in results:
                results[order_id] = CancelResult(order_id, "UNKNOWN", "no answer in time")
        return results

    async def _list_anew(self) -> None:
        desk = self._desk
        try:
            with in_lane(CANCEL):
                await desk.pacer.turn()
                await desk.list_open()
        except Exception as error:  # noqa: BLE001 - what was listed last is cancelled all the same
            _log.warning("%s: its open orders were not listed anew: %s", desk.name, str(error) or type(error).__name__)

    async def _cancel_others(self, ids: Sequence[str], results: dict[str, CancelResult]) -> None:
        desk = self._desk
        connector = cast(Any, desk.connector)
        foreign: ForeignCancels = connector
        try:
            with in_lane(CANCEL):
                await desk.pacer.turn()
                said = await foreign.cancel_foreign(ids)
        except Exception as error:  # noqa: BLE001 - whatever a connector raises is about these orders alone
            if isinstance(error, RateLimited):
                desk.pacer.pause(error.retry_after)
            outcome, reason = _meaning(error)
            said = [CancelReport(desk.number, "", each, desk.now(), ANSWER, outcome, reason) for each in ids]
        for each in desk.sound(said):
            results[each.venue_id] = CancelResult(each.venue_id, _name(each.outcome), each.reason)
            if each.outcome == DONE:
                desk.foreign.forget(each.venue_id)

    def _batches(self, orders: list[TrackedOrder]) -> list[list[TrackedOrder]]:
        size = self._desk.connector.capabilities.cancel_batch_max
        return [orders[at : at + size] for at in range(0, len(orders), size)]

    async def _batch(self, orders: list[TrackedOrder], results: dict[str, CancelResult]) -> None:
        desk = self._desk
        if not desk.connector.capabilities.can_cancel:
            said: list[Observation] = [self._report(order, REFUSED, NOT_SUPPORTED) for order in orders]
        elif not await desk.until_reached(REACHED_SECONDS):
            said = [self._report(order, UNKNOWN, NOT_REACHED) for order in orders]
        else:
            self._intend(orders)
            await self._until_identified(orders)
            views = [desk.order_view(order) for order in orders]
            with in_lane(CANCEL):
                await desk.pacer.turn()
                said = await self._ask(orders, views)
        said = desk.sound(said)
        for each in said:
            if isinstance(each, CancelReport):
                for order in orders:
                    if order.client_id == each.client_id or (not each.client_id and order.has_id(each.venue_id)):
                        results[order.client_id] = CancelResult(order.client_id, _name(each.outcome), each.reason)
        desk.observe(said)

    async def _ask(self, orders: list[TrackedOrder], views: Sequence[Order]) -> list[Observation]:
        """What the connector says, or what its error means, for each."""
        desk = self._desk
        known = [view for view in views if view.venue_id or desk.connector.capabilities.cancels_by_client_id]
        without = [order for order, view in zip(orders, views, strict=True) if view not in known]
        said: list[Observation] = [self._report(order, UNKNOWN, NO_ID) for order in without]
        if not known:
            return said
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return [*said, *await desk.connector.cancel(known)]
        except Exception as error:  # noqa: BLE001 - whatever a connector raises is about these orders alone
            if isinstance(error, RateLimited):
                desk.pacer.pause(error.retry_after)
            if not isinstance(error, (VenueError, TimeoutError)):
                _log.exception("%s: its connector failed at cancelling", desk.name)
            outcome, reason = _meaning(error)
            return said + [self._report(order, outcome, reason) for order in orders if order not in without]

    def _intend(self, orders: list[TrackedOrder]) -> None:
        try:
            for order in orders:
                self._desk.store.decide(Cancel(self._desk.number, order.client_id))
        except StoreStopped:
            pass  # it is sent all the same: what it comes to is asked for when it can be recorded

    async def _until_identified(self, orders: list[TrackedOrder]) -> None:
        """An order that is still on its way has no id to be cancelled by."""
        if self._desk.connector.capabilities.cancels_by_client_id:
            return
        deadline = asyncio.get_running_loop().time() + ID_SECONDS
        while any(not (o.venue_id or o.status >= FILLED or o.number in self._desk.unsent) for o in orders):
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return
            await self._desk.change(left)

    async def _until_closed(
        self, orders: list[TrackedOrder], results: dict[str, CancelResult], deadline: float
    ) -> None:
        """Where the venue only took the request, wait for what comes of it."""
        while True:
            waiting = [o for o in orders if o.client_id in results and results[o.client_id].outcome == "REQUESTED"]
            for order in waiting:
                if order.status >= FILLED:
                    results[order.client_id] = _closed(order.client_id, order)
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0 or all(order.status >= FILLED for order in waiting):
                return
            await self._desk.change(left)

    def _withdraw(self, order: TrackedOrder) -> bool:
        """Whether it was still waiting to be sent; now it will not be."""
        desk = self._desk
        if order.number not in desk.queued:
            return False
        desk.queued.discard(order.number)
        detail = "it was cancelled before it was sent"
        desk.observe([Refusal(desk.number, order.client_id, "", desk.now(), SUBMIT, NOT_SENT, detail)])
        return True

    def _report(self, order: TrackedOrder, outcome: int, reason: str) -> Observation:
        return CancelReport(self._desk.number, order.client_id, "", self._desk.now(), ANSWER, outcome, reason)


def _meaning(error: Exception) -> tuple[int, str]:
    if isinstance(error, NotThere):
        return CANCEL_NOT_FOUND, error.code
    if isinstance(error, Refused) and not isinstance(error, RateLimited):
        return REFUSED, error.code
    return UNKNOWN, error.code if isinstance(error, VenueError) else type(error).__name__


def _name(outcome: int) -> str:
    return NOT_FOUND_NAME if outcome == CANCEL_NOT_FOUND else CANCEL_OUTCOME_NAMES[outcome]


def _closed(order_id: str, order: TrackedOrder | None) -> CancelResult:
    if order is not None and order.status == CANCELLED:
        return CancelResult(order_id, "DONE")
    return CancelResult(order_id, "REFUSED", CLOSED)
