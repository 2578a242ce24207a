"""Venue time under clocks that jump, freeze and smear."""

from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.clock import VenueClock

NOON = 1_709_294_400_000_000  # 2024-03-01 12:00 UTC
MS = 1_000
SECOND = 1_000_000
HOUR = 3600 * SECOND


def started(wall_us: int = NOON) -> VenueClock:
    """A clock that has read ``wall_us`` at monotonic time 0."""
    clock = VenueClock(0)
    assert clock.read(wall_us, 0) == wall_us
    return clock


def test_it_is_the_wall_while_the_clocks_agree() -> None:
    clock = started()
    for elapsed_us in (1, 2, 7, 500, SECOND, HOUR, HOUR + 1):
        assert clock.read(NOON + elapsed_us, elapsed_us * 1000) == NOON + elapsed_us


def test_two_readings_at_once_are_the_same_time() -> None:
    clock = started()
    assert clock.read(NOON + 5, 0) == NOON
    assert clock.read(NOON - 5, 0) == NOON


def test_a_wall_that_jumps_an_hour_ahead_is_followed_by_a_tenth() -> None:
    clock = started()
    assert clock.read(NOON + HOUR + SECOND, SECOND * 1000) == NOON + SECOND + SECOND // 10


def test_a_wall_that_jumps_an_hour_back_is_waited_for_by_a_tenth() -> None:
    clock = started()
    assert clock.read(NOON - HOUR + SECOND, SECOND * 1000) == NOON + SECOND - SECOND // 10


def test_a_frozen_wall_does_not_freeze_the_venue() -> None:
    clock = started()
    readings = [clock.read(NOON, second * SECOND * 1000) - NOON for second in range(1, 11)]
    assert readings == [second * SECOND * 9 // 10 for second in range(1, 11)]


def test_an_error_of_a_second_is_gone_after_ten() -> None:
    for error in (SECOND, -SECOND):
        clock = started()
        off = [
            clock.read(NOON + at * SECOND + error, at * SECOND * 1000) - (NOON + at * SECOND + error)
            for at in range(1, 13)
        ]
        assert off[8] == -error // 10
        assert off[9:] == [0, 0, 0]


def test_a_smeared_leap_second_is_followed_exactly() -> None:
    clock = started()
    day = 24 * HOUR
    for hour in range(1, 25):
        elapsed = hour * HOUR
        smeared = NOON + elapsed - SECOND * elapsed // day
        assert clock.read(smeared, elapsed * 1000) == smeared


def test_a_correction_is_not_lost_between_readings_that_are_close_together() -> None:
    clock = started()
    for half_us in range(1, 22_000):
        clock.read(NOON + MS + half_us // 2, half_us * 500)
    assert clock.read(NOON + MS + 11 * MS, 11 * MS * 1000) == NOON + MS + 11 * MS


def test_it_starts_at_the_wall_when_that_is_ahead_of_the_journal() -> None:
    assert VenueClock(NOON - HOUR).read(NOON, 77) == NOON


def test_it_starts_at_the_journal_when_the_wall_is_behind_and_waits() -> None:
    clock = VenueClock(NOON)
    assert clock.read(NOON - HOUR, 0) == NOON
    assert clock.read(NOON - HOUR + SECOND, SECOND * 1000) == NOON + SECOND - SECOND // 10


def test_the_monotonic_clock_may_start_anywhere() -> None:
    clock = VenueClock(0)
    clock.read(NOON, 10**18)
    assert clock.read(NOON + SECOND, 10**18 + SECOND * 1000) == NOON + SECOND


def test_a_monotonic_clock_that_goes_backwards_stops_the_venue_for_that_reading_only() -> None:
    clock = started()
    clock.read(NOON + SECOND, SECOND * 1000)
    assert clock.read(NOON + 2 * SECOND, 0) == NOON + SECOND
    assert clock.read(NOON + 2 * SECOND, SECOND * 1000) == NOON + 2 * SECOND


any_time_us = st.integers(-(2**40), 2**53)
any_reading = st.tuples(any_time_us, st.integers(0, 2**62))


@given(any_time_us, st.lists(any_reading, max_size=30))
def test_it_never_goes_backwards_whatever_the_readings(last: int, readings: list[tuple[int, int]]) -> None:
    clock = VenueClock(last)
    previous = last
    for wall_us, monotonic_ns in readings:
        now = clock.read(wall_us, monotonic_ns)
        assert now >= previous
        previous = now


@given(st.lists(st.tuples(st.integers(0, 10**13), any_time_us), min_size=1, max_size=30))
def test_it_runs_between_nine_and_eleven_tenths_of_the_monotonic_clock(steps: list[tuple[int, int]]) -> None:
    clock = started()
    monotonic_ns, now = 0, NOON
    for elapsed_ns, wall_us in steps:
        monotonic_ns += elapsed_ns
        now = clock.read(wall_us, monotonic_ns)
    run_ns = (now - NOON) * 1000
    assert monotonic_ns * 9 // 10 - 1000 < run_ns <= monotonic_ns * 11 // 10
