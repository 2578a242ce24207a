"""A journal in memory: the same framing, chain and fencing as on disk, for tests, benches and the simulator."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from tallystick.journal.batches import EMPTY, Batch, BatchReader, Head, lay_out
from tallystick.journal.errors import JournalUnavailable, StaleEpoch
from tallystick.journal.port import Append


class MemoryStorage:
    """What outlives a MemoryJournal, as a disk outlives a process: give it to the next one to restart a writer."""

    def __init__(self) -> None:
        self.epoch = 0
        self.heads: dict[str, Head] = {}
        self.firsts: dict[str, list[int]] = {}
        self.batches: dict[str, list[Batch]] = {}


class MemoryJournal:
    """See Journal. A new one on the same storage fences the one before it."""

    def __init__(self, storage: MemoryStorage | None = None) -> None:
        self.storage = MemoryStorage() if storage is None else storage
        self.storage.epoch += 1
        self._epoch = self.storage.epoch
        self._closed = False
        self._reader = BatchReader(self._fetch)

    @property
    def epoch(self) -> int:
        """The writer epoch this journal took."""
        return self._epoch

    def append(self, batch: Sequence[Append]) -> None:
        """See Journal.append."""
        self.probe()
        storage = self.storage
        stored, moved = lay_out(batch, storage.heads, self._epoch)
        for stream, blob in stored:
            storage.batches.setdefault(stream, []).append(blob)
            storage.firsts.setdefault(stream, []).append(blob.first)
        storage.heads.update(moved)

    def probe(self) -> None:
        """See Journal.probe."""
        self._check_open()
        if self.storage.epoch != self._epoch:
            raise StaleEpoch(self._epoch, self.storage.epoch)

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
        return self.storage.heads.get(stream, EMPTY).last

    def close(self) -> None:
        """See Journal.close."""
        self._closed = True

    def _fetch(self, stream: str, sequence: int, _size: int) -> Sequence[Batch]:
        self._check_open()
        index = max(0, bisect_right(self.storage.firsts.get(stream, ()), sequence) - 1)
        batches = self.storage.batches.get(stream, ())
        return [batch for batch in batches[index : index + 2] if batch.first + batch.length > sequence][:1]

    def _check_open(self) -> None:
        if self._closed:
            raise JournalUnavailable("journal_closed", "The journal is closed: open it again.")
