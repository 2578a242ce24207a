"""Cases: the client is killed with its journal as it was at that moment, and begins again over it."""

from decimal import Decimal
from typing import Final

from tallystick.testing.cases.case import Play
from tallystick.testing.trial import Broke, Trial

PART: Final = Decimal("0.4")


async def killed_before_sending(trial: Trial) -> None:
    """What was intended and never sent is not sent by the next process, and known not to be there."""
    await _killed_at(trial, "place.before")
    if trial.controls.truth():
        raise Broke("the venue has an order that was never sent by whoever intended it")
    await trial.settle()


async def killed_after_sending(trial: Trial) -> None:
    """An order whose answer nobody lived to read is found, and was not sent twice."""
    await _killed_at(trial, "place.after")
    await trial.settle()


async def killed_in_doubt(trial: Trial) -> None:
    """An order whose answer was lost is found by the next process as well."""
    await trial.start(crash_at="place.after")
    trial.controls.lose_next_answer()
    trial.place()
    await trial.crashed()
    await trial.start()
    await trial.settle()


async def killed_while_asking(trial: Trial) -> None:
    """A question that nobody lived to hear the answer of is asked again."""
    await trial.start(crash_at="fetch_order.after")
    trial.controls.lose_next_answer()
    trial.place()
    trial.link.copies = 0
    await trial.crashed()
    await trial.start()
    await trial.settle()


async def killed_while_following(trial: Trial) -> None:
    """What the stream told a process that was killed is told to the next, once."""
    await trial.start(crash_at="stream.item")
    trial.place()
    await trial.crashed()
    await trial.start()
    await trial.settle()


async def filled_while_away(trial: Trial) -> None:
    """What was filled while no client ran is told to the next."""
    await trial.start()
    _, venue_id = await trial.place_open()
    trial.fill(venue_id, PART)
    await trial.stop()
    trial.complete(venue_id)
    await trial.start()
    await trial.settle()


async def ended_while_away(trial: Trial) -> None:
    """What was cancelled while no client ran is told to the next, with what was filled before."""
    await trial.start()
    _, venue_id = await trial.place_open()
    await trial.stop()
    trial.fill(venue_id, PART)
    trial.controls.cancel(venue_id)
    await trial.start()
    await trial.settle()


async def _killed_at(trial: Trial, point: str) -> None:
    await trial.start(crash_at=point)
    trial.place()
    await trial.crashed()
    await trial.start()


PLAYS: Final[tuple[Play, ...]] = (
    killed_before_sending,
    killed_after_sending,
    killed_in_doubt,
    killed_while_asking,
    killed_while_following,
    filled_while_away,
    ended_while_away,
)
