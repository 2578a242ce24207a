"""The rules that a configuration makes: amounts and times in the venue's units, and days in the venue's time zone."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tallystick.dialects.sophic.sandbox import sandbox_policy
from tallystick.server.config import Settlement, Sophic
from tallystick.server.config_sources import load
from tallystick.server.policy import policy_of, settlement_of, zone_changes
from tallystick.venue.calendar import date_text

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
YEAR = datetime.now(UTC).year
MICROSECOND = timedelta(microseconds=1)
ZONES = ("UTC", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Tokyo")


def utc(text: str) -> int:
    return (datetime.fromisoformat(f"{text}+00:00") - EPOCH) // MICROSECOND


def test_amounts_and_times_are_in_the_units_of_the_venue() -> None:
    policy = policy_of(Sophic(review_over="10000.5", trade_cash_max="5000.00", retry_seconds=0.25, fee_bps=30))
    assert policy.review_over == 10_000_50000000
    assert policy.trade_cash_max == 500_000
    assert policy.retry_us == 250_000
    assert policy.fee_bps == 30
    assert (policy.price_stale_us, policy.prerequisite_us) == (60_000_000, 86_400_000_000)


def test_no_amount_is_no_limit() -> None:
    policy = policy_of(Sophic(review_over="", trade_cash_max=""))
    assert (policy.review_over, policy.trade_cash_max) == (0, 0)


@pytest.mark.parametrize("pace", [0, 0.1, 1, 1000])
def test_a_sandbox_has_the_pace_that_benchmarks_and_tests_of_the_engine_use(pace: float) -> None:
    made, known = policy_of(load(None, {}, {"--pace": str(pace)}).config.sophic), sandbox_policy(pace)
    for name in ("fee_bps", "submit_after_us", "execute_after_us", "trade_interval_us", "trade_cash_max"):
        assert getattr(made, name) == getattr(known, name)
    assert made.settlement.settles_at(7) == known.settlement.settles_at(7)


def test_a_settlement_section_is_a_calendar() -> None:
    """Thanksgiving and the end of summer time in New York, 2026."""
    holidays = (date(2026, 11, 26),)
    settlement = settlement_of(
        Settlement(days=1, holidays=holidays, time_zone="America/New_York", cut_off="16:00", settle_at="09:30")
    )
    table = {
        "2026-10-30 19:59": ("2026-11-02", "2026-11-02 14:30"),  # Friday, 15:59 in summer
        "2026-10-30 20:00": ("2026-11-03", "2026-11-03 14:30"),  # Friday, 16:00: it is Monday's
        "2026-11-25 20:59": ("2026-11-27", "2026-11-27 14:30"),  # Wednesday, 15:59 in winter
        "2026-11-25 21:00": ("2026-11-30", "2026-11-30 14:30"),  # after the cut-off it is Friday's
    }
    for trade, (value_date, settles_at) in table.items():
        assert date_text(settlement.value_date(utc(trade))) == value_date
        assert settlement.settles_at(utc(settles_at)) >= settlement.settles_at(utc(trade)) == utc(settles_at)


@pytest.mark.parametrize("name", ZONES)
def test_the_changes_of_a_zone_are_those_that_its_clocks_show(name: str) -> None:
    zone = ZoneInfo(name)
    offset, changes = zone_changes(zone, YEAR)
    for time_us, after in changes:
        before, at = (
            (EPOCH + (time_us - 1) * MICROSECOND).astimezone(zone),
            (EPOCH + time_us * MICROSECOND).astimezone(zone),
        )
        assert (before.utcoffset(), at.utcoffset()) == (offset * MICROSECOND, after * MICROSECOND)
        offset = after
    assert [time_us for time_us, _ in changes] == sorted(time_us for time_us, _ in changes)
    assert bool(changes) == (name not in ("UTC", "Asia/Tokyo"))


MINUTES = st.integers(0, 40 * 366 * 1440)


@given(
    st.sampled_from(ZONES),
    st.sampled_from(["00:00", "01:30", "02:00", "02:30", "17:00"]),
    st.lists(MINUTES, min_size=2),
)
@example("America/New_York", "02:30", [66 * 1440 + each for each in range(0, 2000, 10)])
def test_for_years_a_trade_settles_when_the_clocks_of_the_zone_first_show_it(
    name: str, settle_at: str, minutes: list[int]
) -> None:
    """Against zoneinfo's own clocks; and never before a trade that was earlier."""
    zone = ZoneInfo(name)
    section = Settlement(days=1, weekend=(), time_zone=name, cut_off="24:00", settle_at=settle_at)
    settlement = CALENDARS.setdefault((name, settle_at), settlement_of(section))
    begin = utc(f"{YEAR}-01-01 00:00")
    times = sorted(begin + minute * 60_000_000 for minute in minutes)
    settled = [settlement.settles_at(time_us) for time_us in times]
    assert all(before <= after for before, after in pairwise(settled))
    for time_us, at in zip(times, settled, strict=True):
        day = (EPOCH + time_us * MICROSECOND).astimezone(zone).date() + timedelta(days=1)
        due = datetime.fromisoformat(f"{day} {settle_at}")
        shown, shown_before = (
            (EPOCH + each * MICROSECOND).astimezone(zone).replace(tzinfo=None) for each in (at, at - 1)
        )
        assert shown_before < due <= shown


CALENDARS: dict[tuple[str, str], object] = {}
