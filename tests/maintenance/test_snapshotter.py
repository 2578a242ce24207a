"""``journal snapshot``, and the server's part that runs it every so many entries."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tallystick.journal.folder import DataFolder
from tallystick.journal.snapshotter import Snapshotter
from tests.maintenance.folders import life, place, run, verified, whole_folder, write_bodies
from tests.running import RunningServer


def snapshots(data: Path) -> list[int]:
    """The sequences of the brokerage that there are snapshots of."""
    return sorted(int(path.stem.split("-")[1]) for path in (data / "snapshots").glob("sophic-*.snapshot"))


@pytest.fixture
def data(tmp_path):
    return whole_folder(tmp_path / "data")


# --- The command ---


def test_it_writes_the_state_at_the_end_of_the_journal(data):
    for path in (data / "snapshots").iterdir():
        path.unlink()
    (data / "snapshots" / "sophic-00000000000007.new").write_text("of one that died")
    result = run("snapshot", "--data", data, "--nice")
    assert (result.returncode, result.stderr) == (0, "")
    assert f"holds a snapshot of sophic at entry {len(life())}" in result.stdout
    assert snapshots(data) == [len(life())]
    assert not list((data / "snapshots").glob("*.new"))
    verified(data)


def test_it_works_beside_a_running_server(tmp_path):
    with RunningServer(tmp_path / "data", "--pace", "0", "--prices", "fixed") as server:
        place(server.account)
        assert run("snapshot", "--data", tmp_path / "data").returncode == 0
        place(server.account)
        assert len(snapshots(tmp_path / "data")) == 1
    verified(tmp_path / "data")


def test_two_do_not_write_at_once(data):
    other = DataFolder(data / "snapshots")
    result = run("snapshot", "--data", data)
    other.release()
    assert result.returncode == 1
    assert "in use by process" in result.stderr


def test_a_damaged_journal_gets_no_snapshot(tmp_path):
    write_bodies(tmp_path, [b"nothing"])
    result = run("snapshot", "--data", tmp_path)
    assert result.returncode == 1
    assert "restore a backup" in result.stderr
    assert snapshots(tmp_path) == []


# --- The server's part ---


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 - it is for another process to do
            await asyncio.sleep(0.005)


def script(source: str) -> list[str]:
    return [sys.executable, "-c", source]


def begun(tmp_path: Path, rest: str = "") -> list[str]:
    """A stand-in for the command: adds its process to a file, then does the rest."""
    return script(
        f"import os\nwith open({str(tmp_path / 'begun')!r}, 'a') as f: f.write(f'{{os.getpid()}}\\n')\n{rest}"
    )


def processes(tmp_path: Path) -> list[int]:
    file = tmp_path / "begun"
    return [int(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_every_so_many_entries_it_writes_one(data):
    for path in (data / "snapshots").iterdir():
        path.unlink()

    async def serve() -> None:
        snapshotter = Snapshotter(data, newest=0, entries_between=10)
        snapshotter.start()
        for entries in range(1, 10):
            snapshotter.note(entries)
        await asyncio.sleep(0)
        assert not (data / "snapshots" / "lock").exists()
        snapshotter.note(10)
        await until(lambda: snapshots(data))
        await snapshotter.stop()

    asyncio.run(serve())
    assert snapshots(data) == [len(life())]


def test_one_at_a_time_and_the_next_when_it_is_due(tmp_path):
    wait = f"import time\nwhile not os.path.exists({str(tmp_path / 'go')!r}): time.sleep(0.005)"

    async def serve() -> None:
        snapshotter = Snapshotter(tmp_path, 0, 10, begun(tmp_path, wait))
        snapshotter.start()
        for entries in range(100):
            snapshotter.note(entries)
        await until(lambda: len(processes(tmp_path)) == 1)
        (tmp_path / "go").touch()
        await until(lambda: len(processes(tmp_path)) == 2)
        snapshotter.note(108)
        await snapshotter.stop()

    asyncio.run(serve())
    assert len(processes(tmp_path)) == 2


@pytest.mark.parametrize(("newest", "expected"), [(5, 1), (15, 0)])
def test_after_a_start_that_had_much_to_replay_it_begins_at_once(tmp_path, newest, expected):
    async def serve() -> None:
        snapshotter = Snapshotter(tmp_path, newest, 10, begun(tmp_path))
        snapshotter.note(20)
        assert not snapshotter.is_writing
        snapshotter.start()
        assert snapshotter.is_writing == bool(expected)
        await until(lambda: not snapshotter.is_writing)

    asyncio.run(serve())
    assert len(processes(tmp_path)) == expected


def test_a_failure_is_told_and_tried_again_after_as_many_entries_more(tmp_path, caplog):
    async def serve() -> None:
        snapshotter = Snapshotter(tmp_path, 0, 10, begun(tmp_path, "raise SystemExit('the disk is full')"))
        snapshotter.start()
        for entries in (10, 19, 20):
            snapshotter.note(entries)
            await until(lambda: not snapshotter.is_writing)
        await snapshotter.stop()

    asyncio.run(serve())
    assert len(processes(tmp_path)) == 2
    assert caplog.text.count("no snapshot, exit code 1: the disk is full") == 2


def test_a_command_that_is_not_there_is_told(tmp_path, caplog):
    async def serve() -> None:
        snapshotter = Snapshotter(tmp_path, 0, 10, [str(tmp_path / "nothing")])
        snapshotter.start()
        snapshotter.note(10)
        await until(lambda: not snapshotter.is_writing)
        await snapshotter.stop()

    asyncio.run(serve())
    assert "could not be started" in caplog.text


@pytest.mark.parametrize("stubborn", ["", "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"])
def test_stopping_ends_the_process_at_work(tmp_path, stubborn, caplog, monkeypatch):
    monkeypatch.setattr("tallystick.journal.snapshotter.STOP_SECONDS", 0.05)

    async def serve() -> None:
        source = f"{stubborn}import sys\nopen({str(tmp_path / 'ready')!r}, 'w').close()\nimport time\ntime.sleep(1000)"
        snapshotter = Snapshotter(tmp_path, 0, 10, begun(tmp_path, source))
        snapshotter.start()
        snapshotter.note(10)
        await until((tmp_path / "ready").exists)
        await snapshotter.stop()
        snapshotter.note(1000)

    asyncio.run(serve())
    (process,) = processes(tmp_path)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    assert caplog.text == ""
