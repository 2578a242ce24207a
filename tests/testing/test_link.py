"""The faulty link: a position never overtakes what it covers, and after a crash nothing passes any more."""

import asyncio

import pytest

from tallystick.connect.client import Client
from tallystick.connect.store import Storage
from tallystick.journal.memory import MemoryJournal
from tallystick.testing import Link, PaperVenue, run, until
from tallystick.testing.bots import TEN
from tallystick.tracker.observations import Observation, Position


@pytest.mark.parametrize("seed", range(5))
def test_a_position_comes_after_all_that_it_covers_however_shuffled(seed: int):
    async def scenario():
        paper = PaperVenue()
        link = Link(paper.connector(resumes=True), seed)
        async with Client(storage=Storage(None, MemoryJournal())) as client:
            venue = await client.add(link)
            link.spread = 10.0
            link.copies = 2
            order_id = venue.buy("ACME-USD", TEN)
            await until(lambda: paper.orders)
            for _ in range(10):
                paper.fill(order_id, 1)
            arrived = []
            async for item in link.stream("0"):
                arrived.append(item)
                if isinstance(item, Position) and int(item.position) == len(paper.said):
                    break
            seen = 0
            for item in arrived:
                if isinstance(item, Position):
                    assert seen >= 2 * int(item.position)
                seen += isinstance(item, Observation)
            trades = [item.trade for item in arrived if hasattr(item, "trade")]
            assert sorted(trades) != trades
            assert all(trades.count(each) == 2 for each in trades)

    run(scenario)


def test_after_a_crash_nothing_passes_in_either_direction():
    async def scenario():
        paper = PaperVenue()
        link = Link(paper.connector(), 1)
        link.crash_at = "place.before"
        async with Client(storage=Storage(None, MemoryJournal())) as client:
            venue = await client.add(link)
            venue.buy("ACME-USD", TEN)
            await link.crashed.wait()
            asked = len(paper.requests)
            await asyncio.sleep(300)
            assert len(paper.requests) == asked
            assert not paper.orders

    run(scenario)
