"""Who listens misses nothing from the moment on that he asked, and nobody's fault is another's."""

import asyncio
import gc

import pytest

from tallystick.connect import listeners
from tallystick.testing.bots import bot
from tallystick.testing.paper import PaperVenue
from tallystick.testing.virtual import run, until


def test_events_are_from_the_call_on_however_late_they_are_read():
    async def scenario():
        async with bot(PaperVenue()) as a:
            early = a.venue.events()
            order_id = a.buy()
            await until(lambda: a.texts(order_id) == ["Created"])
            late = a.venue.events()
            assert (await anext(early)).order_id == order_id
            a.venue.kill("another event")
            other = a.buy()
            assert (await anext(late)).order_id == other

    run(scenario)


def test_who_drops_his_events_without_reading_them_is_forgotten():
    async def scenario():
        async with bot(PaperVenue()) as a:
            for _ in range(3):
                a.venue.events()
            gc.collect()
            assert len(a.client._listeners._subscriptions) == 0

    run(scenario)


@pytest.mark.parametrize("error", [ValueError("a bug"), asyncio.CancelledError()])
def test_a_listener_that_raises_stops_nobody(error: BaseException):
    async def scenario():
        paper = PaperVenue()
        async with bot(paper) as a:

            def faulty(_event) -> None:
                raise error

            a.venue.listen(faulty)
            orders = [a.buy() for _ in range(5)]
            await until(lambda: len(paper.orders) == 5)
            for order_id in orders:
                paper.fill(order_id, 10)
                await until(lambda: a.ended(order_id))  # noqa: B023
            await a.client.store.settled()

    run(scenario)


def test_a_coroutine_function_is_no_listener():
    async def scenario():
        async def never_awaited(_event) -> None: ...

        async with bot(PaperVenue()) as a:
            with pytest.raises(TypeError, match="iterate over events"):
                a.venue.listen(never_awaited)

    run(scenario)


def test_who_catches_up_is_never_cut_off_however_slowly_he_reads(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(listeners, "WAITING_MAX", 3)

    async def scenario():
        async with bot(PaperVenue()) as a:
            a.buy()
            await until(lambda: a.told)
            seen = []
            events = a.client.events(since="")
            for _ in range(20):
                seen.append(await anext(events))
                a.buy()
                a.buy()
                await until(lambda: len(a.told) >= 2 * len(seen) + 1)
            assert seen == a.told[:20]
            await events.aclose()

    run(scenario)
