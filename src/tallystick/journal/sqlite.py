"""The journal in one SQLite file: one row, one blob, for each stream in each commit.

The writer's connection belongs to the thread that appends (the committer's); reads use a connection of their own, so
they neither wait for a commit nor ever see one that is not durable.
"""

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, cast

import apsw

from tallystick.journal.batches import EMPTY, Batch, BatchReader, Head, lay_out, verified
from tallystick.journal.errors import (
    DamagedJournal,
    JournalError,
    JournalUnavailable,
    StaleEpoch,
    wrote_nothing,
)
from tallystick.journal.port import Append
from tallystick.journal.record import SEQUENCE_MAX
from tallystick.journal.sqlite_file import SEQUENCE_BITS, in_our_words, open_reader, open_writer

PROBE_BYTES: Final = 1 << 20
"""Room that there must be again before writing goes on: a full disk that gives up a page is soon full once more."""

_INSERT: Final = "INSERT INTO commits (id, length, blob) VALUES (?, ?, ?)"
_FROM_SEQUENCE: Final = """
SELECT id, length, blob FROM commits
 WHERE id >= coalesce((SELECT id FROM commits WHERE id BETWEEN :base AND :key ORDER BY id DESC LIMIT 1), :base)
   AND id <= :end AND id + length > :key
 ORDER BY id
"""
_LAST: Final = "SELECT id, length, blob FROM commits WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1"
_NOTHING: Final = "INSERT INTO commits VALUES (0, 0, x''); DELETE FROM commits WHERE id = 0"
"""Changes nothing, and SQLite writes the page all the same; an update to the same value it would skip."""


class SqliteJournal:
    """See Journal. Opening takes the journal over from any earlier writer, unless ``writer`` is False.

    ``vfs`` names an apsw VFS, through which tests put faults between the journal and its disk.
    """

    def __init__(self, path: str | os.PathLike[str], *, writer: bool = True, vfs: str | None = None) -> None:
        self.path: Final = Path(path)
        self._broken: JournalError | None = None
        self._numbers: dict[str, int] = {}
        self._heads: dict[str, Head] = {}
        self._writer: apsw.Connection | None = None
        self._epoch = 0
        if writer:
            self._writer, self._epoch = open_writer(self.path, vfs)
        try:
            self._connection = open_reader(self.path, vfs)
        except JournalError:
            if self._writer is not None:
                self._writer.close()
            raise
        self._reader = BatchReader(self._fetch)
        try:
            if writer:
                self._load_heads()
        except JournalError:
            self.close()
            raise

    @property
    def epoch(self) -> int:
        """The writer epoch taken when it was opened, 0 when it only reads."""
        return self._epoch

    def append(self, batch: Sequence[Append]) -> None:
        """See Journal.append. After an error that leaves the file in doubt every later append is refused with it."""
        self._check_writable()
        stored, moved = lay_out(batch, self._heads, self._epoch)
        numbers = self._new_numbers(moved)
        self._write(stored, numbers)
        self._numbers.update(numbers)
        self._heads.update(moved)

    def probe(self) -> None:
        """See Journal.probe. It asks for room of PROBE_BYTES, then commits a transaction."""
        self._check_writable()
        try:
            with tempfile.TemporaryFile(dir=self.path.parent) as room:
                room.write(bytes(PROBE_BYTES))
                room.flush()
                os.fsync(room.fileno())
        except OSError as error:
            raise in_our_words(error, self.path) from error
        self._write([], {}, _NOTHING)

    def read(self, stream: str, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """See Journal.read."""
        return self._reader.read(stream, after)

    def body(self, stream: str, sequence: int) -> bytes:
        """See Journal.body."""
        return self._reader.record(stream, sequence).body

    def checksum(self, stream: str, sequence: int) -> bytes:
        """See Journal.checksum."""
        return self._reader.record(stream, sequence).checksum

    def last(self, stream: str) -> int:
        """See Journal.last."""
        if self._epoch:
            return self._heads.get(stream, EMPTY).last
        with self._reader.one_at_a_time:
            newest = self._newest(stream)
        return 0 if newest is None else newest.first + newest.length - 1

    def close(self) -> None:
        """See Journal.close. The writer's connection goes last, because the last one out makes the final checkpoint."""
        self._connection.close()
        if self._writer is not None:
            self._writer.close()

    def _check_writable(self) -> None:
        if self._broken is not None:
            raise self._broken
        if self._writer is None:
            raise JournalUnavailable("journal_read_only", f"The journal {self.path} was opened for reading only.")

    def _write(self, stored: list[tuple[str, Batch]], numbers: dict[str, int], statements: str = "") -> None:
        writer = self._writer
        assert writer is not None
        try:
            self._commit(writer.cursor(), stored, numbers, statements)
        except apsw.Error as error:
            raise self._failed(writer, error) from error
        except StaleEpoch as stale:
            self._broken = stale
            writer.execute("ROLLBACK")
            raise

    def _commit(
        self, transaction: apsw.Cursor, stored: list[tuple[str, Batch]], numbers: dict[str, int], statements: str
    ) -> None:
        transaction.execute("BEGIN IMMEDIATE")
        current = transaction.execute("SELECT epoch FROM meta WHERE one = 1").get
        if current != self._epoch:
            raise StaleEpoch(self._epoch, current)
        for name, number in numbers.items():
            transaction.execute("INSERT INTO streams (number, name) VALUES (?, ?)", (number, name))
        for stream, (first, length, blob) in stored:
            number = numbers[stream] if stream in numbers else self._numbers[stream]
            transaction.execute(_INSERT, (number << SEQUENCE_BITS | first, length, blob))
        if statements:
            transaction.execute(statements)
        transaction.execute("COMMIT")

    def _failed(self, writer: apsw.Connection, error: apsw.Error) -> JournalError:
        """Roll back what is left to roll back, and decide whether this journal may be written to again.

        A full disk or a lock refused the commit as a whole. After anything else, a failed flush above all, what reached
        the medium is unknown, and a flush that succeeds later would prove nothing about it.
        """
        failure = in_our_words(error, self.path)
        try:
            if writer.in_transaction:
                writer.execute("ROLLBACK")
        except apsw.Error as second:
            if wrote_nothing(failure):
                failure = JournalUnavailable("io_error", f"{failure} But taking it back failed: {second}.")
        if not wrote_nothing(failure):
            self._broken = failure
        return failure

    def _new_numbers(self, moved: dict[str, Head]) -> dict[str, int]:
        new = [stream for stream in moved if stream not in self._numbers]
        return dict(zip(new, range(len(self._numbers) + 1, len(self._numbers) + len(new) + 1), strict=True))

    def _load_heads(self) -> None:
        try:
            rows = self._connection.execute("SELECT name, number FROM streams ORDER BY number").fetchall()
            self._numbers = dict(cast("list[tuple[str, int]]", rows))
        except apsw.Error as error:
            raise in_our_words(error, self.path) from error
        if list(self._numbers.values()) != list(range(1, len(rows) + 1)):
            raise DamagedJournal("its streams are not numbered from 1 on without a gap")
        for name in self._numbers:
            newest = self._newest(name)
            if newest is None:
                raise DamagedJournal("it is listed, but has no records", name)
            record = verified(newest, None, name)[-1]
            self._heads[name] = Head(record.sequence, record.checksum)

    def _newest(self, stream: str) -> Batch | None:
        try:
            number = self._number(stream)
            base = number << SEQUENCE_BITS
            row = self._connection.execute(_LAST, (base, base + SEQUENCE_MAX)).fetchone() if number else None
        except apsw.Error as error:
            raise in_our_words(error, self.path) from error
        return None if row is None else Batch(row[0] - base, row[1], row[2])

    def _fetch(self, stream: str, sequence: int, size: int) -> Sequence[Batch]:
        page: list[Batch] = []
        try:
            base = self._number(stream) << SEQUENCE_BITS
            if not base or sequence > SEQUENCE_MAX:
                return page
            bindings = {"base": base, "key": base + sequence, "end": base + SEQUENCE_MAX}
            rows = self._connection.execute(_FROM_SEQUENCE, bindings)
            for key, length, blob in rows:
                page.append(Batch(key - base, length, blob))
                size -= len(blob)
                if size <= 0:
                    break
            rows.close()
        except apsw.Error as error:
            raise in_our_words(error, self.path) from error
        return page

    def _number(self, stream: str) -> int:
        """The stream's number, 0 when there is none yet. The writer knows them all; a reader looks for new ones."""
        known = self._numbers.get(stream, 0)
        if known or self._epoch:
            return known
        number = self._connection.execute("SELECT number FROM streams WHERE name = ?", (stream,)).get
        if number is None:
            return 0
        self._numbers[stream] = number
        return int(number)
