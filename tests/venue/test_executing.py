"""Executing: failures that pass and that do not, parts, and what ends an order before its first trade and after it.

One trade moves at most 300.00, a second after the one before; a failure is tried again after two seconds.
"""

import pytest

from tallystick.dialects.sophic.policy import Policy
from tallystick.facts.codes import NOT_TRADING, SUSPENDED
from tallystick.facts.commands import ChangeAccount, ChangeMarket, ClearPrerequisite, ExecutePart, FailExecution
from tallystick.venue.calendar import FixedDelay
from tests.stage import ACME, ALICE, SECOND, Stage
from tests.venue.play import play, scenarios

POLICY = Policy(
    FixedDelay(100 * SECOND),
    fee_bps=100,
    submit_after_us=SECOND,
    execute_after_us=SECOND,
    trade_interval_us=SECOND,
    trade_cash_max=30_000,
    retry_us=2 * SECOND,
)

SCENARIOS = """
an execution that fails for a while is tried again, each time after twice as long
  quote 30.00     | -      | 1000 0 0 0   | 10 0 0 0    | -
  buy 90.00       | PLACED | 1000 0 0 90  | ..          | placed 1
  fail 1          | PLACED | ..           | ..          | ! order_not_executing
  wait 1          | OPEN   | ..           | ..          | 1 opened
  fail 1 no_route | OPEN   | ..           | ..          | 1 failed no_route, again in 2
  wait 1.9        | OPEN   | ..           | ..          | -
  fail 1 no_route | OPEN   | ..           | ..          | 1 failed no_route, again in 4
  wait 3.9        | OPEN   | ..           | ..          | -
  fail 1          | OPEN   | ..           | ..          | 1 failed execution_failed, again in 8
  wait 7.9        | OPEN   | ..           | ..          | -
  wait 0.1        | FILLED | 1000 0 -90 0 | 10 2.97 0 0 | 1 trade 2.97 at 30, 1 filled exact

it fails between two trades, and goes on
  quote 30.00     | -      | 1000 0 0 0       | 10 0 0 0    | -
  buy 900.00      | PLACED | 1000 0 0 900     | ..          | placed 1
  wait 2          | OPEN   | 1000 0 -303 597  | 10 10 0 0   | 1 opened, 1 trade 10 at 30
  fail 1 no_route | OPEN   | ..               | ..          | 1 failed no_route, again in 2
  wait 1.9        | OPEN   | ..               | ..          | -
  wait 0.1        | OPEN   | 1000 0 -606 294  | 10 20 0 0   | 1 trade 10 at 30
  wait 1          | FILLED | 1000 0 -899.91 0 | 10 29.7 0 0 | 1 trade 9.7 at 30, 1 filled below_increment

it fails for good before it has traded
  quote 30.00               | -         | 1000 0 0 0 | 10 0 0 0 | -
  sell 1.00                 | PLACED    | ..         | 10 0 0 1 | placed 1
  wait 1                    | OPEN      | ..         | ..       | 1 opened
  refuse 1 no_such_security | CANCELLED | ..         | 10 0 0 0 | 1 cancelled no_such_security

it fails for good after it has traded
  quote 30.00               | -       | 1000 0 0 0      | 10 0 0 0  | -
  buy 900.00                | PLACED  | 1000 0 0 900    | ..        | placed 1
  wait 2                    | OPEN    | 1000 0 -303 597 | 10 10 0 0 | 1 opened, 1 trade 10 at 30
  refuse 1 no_such_security | FILLED  | 1000 0 -303 0   | ..        | 1 filled closed_short no_such_security
  wait 100                  | SETTLED | 697 0 0 0       | 20 0 0 0  | trade 1 settled, 1 settled

it fails, and the price has gone too: it goes on when both are over
  quote 30.00 | -      | 1000 0 0 0   | 10 0 0 0    | -
  buy 90.00   | PLACED | 1000 0 0 90  | ..          | placed 1
  wait 1      | OPEN   | ..           | ..          | 1 opened
  fail 1      | OPEN   | ..           | ..          | 1 failed execution_failed, again in 2
  quote 0     | OPEN   | ..           | ..          | -
  wait 10     | OPEN   | ..           | ..          | -
  quote 30.00 | FILLED | 1000 0 -90 0 | 10 2.97 0 0 | 1 trade 2.97 at 30, 1 filled exact

a part by hand, of what there is, at a price of its own or the market's
  part 1 1.00        | -      | 1000 0 0 0          | 10 0 0 0    | ! unknown_order
  quote 30.00        | -      | ..                  | ..          | -
  buy 90.00          | PLACED | 1000 0 0 90         | ..          | placed 1
  part 1 1.00        | PLACED | ..                  | ..          | ! order_not_executing
  wait 1             | OPEN   | ..                  | ..          | 1 opened
  quote 0            | OPEN   | ..                  | ..          | -
  part 1 1.00        | OPEN   | ..                  | ..          | ! price_unknown
  part 1 0.005 30.00 | OPEN   | ..                  | ..          | ! invalid_amount
  part 1 2.98 30.00  | OPEN   | ..                  | ..          | ! invalid_amount
  part 1 0.01 0.01   | OPEN   | ..                  | ..          | ! invalid_amount
  part 1 1.00 29.00  | OPEN   | 1000 0 -29.29 60.71 | 10 1 0 0    | 1 trade 1 at 29
  part 1 0 31.00     | FILLED | 1000 0 -89.72 0     | 10 2.93 0 0 | 1 trade 1.93 at 31, 1 filled below_increment
  part 1 1.00        | FILLED | ..                  | ..          | ! order_not_executing

instrument halted between two trades: closed short with what was traded, the rest released
  quote 30.00        | -       | 1000 0 0 0      | 10 0 0 0  | -
  buy 900.00         | PLACED  | 1000 0 0 900    | ..        | placed 1
  wait 2             | OPEN    | 1000 0 -303 597 | 10 10 0 0 | 1 opened, 1 trade 10 at 30
  market not_trading | FILLED  | 1000 0 -303 0   | ..        | market not_trading, cancel market,
                     |         |                 |           | 1 filled closed_short market_not_trading,
                     |         |                 |           | cancel finished
  wait 100           | SETTLED | 697 0 0 0       | 20 0 0 0  | trade 1 settled, 1 settled

account suspended between two trades of a sell
  quote 100.00      | -       | 1000 0 0 0   | 10 0 0 0  | -
  sell 9.00         | PLACED  | ..           | 10 0 0 9  | placed 1
  wait 3            | OPEN    | 1000 594 0 0 | 10 0 -6 3 | 1 opened, 1 trade 3 at 100, 1 trade 3 at 100
  account suspended | FILLED  | ..           | 10 0 -6 0 | account suspended, cancel account,
                    |         |              |           | 1 filled closed_short account_suspended, cancel finished
  wait 100          | SETTLED | 1594 0 0 0   | 4 0 0 0   | trade 1 settled, trade 2 settled, 1 settled

halted: what is placed, pending and executing is cancelled, what has traded is closed short
  quote 100.00       | -                     | 1000 0 0 0     | 10 0 0 0    | -
  sell 9.00          | PLACED                | ..             | 10 0 0 9    | placed 1
  hold executing     | PLACED                | ..             | ..          | -
  buy 100.00         | PLACED*2              | 1000 0 0 100   | ..          | placed 2
  wait 2             | OPEN*2                | ..             | ..          | 1 opened, 2 opened
  part 1 3.00        | OPEN*2                | 1000 297 0 100 | 10 0 -3 6   | 1 trade 3 at 100
  flags reviewed     | OPEN*2                | ..             | ..          | account active
  buy 90.00          | OPEN*2 PLACED         | 1000 297 0 190 | ..          | placed 3
  wait 1             | OPEN*2 PENDING        | ..             | ..          | 3 waits for compliance
  sell 0.50          | OPEN*2 PENDING PLACED | ..             | 10 0 -3 6.5 | placed 4
  market not_trading | FILLED CANCELLED*3    | 1000 297 0 0   | 10 0 -3 0   | market not_trading, cancel market,
                     |                       |                |             | 1 filled closed_short market_not_trading,
                     |                       |                |             | 2 cancelled market_not_trading,
                     |                       |                |             | 3 cancelled market_not_trading,
                     |                       |                |             | 4 cancelled market_not_trading,
                     |                       |                |             | cancel finished
  release executing  | FILLED CANCELLED*3    | ..             | ..          | -
  wait 200           | SETTLED CANCELLED*3   | 1297 0 0 0     | 7 0 0 0     | trade 1 settled, 1 settled

closed short when all that it traded has settled: it is settled at once
  quote 30.00       | -       | 1000 0 0 0      | 10 0 0 0  | -
  buy 900.00        | PLACED  | 1000 0 0 900    | ..        | placed 1
  wait 2            | OPEN    | 1000 0 -303 597 | 10 10 0 0 | 1 opened, 1 trade 10 at 30
  fail 1 no_route   | OPEN    | ..              | ..        | 1 failed no_route, again in 2
  settle 1          | OPEN    | 697 0 0 597     | 20 0 0 0  | trade 1 settled
  refuse 1 no_route | SETTLED | 697 0 0 0       | ..        | 1 filled closed_short no_route, 1 settled

resumed: the next order goes its way
  quote 30.00        | -      | 1000 0 0 0    | 10 0 0 0  | -
  market not_trading | -      | ..            | ..        | market not_trading, cancel market, cancel finished
  sell 1.00          | -      | ..            | ..        | ! market_not_trading
  market not_trading | -      | ..            | ..        | -
  market buy_sell    | -      | ..            | ..        | market buy_sell
  sell 1.00          | PLACED | ..            | 10 0 0 1  | placed 1
  wait 2             | FILLED | 1000 29.7 0 0 | 10 0 -1 0 | 1 opened, 1 trade 1 at 30, 1 filled exact

cancelled from placed
  buy 90.00 | PLACED    | 1000 0 0 90 | 10 0 0 0 | placed 1
  cancel 1  | CANCELLED | 1000 0 0 0  | ..       | cancel orders, 1 cancelled asked

cancelled from pending
  buy 90.00 | PLACED    | 1000 0 0 90 | 10 0 0 0 | placed 1
  wait 1    | PENDING   | ..          | ..       | 1 waits for price_feed
  cancel 1  | CANCELLED | 1000 0 0 0  | ..       | cancel orders, 1 cancelled asked

cancelled from executing without a trade
  quote 30.00 | -         | 1000 0 0 0 | 10 0 0 0 | -
  sell 9.00   | PLACED    | ..         | 10 0 0 9 | placed 1
  wait 1      | OPEN      | ..         | ..       | 1 opened
  cancel 1    | CANCELLED | ..         | 10 0 0 0 | cancel orders, 1 cancelled asked

refused to be cancelled with a trade, and it goes on
  quote 30.00 | -       | 1000 0 0 0       | 10 0 0 0    | -
  buy 600.00  | PLACED  | 1000 0 0 600     | ..          | placed 1
  wait 2      | OPEN    | 1000 0 -303 297  | 10 10 0 0   | 1 opened, 1 trade 10 at 30
  cancel 1    | OPEN    | ..               | ..          | cancel orders, 1 kept order_has_trades
  wait 1      | FILLED  | 1000 0 -599.94 0 | 10 19.8 0 0 | 1 trade 9.8 at 30, 1 filled below_increment
  cancel 1    | FILLED  | ..               | ..          | cancel orders, 1 kept order_closed
  wait 100    | SETTLED | 400.06 0 0 0     | 29.8 0 0 0  | trade 1 settled, trade 2 settled, 1 settled
  cancel 1    | SETTLED | ..               | ..          | cancel orders, 1 kept order_closed
"""


@pytest.mark.parametrize("rows", scenarios(SCENARIOS))
def test_an_order_that_executes(rows):
    play(Stage(POLICY), rows)


SUSPEND, HALT = ChangeAccount(ALICE, SUSPENDED), ChangeMarket(ACME, NOT_TRADING)


@pytest.mark.parametrize(("stop", "code"), [(SUSPEND, "account_suspended"), (HALT, "market_not_trading")])
def test_nothing_more_is_traded_between_a_stop_and_the_end_of_its_orders(stop, code):
    stage = Stage(POLICY)
    stage.quote("30.00")
    stage.sell("1.00")
    stage.wait(1)
    stage.do(ExecutePart(1, 100))
    stage.do(stop)
    assert stage.status(1) == "OPEN"
    assert stage.do(ExecutePart(1, 100)).code == code
    stage.wait(10)
    assert (stage.status(1), len(stage.readers.trades)) == ("FILLED", 1)


@pytest.mark.parametrize("stop", [SUSPEND, HALT])
def test_an_order_that_is_looked_at_before_its_turn_ends_for_the_same_reason(stop):
    stage = Stage(Policy(FixedDelay(0), review_over=1))
    stage.sell("1.00")
    stage.do(stop)
    stage.do(ClearPrerequisite(1, True))
    assert stage.status(1) == "CANCELLED"
    stage.wake()
    assert (stage.readers.requests[1].done, stage.readers.requests[1].finished) == (0, True)


def test_a_failure_is_tried_again_a_thousand_times_as_late_at_most():
    stage = Stage(POLICY)
    stage.quote("30.00")
    stage.sell("1.00")
    stage.wait(1)
    for _ in range(15):
        stage.do(FailExecution(1, True))
    waits = [entry.events[0].due - entry.time for entry in stage.entries[-15:]]
    assert [wait // SECOND for wait in waits] == [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, *[2048] * 5]
    assert stage.readers.order_retries[1].attempts == 15
