"""Token buckets: what they let through, how long they say to wait, and how many there may be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.server.rates import Buckets, Rate

# what is asked (seconds, and the wait that is told), one after the other, of two a second with a burst of three
SCENARIOS = {
    "a burst goes through, then there is a wait until the next token": [(0, 0), (0, 0), (0, 0), (0, 0.5)],
    "asking in vain costs nothing": [(0, 0), (0, 0), (0, 0), (0, 0.5), (0.25, 0.25), (0.5, 0), (0.5, 0.5)],
    "an hour fills the bucket and no more": [(0, 0), (3600, 0), (3600, 0), (3600, 0), (3600, 0.5)],
    "a steady rate goes on for ever": [(n / 2, 0) for n in range(1000)],
}


@pytest.mark.parametrize("steps", SCENARIOS.values(), ids=SCENARIOS.keys())
@pytest.mark.parametrize("epoch", [0.0, 1_800_000_000.0])
def test_a_bucket(steps: list[tuple[float, float]], epoch: float) -> None:
    buckets = Buckets(Rate(per_second=2, burst=3))
    for at, wait in steps:
        assert buckets.wait("a", epoch + at) == pytest.approx(wait, abs=1e-6)
        assert buckets.take("a", epoch + at) == pytest.approx(wait, abs=1e-6)


def test_keys_do_not_share_a_bucket() -> None:
    buckets = Buckets(Rate(per_second=1, burst=1))
    assert buckets.take("a", 0) == 0
    assert buckets.take("b", 0) == 0
    assert buckets.take("a", 0) == 1


def test_the_bucket_longest_unused_is_forgotten_first() -> None:
    buckets = Buckets(Rate(per_second=1, burst=2), buckets_max=2)
    for key in ("a", "b", "a", "c"):  # b is forgotten
        buckets.take(key, 0)
    assert len(buckets) == 2
    assert not buckets.is_full("a", 0)
    assert buckets.is_full("b", 0)


@pytest.mark.parametrize("rate", [Rate(0, 1), Rate(-1, 1), Rate(1, 0.5)])
def test_a_rate_that_would_let_nothing_through_is_refused(rate: Rate) -> None:
    with pytest.raises(ValueError, match="above zero"):
        Buckets(rate)


@given(
    per_second=st.floats(0.01, 1000),
    burst=st.integers(1, 100),
    steps=st.lists(st.floats(0, 20), max_size=200),
)
def test_no_span_of_time_lets_more_through_than_burst_and_rate_allow_and_a_wait_is_true(
    per_second: float, burst: int, steps: list[float]
) -> None:
    buckets, now = Buckets(Rate(per_second, burst)), 0.0
    for taken, step in enumerate(steps, 1):
        now += step
        wait = buckets.take("a", now)
        if wait:
            now += wait
            assert buckets.take("a", now) == 0
        assert taken <= burst + per_second * now + 1e-3
