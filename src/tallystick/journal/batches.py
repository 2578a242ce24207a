"""Batches: the records of one commit in one stream, stored as one blob; how they are laid out and read back.

What stores them (lists, SQLite) only has to keep (first sequence, length, blob) in order and find the one that holds a
sequence; framing, chain and the search for gaps are the same for all and stand here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Lock
from typing import Final, NamedTuple

from tallystick.journal.errors import DamagedJournal, JournalUnavailable, SequenceConflict, UnknownSequence
from tallystick.journal.port import Append
from tallystick.journal.record import GENESIS, SEQUENCE_MAX, Record, frames, unframe

BLOB_BYTES_MAX: Final = 1 << 20
"""A commit with more body than this is stored as several blobs, still durable together: reading one stays cheap."""
PAGE_BYTES: Final = 1 << 20
"""About how much ``read`` takes from the storage at a time."""
RECENT_BATCHES_MAX: Final = 16
STREAM_NAME_MAX: Final = 64


class Batch(NamedTuple):
    """``length`` framed records from sequence ``first`` on."""

    first: int
    length: int
    blob: bytes


class Head(NamedTuple):
    """Where a stream ends: its last sequence and that record's checksum."""

    last: int
    checksum: bytes


EMPTY: Final = Head(0, GENESIS)

Fetch = Callable[[str, int, int], Sequence[Batch]]
"""(stream, sequence, size) -> the batch that ends at or after ``sequence``, or the next there is, and those that follow
until they make ``size`` bytes; at least one unless the stream ends before ``sequence``."""


def lay_out(
    batch: Sequence[Append], heads: Mapping[str, Head], epoch: int
) -> tuple[list[tuple[str, Batch]], dict[str, Head]]:
    """The batches to store, and the heads the streams have once they are. Raises SequenceConflict."""
    stored: list[tuple[str, Batch]] = []
    moved: dict[str, Head] = {}
    for stream, expected, bodies in batch:
        head = moved.get(stream) or heads.get(stream) or _new_stream(stream)
        if head.last != expected:
            raise SequenceConflict(stream, expected, head.last)
        if expected + len(bodies) > SEQUENCE_MAX:
            raise JournalUnavailable("journal_refused", f"Stream {stream!r} is full: it holds {SEQUENCE_MAX} records.")
        for part in _parts(bodies):
            blob, checksum = frames(head.last + 1, epoch, head.checksum, part)
            stored.append((stream, Batch(head.last + 1, len(part), blob)))
            head = moved[stream] = Head(head.last + len(part), checksum)
    return stored, moved


def _new_stream(name: str) -> Head:
    if not 0 < len(name) <= STREAM_NAME_MAX:
        raise JournalUnavailable("journal_refused", f"A stream's name has 1 to {STREAM_NAME_MAX} characters: {name!r}.")
    return EMPTY


def _parts(bodies: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    start, size = 0, 0
    for index, body in enumerate(bodies):
        size += len(body)
        if size > BLOB_BYTES_MAX and index > start:
            yield bodies[start:index]
            start, size = index, len(body)
    if start < len(bodies):
        yield bodies[start:] if start else bodies


def verified(batch: Batch, previous: bytes | None, stream: str) -> list[Record]:
    """The records of a stored batch, all ``length`` of them. Raises DamagedJournal or NewerFormat."""
    records = list(unframe(batch.blob, batch.first, previous, stream))
    if len(records) != batch.length or not records:
        reason = f"truncated, its batch has {len(records)} records and should have {batch.length}"
        raise DamagedJournal(reason, stream, batch.first + len(records), len(batch.blob))
    return records


class _Unframed(NamedTuple):
    stream: str
    first: int
    records: list[Record]


class BatchReader:
    """Reads records out of stored batches, from any thread, and remembers the batches looked into last."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self.one_at_a_time = Lock()
        self._recent: list[_Unframed] = []

    def read(self, stream: str, after: int) -> Iterator[tuple[int, bytes]]:
        """See Journal.read. Nothing stays open between two steps, so a slow reader holds up nobody."""
        sequence = after + 1
        previous = GENESIS if after == 0 else None
        while page := self._page(stream, sequence, PAGE_BYTES):
            for batch in page:
                if batch.first > sequence:
                    raise DamagedJournal(f"gap, the next record is {batch.first}", stream, sequence)
                records = verified(batch, previous, stream)
                previous = records[-1].checksum
                for record in records[sequence - batch.first :]:
                    yield record.sequence, record.body
                sequence = batch.first + batch.length

    def record(self, stream: str, sequence: int) -> Record:
        """One record, verified. Raises what Journal.body raises."""
        with self.one_at_a_time:
            found = self._recall(stream, sequence)
            if found is None:
                found = self._look_up(stream, sequence)
                if len(self._recent) >= RECENT_BATCHES_MAX:
                    del self._recent[0]
                self._recent.append(found)
            return found.records[sequence - found.first]

    def _page(self, stream: str, sequence: int, size: int) -> Sequence[Batch]:
        with self.one_at_a_time:
            return self._fetch(stream, sequence, size)

    def _recall(self, stream: str, sequence: int) -> _Unframed | None:
        recent = self._recent
        for index in range(len(recent) - 1, -1, -1):
            held = recent[index]
            if held.stream == stream and 0 <= sequence - held.first < len(held.records):
                if index != len(recent) - 1:
                    recent.append(recent.pop(index))
                return held
        return None

    def _look_up(self, stream: str, sequence: int) -> _Unframed:
        page = self._fetch(stream, sequence, 0) if sequence > 0 else ()
        if not page:
            raise UnknownSequence(stream, sequence)
        batch = page[0]
        if batch.first > sequence:
            raise DamagedJournal(f"gap, the next record is {batch.first}", stream, sequence)
        return _Unframed(stream, batch.first, verified(batch, None, stream))
