"""Compaction: the many small rows of a stream become large ones, of the same records and the same chain.

A busy journal has a row for each commit. Merging happens in transactions, and rows go only when what replaces them has
been read through; so a crash at any moment leaves a journal that opens, verifies, and may be compacted again.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple, cast

import apsw

from tallystick.journal.batches import Batch, verified
from tallystick.journal.errors import DamagedJournal
from tallystick.journal.record import GENESIS
from tallystick.journal.sqlite_file import SEQUENCE_BITS, in_our_words, open_writer
from tallystick.journal.verify import Progress

MERGED_BYTES: Final = 1 << 14
"""A row's records are verified together, so a large row makes looking up one of its records slow; larger rows than
this are hardly faster to read through."""
TRANSACTION_BYTES: Final = 1 << 24

_ROWS: Final = "SELECT id, length, blob FROM commits WHERE id BETWEEN ? AND ? ORDER BY id"
_SIZE: Final = "SELECT (SELECT count(*) FROM commits), page_count * page_size FROM pragma_page_count, pragma_page_size"


class Size(NamedTuple):
    rows: int
    bytes: int


class Compacted(NamedTuple):
    before: Size
    after: Size


def compact(path: Path, progress: Progress) -> Compacted:
    """Merge the rows, give free pages back, empty the log. Whoever calls holds the data folder.

    Takes an epoch, as every writer does. Raises DamagedJournal, before anything of the row is changed, or
    JournalUnavailable.
    """
    connection, _ = open_writer(path, None)
    try:
        before = _size(connection)
        streams = cast("list[tuple[str, int]]", connection.execute("SELECT name, number FROM streams").fetchall())
        done = 0
        for name, number in streams:
            done = _merge(connection, name, number, progress, done, before.rows)
        connection.execute("VACUUM")
        # A reader beside it may keep the log from being emptied; whoever closes the journal last empties it then.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return Compacted(before, _size(connection))
    except apsw.Error as error:
        raise in_our_words(error, path) from error
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.close()


def _merge(connection: apsw.Connection, name: str, number: int, progress: Progress, done: int, rows: int) -> int:
    """One stream; how many rows have been seen after it."""
    expected, previous, unsaved = 1, GENESIS, 0
    for group in _groups(connection, number):
        merged = _joined(group, expected, name)
        previous = verified(merged, previous, name)[-1].checksum
        expected += merged.length
        done += len(group)
        if len(group) > 1:
            _replace(connection, number << SEQUENCE_BITS, group, merged)
            unsaved += len(merged.blob)
        if unsaved >= TRANSACTION_BYTES:
            connection.execute("COMMIT")
            unsaved = 0
            progress(done, rows)
    if connection.in_transaction:
        connection.execute("COMMIT")
    progress(done, rows)
    return done


def _groups(connection: apsw.Connection, number: int) -> Iterator[list[Batch]]:
    """The stream's rows, as many together as make one row. No statement is open between two of them."""
    base = number << SEQUENCE_BITS
    start = base
    while True:
        group: list[Batch] = []
        size = 0
        rows = connection.execute(_ROWS, (start, base + (1 << SEQUENCE_BITS) - 1))
        for key, length, blob in cast("Iterator[tuple[int, int, bytes]]", rows):
            size += len(blob)
            if group and size > MERGED_BYTES:
                break
            group.append(Batch(key - base, length, blob))
        rows.close()
        if not group:
            return
        yield group
        start = base + group[-1].first + 1


def _joined(group: list[Batch], expected: int, stream: str) -> Batch:
    first = expected
    for batch in group:
        if batch.first != expected:
            raise DamagedJournal(f"gap, the next row begins at {batch.first}", stream, expected)
        expected += batch.length
    return Batch(first, expected - first, b"".join([batch.blob for batch in group]))


def _replace(connection: apsw.Connection, base: int, group: list[Batch], merged: Batch) -> None:
    if not connection.in_transaction:
        connection.execute("BEGIN IMMEDIATE")
    connection.execute("DELETE FROM commits WHERE id BETWEEN ? AND ?", (base + group[0].first, base + group[-1].first))
    connection.execute("INSERT INTO commits VALUES (?, ?, ?)", (base + merged.first, merged.length, merged.blob))


def _size(connection: apsw.Connection) -> Size:
    return Size(*cast("tuple[int, int]", connection.execute(_SIZE).get))
