"""A disk that fails: what an append did, and whether anybody heard of it, is drawn from the run's one source of chance.

A batch becomes durable as a whole or not at all: that is the journal port's promise, so a torn write is a lost one.
"""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Final

from tallystick.journal.errors import JournalUnavailable
from tallystick.journal.memory import MemoryJournal, MemoryStorage
from tallystick.journal.port import Append

FATES: Final = (
    "lost",  # the process dies first: nothing was written
    "unheard",  # it dies right after: everything is durable, and nobody was told
    "disk full",  # definite: nothing was written
    "io error",  # indefinite: it may turn up when the disk is opened again
)


class Crash(BaseException):
    """The process is dead from here on. Not an Exception: no code of the process may catch it."""


class Disk:
    """``rate`` is the chance that an append goes wrong, while ``faulty``."""

    def __init__(self, random: Random, rate: float) -> None:
        self.faulty = True
        self._random: Final = random
        self._rate: Final = rate
        self._storage: Final = MemoryStorage()
        self._uncertain: tuple[MemoryJournal, Sequence[Append]] | None = None

    def open(self) -> "FaultyJournal":
        """What a new process finds; it fences the one before. An uncertain append is there now, or never."""
        if self._uncertain is not None:
            journal, batch = self._uncertain
            self._uncertain = None
            if self._random.random() < 0.5:
                journal.append(batch)
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

    def keep_uncertain(self, journal: MemoryJournal, batch: Sequence[Append]) -> None:
        self._uncertain = (journal, batch)


class FaultyJournal:
    """See Journal. ``fault`` is the error it raised, which is the only good reason for a venue to stop."""

    def __init__(self, disk: Disk, journal: MemoryJournal) -> None:
        self.fault: JournalUnavailable | None = None
        self.replaced = False
        self._disk: Final = disk
        self._journal: Final = journal

    @property
    def epoch(self) -> int:
        return self._journal.epoch

    def append(self, batch: Sequence[Append]) -> None:
        """See Journal.append; raises Crash besides."""
        fate = "written" if self.replaced else self._disk.fate()
        if fate == "lost":
            raise Crash(fate)
        if fate in {"disk full", "io error"}:
            if fate == "io error":
                self._disk.keep_uncertain(self._journal, batch)
            self.fault = JournalUnavailable(fate.replace(" ", "_"), f"Simulated: {fate}.")
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
        self._journal.probe()

    def last(self, stream: str) -> int:
        return self._journal.last(stream)

    def close(self) -> None:
        self._journal.close()
