"""Venue time: integer microseconds since the epoch that never go backwards, whatever the machine's clocks do."""

from typing import Final

SLEW_DIVISOR: Final = 10  # a reading is corrected by at most a tenth of the time that has elapsed


class VenueClock:
    """Turns readings of the wall and of the monotonic clock into venue time. It reads no clock itself.

    With V the previous venue time, e the monotonic time elapsed since then (0 if that clock went backwards) and W the
    wall, a reading is::

        first reading    V' = max(last journaled time, W)
        afterwards       V' = V + e + c,   c = W - (V + e) limited to -e/10 … +e/10

    So V + 0.9 e <= V' <= V + 1.1 e: it never goes backwards, runs on while the wall is frozen, and lets no deadline
    fire more than a tenth early or late when the wall jumps. As soon as the wall is within reach, V' = W. A wall off by
    d is reached after 10 d: a leap second takes ten seconds, an hour ten hours. V is kept in nanoseconds, so
    that readings close together lose nothing to rounding; ``read`` returns whole microseconds.
    """

    def __init__(self, last: int) -> None:
        """``last`` is the time of the last journaled fact, microseconds since the epoch; 0 if there is none."""
        self._venue_ns = last * 1000
        self._monotonic_ns = 0
        self._started = False

    def read(self, wall_us: int, monotonic_ns: int) -> int:
        """Venue time in microseconds for these two readings; at least the previous reading."""
        wall_ns = wall_us * 1000
        if self._started:
            elapsed_ns = max(monotonic_ns - self._monotonic_ns, 0)
            slew_ns = elapsed_ns // SLEW_DIVISOR
            venue_ns = self._venue_ns + elapsed_ns
            # Anywhere within the wall's microsecond agrees with it.
            if venue_ns < wall_ns:
                venue_ns = min(venue_ns + slew_ns, wall_ns)
            elif venue_ns > wall_ns + 999:
                venue_ns = max(venue_ns - slew_ns, wall_ns + 999)
        else:
            self._started = True
            venue_ns = max(self._venue_ns, wall_ns)
        self._venue_ns = venue_ns
        self._monotonic_ns = monotonic_ns
        return venue_ns // 1000
