"""When a delivery is attempted again, and what an attempt's outcome means. Pure: time and jitter come in as data.

Times are in microseconds since the epoch. Attempts are spread over about three days (specs/sophic.md §3); whoever
tests makes the days shorter.
"""

from typing import Final, NamedTuple

SECOND: Final = 1_000_000
WAITS_SECONDS: Final = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Before the second attempt, the third … The first is made at once."""
JITTER: Final = 0.2
"""A wait is longer by up to this part of itself, so that what failed together does not come back together."""
RETRY_AFTER_MAX_SECONDS: Final = 86_400
THROTTLING: Final = frozenset({429, 503})
GONE: Final = 410

SUCCEEDED: Final = "succeeded"
RETRIED: Final = "in_progress"
FAILED: Final = "failed"


class Outcome(NamedTuple):
    """What came of an attempt: ``status`` is the response's, 0 if there was none, and then ``error`` says why.

    ``error`` is "" or one of address, connection, tls, timeout, response, internal; ``detail`` is a sentence.
    ``retry_after`` is what the response asked for, in seconds, None if nothing. ``duration_us`` is from the decision
    to attempt to the response's head.
    """

    status: int
    duration_us: int
    error: str = ""
    detail: str = ""
    retry_after: int | None = None

    @property
    def is_success(self) -> bool:
        """Only a 2xx is. A redirect is not followed: what is signed is for the endpoint that was registered."""
        return 200 <= self.status < 300


class Schedule(NamedTuple):
    """``scale`` shortens or stretches all waits. An endpoint that did nothing but fail for ``patience_us`` is disabled,
    once it has failed ``failures_min`` times."""

    waits_seconds: tuple[float, ...] = WAITS_SECONDS
    scale: float = 1.0
    patience_us: int = 5 * 86_400 * SECOND
    failures_min: int = 10

    def wait_us(self, tries: int, jitter: float) -> int | None:
        """How long after the try of this number (1 …) the next one is made, None after the last.

        ``jitter`` is from 0 to 1.
        """
        if tries > len(self.waits_seconds):
            return None
        return int(self.waits_seconds[tries - 1] * self.scale * (1 + JITTER * jitter) * SECOND)


class Verdict(NamedTuple):
    """``status`` is the delivery's from now on; ``next_at`` when it is attempted again, 0 for never.

    Until ``pause_until`` nothing at all is sent to the endpoint, for it asked for that; 0 if it did not. ``is_gone``:
    it wants nothing any more.
    """

    status: str
    next_at: int = 0
    pause_until: int = 0
    is_gone: bool = False


def judge(schedule: Schedule, outcome: Outcome, tries: int, now: int, jitter: float) -> Verdict:
    """What becomes of a delivery whose try of the number ``tries`` ended ``now`` with ``outcome``."""
    if outcome.is_success:
        return Verdict(SUCCEEDED)
    if outcome.status == GONE:
        return Verdict(FAILED, is_gone=True)
    pause_until = 0
    if outcome.status in THROTTLING and outcome.retry_after is not None:
        pause_until = now + min(outcome.retry_after, RETRY_AFTER_MAX_SECONDS) * SECOND
    wait = schedule.wait_us(tries, jitter)
    if wait is None:
        return Verdict(FAILED, pause_until=pause_until)
    return Verdict(RETRIED, max(now + wait, pause_until), pause_until)


def is_given_up(schedule: Schedule, failing_since: int, failures: int, now: int) -> bool:
    """Whether an endpoint that has only failed since ``failing_since`` (0: it does not fail), so often, is disabled."""
    return failing_since > 0 and failures >= schedule.failures_min and now - failing_since >= schedule.patience_us
