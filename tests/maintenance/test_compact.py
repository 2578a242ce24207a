"""``journal compact`` and ``journal rebuild``: the same records and orders afterwards, wherever they are killed."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from tallystick.dialects.sophic.rules import SophicRules
from tallystick.journal import compact as compaction
from tallystick.journal.compact import compact
from tallystick.journal.folder import DataFolder
from tallystick.journal.sqlite import SqliteJournal
from tallystick.journal.verify import JournalAudit
from tallystick.readers.recovery import recover
from tests.maintenance.folders import POLICY, VENUE, change, command, entries, life, run, verified, whole_folder
from tests.running import RunningServer

# SQLite calls back after so many of its steps, in VACUUM too: so a kill can be put anywhere, and there again.
DRIVER = """
import os, signal, sys
import apsw
left = int(sys.argv[1])
def step():
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return False
apsw.connection_hooks.append(lambda connection: connection.set_progress_handler(step, 20))
from tallystick.cli.main import app
try:
    app(["journal", *sys.argv[2:]])
finally:
    print(-left, file=sys.stderr)
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return whole_folder(tmp_path_factory.mktemp("whole") / "data")


@pytest.fixture
def data(whole, tmp_path):
    return Path(shutil.copytree(whole, tmp_path / "data"))


def killed_after(steps: int, *words: object) -> subprocess.CompletedProcess[str]:
    """Run a command that is killed at a step, 0 for never; its last line on stderr then says how many there were."""
    line = [sys.executable, "-c", DRIVER, str(steps), *map(str, words)]
    return subprocess.run(line, capture_output=True, text=True)


def records(data: Path) -> list[tuple[int, int, bytes, bytes]]:
    with JournalAudit(data / "journal.db") as audit:
        return [(each.sequence, each.epoch, each.body, each.checksum) for each in audit.records(VENUE)]


def rows(data: Path) -> int:
    connection = apsw.Connection(str(data / "journal.db"))
    found = int(connection.execute("SELECT count(*) FROM commits").get)
    connection.close()
    return found


def test_small_rows_become_large_ones_of_the_same_records(data):
    state, before, many = verified(data), records(data), rows(data)
    result = run("compact", "--data", data)
    assert (result.returncode, result.stderr) == (0, "")
    assert f"{many} rows in" in result.stdout
    assert "before" in result.stdout
    assert rows(data) < many / 10
    assert records(data) == before
    assert verified(data) == state
    assert (data / "journal.db-wal").stat().st_size == 0


def test_a_venue_goes_on_after_it(data):
    with RunningServer(data.parent / "served", "--pace", "0") as server:
        assert server.stop() in (0, -signal.SIGTERM)
    served = data.parent / "served"
    state = verified(served)
    assert command("compact", "--data", served).exit_code == 0
    assert verified(served) == state
    with RunningServer(served, "--pace", "0") as server:
        server.kill()
    verified(served)


def test_it_may_be_repeated_and_takes_up_what_came_since(data, monkeypatch):
    monkeypatch.setattr(compaction, "MERGED_BYTES", 2000)
    monkeypatch.setattr(compaction, "TRANSACTION_BYTES", 5000)
    first = compact(data / "journal.db", lambda _done, _total: None)
    again = compact(data / "journal.db", lambda _done, _total: None)
    assert again.before.rows == again.after.rows == first.after.rows
    assert entries(data) == life()
    monkeypatch.setattr(compaction, "MERGED_BYTES", 10**6)
    assert compact(data / "journal.db", lambda _done, _total: None).after.rows == 1
    assert entries(data) == life()


def test_a_damaged_row_is_not_merged(data):
    change(data / "journal.db", "UPDATE commits SET blob = zeroblob(length(blob)) WHERE id & 1023 = 61")
    before = (data / "journal.db").stat().st_size
    result = run("compact", "--data", data)
    assert result.returncode == 1
    assert "stream 'sophic', sequence 61" in result.stderr
    assert (data / "journal.db").stat().st_size == before


@pytest.mark.parametrize("words", ["compact", "rebuild"])
def test_a_folder_in_use_is_left_alone(data, words):
    held = DataFolder(data)
    before = rows(data)
    result = run(words, "--data", data)
    held.release()
    assert result.returncode == 1
    assert f"is in use by process {os.getpid()}. Stop it first" in result.stderr
    assert rows(data) == before
    verified(data)


@pytest.mark.slow
def test_killed_anywhere_while_it_compacts_the_journal_is_whole(data, tmp_path):
    state, before = verified(data), records(data)
    steps = int(killed_after(0, "compact", "--data", shutil.copytree(data, tmp_path / "count")).stderr.split()[-1])
    seen = set()
    for share in range(1, 10):
        cut = Path(shutil.copytree(data, tmp_path / f"cut {share}"))
        assert killed_after(steps * share // 10, "compact", "--data", cut).returncode == -signal.SIGKILL
        assert verified(cut) == state
        assert records(cut) == before
        seen.add(rows(cut))
        assert command("compact", "--data", cut).exit_code == 0
        assert verified(cut) == state
        assert records(cut) == before
    assert len(seen) > 1


def orders(data: Path) -> list[tuple[object, ...]]:
    """All there ever were, as a server would show them that starts here."""
    journal = SqliteJournal(data / "journal.db", writer=False)
    readers = recover(journal, VENUE, SophicRules(POLICY), tables_path=data / f"{VENUE}.tables.db").readers
    found = []
    for number in range(1, readers.state.orders_made + 1):
        looked_up = readers.order(number)
        assert looked_up is not None
        order, trades = looked_up
        found.append((order.terms, order.status, order.updated, [trade.terms for trade in trades]))
    assert readers.tables is not None
    readers.tables.close()
    journal.close()
    return found


def test_tables_are_made_anew_from_the_journal(data):
    expected = orders(data)
    change(data / f"{VENUE}.tables.db", "DELETE FROM orders; DELETE FROM trades WHERE number > 5")
    result = run("rebuild", "--data", data)
    assert (result.returncode, result.stderr) == (0, "")
    assert f"holds {100 - len(open_orders(data))} orders" in result.stdout
    verified(data)
    assert orders(data) == expected


def open_orders(data: Path) -> list[int]:
    journal = SqliteJournal(data / "journal.db", writer=False)
    try:
        return list(recover(journal, VENUE, SophicRules(POLICY)).readers.state.orders)
    finally:
        journal.close()


@pytest.mark.slow
def test_killed_anywhere_while_it_rebuilds_the_tables_are_completed_later(data, tmp_path):
    expected = orders(data)
    steps = int(killed_after(0, "rebuild", "--data", shutil.copytree(data, tmp_path / "count")).stderr.split()[-1])
    for share in range(1, 10, 2):
        cut = Path(shutil.copytree(data, tmp_path / f"cut {share}"))
        assert killed_after(steps * share // 10, "rebuild", "--data", cut).returncode == -signal.SIGKILL
        verified(cut)
        assert orders(cut) == expected
        verified(cut)
