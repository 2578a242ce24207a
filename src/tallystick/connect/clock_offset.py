"""How far a venue's clock is from ours, from answers that carry the venue's time: the quickest answer knows best.

An answer that took d has been stamped within d of the middle of its way: the offset is known to within d/2. Of the last
few samples the one with the least delay counts, so one slow answer does not move the estimate (Cristian's algorithm).
"""

from collections import deque
from typing import Final

SAMPLES_MAX: Final = 16


class ClockOffset:
    """All times in microseconds. It reads no clock itself."""

    __slots__ = ("_samples",)

    def __init__(self) -> None:
        self._samples: Final[deque[tuple[int, int]]] = deque(maxlen=SAMPLES_MAX)

    def add(self, sent: int, received: int, venue: int) -> None:
        """An answer that says ``venue`` o'clock, to a question sent and received then on our clock."""
        if received >= sent:
            self._samples.append((received - sent, venue - (sent + received) // 2))

    @property
    def offset(self) -> int:
        """The venue's clock minus ours; 0 while nothing is known."""
        return min(self._samples)[1] if self._samples else 0

    @property
    def uncertainty(self) -> int:
        """How far ``offset`` may be wrong, either way; -1 while nothing is known."""
        return (min(self._samples)[0] + 1) // 2 if self._samples else -1

    def ours(self, venue: int) -> int:
        """A time of the venue's on our clock."""
        return venue - self.offset
