"""Cases: what orders come to where nothing is lost."""

import asyncio
from decimal import Decimal
from typing import Final

from tallystick.connect.events import (
    TERMINAL,
    MarketOrderFailureEvent,
    OrderCancelledEvent,
    OrderCompletedEvent,
    OrderExpiredEvent,
    OrderFilledEvent,
    OrderType,
)
from tallystick.facts.codes import LIMIT_ORDER, MARKET_ORDER
from tallystick.testing.cases.case import Play, need
from tallystick.testing.trial import Broke, Trial
from tallystick.tracker.observations import UNKNOWN_STATUS, OrderReport

UNKNOWN_WORD: Final = "becalmed"


async def placed_and_filled(trial: Trial) -> None:
    """An order is created, filled and completed, and told so in this order."""
    await trial.start()
    order_id = trial.place()
    trial.complete(await trial.venue_id(order_id))
    await trial.told_end(order_id, OrderCompletedEvent)
    await trial.settle()


async def filled_in_parts(trial: Trial) -> None:
    """Each part is told, and Completed comes after the last."""
    await trial.start()
    order_id, venue_id = await trial.place_open()
    trial.fill(venue_id, Decimal("0.4"))
    await trial.told_filled(order_id)
    trial.complete(venue_id)
    await trial.told_end(order_id, OrderCompletedEvent)
    await trial.settle()


async def fills_alike(trial: Trial) -> None:
    """Two fills of the same amount at the same price are two."""
    await trial.start()
    order_id, venue_id = await trial.place_open()
    trial.fill(venue_id, Decimal("0.5"))
    trial.fill(venue_id, Decimal("0.5"))
    await trial.told_end(order_id, OrderCompletedEvent)
    await trial.settle()


async def limit_order(trial: Trial) -> None:
    """A limit order lives as a market order does."""
    await trial.start()
    types = trial.link.capabilities.order_types
    need(LIMIT_ORDER in types and MARKET_ORDER in types, "it takes one type of order alone")
    order_id, venue_id = await trial.place_open(OrderType.LIMIT)
    trial.complete(venue_id)
    await trial.told_end(order_id, OrderCompletedEvent)
    await trial.settle()


async def several_at_once(trial: Trial) -> None:
    """Orders that are sent together have an outcome each, in batches too."""
    await trial.start()
    order_ids = [trial.place() for _ in range(5)]
    for order_id in order_ids:
        trial.complete(await trial.venue_id(order_id))
    for order_id in order_ids:
        await trial.told_end(order_id, OrderCompletedEvent)
    await trial.settle()


async def refused(trial: Trial) -> None:
    """An order that the venue refuses has failed, under the venue's word for why."""
    await trial.start()
    trial.controls.refuse_next()
    order_id = trial.place()
    await trial.told_end(order_id, MarketOrderFailureEvent)
    await trial.settle()


async def cancelled_by_the_venue(trial: Trial) -> None:
    """An order that the venue ends is cancelled, although nobody asked for it."""
    await trial.start()
    order_id, venue_id = await trial.place_open()
    trial.controls.cancel(venue_id)
    await trial.told_end(order_id, OrderCancelledEvent)
    await trial.settle()


async def expired(trial: Trial) -> None:
    """An order whose time is over has expired."""
    await trial.start()
    order_id, venue_id = await trial.place_open()
    trial.controls.expire(venue_id)
    await trial.told_end(order_id, OrderExpiredEvent)
    await trial.settle()


async def pending_then_confirmed(trial: Trial) -> None:
    """A fill that is pending is told when it is confirmed, and not before."""
    await trial.start()
    order_id, venue_id = await trial.place_open()
    trade = trial.controls.fill_pending(venue_id, trial.subject.units)
    await trial.quiet()
    if any(isinstance(event, (OrderFilledEvent, *TERMINAL)) for event in trial.story(order_id)):
        raise Broke(f"a fill that may still revert was told as executed: {trial.texts(order_id)}")
    trial.controls.confirm(trade)
    await trial.told_end(order_id, OrderCompletedEvent)
    await trial.settle()


async def pending_then_reverted(trial: Trial) -> None:
    """A fill that reverts is none; the order goes on."""
    await trial.start()
    order_id, venue_id = await trial.place_open()
    trial.controls.revert(trial.controls.fill_pending(venue_id, trial.subject.units))
    await trial.quiet()
    trial.complete(venue_id)
    await trial.told_end(order_id, OrderCompletedEvent)
    await trial.settle()


async def unknown_status(trial: Trial) -> None:
    """A word that nobody knows is shown as it is, ends nothing, and keeps nothing else from being read."""
    await trial.start()
    order_id, venue_id = await trial.place_open()
    trial.controls.say_unknown(venue_id, UNKNOWN_WORD)
    await trial.until(lambda: _was_shown(trial), f"an OrderReport says UNKNOWN_STATUS and {UNKNOWN_WORD!r}")
    trial.fill(venue_id, Decimal("0.4"))
    await trial.told_filled(order_id)
    if any(isinstance(event, TERMINAL) for event in trial.story(order_id)):
        raise Broke(f"an unknown word ended the order: {trial.texts(order_id)}")
    trial.controls.calm()
    trial.complete(venue_id)
    await trial.told_end(order_id, OrderCompletedEvent)
    await trial.settle(shown=UNKNOWN_WORD)


async def closed_twice(trial: Trial) -> None:
    """Closing a connector twice is harmless, and so is closing one that was never started."""
    await trial.start()
    connector = trial.subject.connect()
    await connector.close()
    await connector.start()
    await connector.close()
    await connector.close()
    await trial.settle()


async def venue_down_at_the_start(trial: Trial) -> None:
    """A venue that cannot be reached is tried again until it can."""
    trial.controls.go_down()
    await trial.start(ready=False)
    await asyncio.sleep(trial.pace.retry)
    trial.controls.calm()
    await trial.until(lambda: trial.venue.is_ready, "the venue becomes ready")
    order_id = trial.place()
    trial.complete(await trial.venue_id(order_id))
    await trial.told_end(order_id, OrderCompletedEvent)
    await trial.settle()


def _was_shown(trial: Trial) -> bool:
    reports = [each for each in trial.link.heard() if isinstance(each, OrderReport)]
    return any(each.status == UNKNOWN_STATUS and UNKNOWN_WORD in each.word for each in reports)


PLAYS: Final[tuple[Play, ...]] = (
    placed_and_filled,
    filled_in_parts,
    fills_alike,
    limit_order,
    several_at_once,
    refused,
    cancelled_by_the_venue,
    expired,
    pending_then_confirmed,
    pending_then_reverted,
    unknown_status,
    closed_twice,
    venue_down_at_the_start,
)
