"""Cases: answers that are lost, late, slow, limited or nonsense."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from tallystick.connect.errors import RateLimited
from tallystick.connect.events import TERMINAL, MarketOrderFailureEvent, OrderCompletedEvent
from tallystick.testing.cases.case import Play
from tallystick.testing.link import Call
from tallystick.testing.trial import Broke, Trial
from tallystick.tracker.observations import OpenOrders

MOST_OF: Final = 0.9
SOME_OF: Final = 0.25


async def lost_request(trial: Trial) -> None:
    """A request that never arrived is in doubt; in the end it is known that there is no such order."""
    await trial.start()
    trial.controls.lose_next_request()
    trial.place()
    await trial.until(lambda: _is_answered(trial), "the request is given up")
    await trial.settle()


async def lost_answer(trial: Trial) -> None:
    """An order whose answer was lost is found, and was not sent twice."""
    await _in_doubt(trial, trial.controls.lose_next_answer)


async def garbled_answer(trial: Trial) -> None:
    """An order whose answer cannot be read is found, and was not sent twice."""
    await _in_doubt(trial, trial.controls.garble_next_answer)


async def late_request(trial: Trial) -> None:
    """A request that arrives after it was given up is known for what it came to."""
    await trial.start()
    trial.controls.delay_next_request()
    trial.place()
    await asyncio.sleep(trial.pace.outage)
    await trial.settle()


async def overtaken_answer(trial: Trial) -> None:
    """What the stream tells before the answer is kept until it is known whose it is."""
    await trial.start()
    trial.link.answer_delay = trial.pace.retry
    order_id = await _arrived(trial)
    trial.complete(trial.at_venue().id)
    await trial.told_end(order_id, OrderCompletedEvent)
    await trial.settle()


async def rate_limit(trial: Trial) -> None:
    """An order beyond the limit has failed, and nothing is asked until the venue wants to be asked."""
    await trial.start()
    wait = trial.pace.retry
    trial.controls.limit_next(wait)
    order_id = trial.place()
    await trial.told_end(order_id, MarketOrderFailureEvent)
    call = next(each for each in trial.link.calls if each.what == "place")
    if not isinstance(call.error, RateLimited) or call.error.retry_after < wait:
        raise Broke(f"place should raise RateLimited(..., {wait:g}), and raised {call.error!r}")
    await asyncio.sleep(wait * MOST_OF)
    soon = call.answered_at + int(wait * SOME_OF * 1_000_000)  # what was on its way goes on
    impatient = [each for each in trial.link.calls if each.sent_at > soon]
    if impatient:
        raise Broke(f"{impatient[0].what} was sent in the time that the venue wanted to be left alone")
    await trial.settle()


async def outage_denies_nothing(trial: Trial) -> None:
    """While the venue does not answer no order is lost, refused or over: an error of the network is no answer."""
    await trial.start()
    trial.controls.lose_next_answer()
    trial.link.answer_delay = trial.pace.retry  # so that it is asked for while the venue is down
    order_id = await _arrived(trial)
    trial.controls.go_down()
    await asyncio.sleep(trial.pace.outage)
    for event in trial.story(order_id):
        if event.certainty == "LOST" or (isinstance(event, TERMINAL) and not trial.controls.fills_by_itself):
            raise Broke(f"with the venue down it was told {trial.texts(order_id)}, {event.status} {event.certainty}")
    trial.controls.calm()
    trial.complete(trial.at_venue().id)
    await trial.told_end(order_id, OrderCompletedEvent)
    await trial.settle()


async def slow_answers(trial: Trial) -> None:
    """An answer speaks of when its question was sent, not of when it came."""
    await trial.start()
    trial.controls.slow_down(trial.pace.slow)
    begun = len(trial.link.calls)
    order_id = trial.place()
    await asyncio.sleep(trial.pace.outage)
    slow_us = int(trial.pace.slow * 1_000_000 * MOST_OF)
    for call in trial.link.calls[begun:]:
        newest = _newest(call)
        if newest and newest > call.answered_at - slow_us:
            raise Broke(f"{call.what} gave an as_of that is {newest - call.sent_at} µs after its question was sent")
    trial.controls.calm()
    trial.complete(await trial.venue_id(order_id))
    await trial.told_end(order_id, OrderCompletedEvent)
    await trial.settle()


async def _in_doubt(trial: Trial, lose: Any) -> None:
    await trial.start()
    lose()
    order_id = await _arrived(trial)
    trial.complete(trial.at_venue().id)
    await trial.told_end(order_id, OrderCompletedEvent)
    await trial.settle()


async def _arrived(trial: Trial) -> str:
    """A new order that is at the venue, whatever the client knows: its client order id."""
    before = len(trial.controls.truth())
    order_id = trial.place()
    await trial.until(lambda: len(trial.controls.truth()) > before, "the order arrives")
    return order_id


def _is_answered(trial: Trial) -> bool:
    return any(call.what == "place" and call.answered_at for call in trial.link.calls)


def _newest(call: Call) -> int:
    """The newest time that an answer to a question speaks of; 0 if it speaks of none."""
    if call.what not in ("place", "cancel", "fetch_order", "fetch_fills", "open_orders") or call.answer is None:
        return 0
    answer = call.answer
    given: Sequence[Any] = [answer, *answer.reports, *answer.fills] if isinstance(answer, OpenOrders) else answer
    return max((each.as_of for each in given), default=0)


PLAYS: Final[tuple[Play, ...]] = (
    lost_request,
    lost_answer,
    garbled_answer,
    late_request,
    overtaken_answer,
    rate_limit,
    outage_denies_nothing,
    slow_answers,
)
