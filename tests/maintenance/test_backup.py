"""``journal backup`` copies one moment of a journal while it is written to; a server started on the copy goes on."""

import stat
from itertools import count
from pathlib import Path
from threading import Event, Thread

import pytest

from tallystick.journal import backup
from tallystick.journal.backup import back_up
from tallystick.journal.errors import DamagedJournal
from tallystick.journal.port import Append
from tallystick.journal.sqlite import SqliteJournal
from tests.maintenance.folders import VENUE, ask, change, place, run, verified, whole_folder
from tests.running import RunningServer


def ignore(_done: int, _total: int) -> None:
    """Nobody watches."""


@pytest.fixture
def data(tmp_path):
    return whole_folder(tmp_path / "data")


def test_a_server_on_the_copy_has_every_order_acknowledged_before(tmp_path):
    data, copy = tmp_path / "data", tmp_path / "backups" / "monday"
    acknowledged: list[str] = []
    enough, over = Event(), Event()

    def customer(account: str) -> None:
        while not over.is_set():
            acknowledged.append(place(account))
            if len(acknowledged) >= 60:
                enough.set()

    with RunningServer(data, "--pace", "0", "--prices", "fixed") as server:
        customers = [Thread(target=customer, args=(server.account,)) for _ in range(4)]
        for each in customers:
            each.start()
        assert enough.wait(60)
        before = list(acknowledged)
        result = run("backup", copy, "--data", data)
        during = len(acknowledged) - len(before)
        over.set()
        for each in customers:
            each.join()
        server.kill()
    assert (result.returncode, result.stderr) == (0, "")
    assert "read through and whole" in result.stdout
    assert during > 0
    assert sorted(path.name for path in copy.iterdir()) == [
        "journal.db",
        "keys.db",
        "secret.key",
        "sophic.deliveries.db",
    ]
    assert {stat.S_IMODE(path.stat().st_mode) for path in copy.iterdir()} == {0o600}
    assert stat.S_IMODE(copy.stat().st_mode) == 0o700
    assert list(copy.parent.iterdir()) == [copy]
    with RunningServer(copy, "--pace", "0", "--prices", "fixed") as server:
        for order in before:
            assert order.encode() in ask(f"{server.account}/orders/{order}")
        place(server.account)
    verified(copy)


def test_a_writer_that_never_pauses_does_not_keep_it_from_ending(data, tmp_path, monkeypatch):
    """Each step is followed by a commit; the copy is of the moment at which it began."""
    monkeypatch.setattr(backup, "STEP_PAGES", 1)
    journal = SqliteJournal(data / "journal.db")
    last, steps = journal.last(VENUE), count()

    def write(_done: int, _total: int) -> None:
        journal.append([Append(VENUE, last + next(steps), [b"later"])])

    back_up(data / "journal.db", data / "secret.key", tmp_path / "copy", write, verified=False)
    copied = SqliteJournal(tmp_path / "copy" / "journal.db", writer=False)
    assert copied.last(VENUE) == last
    assert next(steps) > 10
    assert [body for _, body in copied.read(VENUE)] == [body for _, body in journal.read(VENUE)][:last]
    copied.close()
    journal.close()


def test_the_copy_is_the_same_journal_with_the_same_secret(data, tmp_path):
    assert run("backup", tmp_path / "copy", "--data", data).returncode == 0
    assert verified(tmp_path / "copy") == verified(data)
    assert (tmp_path / "copy" / "secret.key").read_bytes() == (data / "secret.key").read_bytes()


@pytest.mark.parametrize("is_file", [False, True])
def test_a_target_that_holds_something_is_left_alone(data, tmp_path, is_file):
    target = tmp_path / "target"
    kept = target if is_file else target / "letter"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text("dear")
    result = run("backup", target, "--data", data)
    assert result.returncode == 1
    assert "is not empty" in result.stderr
    assert kept.read_text() == "dear"


def test_an_empty_folder_may_be_the_target(data, tmp_path):
    (tmp_path / "target").mkdir()
    assert run("backup", tmp_path / "target", "--data", data, "--no-verify").returncode == 0
    verified(tmp_path / "target")


def test_a_copy_of_a_damaged_journal_is_no_backup(data, tmp_path):
    change(data / "journal.db", "UPDATE commits SET blob = x'00' WHERE id % 7 = 0")
    result = run("backup", tmp_path / "copy", "--data", data)
    assert result.returncode == 1
    assert "The journal is damaged at stream 'sophic'" in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def test_nothing_is_left_of_a_copy_that_failed(data, tmp_path):
    def fail(_done: int, _total: int) -> None:
        raise DamagedJournal("for a test")

    with pytest.raises(DamagedJournal):
        back_up(data / "journal.db", data / "secret.key", tmp_path / "copy", fail)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def test_without_a_secret_there_is_no_backup(data, tmp_path):
    Path(data / "secret.key").unlink()
    result = run("backup", tmp_path / "copy", "--data", data)
    assert result.returncode == 1
    assert "secret.key" in result.stderr
    assert not (tmp_path / "copy").exists()
