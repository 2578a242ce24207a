"""When a delivery is attempted again, and when its endpoint is given up."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tallystick.deliver.schedule import (
    FAILED,
    JITTER,
    RETRIED,
    SECOND,
    SUCCEEDED,
    WAITS_SECONDS,
    Outcome,
    Schedule,
    is_given_up,
    judge,
)

NOW = 1_000_000 * SECOND
DAY = 86_400 * SECOND


def answered(status: int, retry_after: int | None = None) -> Outcome:
    return Outcome(status, 1000, retry_after=retry_after)


@pytest.mark.parametrize(
    ("case", "outcome", "status", "is_gone", "wait_seconds", "pause_seconds"),
    [
        ("200 is success", answered(200), SUCCEEDED, False, 0, 0),
        ("204 is success", answered(204), SUCCEEDED, False, 0, 0),
        ("299 is success", answered(299), SUCCEEDED, False, 0, 0),
        ("a redirect is not followed, so it is a failure", answered(301), RETRIED, False, 5, 0),
        ("304 is no success", answered(304), RETRIED, False, 5, 0),
        ("400 is tried again: a receiver may be mended", answered(400), RETRIED, False, 5, 0),
        ("410 ends everything", answered(410), FAILED, True, 0, 0),
        ("429 says when to come back", answered(429, 90), RETRIED, False, 90, 90),
        ("503 says when to come back", answered(503, 90), RETRIED, False, 90, 90),
        ("but never sooner than by the schedule", answered(429, 1), RETRIED, False, 5, 1),
        ("429 without a word", answered(429), RETRIED, False, 5, 0),
        ("nobody may ask for more than a day", answered(429, 10**9), RETRIED, False, 86_400, 86_400),
        ("500 may not ask for anything", answered(500, 90), RETRIED, False, 5, 0),
        ("no answer", Outcome(0, 1, "timeout", "."), RETRIED, False, 5, 0),
    ],
)
def test_what_an_outcome_means(
    case: str, outcome: Outcome, status: str, is_gone: bool, wait_seconds: int, pause_seconds: int
) -> None:
    found = judge(Schedule(), outcome, 1, NOW, 0.0)
    assert (found.status, found.is_gone) == (status, is_gone)
    assert found.next_at == (NOW + wait_seconds * SECOND if wait_seconds else 0)
    assert found.pause_until == (NOW + pause_seconds * SECOND if pause_seconds else 0)


def test_all_attempts_together_take_about_three_days() -> None:
    assert len(WAITS_SECONDS) + 1 == 10
    assert sum(WAITS_SECONDS) == pytest.approx(75.6 * 3600, rel=0.01)


def test_after_the_last_wait_it_has_failed() -> None:
    assert judge(Schedule(), answered(500), len(WAITS_SECONDS), NOW, 0.0).status == RETRIED
    assert judge(Schedule(), answered(500), len(WAITS_SECONDS) + 1, NOW, 0.0).status == FAILED


@given(some.integers(1, len(WAITS_SECONDS)), some.floats(0, 1), some.floats(0.001, 10))
def test_a_wait_is_the_scheduled_one_or_a_little_longer_never_shorter(tries: int, jitter: float, scale: float) -> None:
    wait = Schedule(scale=scale).wait_us(tries, jitter)
    scheduled = WAITS_SECONDS[tries - 1] * scale * SECOND
    assert wait is not None
    assert scheduled - 1 <= wait <= scheduled * (1 + JITTER) + 1


@given(
    some.integers(1, 20), some.floats(0, 1), some.sampled_from([0, 301, 404, 429, 500, 503]), some.integers(0, 10**7)
)
def test_what_is_not_over_is_tried_again_later_and_what_is_over_never(
    tries: int, jitter: float, status: int, retry_after: int
) -> None:
    found = judge(Schedule(), answered(status, retry_after), tries, NOW, jitter)
    assert (found.next_at > NOW) == (found.status == RETRIED)
    assert found.next_at >= found.pause_until or found.status == FAILED


@pytest.mark.parametrize(
    ("case", "failing_since", "failures", "is_over"),
    [
        ("it does not fail", 0, 0, False),
        ("it failed for less than five days", NOW - 5 * DAY + 1, 1000, False),
        ("it failed for five days", NOW - 5 * DAY, 10, True),
        ("hardly anything was sent to it in five days", NOW - 5 * DAY, 9, False),
    ],
)
def test_an_endpoint_that_only_fails_is_given_up(case: str, failing_since: int, failures: int, is_over: bool) -> None:
    assert is_given_up(Schedule(), failing_since, failures, NOW) is is_over
