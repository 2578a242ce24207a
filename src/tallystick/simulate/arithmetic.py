"""The auditor's own arithmetic, in fractions and dates: slow, plain, and without a line of the venue's."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from math import ceil, floor
from typing import Final

from tallystick.simulate.terms import Terms

DAY_US: Final = 24 * 3600 * 1_000_000

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def value(quantity: int, price: int, unit_scale: int, price_scale: int, currency_scale: int) -> Fraction:
    """What a quantity is worth, exactly, in the currency's smallest unit."""
    return Fraction(quantity * price * int(10**currency_scale), int(10 ** (unit_scale + price_scale)))


def nearest(amount: Fraction) -> int:
    """To the nearest whole number, a tie to the even one."""
    below = floor(amount)
    rest = amount - below
    if rest == Fraction(1, 2):
        return below + below % 2
    return below if rest < Fraction(1, 2) else below + 1


def fees(notional: int, fee_bps: int) -> int:
    """The fees on this much, rounded up."""
    return ceil(Fraction(notional * fee_bps, 10_000))


def tradeable(cash: int, fee_bps: int) -> int:
    """What is left of ``cash`` when it pays for its own fees."""
    return cash - ceil(cash * Fraction(fee_bps, 10_000) / (1 + Fraction(fee_bps, 10_000)))


def settlement(terms: Terms, made_us: int) -> tuple[int, int]:
    """When a trade made then settles (microseconds), and its value date (days since 1970)."""
    if terms.calendar is None:
        due = made_us + terms.delay_us
        return due, (_EPOCH + due * _MICROSECOND).toordinal() - _EPOCH.toordinal()
    calendar = terms.calendar
    local = _EPOCH + (made_us + calendar.offset_us) * _MICROSECOND
    day = local.date()
    if local - datetime(day.year, day.month, day.day, tzinfo=UTC) >= calendar.cutoff_us * _MICROSECOND:
        day += timedelta(days=1)
    day = _business_day(terms, day)
    for _ in range(calendar.days):
        day = _business_day(terms, day + timedelta(days=1))
    at = (
        datetime(day.year, day.month, day.day, tzinfo=UTC) + (calendar.settle_at_us - calendar.offset_us) * _MICROSECOND
    )
    return max(made_us, (at - _EPOCH) // _MICROSECOND), day.toordinal() - _EPOCH.toordinal()


def _business_day(terms: Terms, day: date) -> date:
    assert terms.calendar is not None
    closed = {_EPOCH.date() + timedelta(days=number) for number in terms.calendar.holidays}
    while day.weekday() in terms.calendar.weekend or day in closed:
        day += timedelta(days=1)
    return day


def wait(first_us: int, failures: int) -> int:
    """How long it is until what has failed once more, after so many failures, is tried again: twice as long each time,
    but no longer than after ten."""
    for _ in range(min(failures, 10)):
        first_us += first_us
    return first_us
