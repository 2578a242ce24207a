"""A disk that fails: what an append did, and whether anybody heard of it, is drawn from the run's one source of chance.

A batch becomes durable as a whole or not at all: that is the journal port's promise, so a torn write is a lost one.
"""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, Final, NamedTuple

from tallystick.journal.errors import JournalUnavailable
from tallystick.journal.memory import MemoryJournal, MemoryStorage
from tallystick.journal.port import Append

FATES: Final = (
    "lost",  # the process dies first: nothing was written
    "unheard",  # it dies right after: everything is durable, and nobody was told
    "disk full",  # definite: nothing was written
    "io error",  # indefinite: it may turn up when the disk is opened again
)


class Snapshot(NamedTuple):
    """A state after the entry ``sequence``, as records; no records are the beginning."""

    sequence: int
    bodies: Sequence[bytes]


class Crash(BaseException):
    """The process is dead from here on. Not an Exception: no code of the process may catch it."""


class Disk:
    """``rate`` is the chance that an append goes wrong, while ``faulty``; ``tables`` are the ones kept beside the
    journal, for the process that knows them."""

    def __init__(self, random: Random, rate: float) -> None:
        self.faulty = True
        self._random: Final = random
        self._rate: Final = rate
        self._storage: Final = MemoryStorage()
        self.tables: Any = None
        self._snapshots: Final[list[Snapshot]] = []
        self._uncertain: Sequence[Append] | None = None

    def open(self) -> "FaultyJournal":
        """What a new process finds; it fences the one before. An uncertain append is there now, or never."""
        if self._uncertain is not None:
            batch, self._uncertain = self._uncertain, None
            if self._random.random() < 0.5:
                MemoryJournal(self._storage).append(batch)
        return FaultyJournal(self, MemoryJournal(self._storage))

    def fate(self) -> str:
        """What becomes of this append: one of FATES, or "written"."""
        if not self.faulty or self._random.random() >= self._rate:
            return "written"
        return self._random.choice(FATES)

    def interruption(self, count: int) -> int:
        """Before which of ``count`` releases the process dies; -1 for none."""
        if not self.faulty or self._random.random() >= self._rate / 2:
            return -1
        return self._random.randrange(count)

    def first_part(self, count: int) -> int:
        """How many of ``count`` decisions are committed together: a commit takes what has come when it begins."""
        return count if self._random.random() < 0.7 else self._random.randint(1, count)

    def is_full(self) -> bool:
        """Whether a probe still finds no room."""
        return self.faulty and self._random.random() < 0.2

    def keep_snapshot(self, snapshot: Snapshot) -> None:
        self._snapshots.append(snapshot)

    def find_snapshot(self, last: int) -> Snapshot:
        """One that a process may begin with whose journal ends at ``last``; that of the beginning if none is left."""
        fitting = [snapshot for snapshot in self._snapshots if snapshot.sequence <= last]
        if self.tables is None or not fitting or self._random.random() < 0.4:
            return Snapshot(0, ())
        return self._random.choice(fitting[-3:])

    def keep_uncertain(self, batch: Sequence[Append]) -> None:
        self._uncertain = batch


class FaultyJournal:
    """See Journal. ``fault`` is the error it raised, which is the only good reason for a venue to stop."""

    def __init__(self, disk: Disk, journal: MemoryJournal) -> None:
        self.fault: JournalUnavailable | None = None
        self.replaced = False
        self._is_closed = False
        self._disk: Final = disk
        self._journal: Final = journal

    @property
    def epoch(self) -> int:
        return self._journal.epoch

    def append(self, batch: Sequence[Append]) -> None:
        """See Journal.append; raises Crash besides."""
        fate = "written" if self.replaced or self._is_closed else self._disk.fate()
        if fate == "lost":
            raise Crash(fate)
        if fate in {"disk full", "io error"}:
            if fate == "io error":
                self._disk.keep_uncertain(batch)
            self.fault = _unavailable(fate)
            raise self.fault
        self._journal.append(batch)
        if fate == "unheard":
            raise Crash(fate)

    def read(self, stream: str, after: int = 0) -> Iterator[tuple[int, bytes]]:
        return self._journal.read(stream, after)

    def body(self, stream: str, sequence: int) -> bytes:
        return self._journal.body(stream, sequence)

    def checksum(self, stream: str, sequence: int) -> bytes:
        return self._journal.checksum(stream, sequence)

    def probe(self) -> None:
        """See Journal.probe."""
        if self._disk.is_full():
            raise _unavailable("disk full")
        self._journal.probe()

    def last(self, stream: str) -> int:
        return self._journal.last(stream)

    def close(self) -> None:
        self._is_closed = True
        self._journal.close()


def _unavailable(fate: str) -> JournalUnavailable:
    return JournalUnavailable(fate.replace(" ", "_"), f"Simulated: {fate}.")
