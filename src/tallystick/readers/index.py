"""Catching up by index: the entries of one key, found by walking the journal's links back from the key's newest entry.

Nothing is kept in memory for it and nothing is written beside the journal: an entry names, for each key it touches,
the entry that touched it before.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from tallystick.core.keys import EVERYTHING
from tallystick.facts.venue import Entry
from tallystick.readers.readers import Readers


class Index:
    """``entry`` reads one durable entry of the venue's journal by its sequence."""

    def __init__(self, readers: Readers, entry: Callable[[int], Entry]) -> None:
        self._readers: Final = readers
        self._entry: Final = entry

    def sequences(self, key: int, after: int = 0) -> Sequence[int]:
        """The sequences greater than ``after`` of the entries that touch ``key``, oldest first."""
        if key == EVERYTHING:
            return range(after + 1, self._readers.state.sequence + 1)
        found: list[int] = []
        sequence = self._readers.last(key)
        while sequence > after:
            found.append(sequence)
            sequence = self._entry(sequence).previous(key)
        found.reverse()
        return found

    def entries(self, key: int, after: int = 0) -> Iterator[Entry]:
        """Those entries, oldest first."""
        for sequence in self.sequences(key, after):
            yield self._entry(sequence)
