"""A journal that cannot be written: nothing new is sent, with a clear error; cancelling works; a full disk heals."""

import asyncio
from collections.abc import Sequence

import pytest

from tallystick.connect.client import Client
from tallystick.connect.errors import StoreStopped
from tallystick.connect.store import Storage
from tallystick.journal.errors import JournalUnavailable
from tallystick.journal.memory import MemoryJournal
from tallystick.journal.port import Append
from tests.connect.bots import TEN, text
from tests.connect.paper import PaperConnector, PaperVenue
from tests.connect.virtual import clock, run, until


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
            paper.fill(durable, 10_000)
            await until(lambda: client.store.stopped)
        journal.fault = ""
        told = []
        async with Client(storage=Storage(None, MemoryJournal(journal.storage)), clock=clock) as client:
            client.listen(lambda event: told.append(text(event)))
            await client.add(PaperConnector(paper))
            await until(lambda: told[-2:] == ["Filled 10", "Completed 10"])

    run(scenario)
