"""The kill switch: once thrown it stays thrown, through restarts and a full disk, until somebody releases it."""

import asyncio

import pytest

from tallystick.connect.client import Client
from tallystick.connect.errors import StoreStopped
from tallystick.connect.store import Storage
from tallystick.journal.memory import MemoryStorage
from tallystick.testing.bots import TEN, bot
from tallystick.testing.paper import PaperVenue
from tallystick.testing.paper_connector import PaperConnector
from tallystick.testing.virtual import BEGIN, run, until
from tests.connect.test_journal_failure import FailingJournal


def test_it_stays_thrown_across_restarts_with_its_reason_and_time():
    async def scenario():
        paper, disk = PaperVenue(), MemoryStorage()
        async with bot(paper, disk) as a:
            order_id = a.buy()
            await until(lambda: a.texts(order_id) == ["Created"])
            await asyncio.sleep(7)
            a.venue.kill("the strategy lost its mind")
            thrown = a.venue.killed
            assert thrown is not None
            assert thrown.reason == "the strategy lost its mind"
            assert 7 <= thrown.timestamp - BEGIN / 1_000_000 < 8
        for _ in range(2):
            async with bot(paper, disk) as a:
                assert a.venue.killed == thrown
                refused = a.buy()
                await until(lambda: a.ended(refused))  # noqa: B023
                assert a.texts(refused) == ["Failure killed"]
        async with bot(paper, disk) as a:
            assert (await a.venue.cancel_all())[order_id].outcome == "DONE"
            a.venue.allow()
            assert a.venue.killed is None
        async with bot(paper, disk) as a:
            assert a.venue.killed is None
            allowed = a.buy()
            await until(lambda: a.texts(allowed) == ["Created"])

    run(scenario)


def test_another_venue_goes_on():
    async def scenario():
        papers = PaperVenue(), PaperVenue()
        async with Client() as client:
            venues = [await client.add(PaperConnector(paper, name)) for paper, name in zip(papers, "ab", strict=True)]
            venues[0].kill("this one")
            for venue in venues:
                venue.buy("ACME-USD", TEN)
            await until(lambda: papers[1].orders)
            assert not papers[0].orders
            assert venues[1].killed is None

    run(scenario)


def test_it_can_be_thrown_while_the_journal_cannot_be_written_and_is_recorded_afterwards():
    async def scenario():
        paper = PaperVenue()
        journal = FailingJournal()
        async with Client(storage=Storage(None, journal)) as client:
            venue = await client.add(PaperConnector(paper))
            journal.fault = "disk_full"
            venue.kill("no room")
            await until(lambda: client.store.stopped)
            with pytest.raises(StoreStopped):
                venue.allow()
            assert venue.killed is not None
            journal.fault = ""
            await until(lambda: client.store.stopped is None)
            await client.store.settled()
        async with bot(paper, journal.storage) as a:
            assert a.venue.killed is not None
            assert a.venue.killed.reason == "no room"

    run(scenario)


def test_a_release_that_was_not_recorded_has_not_happened():
    async def scenario():
        journal = FailingJournal()
        async with Client(storage=Storage(None, journal)) as client:
            venue = await client.add(PaperConnector(PaperVenue()))
            venue.kill("first")
            await client.store.settled()
            journal.fault = "disk_full"
            venue.allow()
            await until(lambda: client.store.stopped)
            journal.fault = ""
            await until(lambda: client.store.stopped is None)
            assert venue.killed is not None

    run(scenario)
