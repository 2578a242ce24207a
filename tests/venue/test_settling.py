"""Settlement: on business days and their cut-off, by hand, late, and failing; cash and units after each step."""

import pytest

from tallystick.dialects.sophic.policy import Policy
from tallystick.facts.commands import SettleTrade
from tallystick.venue.calendar import FixedDelay, SettlementCalendar, day_number
from tests.stage import SECOND, Stage
from tests.venue.play import play, scenarios, value_dates

HOUR = 3600 * SECOND
POLICY = Policy(FixedDelay(5 * SECOND), fee_bps=100, settlement_retry_us=10 * SECOND)
BUSINESS_DAYS = SettlementCalendar(
    2, holidays=[day_number(2026, 4, 6)], settle_at_us=16 * HOUR, cutoff_us=15 * HOUR, offset_us=2 * HOUR
)
CALENDAR_POLICY = Policy(BUSINESS_DAYS, fee_bps=100, trade_interval_us=2 * HOUR, trade_cash_max=30_000)

AFTER_FIVE_SECONDS = """
a settlement that fails twice and then succeeds
  quote 30.00            | -       | 1000 0 0 0   | 10 0 0 0    | -
  buy 90.00              | FILLED  | 1000 0 -90 0 | 10 2.97 0 0 | placed 1, 1 opened, 1 trade 2.97 at 30,
                         |         |              |             | 1 filled exact
  unsettle 1 no_delivery | FILLED  | ..           | ..          | trade 1 unsettled no_delivery, again in 10
  wait 9.9               | FILLED  | ..           | ..          | -
  unsettle 1             | FILLED  | ..           | ..          | trade 1 unsettled settlement_failed, again in 20
  wait 19.9              | FILLED  | ..           | ..          | -
  wait 0.1               | SETTLED | 910 0 0 0    | 12.97 0 0 0 | trade 1 settled, 1 settled
  unsettle 1             | SETTLED | ..           | ..          | ! trade_not_executed
  settle 1               | SETTLED | ..           | ..          | ! trade_not_executed

settled early, by hand
  quote 30.00 | -              | 1000 0 0 0      | 10 0 0 0  | -
  sell 1.00   | FILLED         | 1000 29.7 0 0   | 10 0 -1 0 | placed 1, 1 opened, 1 trade 1 at 30, 1 filled exact
  sell 2.00   | FILLED*2       | 1000 89.1 0 0   | 10 0 -3 0 | placed 2, 2 opened, 2 trade 2 at 30, 2 filled exact
  settle 2    | FILLED SETTLED | 1059.4 29.7 0 0 | 8 0 -1 0  | trade 2 settled, 2 settled
  wait 5      | SETTLED*2      | 1089.1 0 0 0    | 7 0 0 0   | trade 1 settled, 1 settled
  settle 3    | SETTLED*2      | ..              | ..        | ! unknown_trade

a failed settlement is settled by hand before it is tried again
  quote 30.00            | -       | 1000 0 0 0    | 10 0 0 0  | -
  sell 1.00              | FILLED  | 1000 29.7 0 0 | 10 0 -1 0 | placed 1, 1 opened, 1 trade 1 at 30, 1 filled exact
  unsettle 1 no_delivery | FILLED  | ..            | ..        | trade 1 unsettled no_delivery, again in 10
  settle 1               | SETTLED | 1029.7 0 0 0  | 9 0 0 0   | trade 1 settled, 1 settled
  wait 60                | SETTLED | ..            | ..        | -

bought units are sold only when they have settled, also late
  quote 30.00            | -              | 1000 0 0 0     | 10 0 0 0         | -
  buy 90.00              | FILLED         | 1000 0 -90 0   | 10 2.97 0 0      | placed 1, 1 opened, 1 trade 2.97 at 30,
                         |                |                |                  | 1 filled exact
  sell 10.01             | FILLED         | ..             | ..               | ! insufficient_units
  unsettle 1 no_delivery | FILLED         | ..             | ..               | trade 1 unsettled no_delivery,
                         |                |                |                  | again in 10
  wait 9.9               | FILLED         | ..             | ..               | -
  sell 10.01             | FILLED         | ..             | ..               | ! insufficient_units
  wait 0.1               | SETTLED        | 910 0 0 0      | 12.97 0 0 0      | trade 1 settled, 1 settled
  sell 10.01             | SETTLED FILLED | 910 297.29 0 0 | 12.97 0 -10.01 0 | placed 2, 2 opened, 2 trade 10.01 at 30,
                         |                |                |                  | 2 filled exact

a suspended account's trades settle all the same
  quote 30.00       | -       | 1000 0 0 0    | 10 0 0 0  | -
  sell 1.00         | FILLED  | 1000 29.7 0 0 | 10 0 -1 0 | placed 1, 1 opened, 1 trade 1 at 30, 1 filled exact
  account suspended | FILLED  | ..            | ..        | account suspended, cancel account, cancel finished
  wait 5            | SETTLED | 1029.7 0 0 0  | 9 0 0 0   | trade 1 settled, 1 settled
"""

# Two business days; the cut-off is at 15:00 local time, which is 13:00 UTC, and settlement at 14:00 UTC. Monday the 6th
# is a holiday.
ON_BUSINESS_DAYS = """
a trade before the cut-off, one after it, over a holiday and a weekend; each settles on a day of its own
  until 2026-04-01 11:00 | -       | 1000 0 0 0       | 10 0 0 0    | -
  quote 30.00            | -       | ..               | ..          | -
  buy 900.00             | OPEN    | 1000 0 -303 597  | 10 10 0 0   | placed 1, 1 opened, 1 trade 10 at 30
  until 2026-04-01 13:00 | OPEN    | 1000 0 -606 294  | 10 20 0 0   | 1 trade 10 at 30
  until 2026-04-01 15:00 | FILLED  | 1000 0 -899.91 0 | 10 29.7 0 0 | 1 trade 9.7 at 30, 1 filled below_increment
  until 2026-04-03 13:59 | FILLED  | ..               | ..          | -
  until 2026-04-03 14:00 | FILLED  | 697 0 -596.91 0  | 20 19.7 0 0 | trade 1 settled
  until 2026-04-07 13:59 | FILLED  | ..               | ..          | -
  until 2026-04-07 14:00 | SETTLED | 100.09 0 0 0     | 39.7 0 0 0  | trade 2 settled, trade 3 settled, 1 settled

on a Friday after the cut-off: Monday is a holiday, so Tuesday is its day, and Thursday two business days later
  until 2026-04-03 13:00 | -       | 1000 0 0 0    | 10 0 0 0  | -
  quote 30.00            | -       | ..            | ..        | -
  sell 1.00              | FILLED  | 1000 29.7 0 0 | 10 0 -1 0 | placed 1, 1 opened, 1 trade 1 at 30, 1 filled exact
  until 2026-04-09 13:59 | FILLED  | ..            | ..        | -
  until 2026-04-09 14:00 | SETTLED | 1029.7 0 0 0  | 9 0 0 0   | trade 1 settled, 1 settled

on a Saturday
  until 2026-04-11 08:00 | -       | 1000 0 0 0    | 10 0 0 0  | -
  quote 30.00            | -       | ..            | ..        | -
  sell 1.00              | FILLED  | 1000 29.7 0 0 | 10 0 -1 0 | placed 1, 1 opened, 1 trade 1 at 30, 1 filled exact
  until 2026-04-15 13:59 | FILLED  | ..            | ..        | -
  until 2026-04-15 14:00 | SETTLED | 1029.7 0 0 0  | 9 0 0 0   | trade 1 settled, 1 settled

a moment before the cut-off
  until 2026-04-13 12:59 | -       | 1000 0 0 0    | 10 0 0 0  | -
  quote 30.00            | -       | ..            | ..        | -
  sell 1.00              | FILLED  | 1000 29.7 0 0 | 10 0 -1 0 | placed 1, 1 opened, 1 trade 1 at 30, 1 filled exact
  until 2026-04-15 13:59 | FILLED  | ..            | ..        | -
  until 2026-04-15 14:00 | SETTLED | 1029.7 0 0 0  | 9 0 0 0   | trade 1 settled, 1 settled
"""


@pytest.mark.parametrize("rows", scenarios(AFTER_FIVE_SECONDS))
def test_a_trade_settles(rows):
    play(Stage(POLICY), rows)


@pytest.mark.parametrize("rows", scenarios(ON_BUSINESS_DAYS))
def test_a_trade_settles_on_its_business_day(rows):
    play(Stage(CALENDAR_POLICY), rows)


def test_each_trade_records_its_own_value_date_and_a_failure_does_not_change_it():
    stage = Stage(CALENDAR_POLICY)
    stage.now = day_number(2026, 4, 1) * 24 * HOUR + 11 * HOUR
    stage.quote("30.00")
    stage.buy("900.00")
    stage.wait(4 * 3600)
    assert value_dates(stage) == ["2026-04-03", "2026-04-07", "2026-04-07"]
    stage.do(SettleTrade(1, failed=True))
    stage.wait(4 * 24 * 3600)
    assert value_dates(stage) == ["2026-04-03", "2026-04-07", "2026-04-07"]


def test_a_settlement_that_fails_early_is_not_tried_before_its_day():
    stage = Stage(Policy(FixedDelay(3600 * SECOND), settlement_retry_us=SECOND))
    stage.quote("30.00")
    stage.buy("10.00")
    stage.do(SettleTrade(1, failed=True))
    stage.wait(3590)
    assert not stage.readers.orders[1].is_settled()
    stage.wait(20)
    assert stage.readers.orders[1].is_settled()


def test_settlements_fail_for_as_long_as_it_takes_and_the_retry_is_in_the_state_until_it_succeeds():
    stage = Stage(POLICY)
    stage.quote("30.00")
    stage.sell("1.00")
    for attempts in (1, 2, 3):
        stage.do(SettleTrade(1, failed=True, reason="no_delivery"))
        retry = stage.readers.trade_retries[1]
        assert (retry.attempts, retry.reason) == (attempts, "no_delivery")
    stage.wait(40)
    assert (stage.readers.trade_retries, stage.readers.orders[1].is_settled()) == ({}, True)


def test_a_clock_that_jumps_far_ahead_settles_everything_once():
    stage = Stage(CALENDAR_POLICY)
    stage.quote("30.00")
    stage.buy("900.00")
    stage.now += 400 * 24 * HOUR
    stage.wake()
    stage.wait(400 * 24 * 3600)
    assert stage.readers.orders[1].is_settled()
    assert stage.units() == "39.700 0.000 0.000 0.000"
