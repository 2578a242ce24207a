"""Cases: streams that repeat, shuffle, delay, lose, break and fall silent."""

from decimal import Decimal
from typing import Final

from tallystick.connect.events import OrderCompletedEvent
from tallystick.testing.cases.case import Play, need
from tallystick.testing.trial import Trial
from tallystick.tracker.observations import Gap, Observation

PART: Final = Decimal("0.25")
PARTS: Final = 4


async def duplicated(trial: Trial) -> None:
    """What the stream tells three times happened once."""
    await trial.start()
    trial.link.copies = 3
    trial.link.spread = trial.pace.retry
    await _live(trial)


async def reordered(trial: Trial) -> None:
    """What the stream tells in another order comes to the same."""
    await trial.start()
    trial.link.spread = trial.pace.slow
    await _live(trial)


async def delayed(trial: Trial) -> None:
    """What the stream tells late, after the answers to questions, changes nothing that is known already."""
    await trial.start()
    trial.link.delay = trial.pace.outage / 2
    await _live(trial)


async def dropped(trial: Trial) -> None:
    """What a stream loses while it seems healthy is found by asking."""
    await trial.start()
    trial.link.copies = 0
    await _live(trial)


async def silent_stream(trial: Trial) -> None:
    """What the venue does not tell is found by asking."""
    await trial.start()
    order_id, venue_id = await trial.place_open()
    trial.controls.mute()
    trial.complete(venue_id)
    await trial.told_end(order_id, OrderCompletedEvent)
    await trial.settle()


async def cut_stream(trial: Trial) -> None:
    """What happens while the stream is cut is learned."""
    await trial.start()
    order_id, venue_id = await trial.place_open()
    trial.fill(venue_id, PART)
    await trial.told_filled(order_id)
    trial.controls.cut_stream()
    trial.fill(venue_id, PART)
    await trial.told_filled(order_id, 2)
    trial.controls.cut_stream()
    trial.complete(venue_id)
    await trial.told_end(order_id, OrderCompletedEvent)
    await trial.settle()


async def garbled_stream(trial: Trial) -> None:
    """What cannot be read on the stream ends nothing, and what it was about is learned."""
    await trial.start()
    order_id, venue_id = await trial.place_open()
    trial.controls.garble_stream()
    trial.complete(venue_id)
    await trial.told_end(order_id, OrderCompletedEvent)
    await trial.settle()


async def resumed_stream(trial: Trial) -> None:
    """A stream that declares to resume tells what happened while it was cut, or that something is missing."""
    await trial.start()
    need(trial.link.capabilities.resumes, "it does not declare that its stream resumes")
    order_id, venue_id = await trial.place_open()
    await trial.quiet()
    begun = len(trial.link.streamed)
    trial.controls.cut_stream()
    trial.fill(venue_id, PART)

    def was_told() -> bool:
        later = trial.link.streamed[begun:]
        ids = (order_id, venue_id)
        about = [
            each for each in later if isinstance(each, Observation) and (each.client_id in ids or each.venue_id in ids)
        ]
        return bool(about) or any(isinstance(each, Gap) for each in later)

    await trial.until(was_told, "the stream tells of the fill, or a Gap")
    trial.complete(venue_id)
    await trial.told_end(order_id, OrderCompletedEvent)
    await trial.settle()


async def _live(trial: Trial) -> None:
    """An order lives from its beginning to its end, in parts where the venue can be told to."""
    if trial.controls.fills_by_itself:
        order_id = trial.place()
    else:
        order_id, venue_id = await trial.place_open()
        for _ in range(PARTS):
            trial.fill(venue_id, PART)
    await trial.told_end(order_id, OrderCompletedEvent)
    await trial.settle()


PLAYS: Final[tuple[Play, ...]] = (
    duplicated,
    reordered,
    delayed,
    dropped,
    silent_stream,
    cut_stream,
    garbled_stream,
    resumed_stream,
)
