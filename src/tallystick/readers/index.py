"""Catching up by index: the entries of one key, found by walking the journal's links back from one that touches it.

Nothing is written beside the journal for it: an entry names, for each key it touches, the entry that touched it before.
An account, whose chain may be long, has milestones; so a reader may begin anywhere and walk in either direction.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from typing import Final

from tallystick.core.keys import ACCOUNT, EVERYTHING
from tallystick.facts.venue import Entry
from tallystick.readers.readers import Readers


class Index:
    """``entry`` reads one durable entry of the venue's journal by its sequence."""

    def __init__(self, readers: Readers, entry: Callable[[int], Entry]) -> None:
        self._readers: Final = readers
        self.entry: Final = entry

    def entries(self, key: int, after: int = 0) -> Iterator[Entry]:
        """The entries after the sequence ``after`` that touch ``key``, oldest first."""
        if key == EVERYTHING:
            last = self._readers.state.sequence
            yield from map(self.entry, range(after + 1, last + 1))
            return
        milestones = self._milestones(key)
        newest = self._readers.last(key)
        ends = [*milestones[bisect_right(milestones, after) :], newest]
        for end in ends:
            stretch: list[Entry] = []
            for entry in self._back(key, end):
                if entry.sequence <= after:
                    break
                stretch.append(entry)
            yield from reversed(stretch)
            after = max(after, end)

    def entries_before(self, key: int, before: int) -> Iterator[Entry]:
        """The entries before the sequence ``before`` that touch ``key``, newest first."""
        if key == EVERYTHING:
            yield from map(self.entry, range(min(before - 1, self._readers.state.sequence), 0, -1))
            return
        milestones = self._milestones(key)
        at = bisect_left(milestones, before)
        begin = milestones[at] if at < len(milestones) else self._readers.last(key)
        for entry in self._back(key, begin):
            if entry.sequence < before:
                yield entry

    def since(self, time: int) -> int:
        """The sequence of the first entry that began at ``time`` (microseconds) or later; one past the last if none."""
        low, high = 1, self._readers.state.sequence + 1
        while low < high:
            middle = (low + high) // 2
            if self.entry(middle).time < time:
                low = middle + 1
            else:
                high = middle
        return low

    def _milestones(self, key: int) -> list[int]:
        account = self._readers.state.accounts.get(key >> 2) if key & 3 == ACCOUNT else None
        return [] if account is None else account.milestones

    def _back(self, key: int, sequence: int) -> Iterator[Entry]:
        while sequence:
            entry = self.entry(sequence)
            yield entry
            sequence = entry.previous(key)
