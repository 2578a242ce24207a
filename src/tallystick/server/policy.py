"""The rules of a Sophic venue as its configuration asks for them; a time zone's changes as data for the calendar."""

import time
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from tallystick.core.amounts import parse
from tallystick.dialects.sophic.policy import REVIEW_SCALE, Policy
from tallystick.server import config
from tallystick.venue.calendar import FixedDelay, SettlementCalendar, day_number
from tallystick.venue.calendar import Settlement as SettlementRule

CASH_SCALE: Final = 2
SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US
YEARS_BEFORE: Final = 2
YEARS_AFTER: Final = 40
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = timedelta(days=1)


def policy_of(sophic: config.Sophic) -> Policy:
    """The venue's numbers, of a section that config_rules has judged."""
    return Policy(
        settlement_of(sophic.settlement),
        fee_bps=sophic.fee_bps,
        submit_after_us=_microseconds(sophic.submit_seconds),
        execute_after_us=_microseconds(sophic.execute_seconds),
        trade_interval_us=_microseconds(sophic.trade_interval_seconds),
        trade_cash_max=_amount(sophic.trade_cash_max, CASH_SCALE),
        price_stale_us=_microseconds(sophic.price_stale_seconds),
        review_over=_amount(sophic.review_over, REVIEW_SCALE),
        prerequisite_us=_microseconds(sophic.prerequisite_timeout_seconds),
        retry_us=_microseconds(sophic.retry_seconds),
        settlement_retry_us=_microseconds(sophic.settlement_retry_seconds),
    )


def settlement_of(settlement: config.Settlement) -> SettlementRule:
    if settlement.delay_seconds is not None:
        return FixedDelay(_microseconds(settlement.delay_seconds))
    offset_us, changes = zone_changes(ZoneInfo(settlement.time_zone), time.gmtime().tm_year)
    return SettlementCalendar(
        settlement.days,
        weekend=tuple(WEEKDAYS.index(day) for day in settlement.weekend),
        holidays=[day_number(each.year, each.month, each.day) for each in settlement.holidays],
        settle_at_us=_time_of_day(settlement.settle_at),
        offset_us=offset_us,
        cutoff_us=_time_of_day(settlement.cut_off),
        transitions=changes,
    )


def zone_changes(zone: ZoneInfo, year: int) -> tuple[int, tuple[tuple[int, int], ...]]:
    """The zone's offset from UTC two years before ``year``, and its changes until forty after it.

    Each is the UTC time of the change and the offset from then on, in microseconds. Changes that cancel out within a
    day are not seen; no zone has them.
    """
    time_at = datetime(year - YEARS_BEFORE, 1, 1, tzinfo=UTC)
    end = datetime(year + YEARS_AFTER + 1, 1, 1, tzinfo=UTC)
    first = offset = _offset(zone, time_at)
    changes: list[tuple[int, int]] = []
    while time_at < end:
        after = _offset(zone, time_at + _DAY)
        if after != offset:
            changes.append((_change_within_day(zone, time_at), after))
            offset = after
        time_at += _DAY
    return first, tuple(changes)


def _change_within_day(zone: ZoneInfo, begin: datetime) -> int:
    """The microsecond within the day after ``begin`` from which its end's offset holds; zones change at seconds."""
    before, after = 0, 86_400
    offset = _offset(zone, begin)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(zone, begin + timedelta(seconds=middle)) == offset:
            before = middle
        else:
            after = middle
    return (begin + timedelta(seconds=after) - _EPOCH) // timedelta(microseconds=1)


def _offset(zone: ZoneInfo, time_at: datetime) -> int:
    offset = time_at.astimezone(zone).utcoffset()
    assert offset is not None
    return offset // timedelta(microseconds=1)


def _microseconds(seconds: float) -> int:
    return round(seconds * SECOND_US)


def _amount(text: str, scale: int) -> int:
    """0, which is none, for ""."""
    return parse(text, scale) if text else 0


def _time_of_day(text: str) -> int:
    hours, minutes = text.split(":")
    return (int(hours) * 60 + int(minutes)) * MINUTE_US
