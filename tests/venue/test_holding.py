"""Orders held back on purpose, at each stage of their way, and released.

Each step follows the one before at once; a prerequisite is waited for a minute, settlement takes five seconds.
"""

import pytest

from tallystick.dialects.sophic.policy import Policy
from tallystick.venue.calendar import FixedDelay
from tests.stage import SECOND, Stage
from tests.venue.play import play, scenarios

POLICY = Policy(FixedDelay(5 * SECOND), fee_bps=100, prerequisite_us=60 * SECOND)

SCENARIOS = """
held before it is submitted
  quote 30.00    | -       | 1000 0 0 0   | 10 0 0 0    | -
  hold placed    | -       | ..           | ..          | -
  buy 90.00      | PLACED  | 1000 0 0 90  | ..          | placed 1
  wait 3600      | PLACED  | ..           | ..          | -
  release placed | FILLED  | 1000 0 -90 0 | 10 2.97 0 0 | 1 opened, 1 trade 2.97 at 30, 1 filled exact
  wait 5         | SETTLED | 910 0 0 0    | 12.97 0 0 0 | trade 1 settled, 1 settled

held as if for compliance, and released
  quote 30.00     | -       | 1000 0 0 0   | 10 0 0 0    | -
  hold pending    | -       | ..           | ..          | -
  buy 90.00       | PENDING | 1000 0 0 90  | ..          | placed 1, 1 waits for compliance
  wait 30         | PENDING | ..           | ..          | -
  release pending | FILLED  | 1000 0 -90 0 | 10 2.97 0 0 | 1 cleared compliance, 1 opened, 1 trade 2.97 at 30,
                  |         |              |             | 1 filled exact
  wait 5          | SETTLED | 910 0 0 0    | 12.97 0 0 0 | trade 1 settled, 1 settled

held as if for compliance, and cleared by hand
  quote 30.00     | -       | 1000 0 0 0   | 10 0 0 0    | -
  hold pending    | -       | ..           | ..          | -
  buy 90.00       | PENDING | 1000 0 0 90  | ..          | placed 1, 1 waits for compliance
  clear 1         | FILLED  | 1000 0 -90 0 | 10 2.97 0 0 | 1 cleared compliance, 1 opened, 1 trade 2.97 at 30,
                  |         |              |             | 1 filled exact
  release pending | FILLED  | ..           | ..          | -

held as if for compliance for too long
  quote 30.00     | -         | 1000 0 0 0  | 10 0 0 0 | -
  hold pending    | -         | ..          | ..       | -
  buy 90.00       | PENDING   | 1000 0 0 90 | ..       | placed 1, 1 waits for compliance
  wait 60         | CANCELLED | 1000 0 0 0  | ..       | 1 cancelled prerequisite_timed_out
  release pending | CANCELLED | ..          | ..       | -

a reviewed account's order is not cleared by a release
  quote 30.00     | -       | 1000 0 0 0   | 10 0 0 0    | -
  flags reviewed  | -       | ..           | ..          | account active
  hold pending    | -       | ..           | ..          | -
  buy 90.00       | PENDING | 1000 0 0 90  | ..          | placed 1, 1 waits for compliance
  release pending | PENDING | ..           | ..          | -
  clear 1         | FILLED  | 1000 0 -90 0 | 10 2.97 0 0 | 1 cleared compliance, 1 opened, 1 trade 2.97 at 30,
                  |         |              |             | 1 filled exact

held before it trades
  quote 30.00       | -       | 1000 0 0 0   | 10 0 0 0    | -
  hold executing    | -       | ..           | ..          | -
  buy 90.00         | OPEN    | 1000 0 0 90  | ..          | placed 1, 1 opened
  wait 3600         | OPEN    | ..           | ..          | -
  release executing | FILLED  | 1000 0 -90 0 | 10 2.97 0 0 | 1 trade 2.97 at 30, 1 filled exact
  wait 5            | SETTLED | 910 0 0 0    | 12.97 0 0 0 | trade 1 settled, 1 settled

a part is executed of what is held, and the rest when it is released
  quote 30.00       | -       | 1000 0 0 0        | 10 0 0 0  | -
  hold executing    | -       | ..                | ..        | -
  sell 9.00         | OPEN    | ..                | 10 0 0 9  | placed 1, 1 opened
  part 1 4.00       | OPEN    | 1000 118.8 0 0    | 10 0 -4 5 | 1 trade 4 at 30
  part 1 1.00 31.00 | OPEN    | 1000 149.49 0 0   | 10 0 -5 4 | 1 trade 1 at 31
  wait 10           | OPEN    | 1149.49 0 0 0     | 5 0 0 4   | trade 1 settled, trade 2 settled
  release executing | FILLED  | 1149.49 118.8 0 0 | 5 0 -4 0  | 1 trade 4 at 30, 1 filled exact
  wait 5            | SETTLED | 1268.29 0 0 0     | 1 0 0 0   | trade 3 settled, 1 settled

held before its trade settles
  quote 30.00        | -       | 1000 0 0 0    | 10 0 0 0  | -
  hold settlement    | -       | ..            | ..        | -
  sell 1.00          | FILLED  | 1000 29.7 0 0 | 10 0 -1 0 | placed 1, 1 opened, 1 trade 1 at 30, 1 filled exact
  wait 3600          | FILLED  | ..            | ..        | -
  release settlement | SETTLED | 1029.7 0 0 0  | 9 0 0 0   | trade 1 settled, 1 settled

settled by hand while it is held
  quote 30.00        | -       | 1000 0 0 0    | 10 0 0 0  | -
  hold settlement    | -       | ..            | ..        | -
  sell 1.00          | FILLED  | 1000 29.7 0 0 | 10 0 -1 0 | placed 1, 1 opened, 1 trade 1 at 30, 1 filled exact
  wait 3600          | FILLED  | ..            | ..        | -
  settle 1           | SETTLED | 1029.7 0 0 0  | 9 0 0 0   | trade 1 settled, 1 settled
  release settlement | SETTLED | ..            | ..        | -

held in every market and in this one: both must be released
  quote 30.00           | -      | 1000 0 0 0    | 10 0 0 0  | -
  hold executing any    | -      | ..            | ..        | -
  hold executing        | -      | ..            | ..        | -
  sell 1.00             | OPEN   | ..            | 10 0 0 1  | placed 1, 1 opened
  release executing     | OPEN   | ..            | ..        | -
  release executing any | FILLED | 1000 29.7 0 0 | 10 0 -1 0 | 1 trade 1 at 30, 1 filled exact

what is held is cancelled and stays so
  quote 30.00       | -         | 1000 0 0 0  | 10 0 0 0 | -
  hold executing    | -         | ..          | ..       | -
  buy 90.00         | OPEN      | 1000 0 0 90 | ..       | placed 1, 1 opened
  cancel 1          | CANCELLED | 1000 0 0 0  | ..       | cancel orders, 1 cancelled asked
  release executing | CANCELLED | ..          | ..       | -

a halt ends what is held
  quote 30.00        | -           | 1000 0 0 0  | 10 0 0 0 | -
  hold placed        | -           | ..          | ..       | -
  buy 90.00          | PLACED      | 1000 0 0 90 | ..       | placed 1
  sell 1.00          | PLACED*2    | ..          | 10 0 0 1 | placed 2
  market not_trading | CANCELLED*2 | 1000 0 0 0  | 10 0 0 0 | market not_trading, cancel market,
                     |             |             |          | 1 cancelled market_not_trading,
                     |             |             |          | 2 cancelled market_not_trading, cancel finished
  release placed     | CANCELLED*2 | ..          | ..       | -
"""


@pytest.mark.parametrize("rows", scenarios(SCENARIOS))
def test_an_order_that_is_held(rows):
    play(Stage(POLICY), rows)
