"""Cases: requests to cancel, and fills that race them."""

import asyncio
from decimal import Decimal
from typing import Final

from tallystick.connect.events import OrderCancelledEvent, OrderCompletedEvent
from tallystick.core.lifecycle import CANCELLED, FILLED
from tallystick.testing.cases.case import Play, need
from tallystick.testing.trial import Broke, Trial

PART: Final = Decimal("0.4")
NOT_DONE: Final = ("REFUSED", "NOT_FOUND", "UNKNOWN", "REQUESTED")


async def cancelled_on_request(trial: Trial) -> None:
    """An order is cancelled, and what it had filled stays filled."""
    order_id, venue_id = await _open(trial)
    trial.fill(venue_id, PART)
    await trial.venue.cancel(order_id, timeout=trial.pace.wait)
    await trial.told_end(order_id, OrderCancelledEvent)
    await trial.settle()


async def cancel_against_fill(trial: Trial) -> None:
    """A fill that comes first is told, and the cancel that comes too late ends nothing."""
    order_id, venue_id = await _open(trial)
    trial.complete(venue_id)
    (result,) = (await trial.venue.cancel(order_id, timeout=trial.pace.wait)).values()
    if result.outcome not in NOT_DONE:
        raise Broke(f"the order was filled before it could be cancelled, and the cancel came out as {result.outcome}")
    await trial.told_end(order_id, OrderCompletedEvent)
    await trial.settle()


async def fill_against_cancel(trial: Trial) -> None:
    """A fill that the stream did not tell before the cancel counts, and is told before Cancelled or marked late."""
    order_id, venue_id = await _open(trial)
    trial.link.delay = trial.pace.slow
    trial.fill(venue_id, PART)
    await trial.venue.cancel(order_id, timeout=trial.pace.wait)
    await trial.told_end(order_id, OrderCancelledEvent)
    await trial.settle()


async def lost_cancel(trial: Trial) -> None:
    """A request to cancel that never arrived ends nothing."""
    order_id, venue_id = await _open(trial)
    trial.controls.lose_next_cancel()
    await trial.venue.cancel(order_id, timeout=trial.pace.retry)
    await trial.quiet()
    if trial.controls.truth()[-1].status < FILLED:
        trial.complete(venue_id)
        await trial.told_end(order_id, OrderCompletedEvent)
    await trial.settle()


async def lost_cancel_answer(trial: Trial) -> None:
    """An order that was cancelled, and nobody said so, is found cancelled."""
    order_id, _ = await _open(trial)
    trial.controls.lose_next_cancel_answer()
    await trial.venue.cancel(order_id, timeout=trial.pace.retry)
    await trial.told_end(order_id, OrderCancelledEvent)
    await trial.settle()


async def late_fill(trial: Trial) -> None:
    """Where fills may come late, one that comes after the end is told, marked late."""
    order_id, venue_id = await _open(trial)
    need(trial.link.capabilities.late_us, "it declares no late fills")
    await trial.venue.cancel(order_id, timeout=trial.pace.wait)
    await trial.told_end(order_id, OrderCancelledEvent)
    trial.fill(venue_id, PART)
    await trial.told_filled(order_id)
    await trial.settle()


async def cancel_all(trial: Trial) -> None:
    """Everything that is open can be cancelled at once, in batches where the venue takes them."""
    await _open(trial)
    for _ in range(4):
        await trial.place_open()
    await trial.venue.cancel_all(timeout=trial.pace.wait)
    await trial.until(
        lambda: all(order.status == CANCELLED for order in trial.controls.truth()), "all orders are cancelled"
    )
    await trial.settle()


async def killed_before_the_cancel(trial: Trial) -> None:
    """A client that is killed before its request to cancel has left knows that the order is still open."""
    venue_id = await _killed_at(trial, "cancel.before")
    trial.complete(venue_id)
    await trial.settle()


async def killed_after_the_cancel(trial: Trial) -> None:
    """A client that is killed when its order has just been cancelled finds it cancelled."""
    await _killed_at(trial, "cancel.after")
    await trial.settle()


async def _killed_at(trial: Trial, point: str) -> str:
    order_id, venue_id = await _open(trial, crash_at=point)
    request = asyncio.create_task(trial.venue.cancel(order_id, timeout=trial.pace.wait))
    try:
        await trial.crashed()
    finally:
        request.cancel()
        await asyncio.gather(request, return_exceptions=True)
    await trial.start()
    return venue_id


async def _open(trial: Trial, crash_at: str = "") -> tuple[str, str]:
    await trial.start(crash_at=crash_at)
    need(trial.link.capabilities.can_cancel, "it declares no cancel")
    return await trial.place_open()


PLAYS: Final[tuple[Play, ...]] = (
    cancelled_on_request,
    cancel_against_fill,
    fill_against_cancel,
    lost_cancel,
    lost_cancel_answer,
    late_fill,
    cancel_all,
    killed_before_the_cancel,
    killed_after_the_cancel,
)
