"""When a trade settles: settlement dates as data, and the days they are counted in.

A day is a number: days since 1970-01-01 in the proleptic Gregorian calendar. A weekday is 0 … 6, Monday first.
"""

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Iterable
from typing import Final

DAY_US: Final = 86_400_000_000
SETTLEMENT_DAYS_MAX: Final = 366

_WEEKDAY_OF_DAY_ZERO: Final = 3  # 1970-01-01 was a Thursday
_DAYS_IN_400_YEARS: Final = 146_097
_DAYS_FROM_0000_03_01_TO_1970_01_01: Final = 719_468


class Settlement(ABC):
    """The face of every rule: times are microseconds since the epoch, UTC; value dates are day numbers."""

    @abstractmethod
    def value_date(self, time_us: int) -> int:
        """The day on which a trade of this time settles."""

    @abstractmethod
    def settles_at(self, time_us: int) -> int:
        """The time at which it settles; never before the trade."""


class SettlementCalendar(Settlement):
    """T+n business days.

    ``days`` is n; ``weekend`` names weekdays; ``holidays`` are day numbers. ``settle_at_us`` and ``cutoff_us`` are
    times of the venue's local day: a trade at or after the cut-off belongs to the next business day.

    Local time is ``offset_us`` ahead of UTC; where it changes, ``transitions`` are its changes in their order, each the
    UTC time and the offset from then on, and ``offset_us`` is the one before them. A local time that a change skips
    is the moment of the change, and of one that comes twice the first counts; so a later trade never settles earlier.

    Raises ValueError for numbers out of range, and for a weekend of seven days, which leaves no business day.
    """

    def __init__(
        self,
        days: int,
        weekend: tuple[int, ...] = (5, 6),
        holidays: Iterable[int] = (),
        settle_at_us: int = 0,
        offset_us: int = 0,
        cutoff_us: int = DAY_US,
        transitions: Iterable[tuple[int, int]] = (),
    ) -> None:
        if not 0 <= days <= SETTLEMENT_DAYS_MAX:
            raise ValueError(f"settlement takes 0 to {SETTLEMENT_DAYS_MAX} business days, not {days}")
        for weekday in weekend:
            if not 0 <= weekday <= 6:
                raise ValueError(f"a weekday is 0 (Monday) to 6 (Sunday), not {weekday}")
        if len(set(weekend)) == 7:
            raise ValueError("a weekend of seven days leaves no business day")
        if not 0 <= settle_at_us < DAY_US:
            raise ValueError(f"the time of settlement is within a day of {DAY_US} microseconds, not {settle_at_us}")
        if not 0 <= cutoff_us <= DAY_US:
            raise ValueError(f"the cut-off is within a day of {DAY_US} microseconds, not {cutoff_us}")
        changes = tuple(transitions)
        times = [time_us for time_us, _ in changes]
        if times != sorted(set(times)):
            raise ValueError("the changes of the offset from UTC are in the order of their times")
        for offset in (offset_us, *[each for _, each in changes]):
            if not -DAY_US < offset < DAY_US:
                raise ValueError(f"the offset from UTC is less than a day of {DAY_US} microseconds, not {offset}")
        self._days = days
        self._weekend = weekend
        self._holidays: frozenset[int] = frozenset(holidays)
        self._settle_at_us = settle_at_us
        self._cutoff_us = cutoff_us
        self._change_times: tuple[int, ...] = tuple(times)
        self._offsets: tuple[int, ...] = (offset_us, *[offset for _, offset in changes])

    def value_date(self, time_us: int) -> int:
        """The local day on which a trade of this time settles."""
        day = (time_us + self._offsets[bisect_right(self._change_times, time_us)]) // DAY_US
        if time_us >= self._utc(day * DAY_US + self._cutoff_us):
            day += 1
        day = self._business_day_from(day)
        for _ in range(self._days):
            day = self._business_day_from(day + 1)
        return day

    def settles_at(self, time_us: int) -> int:
        """The settlement time of the value date, UTC; the trade's own time where that has passed (T+0)."""
        return max(time_us, self._utc(self.value_date(time_us) * DAY_US + self._settle_at_us))

    def _utc(self, local_us: int) -> int:
        """The first moment at which local time has come to ``local_us``."""
        # An offset is less than a day, so no moment before this one shows local_us.
        at = bisect_right(self._change_times, local_us - DAY_US)
        while at < len(self._change_times) and local_us - self._offsets[at] >= self._change_times[at]:
            at += 1
        utc_us = local_us - self._offsets[at]
        return utc_us if at == 0 else max(utc_us, self._change_times[at - 1])

    def _business_day_from(self, day: int) -> int:
        # It ends: the holidays are finite and the weekend leaves a weekday.
        while (day + _WEEKDAY_OF_DAY_ZERO) % 7 in self._weekend or day in self._holidays:
            day += 1
        return day


class FixedDelay(Settlement):
    """Settlement so many microseconds after the trade, on any day: the sandbox's "seconds"."""

    def __init__(self, delay_us: int) -> None:
        if delay_us < 0:
            raise ValueError(f"a delay is 0 or more microseconds, not {delay_us}")
        self._delay_us = delay_us

    def value_date(self, time_us: int) -> int:
        """The UTC day of the settlement."""
        return (time_us + self._delay_us) // DAY_US

    def settles_at(self, time_us: int) -> int:
        """The time of the settlement, UTC."""
        return time_us + self._delay_us


def day_number(year: int, month: int, day: int) -> int:
    """The number of a date in the years 1 … 9999; raises ValueError where there is no such date."""
    if 1 <= year <= 9999 and 1 <= month <= 12 and 1 <= day <= 31:
        number = _day_number(year, month, day)
        if _civil(number) == (year, month, day):
            return number
    raise ValueError(f"there is no date {year}-{month}-{day}")


def date_text(day: int) -> str:
    """The date of a day number as "YYYY-MM-DD"."""
    year, month, day_of_month = _civil(day)
    return f"{year:04d}-{month:02d}-{day_of_month:02d}"


# Years are counted from March, so that the leap day is the last of its year; then the months before any month are
# (153 * month + 2) // 5 days long.


def _day_number(year: int, month: int, day: int) -> int:
    march_year = year - 1 if month <= 2 else year
    march_month = (month + 9) % 12
    leap_days = march_year // 4 - march_year // 100 + march_year // 400
    day_of_year = (153 * march_month + 2) // 5 + day - 1
    return march_year * 365 + leap_days + day_of_year - _DAYS_FROM_0000_03_01_TO_1970_01_01


def _civil(day: int) -> tuple[int, int, int]:
    since_0000 = day + _DAYS_FROM_0000_03_01_TO_1970_01_01
    cycle = since_0000 // _DAYS_IN_400_YEARS
    day_of_cycle = since_0000 % _DAYS_IN_400_YEARS
    # Take out the leap days that have passed (every 4 years, not every 100, every 400): what is left has years of 365.
    year_of_cycle = (day_of_cycle - day_of_cycle // 1460 + day_of_cycle // 36_524 - day_of_cycle // 146_096) // 365
    day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle // 4 - year_of_cycle // 100)
    march_month = (5 * day_of_year + 2) // 153
    day_of_month = day_of_year - (153 * march_month + 2) // 5 + 1
    month = march_month + 3 if march_month < 10 else march_month - 9
    year = cycle * 400 + year_of_cycle + (1 if month <= 2 else 0)
    return year, month, day_of_month
