"""How often each key may do something: token buckets, bounded in number, told the time by whoever asks.

A bucket of ``burst`` tokens that fills at ``per_second`` is one number, the time at which it will be full again (the
generic cell rate algorithm, ITU-T I.371): taking a token moves that time on, and one that is past means a full bucket.
"""

from collections import OrderedDict
from typing import Final, NamedTuple

BUCKETS_MAX: Final = 10_000
ROUNDING_SECONDS: Final = 1e-6
"""What sums of times since the epoch are exact to, as floats."""


class Rate(NamedTuple):
    """``per_second`` tokens a second, up to ``burst`` of them at once; both are above zero, ``burst`` at least 1."""

    per_second: float
    burst: float


class Buckets:
    """A bucket for each key, full at first. Beyond ``buckets_max`` the one longest unused is forgotten, so full again.

    Times are in seconds, of any clock that never goes back.
    """

    def __init__(self, rate: Rate, buckets_max: int = BUCKETS_MAX) -> None:
        if rate.per_second <= 0 or rate.burst < 1 or buckets_max < 1:
            raise ValueError(f"a rate is above zero, its burst and the number of buckets at least 1, not {rate}")
        self._interval: Final = 1 / rate.per_second
        self._depth: Final = rate.burst / rate.per_second
        self._buckets_max: Final = buckets_max
        self._full_at: Final[OrderedDict[str, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, key: str, now: float) -> float:
        """Take a token: 0.0, or the seconds until there is one, and then none was taken."""
        wait = self.wait(key, now)
        if not wait:
            self._full_at[key] = max(self._full_at.get(key, now), now) + self._interval
            self._full_at.move_to_end(key)
            if len(self._full_at) > self._buckets_max:
                self._full_at.popitem(last=False)
        return wait

    def wait(self, key: str, now: float) -> float:
        """The seconds until ``take`` would give a token, 0.0 if it would now; takes none."""
        wait = max(self._full_at.get(key, now), now) + self._interval - now - self._depth
        return wait if wait > ROUNDING_SECONDS else 0.0

    def is_full(self, key: str, now: float) -> bool:
        """Whether nothing was taken that has not been filled up since."""
        return self._full_at.get(key, now) <= now
