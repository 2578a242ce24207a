"""What every journal promises, proved on each implementation by the same tests."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tallystick.journal.batches import BLOB_BYTES_MAX, RECENT_BATCHES_MAX
from tallystick.journal.errors import JournalUnavailable, SequenceConflict, StaleEpoch, UnknownSequence
from tallystick.journal.memory import MemoryJournal, MemoryStorage
from tallystick.journal.port import Append, Journal
from tallystick.journal.sqlite import SqliteJournal

Open = Callable[[], Journal]


class JournalContract(ABC):
    """``open_journal()`` opens the same storage each time, as a writer."""

    @abstractmethod
    def opener(self, folder: Path) -> Open: ...

    @pytest.fixture
    def open_journal(self, tmp_path: Path) -> Iterator[Open]:
        opened: list[Journal] = []
        opener = self.opener(tmp_path)

        def open_one() -> Journal:
            opened.append(opener())
            return opened[-1]

        yield open_one
        for journal in opened:
            journal.close()

    def test_a_new_journal_is_empty(self, open_journal: Open) -> None:
        journal = open_journal()
        assert journal.epoch == 1
        assert journal.last("sophic") == 0
        assert list(journal.read("sophic")) == []

    def test_records_are_numbered_from_one_in_each_stream(self, open_journal: Open) -> None:
        journal = open_journal()
        journal.append([Append("sophic", 0, [b"a", b"b"])])
        journal.append([Append("sx", 0, [b"x"]), Append("sophic", 2, [b"c"])])
        assert list(journal.read("sophic")) == [(1, b"a"), (2, b"b"), (3, b"c")]
        assert list(journal.read("sx")) == [(1, b"x")]
        assert (journal.last("sophic"), journal.last("sx")) == (3, 1)

    def test_reading_starts_after_any_sequence(self, open_journal: Open) -> None:
        journal = open_journal()
        for first in range(0, 12, 3):
            journal.append([Append("sx", first, [b"%d" % (first + each) for each in (1, 2, 3)])])
        journal.append([Append("bluefin", 0, [b"another stream"])])
        for after in range(14):
            assert list(journal.read("sx", after)) == [(each, b"%d" % each) for each in range(after + 1, 13)]

    def test_one_append_may_name_a_stream_twice(self, open_journal: Open) -> None:
        journal = open_journal()
        journal.append([Append("sx", 0, [b"a"]), Append("sx", 1, [b"b"])])
        assert list(journal.read("sx")) == [(1, b"a"), (2, b"b")]

    def test_appending_nothing_changes_nothing(self, open_journal: Open) -> None:
        journal = open_journal()
        journal.append([Append("sx", 0, [])])
        journal.append([])
        assert journal.last("sx") == 0
        assert open_journal().last("sx") == 0

    def test_a_reader_sees_what_is_appended_while_it_reads(self, open_journal: Open) -> None:
        journal = open_journal()
        journal.append([Append("sx", 0, [b"a"])])
        reading = journal.read("sx")
        assert next(reading) == (1, b"a")
        journal.append([Append("sx", 1, [b"b"])])
        assert list(reading) == [(2, b"b")]

    def test_a_body_is_found_by_its_sequence_in_any_order(self, open_journal: Open) -> None:
        journal = open_journal()
        batches = RECENT_BATCHES_MAX * 2
        for first in range(0, batches * 2, 2):
            journal.append([Append("sx", first, [b"%d" % (first + 1), b"%d" % (first + 2)])])
        order = [*range(batches * 2, 0, -1), 1, batches * 2, 2, 3]
        assert [journal.body("sx", each) for each in order] == [b"%d" % each for each in order]

    def test_a_sequence_that_is_not_there_is_unknown(self, open_journal: Open) -> None:
        journal = open_journal()
        journal.append([Append("sx", 0, [b"a"]), Append("sophic", 0, [b"b", b"c"])])
        for stream, sequence in (("sx", 2), ("sx", 0), ("sx", -1), ("sx", 2**44), ("bluefin", 1)):
            with pytest.raises(UnknownSequence):
                journal.body(stream, sequence)

    def test_a_large_commit_is_stored_in_parts_and_reads_as_one(self, open_journal: Open) -> None:
        journal = open_journal()
        bodies = [bytes([each]) * (BLOB_BYTES_MAX // 3) for each in range(7)] + [b"z" * (BLOB_BYTES_MAX + 1), b"end"]
        journal.append([Append("sx", 0, bodies)])
        assert [body for _, body in journal.read("sx")] == bodies
        assert [body for _, body in open_journal().read("sx")] == bodies

    def test_an_append_in_the_wrong_place_is_refused_as_a_whole(self, open_journal: Open) -> None:
        journal = open_journal()
        journal.append([Append("sx", 0, [b"a"])])
        for expected in (0, 2):
            with pytest.raises(SequenceConflict) as caught:
                journal.append([Append("sophic", 0, [b"b"]), Append("sx", expected, [b"c"])])
            assert (caught.value.stream, caught.value.expected, caught.value.last) == ("sx", expected, 1)
        assert (journal.last("sophic"), journal.last("sx")) == (0, 1)
        journal.append([Append("sophic", 0, [b"b"]), Append("sx", 1, [b"c"])])

    def test_a_name_that_is_empty_or_too_long_is_refused(self, open_journal: Open) -> None:
        journal = open_journal()
        for name in ("", "n" * 65):
            with pytest.raises(JournalUnavailable, match="1 to 64 characters"):
                journal.append([Append(name, 0, [b"a"])])

    def test_the_next_writer_continues_sequence_and_chain(self, open_journal: Open) -> None:
        first = open_journal()
        first.append([Append("sx", 0, [b"a", b"b"]), Append("sophic", 0, [b"s"])])
        first.close()
        second = open_journal()
        assert (second.epoch, second.last("sx"), second.last("sophic")) == (2, 2, 1)
        second.append([Append("sx", 2, [b"c"])])
        assert list(second.read("sx")) == [(1, b"a"), (2, b"b"), (3, b"c")]

    def test_a_writer_that_was_taken_over_never_writes_again(self, open_journal: Open) -> None:
        stale = open_journal()
        stale.append([Append("sx", 0, [b"a"])])
        current = open_journal()
        for _ in range(2):
            with pytest.raises(StaleEpoch, match="its epoch is 2, ours is 1"):
                stale.append([Append("sx", 1, [b"late"])])
        current.append([Append("sx", 1, [b"b"])])
        assert list(current.read("sx")) == [(1, b"a"), (2, b"b")]

    def test_a_closed_journal_says_so(self, open_journal: Open) -> None:
        journal = open_journal()
        journal.append([Append("sx", 0, [b"a"])])
        journal.close()
        journal.close()
        for use in (
            lambda: journal.append([Append("sx", 1, [b"b"])]),
            lambda: list(journal.read("sx")),
            lambda: journal.body("sx", 1),
        ):
            with pytest.raises(JournalUnavailable) as caught:
                use()
            assert caught.value.code == "journal_closed"


class TestMemoryJournal(JournalContract):
    def opener(self, folder: Path) -> Open:
        storage = MemoryStorage()
        return lambda: MemoryJournal(storage)


class TestSqliteJournal(JournalContract):
    def opener(self, folder: Path) -> Open:
        return lambda: SqliteJournal(folder / "journal.db")
