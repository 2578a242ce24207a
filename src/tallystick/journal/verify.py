"""Reading every row of a journal's file as one who doubts it: framing, chain, gaps, epochs, and rows of no stream.

Reads in short transactions, so it works beside a running writer and holds up nobody. It looks at what was durable when
it began; that rows are merged meanwhile does not disturb it.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self, cast

import apsw

from tallystick.journal.batches import PAGE_BYTES, Batch, verified
from tallystick.journal.errors import DamagedJournal
from tallystick.journal.record import GENESIS, Record
from tallystick.journal.sqlite_file import SEQUENCE_BITS, in_our_words, open_reader

Progress = Callable[[int, int], None]
"""Called now and then with how far the work has come and how far it goes."""

PROGRESS_RECORDS: Final = 10_000

_STREAMS: Final = "SELECT name, number FROM streams ORDER BY number"
_EPOCH: Final = "SELECT epoch FROM meta WHERE one = 1"
_NEWEST: Final = "SELECT id, length, blob FROM commits WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1"
_STRAY: Final = "SELECT id FROM commits WHERE id < ? OR id >= ? LIMIT 1"
# From the row that holds the record before: what stands between the two of them would be missed else.
_PAGE: Final = """
SELECT id, length, blob FROM commits
 WHERE id >= coalesce((SELECT id FROM commits WHERE id BETWEEN :base AND :before ORDER BY id DESC LIMIT 1), :base)
   AND id <= :end
 ORDER BY id
"""


class Stream(NamedTuple):
    """A stream's number in the file, and its last sequence when the audit began."""

    number: int
    last: int


class JournalAudit:
    """``epoch`` and ``streams`` (by name) are those of the moment at which it was opened.

    Raises DamagedJournal, NewerFormat or JournalUnavailable, as everything here does.
    """

    def __init__(self, path: Path) -> None:
        self._path: Final = path
        self._connection: Final = open_reader(path, None)
        self.streams: Final[dict[str, Stream]] = {}
        try:
            with self._connection:  # one transaction: the streams end at one commit
                self.epoch: Final = int(self._connection.execute(_EPOCH).get)
                self._find_streams()
        except apsw.Error as error:
            self.close()
            raise in_our_words(error, path) from error
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file. Closing twice is harmless."""
        self._connection.close()

    def records(self, stream: str) -> Iterator[Record]:
        """Every record of the stream, 1, 2, 3 … to its last; each follows the one before, and no epoch goes back."""
        number, last = self.streams[stream]
        expected, previous, epoch = 1, GENESIS, 0
        while expected <= last:
            begun = expected
            for position, batch in enumerate(self._page(number, expected)):
                if position == 0 and expected > 1:
                    records = _after(batch, expected, previous, stream)
                else:
                    records = _following(batch, expected, previous, stream)
                for record in records:
                    if record.sequence > last:
                        return
                    if not epoch <= record.epoch <= self.epoch:
                        raise _strange_epoch(record, epoch, self.epoch, stream)
                    epoch = record.epoch
                    yield record
                if records:
                    expected, previous = records[-1].sequence + 1, records[-1].checksum
            if expected == begun:
                raise DamagedJournal(f"gap, the stream should go on to {last}", stream, expected)

    def _find_streams(self) -> None:
        rows = cast("list[tuple[str, int]]", self._connection.execute(_STREAMS).fetchall())
        if [number for _, number in rows] != list(range(1, len(rows) + 1)):
            raise DamagedJournal("its streams are not numbered from 1 on without a gap")
        stray = self._connection.execute(_STRAY, (1 << SEQUENCE_BITS, len(rows) + 1 << SEQUENCE_BITS)).get
        if stray is not None:
            raise DamagedJournal(f"row {stray} belongs to no stream")
        for name, number in rows:
            base = number << SEQUENCE_BITS
            row = self._connection.execute(_NEWEST, (base, _end(base))).fetchone()
            if row is None:
                raise DamagedJournal("it is listed, but has no records", name)
            newest = verified(_batch(row, base), None, name)
            self.streams[name] = Stream(number, newest[-1].sequence)

    def _page(self, number: int, expected: int) -> list[Batch]:
        base = number << SEQUENCE_BITS
        page: list[Batch] = []
        size = PAGE_BYTES
        try:
            rows = self._connection.execute(_PAGE, {"base": base, "before": base + expected - 1, "end": _end(base)})
            for row in rows:
                page.append(_batch(row, base))
                size -= len(page[-1].blob)
                if size <= 0 and len(page) > 1:
                    break
            rows.close()
        except apsw.Error as error:
            raise in_our_words(error, self._path) from error
        return page


def verify_chain(path: Path, progress: Progress) -> int:
    """Read all records of all streams; how many there are. Raises what JournalAudit raises."""
    with JournalAudit(path) as audit:
        total = sum(stream.last for stream in audit.streams.values())
        done = 0
        for name in audit.streams:
            for _ in audit.records(name):
                done += 1
                if done % PROGRESS_RECORDS == 0:
                    progress(done, total)
        progress(total, total)
        return total


def _batch(row: tuple[object, ...], base: int) -> Batch:
    key, length, blob = cast("tuple[int, int, bytes]", row)
    return Batch(key - base, length, blob)


def _end(base: int) -> int:
    return base + (1 << SEQUENCE_BITS) - 1


def _following(batch: Batch, expected: int, previous: bytes, stream: str) -> list[Record]:
    if batch.first > expected:
        raise DamagedJournal(f"gap, the next record is {batch.first}", stream, expected)
    if batch.first < expected:
        raise DamagedJournal(f"a row from {batch.first} on overlaps the one before", stream, expected)
    return verified(batch, previous, stream)


def _after(batch: Batch, expected: int, previous: bytes, stream: str) -> list[Record]:
    """What the batch that should hold the record before ``expected`` has after it; it may be larger than it was."""
    if not batch.first < expected <= batch.first + batch.length:
        raise DamagedJournal(f"gap, the row of the record before goes from {batch.first}", stream, expected)
    records = verified(batch, None, stream)
    if records[expected - 1 - batch.first].checksum != previous:
        raise DamagedJournal("the chain is broken, the record before is not the one it was", stream, expected)
    return records[expected - batch.first :]


def _strange_epoch(record: Record, before: int, newest: int, stream: str) -> DamagedJournal:
    if record.epoch < before:
        reason = f"its epoch {record.epoch} goes back, the record before has {before}"
    else:
        reason = f"its epoch {record.epoch} was never given out, the newest is {newest}"
    return DamagedJournal(reason, stream, record.sequence)
