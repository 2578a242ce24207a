"""Named fault points: each ends the process where it says, and what is left behind is always a folder that starts."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from signal import SIGKILL

import aiohttp
import pytest

from tallystick.journal import faultpoint
from tallystick.journal.faultpoint import FAULT_POINTS, VARIABLE, crash_at, fault_point
from tests.crash.client import HEADERS, Reader
from tests.crash.journal_audit import audit_journal
from tests.running import RunningServer

OPTIONS = ("--pace", "0", "--prices", "fixed")
BODY = {"instrument": "ins_acme", "order_type": "market", "side": "buy", "cash_amount": "1.00"}
SERVE = "tests.faults.serve"
SNAPSHOT = """
import sys
from pathlib import Path
from tallystick.journal.snapshots import Snapshots
from tallystick.journal.sqlite import SqliteJournal
from tallystick.readers.recovery import take_snapshot
data = Path(sys.argv[1])
take_snapshot(SqliteJournal(data / "journal.db", writer=False), "sophic", Snapshots(data / "snapshots", "sophic"))
"""


def test_unset_it_is_nothing() -> None:
    assert fault_point is faultpoint._pass


def test_it_kills_the_nth_time_that_the_point_is_passed() -> None:
    kills: list[str] = []
    passing = crash_at("commit.after:3", lambda: kills.append("killed"))
    for _ in range(2):
        passing("commit.after")
        passing("commit.before")
    assert kills == []
    passing("commit.after")
    assert kills == ["killed"]


@pytest.mark.parametrize("setting", ["commit", "commit.after", "commit.after:", "commit.after:0", "nowhere:1", ":1"])
def test_a_setting_that_means_nothing_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match=r"is name:n, .*commit\.before"):
        crash_at(setting, lambda: None)


def test_every_point_is_passed_somewhere_and_none_is_missing_from_the_list() -> None:
    source = Path(faultpoint.__file__).parents[1]
    passed = [
        line.split('"')[1]
        for file in source.rglob("*.py")
        for line in file.read_text().splitlines()
        if line.strip().startswith('fault_point("')
    ]
    assert set(passed) == set(FAULT_POINTS)


async def press_until_it_dies(server: RunningServer) -> list[str]:
    acknowledged: list[str] = []

    async def press(session: aiohttp.ClientSession) -> None:
        while True:
            try:
                async with session.post(f"{server.account}/orders", json=BODY) as response:
                    acknowledged.append((await response.json())["id"])
            except (aiohttp.ClientError, ConnectionError):
                return

    async with aiohttp.ClientSession(headers=HEADERS, timeout=aiohttp.ClientTimeout(total=60)) as session:
        await asyncio.gather(*(press(session) for _ in range(8)))
    return acknowledged


def keeps_its_word(data: Path, acknowledged: list[str], retain: dict[str, str]) -> None:
    audit_journal(data)
    with RunningServer(data, *OPTIONS, module=SERVE, environment=retain) as server, Reader(server) as reader:
        found = [order["id"] for order in reader.orders()]
        assert len(found) == len(set(found))
        assert set(acknowledged) <= set(found)


@pytest.mark.slow
@pytest.mark.parametrize(
    "point", ["commit.before", "commit.after", "release.before", "release.middle", "tables.before", "tables.after"]
)
def test_a_server_cut_off_there_under_load_keeps_its_word(point: str, tmp_path: Path) -> None:
    retain = {"TEST_RETAIN_US": "1000000"}
    with RunningServer(
        tmp_path / "data", *OPTIONS, module=SERVE, environment={VARIABLE: f"{point}:60", **retain}
    ) as server:
        acknowledged = asyncio.run(press_until_it_dies(server))
        assert server.wait() == -SIGKILL
    keeps_its_word(tmp_path / "data", acknowledged, retain)


@pytest.mark.slow
@pytest.mark.parametrize("point", ["start.after_lock", "start.after_recover"])
def test_a_server_cut_off_while_it_starts_starts_the_next_time(point: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    for _ in range(2):
        starting = subprocess.run(
            [sys.executable, "-m", "tallystick", "serve", "--port", "0", "--data", str(data)],
            env={**os.environ, VARIABLE: f"{point}:1"},
            capture_output=True,
        )
        assert (starting.returncode, starting.stdout) == (-SIGKILL, b"")
    with RunningServer(data) as server, Reader(server) as reader:
        assert reader.orders() == []


@pytest.mark.slow
@pytest.mark.parametrize(("point", "kept"), [("snapshot.before_rename", False), ("snapshot.after_rename", True)])
def test_a_snapshot_cut_off_is_there_whole_or_not_at_all(point: str, kept: bool, tmp_path: Path) -> None:
    data = tmp_path / "data"

    def take(setting: str) -> int:
        command = [sys.executable, "-c", SNAPSHOT, str(data)]
        return subprocess.run(command, env={**os.environ, VARIABLE: setting}).returncode

    with RunningServer(data) as server, Reader(server) as reader:
        last = reader.sequence()
        server.stop()
    assert take(f"{point}:1") == -SIGKILL
    with RunningServer(data) as server:
        assert f"at entry {last}, epoch 2, from snapshot {last if kept else 0}, in" in server.log
        server.stop()
    assert take("") == 0
    with RunningServer(data) as server:
        assert f"at entry {last}, epoch 3, from snapshot {last}, in" in server.log
