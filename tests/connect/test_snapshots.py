"""Snapshots of a client: a start folds what came after the newest good one, and is the same start as without any."""

import asyncio
import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from tallystick.connect import recovery, store
from tallystick.connect.client import Client
from tallystick.connect.history import told_since
from tallystick.connect.narration import read_position
from tallystick.connect.recovery import ENTRIES_AT_CLOSE, STREAM, recovered, snapshots_in, take_snapshot
from tallystick.connect.storage import ARCHIVE_FILE, Storage
from tallystick.core.lifecycle import FILLED, OPEN
from tallystick.facts.client import encode
from tallystick.facts.client_codes import BY_BOTH
from tallystick.facts.client_terms import VenueJoined
from tallystick.facts.codes import BUY, LIMIT_ORDER, UNITS
from tallystick.journal.folder import JOURNAL_FILE
from tallystick.journal.port import Append
from tallystick.journal.sqlite import SqliteJournal
from tallystick.testing.bots import TEN
from tallystick.testing.paper import PaperVenue
from tallystick.testing.paper_connector import PaperConnector
from tallystick.testing.stories import text
from tallystick.tracker.agenda import Patience
from tallystick.tracker.fold import fold
from tallystick.tracker.observations import STREAM as SAID
from tallystick.tracker.observations import FillReport, JoinVenue, ListMarket, OrderReport, Place
from tallystick.tracker.snapshot import state_hash
from tallystick.tracker.tracker import Tracker

ENTRIES = 30_000
OLDER, NEWER = 20_000, 29_000
SECOND = 1_000_000


class Life:
    """Orders at one venue, one after the other: every tenth stays open, the others end and leave."""

    def __init__(self) -> None:
        self.tracker = Tracker(patience=Patience(retain_us=SECOND))
        self.now = 1_700_000_000 * SECOND
        self.bodies: list[bytes] = []
        self.hashes: dict[int, str] = {}
        self.do(JoinVenue(VenueJoined(0, 0, "paper", BY_BOTH)))
        self.do(ListMarket(1, "ACME-USD", "ACME", "USD", 2, 3, 2))

    def do(self, given) -> None:
        self.now += SECOND // 10
        self.note(self.tracker.decide(given, self.now))
        while 0 < self.tracker.next_due() <= self.now and self.note(self.tracker.wake(self.now)):
            pass

    def note(self, entry) -> bool:
        if entry is not None:
            self.bodies.append(encode(entry))
        return entry is not None

    def trade(self, number: int) -> None:
        ids = (f"c{number}", f"v{number}")
        self.do(Place(1, ids[0], 1, BUY, LIMIT_ORDER, UNITS, 1000, 1000))
        if number % 7:  # else the fill comes first, and both are told in one entry
            self.do(OrderReport(1, *ids, self.now, SAID, OPEN))
        if number % 10:
            self.do(FillReport(1, *ids, self.now, SAID, f"t{number}", 1000, 1000, 1000, 1000))
            self.do(OrderReport(1, *ids, self.now, SAID, FILLED, 1000, 1000))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a journal of 30,000 entries, two snapshots and an archive."""
    life = Life()
    number = 0
    while len(life.bodies) < ENTRIES:
        number += 1
        life.trade(number)
    folder = tmp_path_factory.mktemp("whole")
    journal = SqliteJournal(folder / JOURNAL_FILE)
    ends = (OLDER, NEWER, len(life.bodies))
    for begin, end in zip((0, *ends), ends, strict=False):
        journal.append([Append(STREAM, begin, life.bodies[begin:end])])
        if end in (OLDER, NEWER):
            assert take_snapshot(journal, snapshots_in(folder)) == end
    journal.close()
    storage = Storage(folder)
    recovered(storage.journal, storage.archive, None)
    storage.close()
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "bot"))


@pytest.fixture
def folded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sequences of the entries that a start, or somebody who looks back, folds."""
    found: list[int] = []

    def counted(state, entry) -> None:
        found.append(entry.sequence)
        fold(state, entry)

    monkeypatch.setattr(recovery, "fold", counted)
    return found


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def start(folder: Path) -> tuple[str, int]:
    """(the hash of the state, the snapshot it was made from)."""
    storage = Storage(folder)
    try:
        found = recovered(storage.journal, storage.archive, storage.snapshots)
    finally:
        storage.close()
    return state_hash(found.state), found.snapshot


CASES = [
    # what became of the folder, the snapshot that is started from
    ("nothing", NEWER),
    ("the newest is damaged", OLDER),
    ("both are damaged", 0),
    ("the newest is of another journal", OLDER),
    ("they are gone", 0),
    ("the archive is gone", 0),
]


@pytest.mark.parametrize(("case", "expected"), CASES, ids=[each[0] for each in CASES])
def test_a_start_folds_what_came_after_the_newest_good_snapshot(
    folder: Path, folded: list[int], case: str, expected: int
) -> None:
    newest, older = snapshots_in(folder).paths()
    if "damaged" in case:
        damage(newest)
        if "both" in case:
            damage(older)
    elif case == "the newest is of another journal":
        newest.write_bytes(newest.read_bytes().replace(b'"checksum":"', b'"checksum":"00', 1))
    elif case == "they are gone":
        shutil.rmtree(newest.parent)
    elif case == "the archive is gone":
        (folder / ARCHIVE_FILE).unlink()
    found, began = start(folder)
    assert began == expected
    last = folded[-1]
    assert last >= ENTRIES
    assert folded == list(range(expected + 1, last + 1))
    shutil.rmtree(folder / "snapshots", ignore_errors=True)
    assert start(folder) == (found, 0), "with or without a snapshot it is the same state"


def test_a_client_starts_from_the_snapshot_and_knows_everything(folder: Path, folded: list[int]) -> None:
    async def scenario() -> None:
        async with Client(folder) as client:
            assert client.store.began_at == NEWER
            assert len(folded) < ENTRIES // 20
            venue = await client.add(PaperConnector(PaperVenue()), ready_seconds=0)
            told = [text(event) async for event in venue.events("c11")]
            assert told[0] == "Created"
            assert told[-1] == "Completed 1"

    asyncio.run(scenario())


def test_looking_back_begins_at_a_snapshot_and_gives_way_to_others(folder: Path, folded: list[int]) -> None:
    async def scenario() -> None:
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        async with Client(folder) as client:
            journal, end = client.store.storage.journal, client.store.state.sequence
            busy = asyncio.ensure_future(others())
            everything = [told[2] async for told in told_since(journal, "", end)]
            busy.cancel()
            assert turns > ENTRIES // 1000, "it is read in slices"
            since = next(
                before.position
                for before, after in pairwise(everything[-500:])
                if before.position.partition(".")[0] == after.position.partition(".")[0]
            )
            rest = [event for event in everything if read_position(event.position) > read_position(since)]
            del folded[:]
            events = client.events(since=since)
            assert [await anext(events) for _ in rest] == rest
            assert folded == list(range(NEWER + 1, end + 1))
            await events.aclose()

    asyncio.run(scenario())


def test_a_client_that_is_closed_leaves_a_snapshot_behind(
    tmp_path: Path, folded: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "ENTRIES_AT_CLOSE", 5)
    assert ENTRIES_AT_CLOSE > 5

    async def scenario() -> None:
        paper = PaperVenue()
        async with Client(tmp_path / "bot") as client:
            venue = await client.add(PaperConnector(paper))
            order_id = venue.buy("ACME-USD", TEN)
            async with asyncio.timeout(20):
                while order_id not in paper.orders:  # noqa: ASYNC110
                    await asyncio.sleep(0.001)
            await client.store.settled()
        del folded[:]
        async with Client(tmp_path / "bot") as client:
            assert client.store.began_at == client.store.state.sequence > 5
            assert folded == []
            venue = await client.add(PaperConnector(paper))
            assert venue.open_order_ids() == [order_id]

    asyncio.run(scenario())


def test_a_running_client_has_one_written_every_so_many_entries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "ENTRIES_BETWEEN", 5)

    async def scenario() -> None:
        async with Client(tmp_path / "bot") as client:
            venue = await client.add(PaperConnector(PaperVenue()))
            for _ in range(5):
                venue.buy("ACME-USD", TEN)
            async with asyncio.timeout(60):
                while not snapshots_in(tmp_path / "bot").paths():  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        assert start(tmp_path / "bot")[1] >= 5

    asyncio.run(scenario())
