"""Starting on what a crash or a bad disk left: a torn tail is dropped and named, damage is refused and named."""

import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.crash.client import HEADERS, Reader
from tests.crash.journal_audit import read_journal
from tests.running import RunningServer

OPTIONS = ("--pace", "1000", "--prices", "fixed")
ORDERS = 5

pytestmark = pytest.mark.slow


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The folder of a server that was killed after ORDERS orders, each in a commit of its own."""
    with RunningServer(tmp_path / "data", *OPTIONS) as server:
        for _ in range(ORDERS):
            body = {"instrument": "ins_acme", "order_type": "market", "side": "buy", "cash_amount": "1.00"}
            assert httpx.post(f"{server.account}/orders", json=body, headers=HEADERS).status_code == 201
        server.kill()
    return tmp_path / "data"


def refusal(data: Path) -> str:
    """What a server says that will not start on the folder."""
    ended = subprocess.run(
        [sys.executable, "-m", "tallystick", "serve", "--port", "0", "--data", str(data)],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "Traceback" not in ended.stderr
    return ended.stderr


@pytest.mark.parametrize("torn", [1, 100, 4120])
def test_a_torn_tail_costs_the_last_commit_and_the_server_says_where_it_is(data: Path, torn: int) -> None:
    log = data / "journal.db-wal"
    last = len(read_journal(data))
    log.write_bytes(log.read_bytes()[:-torn])
    with RunningServer(data, *OPTIONS) as server, Reader(server) as reader:
        assert len(reader.orders()) == ORDERS - 1
        assert re.search(
            rf"recovered: sophic at entry {last - 1}, epoch 2, from snapshot 0, in \d+\.\d\d s\n", server.log
        ), server.log


def test_a_bit_flipped_in_a_record_is_refused_with_its_place(data: Path) -> None:
    with RunningServer(data, *OPTIONS) as server:
        server.stop()
    journal = data / "journal.db"
    content = journal.read_bytes()
    written = content.count(b'"demonstration funds"')  # more often than it counts: pages that are free keep theirs
    journal.write_bytes(content.replace(b'"demonstration funds"', b'"demonstration finds"'))
    said = refusal(data)
    assert re.search(r"The journal is damaged at stream 'sophic', sequence \d+, byte \d+ of its batch:", said)
    assert "restore a backup" in said
    assert journal.read_bytes().count(b'"demonstration finds"') == written


def test_a_file_cut_off_in_the_middle_is_refused(data: Path) -> None:
    with RunningServer(data, *OPTIONS) as server:
        server.stop()
    journal = data / "journal.db"
    with journal.open("r+b") as file:
        file.truncate(journal.stat().st_size // 2 // 4096 * 4096)
    assert "damaged" in refusal(data)
