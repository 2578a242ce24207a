"""The SQLite journal against what happens to files: crashes, full disks, failing flushes, damage, strangers."""

import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import apsw
import pytest

from tallystick.journal.errors import DamagedJournal, JournalUnavailable, NewerFormat
from tallystick.journal.port import Append
from tallystick.journal.sqlite import SqliteJournal
from tallystick.journal.sqlite_file import open_writer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def write(path: Path, *bodies: bytes, stream: str = "sx") -> None:
    """Each body in a commit of its own."""
    journal = SqliteJournal(path)
    for body in bodies:
        journal.append([Append(stream, journal.last(stream), [body])])
    journal.close()


def tamper(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


# ---- opening ----


def test_the_file_is_its_owners_alone_and_names_its_kind(path: Path) -> None:
    write(path, b"a")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes()[68:72] == b"TALY"


def test_every_commit_is_flushed(path: Path) -> None:
    connection, _ = open_writer(path, None)
    assert connection.execute("PRAGMA journal_mode").get == "wal"
    assert connection.execute("PRAGMA synchronous").get == 2
    connection.close()


@pytest.mark.parametrize("left", ["nothing", "an empty file", "an empty database in WAL mode"])
def test_a_crash_during_creation_leaves_something_that_opens(path: Path, left: str) -> None:
    if left != "nothing":
        path.touch()
    if left == "an empty database in WAL mode":
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.close()
    write(path, b"a")
    assert list(SqliteJournal(path).read("sx")) == [(1, b"a")]


def test_the_file_of_another_program_is_refused_and_left_alone(path: Path) -> None:
    tamper(path, "CREATE TABLE orders (id INTEGER)")
    before = path.read_bytes()
    for writer in (True, False):
        with pytest.raises(JournalUnavailable, match="not a Tallystick journal") as caught:
            SqliteJournal(path, writer=writer)
        assert caught.value.code == "journal_foreign"
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    text = b"these are my notes, not a journal. " * 100
    path.write_bytes(text)
    with pytest.raises(JournalUnavailable, match="not a Tallystick journal"):
        SqliteJournal(path)
    assert path.read_bytes() == text


def test_a_journal_of_a_newer_version_is_refused(path: Path) -> None:
    write(path, b"a")
    tamper(path, "PRAGMA user_version = 2")
    with pytest.raises(NewerFormat, match="written by a newer version"):
        SqliteJournal(path)


def test_a_folder_that_is_not_there_is_said_plainly(tmp_path: Path) -> None:
    for writer in (True, False):
        with pytest.raises(JournalUnavailable, match="Check that the path exists"):
            SqliteJournal(tmp_path / "nowhere" / "journal.db", writer=writer)


# ---- reading beside the writer ----


def test_a_reader_follows_the_writer_and_takes_nothing_over(path: Path) -> None:
    journal = SqliteJournal(path)
    reader = SqliteJournal(path, writer=False)
    assert (reader.epoch, reader.last("sx"), list(reader.read("sx"))) == (0, 0, [])
    journal.append([Append("sx", 0, [b"a", b"b"])])
    assert (reader.last("sx"), reader.body("sx", 2)) == (2, b"b")
    with pytest.raises(JournalUnavailable, match="for reading only"):
        reader.append([Append("sx", 2, [b"c"])])
    journal.append([Append("sx", 2, [b"c"])])
    assert list(reader.read("sx")) == [(1, b"a"), (2, b"b"), (3, b"c")]
    reader.close()
    journal.close()


def test_there_is_nothing_to_read_before_a_writer_created_it(path: Path) -> None:
    path.touch()
    with pytest.raises(JournalUnavailable, match="holds no journal yet"):
        SqliteJournal(path, writer=False)


def test_threads_may_read_while_another_appends(path: Path) -> None:
    journal = SqliteJournal(path)
    wrong: list[object] = []

    def read() -> None:
        while (last := journal.last("sx")) < 200:
            bodies = [body for _, body in journal.read("sx")]
            if bodies != [b"%d" % each for each in range(1, len(bodies) + 1)] or len(bodies) < last:
                wrong.append(bodies)
            if last and journal.body("sx", last) != b"%d" % last:
                wrong.append(last)

    threads = [Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for each in range(200):
        journal.append([Append("sx", each, [b"%d" % (each + 1)])])
    for thread in threads:
        thread.join()
    journal.close()
    assert wrong == []


# ---- damage ----


def test_a_flipped_bit_in_the_middle_is_found_where_it_is(path: Path) -> None:
    write(path, b"first", b"middle", b"last")
    content = path.read_bytes()
    path.write_bytes(content.replace(b"middle", b"muddle"))
    journal = SqliteJournal(path)
    reading = journal.read("sx")
    assert next(reading) == (1, b"first")
    with pytest.raises(DamagedJournal, match=r"stream 'sx', sequence 2, byte 0 of its batch: its checksum"):
        next(reading)
    with pytest.raises(DamagedJournal):
        journal.body("sx", 2)
    assert journal.body("sx", 3) == b"last"
    journal.close()


def test_damage_at_the_end_is_found_on_opening(path: Path) -> None:
    write(path, b"first", b"last")
    path.write_bytes(path.read_bytes().replace(b"last", b"lost"))
    with pytest.raises(DamagedJournal, match="sequence 2"):
        SqliteJournal(path)


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("DELETE FROM commits WHERE id & 0xff = 1", "sequence 1: gap, the next record is 2"),
        ("DELETE FROM commits WHERE id & 0xff = 2", "sequence 2: gap, the next record is 3"),
        ("UPDATE commits SET length = 2 WHERE id & 0xff = 1", "truncated, its batch has 1 records and should have 2"),
        ("UPDATE commits SET blob = x'' WHERE id & 0xff = 2", "truncated, its batch has 0 records"),
        (
            "UPDATE commits SET blob = (SELECT blob FROM commits WHERE id & 0xff = 1) WHERE id & 0xff = 2",
            "gap, record 1 stands in its place",
        ),
    ],
)
def test_rows_that_were_tampered_with_are_found(path: Path, statement: str, reason: str) -> None:
    write(path, b"a", b"b", b"c")
    tamper(path, statement)
    journal = SqliteJournal(path)
    with pytest.raises(DamagedJournal, match=reason):
        list(journal.read("sx"))
    journal.close()


def test_another_history_pasted_in_breaks_the_chain(path: Path, tmp_path: Path) -> None:
    write(path, b"a", b"b", b"c")
    other = tmp_path / "other.db"
    write(other, b"forged", b"b", b"c")
    connection = sqlite3.connect(path)
    connection.execute("ATTACH ? AS other", (str(other),))
    connection.execute(
        "UPDATE commits SET blob = (SELECT blob FROM other.commits AS o WHERE o.id = commits.id) WHERE id & 0xff = 1"
    )
    connection.commit()
    connection.close()
    journal = SqliteJournal(path)
    with pytest.raises(DamagedJournal, match="the chain is broken"):
        list(journal.read("sx"))
    journal.close()


def test_a_log_torn_at_any_byte_of_the_last_commit_gives_the_commits_before_it(path: Path, tmp_path: Path) -> None:
    journal = SqliteJournal(path)
    log = path.with_name(path.name + "-wal")
    before = 0
    for each in range(3):
        before = log.stat().st_size
        journal.append([Append("sx", each, [b"%d" % (each + 1)]), Append("sophic", each, [b"%d" % (each + 1)])])
    copies = [shutil.copy(file, tmp_path / f"copy{file.name[len(path.name) :]}") for file in (path, log)]
    whole = log.read_bytes()
    journal.close()
    for end in (*range(before, len(whole), 97), *range(len(whole) - 3, len(whole) + 1)):
        Path(copies[1]).write_bytes(whole[:end])
        Path(f"{copies[0]}-shm").unlink(missing_ok=True)
        torn = SqliteJournal(copies[0], writer=False)
        expected = 3 if end == len(whole) else 2
        for stream in ("sx", "sophic"):
            assert list(torn.read(stream)) == [(each, b"%d" % each) for each in range(1, expected + 1)]
        torn.close()


# ---- a disk that refuses ----


def test_a_full_disk_refuses_the_whole_batch_and_a_later_append_succeeds(path: Path) -> None:
    journal = SqliteJournal(path)
    journal.append([Append("sx", 0, [b"a"])])
    writer = journal._writer
    assert writer is not None
    pages = writer.execute("PRAGMA page_count").get
    writer.execute(f"PRAGMA max_page_count = {pages}")
    large = b"x" * 100_000
    for _ in range(2):
        with pytest.raises(JournalUnavailable, match=r"SQLITE_FULL.*Free space") as caught:
            journal.append([Append("sophic", 0, [b"small"]), Append("sx", 1, [large])])
        assert caught.value.code == "disk_full"
    assert (journal.last("sx"), journal.last("sophic"), list(journal.read("sophic"))) == (1, 0, [])
    writer.execute("PRAGMA max_page_count = 1000000")
    journal.append([Append("sophic", 0, [b"small"]), Append("sx", 1, [large])])
    journal.close()
    again = SqliteJournal(path)
    assert [body for _, body in again.read("sx")] == [b"a", large]
    assert list(again.read("sophic")) == [(1, b"small")]
    again.close()


class FailingDisk(apsw.VFS):
    """The machine's file system, until ``failing`` says which operation returns an I/O error from now on."""

    def __init__(self) -> None:
        self.failing = ""
        super().__init__("failing-disk", "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        return _FailingFile(self, name, flags)


class _FailingFile(apsw.VFSFile):
    def __init__(self, disk: FailingDisk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._disk = disk
        super().__init__("", name, flags)

    def xSync(self, flags: int) -> None:  # noqa: N802
        if self._disk.failing == "flush":
            raise apsw.IOError("the flush failed")
        super().xSync(flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        if self._disk.failing == "write":
            raise apsw.IOError("the write failed")
        if self._disk.failing == "space":
            raise apsw.FullError("no space left")
        super().xWrite(data, offset)


@pytest.fixture
def disk() -> Iterator[FailingDisk]:
    disk = FailingDisk()
    yield disk
    disk.unregister()


def test_when_space_runs_out_during_the_commit_the_journal_goes_on_once_there_is_some(
    path: Path, disk: FailingDisk
) -> None:
    journal = SqliteJournal(path, vfs="failing-disk")
    journal.append([Append("sx", 0, [b"a"])])
    disk.failing = "space"
    with pytest.raises(JournalUnavailable) as caught:
        journal.append([Append("sx", 1, [b"refused"])])
    assert caught.value.code == "disk_full"
    disk.failing = ""
    journal.append([Append("sx", 1, [b"b"])])
    journal.close()
    again = SqliteJournal(path)
    assert list(again.read("sx")) == [(1, b"a"), (2, b"b")]
    again.close()


@pytest.mark.parametrize("operation", ["flush", "write"])
def test_after_an_io_error_nothing_is_ever_acknowledged_again(path: Path, disk: FailingDisk, operation: str) -> None:
    journal = SqliteJournal(path, vfs="failing-disk")
    journal.append([Append("sx", 0, [b"a"])])
    disk.failing = operation
    append: Callable[[], None] = lambda: journal.append([Append("sx", 1, [b"b"])])  # noqa: E731
    with pytest.raises(JournalUnavailable) as caught:
        append()
    assert caught.value.code == "io_error"
    disk.failing = ""
    with pytest.raises(JournalUnavailable):
        append()
    assert journal.last("sx") == 1
    assert list(journal.read("sx")) == [(1, b"a")]
    journal.close()
    again = SqliteJournal(path)
    assert next(again.read("sx")) == (1, b"a")
    again.append([Append("sx", again.last("sx"), [b"c"])])
    again.close()
