"""The port every journal fits behind: a file here, a message stream elsewhere.

A journal keeps, for each stream (a venue's name), a gap-free sequence 1, 2, 3 … of records with opaque bodies. The
errors it raises are drawn in ``tallystick.journal.errors``.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol


class Append(NamedTuple):
    """Bodies to write to ``stream`` after the sequence ``expected`` (0 for a new stream)."""

    stream: str
    expected: int
    bodies: Sequence[bytes]


class Journal(Protocol):
    """``append`` is called by one thread at a time; the rest may be called from any, at any moment."""

    @property
    def epoch(self) -> int:
        """The writer epoch this process took, from 1; 0 when it only reads."""
        ...

    def append(self, batch: Sequence[Append]) -> None:
        """Make every record of the batch durable together; on return they are, after an error none is acknowledged.

        Raises SequenceConflict, StaleEpoch or JournalUnavailable.
        """
        ...

    def probe(self) -> None:
        """Find out whether appending works again, by a write that changes nothing. Called as ``append`` is.

        Raises StaleEpoch or JournalUnavailable.
        """
        ...

    def read(self, stream: str, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """(sequence, body) of each durable record after ``after``, verified; ends where the stream ends at that moment.

        Raises DamagedJournal, NewerFormat or JournalUnavailable.
        """
        ...

    def body(self, stream: str, sequence: int) -> bytes:
        """The body of one durable record, verified; neighbours of the last few are cheap.

        Raises UnknownSequence, DamagedJournal, NewerFormat or JournalUnavailable.
        """
        ...

    def checksum(self, stream: str, sequence: int) -> bytes:
        """The checksum of one durable record, which stands for it and all before it. Raises what ``body`` raises."""
        ...

    def last(self, stream: str) -> int:
        """The last durable sequence of the stream, 0 while it is empty."""
        ...

    def close(self) -> None:
        """Let go of the storage; what was appended stays. Closing twice is harmless."""
        ...
