"""The dead-man switch: a strategy that falls silent has its orders cancelled. Time is data; the runtime acts on it.

The process says ``alive`` at least every so many seconds. If it does not, everything is cancelled and nothing more is
placed until it does. Where the venue has such a switch itself, a heartbeat is sent as long as the process is alive, so
that it also works when the whole process is gone.
"""

from typing import Final

BEATS: Final = 3
"""Heartbeats in the time after which the venue acts: two may be lost."""


class Silence:
    """All times in microseconds."""

    __slots__ = ("_acted", "_beats", "_heard", "_next_beat", "_timeout")

    def __init__(self, timeout: int, now: int, *, beats: bool = False) -> None:
        self._timeout: Final = timeout
        self._beats: Final = beats
        self._heard = now
        self._acted = False
        self._next_beat = now

    @property
    def has_acted(self) -> bool:
        """Everything was cancelled, and nobody has been heard of since."""
        return self._acted

    def alive(self, now: int) -> None:
        self._heard = max(self._heard, now)
        self._acted = False

    def next_due(self) -> int:
        """When to look again; 0 while there is nothing to wait for."""
        if self._acted:
            return 0
        silent_at = self._heard + self._timeout
        return min(silent_at, self._next_beat) if self._beats else silent_at

    def wants_cancel(self, now: int) -> bool:
        """It has been silent for too long: cancel everything. Said once until it is heard of again."""
        if self._acted or now < self._heard + self._timeout:
            return False
        self._acted = True
        return True

    def wants_beat(self, now: int) -> bool:
        """Send a heartbeat now; never on behalf of one that is silent."""
        if not self._beats or self._acted or now < self._next_beat or now >= self._heard + self._timeout:
            return False
        self._next_beat = now + self._timeout // BEATS
        return True
