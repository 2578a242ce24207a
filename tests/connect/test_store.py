"""The client journal on disk: one process at a time, the same state after a restart, what is made anew when missing."""

import asyncio
from pathlib import Path

import apsw
import pytest

from tallystick.connect import archive as archive_room
from tallystick.connect import listeners
from tallystick.connect.archive import Archive
from tallystick.connect.client import Client
from tallystick.connect.errors import CutOff
from tallystick.connect.recovery import recovered
from tallystick.connect.storage import ARCHIVE_FILE, Storage
from tallystick.journal.errors import FolderInUse, JournalUnavailable
from tallystick.testing.bots import TEN, bot
from tallystick.testing.paper import PaperVenue
from tallystick.testing.paper_connector import PaperConnector
from tallystick.testing.stories import text
from tallystick.testing.virtual import clock, run, until
from tallystick.tracker.agenda import Patience
from tallystick.tracker.snapshot import state_hash

SOON = Patience(retain_us=10_000, again_us=100_000)


async def trade(folder: Path, paper: PaperVenue, count: int) -> tuple[list[str], str]:
    """Some orders from beginning to end, each gone from memory; their ids, and the hash of the state at the end."""
    async with Client(folder, patience=SOON) as client:
        venue = await client.add(PaperConnector(paper))
        orders = [venue.buy("ACME-USD", TEN) for _ in range(count)]
        async with asyncio.timeout(20):
            for order_id in orders:
                while order_id not in paper.orders:  # noqa: ASYNC110
                    await asyncio.sleep(0.001)
                paper.fill(order_id, 10)
            while client.store.state.orders:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        return orders, state_hash(client.store.state)


@pytest.mark.parametrize("loss", ["nothing", "deleted", "damaged", "another's"])
def test_a_restart_finds_what_was_there_whatever_became_of_the_archive(tmp_path: Path, loss: str):
    async def scenario():
        paper = PaperVenue()
        folder = tmp_path / "bot"
        orders, expected = await trade(folder, paper, 5)
        archive = folder / ARCHIVE_FILE
        if loss == "deleted":
            archive.unlink()
        elif loss == "damaged":
            archive.write_bytes(b"SQLite format 3\0" + b"x" * 5000)
        elif loss == "another's":
            await trade(tmp_path / "other", PaperVenue(), 2)
            archive.write_bytes((tmp_path / "other" / ARCHIVE_FILE).read_bytes())
        storage = Storage(folder)
        assert state_hash(recovered(storage.journal, storage.archive, storage.snapshots).state) == expected
        storage.close()
        async with Client(folder, patience=SOON) as client:
            venue = await client.add(PaperConnector(paper))
            for order_id in orders:
                told = [text(event) async for event in venue.events(order_id)]
                story = [each for each in told if not each.startswith("Updated")]
                assert story == ["Created", "Filled 10", "Completed 10"]

    asyncio.run(scenario())


def test_a_journal_has_one_process_at_a_time(tmp_path: Path):
    async def scenario():
        async with Client(tmp_path / "bot"):
            with pytest.raises(FolderInUse):
                await Client(tmp_path / "bot").__aenter__()
        async with Client(tmp_path / "bot"):
            pass

    asyncio.run(scenario())


def test_an_archive_of_another_format_is_made_anew(tmp_path: Path):
    archive = Archive(tmp_path / "a.db", b"one")
    archive.keep(7, [])
    archive.close()
    for journal, sequence in ((b"one", 7), (b"another", 0)):
        archive = Archive(tmp_path / "a.db", journal)
        assert archive.sequence == sequence
        archive.close()


def test_a_consumer_that_is_too_slow_is_cut_off_with_its_position(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(listeners, "WAITING_MAX", 3)

    async def scenario():
        paper = PaperVenue()
        async with bot(paper) as a:
            slow = a.client.events(since="")
            for _ in range(5):
                a.buy()
            first = asyncio.ensure_future(anext(slow))
            await until(lambda: len(a.told) == 5)
            seen = [await first]
            with pytest.raises(CutOff) as cut:  # noqa: PT012 - how many come before it is not the point
                while True:
                    seen.append(await anext(slow))
            assert cut.value.position == seen[-1].position
            monkeypatch.setattr(listeners, "WAITING_MAX", 100)
            rest = a.client.events(since=cut.value.position)
            while len(seen) < 5:
                seen.append(await anext(rest))
            assert seen == a.told
            await rest.aclose()

    run(scenario)


def test_a_heartbeat_keeps_the_venue_s_own_switch_from_acting():
    class Hearty(PaperConnector):
        beats = 0

        async def heartbeat(self, seconds: float) -> None:
            assert seconds == 9.0
            self.beats += 1

    async def scenario():
        connector = Hearty(PaperVenue(), has_heartbeat=True)
        async with Client(clock=clock) as client:
            await client.add(connector, silence_seconds=9.0)
            await asyncio.sleep(60)
            assert connector.beats == 3, "none on behalf of a strategy that is silent"

    run(scenario)


def test_an_archive_that_cannot_be_made_is_said_as_the_journal_s_errors_are(tmp_path: Path, monkeypatch):
    def full(*_arguments: object) -> object:
        raise apsw.FullError("database or disk is full")

    monkeypatch.setattr(archive_room, "_prepared", full)
    with pytest.raises(JournalUnavailable) as raised:
        Storage(tmp_path / "bot")
    assert raised.value.code == "disk_full"
    monkeypatch.undo()
    Storage(tmp_path / "bot").close()
