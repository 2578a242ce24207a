"""Many orders wait for their turn at a slow venue: what happens meanwhile holds for them too, before they are sent."""

import asyncio
from collections import Counter
from decimal import Decimal

import pytest

from tallystick.connect.events import OrderType
from tallystick.connect.limits import Limits
from tallystick.core.lifecycle import CANCELLED, FILLED
from tallystick.journal.memory import MemoryStorage
from tallystick.testing.bots import bot
from tallystick.testing.paper import PaperVenue
from tallystick.testing.virtual import run, until

SLOW = {"requests_per_second": 10.0, "burst": 10.0}
MANY = 300


def test_a_kill_fails_all_that_wait_at_once():
    async def scenario():
        paper = PaperVenue()
        async with bot(paper, **SLOW) as a:
            ids = [a.buy() for _ in range(MANY)]
            await asyncio.sleep(2)
            a.venue.kill("enough")
            sent = len(paper.orders)
            began = asyncio.get_running_loop().time()
            await until(lambda: sum(a.texts(each) == ["Failure killed"] for each in ids) >= MANY - sent - 1)
            assert asyncio.get_running_loop().time() - began < 1
            await asyncio.sleep(60)
            assert len(paper.orders) <= sent + 1

    run(scenario)


def test_what_waits_is_not_sent_when_the_stream_has_broken():
    async def scenario():
        paper = PaperVenue()
        async with bot(paper, **SLOW) as a:
            ids = [a.buy() for _ in range(MANY)]
            await asyncio.sleep(2)
            paper.go_down()
            await until(lambda: not a.venue.is_ready)
            await until(lambda: sum(a.texts(each) == ["Failure venue_not_ready"] for each in ids) > MANY - 50)

    run(scenario)


def test_what_is_cancelled_before_it_was_sent_is_never_sent():
    async def scenario():
        paper = PaperVenue()
        async with bot(paper, **SLOW) as a:
            ids = [a.buy() for _ in range(MANY)]
            results = await a.venue.cancel(*ids[150:], timeout=5)
            assert {(each.outcome, each.reason) for each in results.values()} == {("NOT_FOUND", "not_sent")}
            await until(lambda: all(a.ended(each) for each in ids[150:]))
            assert a.texts(ids[150]) == ["Failure not_sent"]
            await until(lambda: len(paper.orders) == 150)
            await asyncio.sleep(60)
            assert set(paper.orders) == set(ids[:150])

    run(scenario)


@pytest.mark.parametrize("fault", ["slow", "away"])
def test_the_dead_man_switch_ends_everything_at_a_venue_that_is_slow_or_was_away(fault: str):
    async def scenario():
        paper = PaperVenue()
        async with bot(paper, silence_seconds=20.0, **SLOW) as a:
            for _ in range(MANY):
                a.buy()
            await asyncio.sleep(19)
            assert len(paper.orders) > MANY // 2
            if fault == "away":
                paper.go_down()
                await asyncio.sleep(100)
                paper.calm()
            placed = len(paper.orders)
            await until(lambda: all(each.status == CANCELLED for each in paper.orders.values()), 600)
            await asyncio.sleep(60)
            assert len(paper.orders) <= placed + 20
            assert not a.venue.open_order_ids()

    run(scenario)


def test_ten_thousand_orders_at_once_are_held_to_the_limits():
    async def scenario():
        paper = PaperVenue()
        limits = Limits(
            open_orders_max=100, order_notional_max=Decimal(1000), order_units_max={"ACME-USD": Decimal(50)}
        )
        async with bot(paper, limits=limits) as a:
            order_type = {"order_type": OrderType.LIMIT}
            ids = [a.buy(price=Decimal(10), **order_type) for _ in range(10_000)]
            await until(lambda: len(a.told) == 10_000)
            assert len(paper.orders) == 100
            assert Counter(a.texts()) == {"Created": 100, "Failure too_many_open_orders": 9_900}
            paper.fill(ids[0], 10)
            await until(lambda: a.ended(ids[0]))
            more = [a.buy(price=Decimal(10), **order_type) for _ in range(2)]
            await until(lambda: a.texts(more[1]))
            assert a.texts(more[0]) == ["Created"]
            assert a.texts(more[1]) == ["Failure too_many_open_orders"]
            assert sum(each.status < FILLED for each in paper.orders.values()) == 100

    run(scenario)


def test_what_is_open_after_a_restart_and_cannot_be_measured_counts_as_too_much():
    async def scenario():
        paper, disk = PaperVenue(), MemoryStorage()
        async with bot(paper, disk) as a:
            open_id = a.buy()
            await until(lambda: a.texts(open_id))
        async with bot(paper, disk, limits=Limits(open_notional_max=Decimal(150))) as a:
            limit = {"order_type": OrderType.LIMIT, "price": Decimal(10)}
            early = a.buy(Decimal(1), **limit)
            await until(lambda: a.ended(early))
            assert a.texts(early) == ["Failure price_unknown"]
            paper.fill(open_id, 4, 10)
            await until(lambda: a.texts(open_id))
            fits, too_much = a.buy(Decimal(5), **limit), a.buy(Decimal(1), **limit)
            await until(lambda: a.texts(fits) and a.ended(too_much))
            assert a.texts(fits) == ["Created"]
            assert a.texts(too_much) == ["Failure open_notional_too_large"]

    run(scenario)
