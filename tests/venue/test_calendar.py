"""Settlement dates, as tables in text; days against datetime.date."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.venue.calendar import (
    DAY_US,
    FixedDelay,
    Settlement,
    SettlementCalendar,
    date_text,
    day_number,
)

HOUR_US = DAY_US // 24
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CHRISTMAS = (day_number(2024, 12, 25), day_number(2024, 12, 26), day_number(2025, 1, 1))


def utc(text: str) -> int:
    """ "2024-12-24 15:30" as microseconds since the epoch."""
    return (datetime.fromisoformat(text + "+00:00") - EPOCH) // timedelta(microseconds=1)


def rows(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()[1:]]


DATES = """
    trade, UTC           | T+0        | T+1        | T+2
    Mon 2024-12-09 10:00 | 2024-12-09 | 2024-12-10 | 2024-12-11
    Thu 2024-12-12 10:00 | 2024-12-12 | 2024-12-13 | 2024-12-16
    Fri 2024-12-13 10:00 | 2024-12-13 | 2024-12-16 | 2024-12-17
    Fri 2024-12-13 16:59 | 2024-12-13 | 2024-12-16 | 2024-12-17
    Fri 2024-12-13 17:00 | 2024-12-16 | 2024-12-17 | 2024-12-18
    Fri 2024-12-13 23:59 | 2024-12-16 | 2024-12-17 | 2024-12-18
    Sat 2024-12-14 10:00 | 2024-12-16 | 2024-12-17 | 2024-12-18
    Sat 2024-12-14 18:00 | 2024-12-16 | 2024-12-17 | 2024-12-18
    Sun 2024-12-15 18:00 | 2024-12-16 | 2024-12-17 | 2024-12-18
    Mon 2024-12-23 10:00 | 2024-12-23 | 2024-12-24 | 2024-12-27
    Tue 2024-12-24 10:00 | 2024-12-24 | 2024-12-27 | 2024-12-30
    Tue 2024-12-24 18:00 | 2024-12-27 | 2024-12-30 | 2024-12-31
    Wed 2024-12-25 10:00 | 2024-12-27 | 2024-12-30 | 2024-12-31
    Fri 2024-12-27 18:00 | 2024-12-30 | 2024-12-31 | 2025-01-02
    Tue 2024-12-31 10:00 | 2024-12-31 | 2025-01-02 | 2025-01-03
    Wed 2024-02-28 10:00 | 2024-02-28 | 2024-02-29 | 2024-03-01
"""


@pytest.mark.parametrize("row", rows(DATES), ids=lambda row: row[0])
def test_a_trade_settles_n_business_days_after_its_trade_day(row: list[str]) -> None:
    trade, *expected = row
    calendars = [SettlementCalendar(n, holidays=CHRISTMAS, cutoff_us=17 * HOUR_US) for n in (0, 1, 2)]
    assert [date_text(calendar.value_date(utc(trade[4:]))) for calendar in calendars] == expected


OFFSETS = """
    trade, UTC           | offset | value date T+1 | settles at, UTC
    Thu 2024-12-12 14:59 |     +9 | 2024-12-13     | 2024-12-13 00:00
    Thu 2024-12-12 15:00 |     +9 | 2024-12-16     | 2024-12-16 00:00
    Thu 2024-12-12 14:59 |      0 | 2024-12-13     | 2024-12-13 09:00
    Fri 2024-12-13 04:59 |     -5 | 2024-12-13     | 2024-12-13 14:00
    Fri 2024-12-13 05:00 |     -5 | 2024-12-16     | 2024-12-16 14:00
    Sun 2024-12-15 23:00 |     +9 | 2024-12-17     | 2024-12-17 00:00
"""


@pytest.mark.parametrize("row", rows(OFFSETS), ids=lambda row: f"{row[0]} at {row[1]}")
def test_days_begin_and_settlement_happens_in_the_local_time_of_the_venue(row: list[str]) -> None:
    trade, offset, value_date, settles_at = row
    calendar = SettlementCalendar(1, settle_at_us=9 * HOUR_US, offset_us=int(offset) * HOUR_US)
    assert date_text(calendar.value_date(utc(trade[4:]))) == value_date
    assert calendar.settles_at(utc(trade[4:])) == utc(settles_at)


NEW_YORK = tuple(
    (utc(text), offset * HOUR_US)
    for text, offset in (("2026-03-08 07:00", -4), ("2026-11-01 06:00", -5), ("2027-03-14 07:00", -4))
)

SUMMER_TIME = """
    trade, UTC           | value date T+1 | settles at, UTC  | what happens
    Fri 2026-03-06 21:59 | 2026-03-09     | 2026-03-09 13:30 | before the cut-off in winter, settled in summer
    Fri 2026-03-06 22:00 | 2026-03-10     | 2026-03-10 13:30 | at the cut-off in winter
    Mon 2026-03-09 20:59 | 2026-03-10     | 2026-03-10 13:30 | before the cut-off in summer
    Mon 2026-03-09 21:00 | 2026-03-11     | 2026-03-11 13:30 | at the cut-off in summer
    Fri 2026-10-30 20:59 | 2026-11-02     | 2026-11-02 14:30 | before the cut-off in summer, settled in winter
    Mon 2026-11-02 21:59 | 2026-11-03     | 2026-11-03 14:30 | before the cut-off in winter again
    Mon 2026-11-02 22:00 | 2026-11-04     | 2026-11-04 14:30 | at the cut-off in winter again
    Fri 2027-03-12 22:00 | 2027-03-16     | 2027-03-16 13:30 | the next year
    Mon 2031-01-06 20:59 | 2031-01-07     | 2031-01-07 13:30 | after the last change that is known
"""


@pytest.mark.parametrize("row", rows(SUMMER_TIME), ids=lambda row: f"{row[0]}: {row[3]}")
def test_the_cutoff_and_the_settlement_are_in_the_local_time_of_their_days(row: list[str]) -> None:
    trade, value_date, settles_at, _ = row
    calendar = SettlementCalendar(1, (5, 6), (), 19 * HOUR_US // 2, -5 * HOUR_US, 17 * HOUR_US, NEW_YORK)
    assert date_text(calendar.value_date(utc(trade[4:]))) == value_date
    assert calendar.settles_at(utc(trade[4:])) == utc(settles_at)


def test_a_settlement_time_that_the_change_skips_is_the_moment_of_the_change() -> None:
    calendar = SettlementCalendar(1, (), (), 5 * HOUR_US // 2, -5 * HOUR_US, transitions=NEW_YORK)
    assert calendar.settles_at(utc("2026-03-06 12:00")) == utc("2026-03-07 07:30")
    assert calendar.settles_at(utc("2026-03-07 12:00")) == utc("2026-03-08 07:00")
    assert calendar.settles_at(utc("2026-03-08 12:00")) == utc("2026-03-09 06:30")


CUTOFF_TWICE = """
    trade, UTC           | local | value date T+0
    Sun 2026-11-01 05:29 | 01:29 | 2026-11-01
    Sun 2026-11-01 05:30 | 01:30 | 2026-11-02
    Sun 2026-11-01 06:15 | 01:15 | 2026-11-02
    Sun 2026-11-01 06:30 | 01:30 | 2026-11-02
    Mon 2026-11-02 06:29 | 01:29 | 2026-11-02
    Mon 2026-11-02 06:30 | 01:30 | 2026-11-03
"""


@pytest.mark.parametrize("row", rows(CUTOFF_TWICE), ids=lambda row: row[0])
def test_a_cutoff_that_comes_twice_counts_when_it_comes_first(row: list[str]) -> None:
    """Else a trade would settle a day before another that was made earlier."""
    trade, _, value_date = row
    calendar = SettlementCalendar(0, (), (), 0, -5 * HOUR_US, 3 * HOUR_US // 2, NEW_YORK)
    assert date_text(calendar.value_date(utc(trade[4:]))) == value_date


def test_without_a_cutoff_the_day_is_the_venues_until_its_last_microsecond() -> None:
    calendar = SettlementCalendar(0)
    midnight = utc("2024-12-13 00:00")
    assert calendar.value_date(midnight - 1) == midnight // DAY_US - 1
    assert calendar.value_date(midnight) == midnight // DAY_US


def test_a_trade_of_t0_after_the_settlement_time_settles_at_once() -> None:
    calendar = SettlementCalendar(0, settle_at_us=9 * HOUR_US)
    assert calendar.settles_at(utc("2024-12-12 08:00")) == utc("2024-12-12 09:00")
    assert calendar.settles_at(utc("2024-12-12 15:00")) == utc("2024-12-12 15:00")


def test_a_weekend_is_what_the_venue_says() -> None:
    friday_and_saturday = SettlementCalendar(1, weekend=(4, 5))
    assert date_text(friday_and_saturday.value_date(utc("2024-12-12 10:00"))) == "2024-12-15"
    every_day = SettlementCalendar(1, weekend=())
    assert date_text(every_day.value_date(utc("2024-12-13 10:00"))) == "2024-12-14"


REFUSED: list[tuple[str, Callable[[], object]]] = [
    ("leaves no business day", lambda: SettlementCalendar(1, weekend=(0, 1, 2, 3, 4, 5, 6))),
    ("a weekday is", lambda: SettlementCalendar(1, weekend=(7,))),
    ("0 to 366 business days", lambda: SettlementCalendar(-1)),
    ("0 to 366 business days", lambda: SettlementCalendar(367)),
    ("the time of settlement", lambda: SettlementCalendar(1, settle_at_us=DAY_US)),
    ("the cut-off", lambda: SettlementCalendar(1, cutoff_us=DAY_US + 1)),
    ("the offset", lambda: SettlementCalendar(1, offset_us=DAY_US)),
    ("the offset", lambda: SettlementCalendar(1, transitions=[(1, -DAY_US)])),
    ("in the order of their times", lambda: SettlementCalendar(1, transitions=[(1, 0), (1, HOUR_US)])),
    ("a delay", lambda: FixedDelay(-1)),
]


@pytest.mark.parametrize(("words", "build"), REFUSED)
def test_numbers_that_make_no_calendar_are_refused(words: str, build: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=words):
        build()


def test_a_fixed_delay_has_the_face_of_a_calendar() -> None:
    seconds: Settlement = FixedDelay(3_000_000)
    trade = utc("2024-12-13 23:59") + 58_000_000
    assert seconds.settles_at(trade) == trade + 3_000_000
    assert date_text(seconds.value_date(trade)) == "2024-12-14"


@given(
    st.integers(0, 5),
    st.sets(st.integers(0, 6), max_size=6),
    st.frozensets(st.integers(0, 40), max_size=20),
    st.integers(0, 20 * DAY_US),
)
def test_a_value_date_has_n_business_days_before_it(
    n: int, weekend: set[int], holidays: frozenset[int], time_us: int
) -> None:
    calendar = SettlementCalendar(n, tuple(weekend), holidays)
    value_date = calendar.value_date(time_us)
    open_days = [
        day
        for day in range(time_us // DAY_US, value_date + 1)
        if date.fromordinal(719_163 + day).weekday() not in weekend and day not in holidays
    ]
    assert len(open_days) == n + 1
    assert open_days[-1] == value_date


def test_day_numbers_are_those_of_datetime_for_every_day_of_four_centuries() -> None:
    first, last = date(1799, 12, 31), date(2200, 1, 1)
    day = first
    while day <= last:
        number = day.toordinal() - 719_163
        assert day_number(day.year, day.month, day.day) == number
        assert date_text(number) == day.isoformat()
        day += timedelta(days=1)


@given(st.dates())
def test_day_numbers_are_those_of_datetime(day: date) -> None:
    number = day.toordinal() - date(1970, 1, 1).toordinal()
    assert day_number(day.year, day.month, day.day) == number
    assert date_text(number) == day.isoformat()


@pytest.mark.parametrize(
    ("year", "month", "day"),
    [(2023, 2, 29), (1900, 2, 29), (2024, 2, 30), (2024, 4, 31), (2024, 13, 1), (2024, 0, 1), (2024, 1, 0),
     (2024, 1, 32), (0, 1, 1), (10_000, 1, 1)],
)  # fmt: skip
def test_a_date_that_does_not_exist_has_no_number(year: int, month: int, day: int) -> None:
    with pytest.raises(ValueError, match="there is no date"):
        day_number(year, month, day)
