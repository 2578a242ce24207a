"""Evidence whose order is not known yet: a fill that overtakes the answer with the id, a trade without its fill.

It is held by the id it came with and handed over when that id is learned. It is ambient: not in the journal, bounded,
and gone after a restart. Nothing is lost by that: whoever forgets evidence (``forgot_at``) asks for it again.
"""

from collections import deque
from typing import Final

from tallystick.tracker.observations import Observation

HELD_MAX: Final = 10_000
HELD_FOR_ONE_MAX: Final = 100

Key = tuple[int, str]
"""(venue, its id for an order), or (-venue, its id for a trade)."""


class Inbox:
    """``held`` counts what is in it; ``forgot_at`` is when it last had to forget something, 0 for never. ``dropped``
    counts, for each venue, what came without anything that it could be held by."""

    __slots__ = ("_by_key", "_keys", "dropped", "forgot_at", "held")

    def __init__(self) -> None:
        self._by_key: Final[dict[Key, list[Observation]]] = {}
        self._keys: Final[deque[Key]] = deque()  # oldest first; may name keys that were taken
        self.dropped: Final[dict[int, int]] = {}
        self.held = 0
        self.forgot_at = 0

    def drop(self, venue: int) -> None:
        """It is about an order that we never sent, and names nothing by which we could come to know it."""
        self.dropped[venue] = self.dropped.get(venue, 0) + 1

    def hold(self, key: Key, observation: Observation, now: int) -> None:
        """Keep it until ``key`` is taken. The oldest are forgotten if there are too many."""
        waiting = self._by_key.get(key)
        if waiting is None:
            waiting = []
            self._by_key[key] = waiting
            self._keys.append(key)
        if len(waiting) >= HELD_FOR_ONE_MAX:
            self.forgot_at = now
            return
        waiting.append(observation)
        self.held += 1
        while self.held > HELD_MAX:
            self.held -= len(self._by_key.pop(self._keys.popleft(), _NOTHING))
            self.forgot_at = now
        if len(self._keys) > 2 * HELD_MAX:
            kept = [each for each in self._keys if each in self._by_key]
            self._keys.clear()
            self._keys.extend(kept)

    def take(self, key: Key) -> list[Observation]:
        """What came under ``key``, in the order in which it came."""
        waiting = self._by_key.pop(key, None)
        if waiting is None:
            return []
        self.held -= len(waiting)
        return waiting


_NOTHING: Final[list[Observation]] = []
