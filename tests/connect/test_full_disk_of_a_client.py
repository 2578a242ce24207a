"""A full disk under a client's journal: nothing is placed and the error says why, cancelling goes on, and when there is
room again so does everything else.
"""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from tallystick.connect.archive import Archive
from tallystick.connect.client import Client
from tallystick.connect.errors import StoreStopped
from tallystick.connect.store import Storage
from tallystick.journal.folder import JOURNAL_FILE
from tallystick.journal.sqlite import SqliteJournal
from tallystick.testing.bots import TEN
from tallystick.testing.paper import PaperVenue
from tallystick.testing.paper_connector import PaperConnector
from tallystick.tracker.agenda import Patience
from tests.faults.failing_disk import FailingDisk
from tests.faults.test_full_disk import fill, small_disk

__all__ = ["small_disk"]  # a fixture

SOON = Patience(grace_us=50_000, stale_us=200_000, again_us=50_000, again_max_us=100_000, retain_us=10_000)
SECONDS = 30.0


async def until(look: Callable[[], object]) -> None:
    async with asyncio.timeout(SECONDS):
        while not look():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def ordeal(storage: Storage, fill_up: Callable[[], object], make_room: Callable[[], object]) -> PaperVenue:
    """Twice: orders, a full disk, no orders but cancels, room, orders."""
    paper = PaperVenue()
    async with Client(storage=storage, patience=SOON) as client:
        venue = await client.add(PaperConnector(paper))
        for _ in range(2):
            open_one, filled = venue.buy("ACME-USD", TEN), venue.buy("ACME-USD", TEN)
            await until(lambda: {open_one, filled} <= set(paper.orders))  # noqa: B023
            await client.store.settled()
            fill_up()
            paper.fill(filled, 10)
            never: list[str] = []
            with pytest.raises(StoreStopped) as stopped:  # noqa: PT012 - whichever of them it is
                async with asyncio.timeout(SECONDS):
                    while True:
                        never.append(venue.buy("ACME-USD", TEN))
                        await asyncio.sleep(0.005)
            assert stopped.value.cause.code == "disk_full"
            sent = len(paper.orders)
            results = await venue.cancel_all(timeout=SECONDS)
            assert results[open_one].outcome == "DONE"
            assert results[never[-1]][1:] == ("NOT_FOUND", "not_sent")
            assert never[-1] not in paper.orders
            make_room()
            await until(lambda: client.store.stopped is None and venue.is_ready)
            assert len(paper.orders) == sent, "what was not recorded was not sent"
            await until(lambda: not {open_one, filled} & set(venue.open_order_ids()))  # noqa: B023
        again = venue.buy("ACME-USD", TEN)
        await until(lambda: again in paper.orders)
    return paper


async def check(storage: Storage, paper: PaperVenue) -> None:
    """The next process knows of each order that the venue has."""
    async with Client(storage=storage) as client:
        venue = await client.add(PaperConnector(paper))
        await until(lambda: venue.is_ready)
        assert set(venue.open_order_ids()) == {key for key, order in paper.orders.items() if order.status == 3}
        assert venue.foreign_orders() == []
        for order_id in paper.orders:
            assert await anext(venue.events(order_id))


@pytest.mark.slow
def test_a_disk_that_really_is_full(small_disk: Path):
    def make_room() -> None:
        (small_disk / "ballast").unlink()

    async def scenario() -> None:
        paper = await ordeal(Storage(small_disk / "bot"), lambda: fill(small_disk), make_room)
        await check(Storage(small_disk / "bot"), paper)

    asyncio.run(scenario())


@pytest.fixture
def disk() -> Iterator[FailingDisk]:
    made = FailingDisk()
    yield made
    made.unregister()


def test_a_disk_that_says_it_is_full(tmp_path: Path, disk: FailingDisk):
    def storage() -> Storage:
        (tmp_path / "bot").mkdir(exist_ok=True)
        return Storage(tmp_path / "bot", SqliteJournal(tmp_path / "bot" / JOURNAL_FILE, vfs="faults-disk"))

    async def scenario() -> None:
        paper = await ordeal(storage(), lambda: setattr(disk, "failing", "space"), lambda: setattr(disk, "failing", ""))
        await check(storage(), paper)

    asyncio.run(scenario())


def test_an_archive_that_cannot_be_written_holds_up_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    real = Archive._write

    def full(self: Archive, sequence: int) -> None:
        raise apsw.FullError("no space left")

    async def scenario() -> None:
        paper = PaperVenue()
        monkeypatch.setattr(Archive, "_write", full)
        async with Client(tmp_path / "bot", patience=SOON) as client:
            venue = await client.add(PaperConnector(paper))
            orders = [venue.buy("ACME-USD", TEN) for _ in range(3)]
            await until(lambda: len(paper.orders) == 3)
            for order_id in orders[:2]:
                paper.fill(order_id, 4)
                await venue.cancel(order_id)
            await until(lambda: len(client.store.state.orders) == 1)
            told: list[str] = []
            venue.listen(lambda event: told.append(event.order_id))
            paper.fill(orders[0], 1)
            await until(lambda: told == [orders[0]])
            monkeypatch.setattr(Archive, "_write", real)
            await venue.cancel(orders[2])
            await until(lambda: not client.store.state.orders)
            assert client.store.storage.archive._leaving == {}
        async with Client(tmp_path / "bot", patience=SOON) as client:
            venue = await client.add(PaperConnector(paper))
            for order_id in orders:
                assert await anext(venue.events(order_id))

    asyncio.run(scenario())
