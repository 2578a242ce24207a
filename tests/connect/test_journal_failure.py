"""A journal that cannot be written: nothing new is sent, with a clear error; cancelling works; a full disk heals."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

import pytest

from tallystick.connect.client import Client
from tallystick.connect.errors import StoreStopped
from tallystick.connect.port import StreamItem
from tallystick.connect.store import Storage
from tallystick.journal.errors import JournalUnavailable
from tallystick.journal.memory import MemoryJournal
from tallystick.journal.port import Append
from tallystick.testing.bots import TEN
from tallystick.testing.paper import PaperVenue
from tallystick.testing.paper_connector import PaperConnector
from tallystick.testing.stories import text
from tallystick.testing.virtual import clock, run, until


class FailingJournal(MemoryJournal):
    """``fault`` is the code that writes fail with."""

    fault = ""

    def append(self, batch: Sequence[Append]) -> None:
        self.probe()
        super().append(batch)

    def probe(self) -> None:
        if self.fault:
            raise JournalUnavailable(self.fault, "The disk says no.")
        super().probe()


@pytest.mark.parametrize("fault", ["disk_full", "io_error"])
def test_nothing_is_sent_that_is_not_durable(fault: str):
    async def scenario():
        paper = PaperVenue()
        journal = FailingJournal()
        told = []
        async with Client(storage=Storage(None, journal), clock=clock) as client:
            client.listen(lambda event: told.append(text(event)))
            venue = await client.add(PaperConnector(paper))
            durable = venue.buy("ACME-USD", TEN)
            await until(lambda: told)
            journal.fault = fault
            story = venue.events(durable)
            assert text(await anext(story)) == "Created"
            lost = venue.buy("ACME-USD", TEN)
            with pytest.raises(StoreStopped, match="The disk says no"):
                await anext(story)
            assert list(paper.orders) == [durable]
            with pytest.raises(StoreStopped):
                venue.buy("ACME-USD", TEN)
            assert (await venue.cancel_all(timeout=1))[durable].outcome == "DONE", "cancelling needs no journal"
            journal.fault = ""
            await asyncio.sleep(5)
            if fault == "io_error":  # what is on the disk is in doubt: only a restart helps
                with pytest.raises(StoreStopped):
                    venue.buy("ACME-USD", TEN)
                return
            await until(lambda: "Cancelled (inferred)" in told or "Cancelled" in told)
            assert lost not in venue.open_order_ids()
            await until(lambda: venue.is_ready)
            again = venue.buy("ACME-USD", TEN)
            await until(lambda: again in paper.orders)

    run(scenario)


def test_after_a_failure_the_next_process_finds_what_was_durable():
    async def scenario():
        paper = PaperVenue()
        journal = FailingJournal()
        async with Client(storage=Storage(None, journal), clock=clock) as client:
            venue = await client.add(PaperConnector(paper))
            durable = venue.buy("ACME-USD", TEN)
            await until(lambda: durable in paper.orders)
            journal.fault = "io_error"
            paper.fill(durable, 10)
            await until(lambda: client.store.stopped)
        journal.fault = ""
        told = []
        async with Client(storage=Storage(None, MemoryJournal(journal.storage)), clock=clock) as client:
            client.listen(lambda event: told.append(text(event)))
            await client.add(PaperConnector(paper))
            await until(lambda: told[-2:] == ["Filled 10", "Completed 10"])

    run(scenario)


class FailingOnce(MemoryJournal):
    """The disk is full at one append, the ``at``-th, and then has room again."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self._left = at

    def append(self, batch: Sequence[Append]) -> None:
        self._left -= 1
        if not self._left:
            raise JournalUnavailable("disk_full", "The disk says no.")
        super().append(batch)


@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_whatever_of_the_beginning_was_not_recorded_is_recorded_when_there_is_room_again(at: int):
    async def scenario():
        paper = PaperVenue()
        async with Client(storage=Storage(None, FailingOnce(at)), clock=clock) as client:
            try:
                venue = await client.add(PaperConnector(paper))
            except StoreStopped:  # the venue itself was not recorded, so it has not been joined
                await asyncio.sleep(5)
                venue = await client.add(PaperConnector(paper))
            await until(lambda: venue.is_ready)
            await asyncio.sleep(5)
            order = venue.buy("ACME-USD", TEN)
            await until(lambda: order in paper.orders)

    run(scenario)


class Recording(PaperConnector):
    """``positions`` are those that its stream was begun from."""

    def __init__(self, venue: PaperVenue) -> None:
        super().__init__(venue, resumes=True)
        self.positions: list[str] = []

    async def stream(self, position: str) -> AsyncIterator[StreamItem]:
        self.positions.append(position)
        async with aclosing(super().stream(position)) as items:
            async for item in items:
                yield item


def test_after_a_full_disk_the_stream_goes_on_from_the_position_that_is_durable():
    async def scenario():
        paper = PaperVenue()
        journal = FailingJournal()
        connector = Recording(paper)
        async with Client(storage=Storage(None, journal), clock=clock) as client:
            venue = await client.add(connector)
            order = venue.buy("ACME-USD", TEN)
            await until(lambda: client.store.state.venues[1].positions)
            (durable,) = client.store.state.venues[1].positions.values()
            journal.fault = "disk_full"
            paper.fill(order, 1_000)
            await until(lambda: client.store.stopped)
            paper.fill(order, 1_000)
            await asyncio.sleep(1)
            journal.fault = ""
            await until(lambda: len(connector.positions) == 2)
            assert connector.positions == ["", durable]

    run(scenario)
