"""What an order waits for first (seeds/004): a fresh price, a compliance check; given, refused, in vain.

A price is stale after three seconds, a prerequisite is waited for a minute, and more than 500.00 is looked at.
"""

import pytest

from tallystick.dialects.sophic.policy import Policy
from tallystick.venue.calendar import FixedDelay
from tests.stage import SECOND, Stage
from tests.venue.play import play, scenarios

POLICY = Policy(
    FixedDelay(5 * SECOND),
    fee_bps=100,
    execute_after_us=SECOND,
    price_stale_us=3 * SECOND,
    review_over=500 * 10**8,
    prerequisite_us=60 * SECOND,
)

SCENARIOS = """
a price that is stale is none, a fresh one is
  quote 30.00 | -       | 1000 0 0 0      | 10 0 0 0    | -
  wait 3.5    | -       | ..              | ..          | -
  buy 100.00  | PENDING | 1000 0 0 100    | ..          | placed 1, 1 waits for price_feed
  wait 30     | PENDING | ..              | ..          | -
  quote 31.00 | OPEN    | ..              | ..          | 1 opened
  wait 1      | FILLED  | 1000 0 -99.88 0 | 10 3.19 0 0 | 1 trade 3.19 at 31, 1 filled below_increment
  wait 5      | SETTLED | 900.12 0 0 0    | 13.19 0 0 0 | trade 1 settled, 1 settled

a price of zero is none
  quote 30.00 | -       | 1000 0 0 0   | 10 0 0 0 | -
  quote 0     | -       | ..           | ..       | -
  buy 100.00  | PENDING | 1000 0 0 100 | ..       | placed 1, 1 waits for price_feed
  quote 0     | PENDING | ..           | ..       | -
  quote 30.00 | OPEN    | ..           | ..       | 1 opened

the price goes stale while it executes: it stays open, for however long, until there is a fresh one
  quote 30.00 | -      | 1000 0 0 0      | 10 0 0 0   | -
  wait 2.5    | -      | ..              | ..         | -
  buy 100.00  | OPEN   | 1000 0 0 100    | ..         | placed 1, 1 opened
  wait 1      | OPEN   | ..              | ..         | -
  wait 600    | OPEN   | ..              | ..         | -
  quote 30.00 | FILLED | 1000 0 -99.99 0 | 10 3.3 0 0 | 1 trade 3.3 at 30, 1 filled below_increment

a price that never comes: it is cancelled when the time is up
  buy 100.00  | PENDING   | 1000 0 0 100 | 10 0 0 0 | placed 1, 1 waits for price_feed
  wait 59.9   | PENDING   | ..           | ..       | -
  wait 0.1    | CANCELLED | 1000 0 0 0   | ..       | 1 cancelled prerequisite_timed_out
  quote 30.00 | CANCELLED | ..           | ..       | -

a price feed is never cleared by hand, but it can be given up
  buy 100.00 | PENDING   | 1000 0 0 100 | 10 0 0 0 | placed 1, 1 waits for price_feed
  clear 1    | PENDING   | ..           | ..       | ! order_not_waiting
  object 1   | CANCELLED | 1000 0 0 0   | ..       | 1 cancelled prerequisite_failed
  object 1   | CANCELLED | ..           | ..       | ! order_not_waiting
  clear 1    | CANCELLED | ..           | ..       | ! order_not_waiting

an order of a reviewed account waits for compliance, and then goes on
  quote 30.00    | -       | 1000 0 0 0      | 10 0 0 0   | -
  flags reviewed | -       | ..              | ..         | account active
  buy 100.00     | PENDING | 1000 0 0 100    | ..         | placed 1, 1 waits for compliance
  wait 50        | PENDING | ..              | ..         | -
  quote 30.00    | PENDING | ..              | ..         | -
  clear 1        | OPEN    | ..              | ..         | 1 cleared compliance, 1 opened
  clear 1        | OPEN    | ..              | ..         | ! order_not_waiting
  wait 1         | FILLED  | 1000 0 -99.99 0 | 10 3.3 0 0 | 1 trade 3.3 at 30, 1 filled below_increment

compliance is cleared, and then it waits for a price
  flags reviewed | -       | 1000 0 0 0   | 10 0 0 0 | account active
  buy 100.00     | PENDING | 1000 0 0 100 | ..       | placed 1, 1 waits for compliance
  wait 50        | PENDING | ..           | ..       | -
  clear 1        | PENDING | ..           | ..       | 1 cleared compliance
  wait 59        | PENDING | ..           | ..       | -
  quote 30.00    | OPEN    | ..           | ..       | 1 opened

compliance is cleared, and no price comes within the time that it then has
  flags reviewed | -         | 1000 0 0 0   | 10 0 0 0 | account active
  buy 100.00     | PENDING   | 1000 0 0 100 | ..       | placed 1, 1 waits for compliance
  wait 50        | PENDING   | ..           | ..       | -
  clear 1        | PENDING   | ..           | ..       | 1 cleared compliance
  wait 60        | CANCELLED | 1000 0 0 0   | ..       | 1 cancelled prerequisite_timed_out

compliance fails
  quote 30.00    | -         | 1000 0 0 0 | 10 0 0 0 | -
  flags reviewed | -         | ..         | ..       | account active
  sell 1.00      | PENDING   | ..         | 10 0 0 1 | placed 1, 1 waits for compliance
  object 1       | CANCELLED | ..         | 10 0 0 0 | 1 cancelled prerequisite_failed

nobody looks at it in time
  quote 30.00    | -         | 1000 0 0 0   | 10 0 0 0 | -
  flags reviewed | -         | ..           | ..       | account active
  buy 100.00     | PENDING   | 1000 0 0 100 | ..       | placed 1, 1 waits for compliance
  wait 60        | CANCELLED | 1000 0 0 0   | ..       | 1 cancelled prerequisite_timed_out

a buy for more than the amount waits for compliance, one for just the amount does not
  quote 30.00 | -                 | 1000 0 0 0      | 10 0 0 0 | -
  buy 500.00  | OPEN              | 1000 0 0 500    | ..       | placed 1, 1 opened
  cancel 1    | CANCELLED         | 1000 0 0 0      | ..       | cancel orders, 1 cancelled asked
  buy 500.01  | CANCELLED PENDING | 1000 0 0 500.01 | ..       | placed 2, 2 waits for compliance

a sell is worth what the price says
  quote 100.00 | -            | 1000 0 0 0 | 10 0 0 0    | -
  sell 5.01    | PENDING      | ..         | 10 0 0 5.01 | placed 1, 1 waits for compliance
  sell 4.99    | PENDING OPEN | ..         | 10 0 0 10   | placed 2, 2 opened

a sell whose worth nobody knows waits for compliance, however large it is
  sell 0.01    | PENDING | 1000 0 0 0 | 10 0 0 0.01 | placed 1, 1 waits for compliance
  clear 1      | PENDING | ..         | ..          | 1 cleared compliance
  quote 100.00 | OPEN    | ..         | ..          | 1 opened

a halted instrument ends what is cleared meanwhile
  flags reviewed     | -         | 1000 0 0 0   | 10 0 0 0 | account active
  quote 30.00        | -         | ..           | ..       | -
  buy 100.00         | PENDING   | 1000 0 0 100 | ..       | placed 1, 1 waits for compliance
  market not_trading | CANCELLED | 1000 0 0 0   | ..       | market not_trading, cancel market,
                     |           |              |          | 1 cancelled market_not_trading, cancel finished
"""


@pytest.mark.parametrize("rows", scenarios(SCENARIOS))
def test_an_order_waits_for(rows):
    play(Stage(POLICY), rows)
