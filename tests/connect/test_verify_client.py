"""``tallystick journal`` in a client's folder: it says what is there, and finds what is wrong."""

import asyncio
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tallystick.cli.main import app
from tallystick.connect.client import Client
from tallystick.connect.recovery import STREAM, read_entry
from tallystick.connect.verify import verify
from tallystick.facts.client import Announced, Entry, encode
from tallystick.facts.client_codes import COMPLETED
from tallystick.journal.errors import DamagedJournal
from tallystick.journal.folder import JOURNAL_FILE
from tallystick.journal.port import Append
from tallystick.journal.sqlite import SqliteJournal
from tallystick.testing.bots import TEN
from tallystick.testing.paper import PaperVenue
from tallystick.testing.paper_connector import PaperConnector


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a client that placed three orders, and closed one."""

    async def scene() -> None:
        paper = PaperVenue()
        async with Client(tmp_path / "bot") as client:
            venue = await client.add(PaperConnector(paper))
            ids = [venue.buy("ACME-USD", TEN) for _ in range(3)]
            async for _ in venue.events(ids[2]):
                break
            paper.fill(ids[0], 10)
            async for _ in venue.events(ids[0]):
                pass

    asyncio.run(scene())
    return tmp_path / "bot"


def journal(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["journal", *arguments])
    return result.exit_code, result.output


def test_a_client_s_folder_is_read_and_found_whole(folder: Path):
    assert journal("snapshot", "--data", str(folder))[0] == 0
    code, said = journal("verify", "--data", str(folder))
    assert code == 0, said
    assert "3 orders, 2 not over, 1 snapshot, state hash" in said
    assert "is whole: a client's" in said


def test_a_snapshot_that_is_wrong_is_named(folder: Path):
    journal("snapshot", "--data", str(folder))
    (path,) = (folder / "snapshots").glob("client-*.snapshot*")
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    code, said = journal("verify", "--data", str(folder))
    assert code == 1
    assert path.name in said.replace("\n", "")
    assert "Delete it; the client writes another." in said.replace("\n", " ")


def test_a_second_end_that_was_told_is_found(folder: Path):
    with closing(SqliteJournal(folder / JOURNAL_FILE)) as opened:
        last = opened.last(STREAM)
        entry = next(
            found
            for found in (read_entry(body, at) for at, body in opened.read(STREAM))
            if any(isinstance(each, Announced) and each.what == COMPLETED for each in found.events)
        )
        again = tuple(each for each in entry.events if isinstance(each, Announced) and each.what == COMPLETED)
        links = entry.links
        body = encode(Entry(last + 1, entry.time + 60_000_000, entry.cause, links, again))
        opened.append([Append(STREAM, last, [body])])
    with pytest.raises(DamagedJournal, match="of order 1 was told a second end"):
        verify(folder, lambda _done, _total: None)


def test_it_has_no_tables_to_rebuild(folder: Path):
    code, said = journal("rebuild", "--data", str(folder))
    assert code == 1
    assert "is a client's journal: it has no tables" in said.replace("\n", " ")
