"""Every arrow of an order's way, and every cause of its cancellation, made on purpose through the doors.

What is at hand and how long each step takes stands in ``behind_the_doors``, how to read a row in ``scenario_steps``.
"""

from pathlib import Path

import pytest

from tests.ops.behind_the_doors import opened
from tests.ops.scenario_steps import Scenario, scenarios

SCENARIOS = """
placed, executing, filled, settled
  buy 100.00              | placed    | 10000.00 #100.00           | 10.000               | -
  wait 1                  | open      | 10000.00 #100.00           | 10.000               | -
  wait 1                  | filled    | 10000.00 -99.99            | 10.000 +0.990        | below_increment
  wait 5                  | settled   | 9900.01                    | 10.990               | below_increment

placed, pending without a price, executing when there is one
  price 0                 | -         | 10000.00                   | 10.000               | -
  buy 100.00              | placed    | 10000.00 #100.00           | 10.000               | -
  wait 1                  | pending   | 10000.00 #100.00           | 10.000               | for price_feed
  wait 20                 | pending   | 10000.00 #100.00           | 10.000               | for price_feed
  price 100.00            | open      | 10000.00 #100.00           | 10.000               | -
  wait 1                  | filled    | 10000.00 -99.99            | 10.000 +0.990        | below_increment
  wait 5                  | settled   | 9900.01                    | 10.990               | below_increment

a feed that falls silent grows stale: what executes stands still
  hold executing          | -         | 10000.00                   | 10.000               | -
  buy 100.00              | placed    | 10000.00 #100.00           | 10.000               | -
  wait 1                  | open      | 10000.00 #100.00           | 10.000               | -
  silence                 | open      | 10000.00 #100.00           | 10.000               | -
  wait 11                 | open      | 10000.00 #100.00           | 10.000               | -
  release executing       | open      | 10000.00 #100.00           | 10.000               | -
  wait 5                  | open      | 10000.00 #100.00           | 10.000               | -
  price 100.00            | filled    | 10000.00 -99.99            | 10.000 +0.990        | below_increment

a stale feed keeps a new order pending until it speaks again
  silence                 | -         | 10000.00                   | 10.000               | -
  wait 11                 | -         | 10000.00                   | 10.000               | -
  sell 1.00               | placed    | 10000.00                   | 10.000 #1.000        | -
  wait 1                  | pending   | 10000.00                   | 10.000 #1.000        | for price_feed
  price 90.00             | open      | 10000.00                   | 10.000 #1.000        | -
  wait 1                  | filled    | 10000.00 +89.10            | 10.000 -1.000        | exact

a frozen price is quoted again and again, so it never grows stale
  freeze                  | -         | 10000.00                   | 10.000               | -
  wait 30                 | -         | 10000.00                   | 10.000               | -
  sell 1.00               | placed    | 10000.00                   | 10.000 #1.000        | -
  wait 1                  | open      | 10000.00                   | 10.000 #1.000        | -
  wait 1                  | filled    | 10000.00 +99.00            | 10.000 -1.000        | exact

a price of zero is none, also in the middle of an execution
  buy 3000.00             | placed    | 10000.00 #3000.00          | 10.000               | -
  wait 2                  | open      | 10000.00 -1010.00 #1990.00 | 10.000 +10.000       | -
  price 0                 | open      | 10000.00 -1010.00 #1990.00 | 10.000 +10.000       | -
  wait 5                  | open      | 8990.00 #1990.00           | 20.000               | -
  price 100.00            | open      | 8990.00 -1010.00 #980.00   | 20.000 +10.000       | -
  wait 2                  | filled    | 8990.00 -1989.70           | 20.000 +19.700       | below_increment

an account under review waits for compliance, which clears it
  flags reviewed          | -         | 10000.00                   | 10.000               | -
  buy 100.00              | placed    | 10000.00 #100.00           | 10.000               | -
  wait 1                  | pending   | 10000.00 #100.00           | 10.000               | for compliance
  clear                   | open      | 10000.00 #100.00           | 10.000               | -
  wait 1                  | filled    | 10000.00 -99.99            | 10.000 +0.990        | below_increment

compliance fails: cancelled, and the reservation is released
  flags reviewed          | -         | 10000.00                   | 10.000               | -
  sell 2.00               | placed    | 10000.00                   | 10.000 #2.000        | -
  wait 1                  | pending   | 10000.00                   | 10.000 #2.000        | for compliance
  deny                    | cancelled | 10000.00                   | 10.000               | prerequisite_failed

compliance never answers: cancelled when the time is out
  flags reviewed          | -         | 10000.00                   | 10.000               | -
  buy 100.00              | placed    | 10000.00 #100.00           | 10.000               | -
  wait 1                  | pending   | 10000.00 #100.00           | 10.000               | for compliance
  wait 47                 | pending   | 10000.00 #100.00           | 10.000               | for compliance
  wait 1                  | cancelled | 10000.00                   | 10.000               | prerequisite_timed_out

a price that never comes: cancelled when the time is out
  silence                 | -         | 10000.00                   | 10.000               | -
  wait 11                 | -         | 10000.00                   | 10.000               | -
  buy 100.00              | placed    | 10000.00 #100.00           | 10.000               | -
  wait 1                  | pending   | 10000.00 #100.00           | 10.000               | for price_feed
  clear !                 | pending   | 10000.00 #100.00           | 10.000               | order_not_waiting
  wait 48                 | cancelled | 10000.00                   | 10.000               | prerequisite_timed_out

a price feed that is given up by hand
  price 0                 | -         | 10000.00                   | 10.000               | -
  buy 100.00              | placed    | 10000.00 #100.00           | 10.000               | -
  wait 1                  | pending   | 10000.00 #100.00           | 10.000               | for price_feed
  deny                    | cancelled | 10000.00                   | 10.000               | prerequisite_failed

what is cleared by compliance then waits for its price
  flags reviewed          | -         | 10000.00                   | 10.000               | -
  price 0                 | -         | 10000.00                   | 10.000               | -
  buy 100.00              | placed    | 10000.00 #100.00           | 10.000               | -
  wait 1                  | pending   | 10000.00 #100.00           | 10.000               | for compliance
  clear                   | pending   | 10000.00 #100.00           | 10.000               | for price_feed
  price 100.00            | open      | 10000.00 #100.00           | 10.000               | -

held before it is submitted, cancelled from placed by an operator
  hold placed             | -         | 10000.00                   | 10.000               | -
  buy 100.00              | placed    | 10000.00 #100.00           | 10.000               | -
  wait 3                  | placed    | 10000.00 #100.00           | 10.000               | -
  cancel                  | cancelled | 10000.00                   | 10.000               | asked_by_phone
  cancel !                | cancelled | 10000.00                   | 10.000               | order_closed

held at each stage and released
  hold placed             | -         | 10000.00                   | 10.000               | -
  hold executing          | -         | 10000.00                   | 10.000               | -
  hold settlement         | -         | 10000.00                   | 10.000               | -
  buy 100.00              | placed    | 10000.00 #100.00           | 10.000               | -
  wait 3                  | placed    | 10000.00 #100.00           | 10.000               | -
  release placed          | open      | 10000.00 #100.00           | 10.000               | -
  wait 3                  | open      | 10000.00 #100.00           | 10.000               | -
  release executing       | filled    | 10000.00 -99.99            | 10.000 +0.990        | below_increment
  wait 9                  | filled    | 10000.00 -99.99            | 10.000 +0.990        | below_increment
  release settlement      | settled   | 9900.01                    | 10.990               | below_increment

held for a check, which its release answers
  hold pending            | -         | 10000.00                   | 10.000               | -
  sell 1.00               | placed    | 10000.00                   | 10.000 #1.000        | -
  wait 1                  | pending   | 10000.00                   | 10.000 #1.000        | for compliance
  release pending         | open      | 10000.00                   | 10.000 #1.000        | -
  clear !                 | open      | 10000.00                   | 10.000 #1.000        | order_not_waiting
  wait 1                  | filled    | 10000.00 +99.00            | 10.000 -1.000        | exact

held for a check, which compliance answers
  hold pending            | -         | 10000.00                   | 10.000               | -
  sell 1.00               | placed    | 10000.00                   | 10.000 #1.000        | -
  wait 1                  | pending   | 10000.00                   | 10.000 #1.000        | for compliance
  clear                   | open      | 10000.00                   | 10.000 #1.000        | -
  wait 1                  | filled    | 10000.00 +99.00            | 10.000 -1.000        | exact

cancelled from pending by an operator
  price 0                 | -         | 10000.00                   | 10.000               | -
  buy 100.00              | placed    | 10000.00 #100.00           | 10.000               | -
  wait 1                  | pending   | 10000.00 #100.00           | 10.000               | for price_feed
  cancel                  | cancelled | 10000.00                   | 10.000               | asked_by_phone

cancelled while it executes without a trade
  hold executing          | -         | 10000.00                   | 10.000               | -
  buy 100.00              | placed    | 10000.00 #100.00           | 10.000               | -
  wait 2                  | open      | 10000.00 #100.00           | 10.000               | -
  cancel                  | cancelled | 10000.00                   | 10.000               | asked_by_phone

an order with a trade is not cancelled
  buy 3000.00             | placed    | 10000.00 #3000.00          | 10.000               | -
  wait 2                  | open      | 10000.00 -1010.00 #1990.00 | 10.000 +10.000       | -
  cancel !                | open      | 10000.00 -1010.00 #1990.00 | 10.000 +10.000       | order_has_trades
  wait 2                  | filled    | 10000.00 -2999.70          | 10.000 +29.700       | below_increment
  cancel !                | filled    | 10000.00 -2999.70          | 10.000 +29.700       | order_closed

its execution fails and is tried again, each time after twice the wait
  hold executing          | -         | 10000.00                   | 10.000               | -
  buy 100.00              | placed    | 10000.00 #100.00           | 10.000               | -
  fail retriable !        | placed    | 10000.00 #100.00           | 10.000               | order_not_executing
  wait 1                  | open      | 10000.00 #100.00           | 10.000               | -
  fail retriable          | open      | 10000.00 #100.00           | 10.000               | street_closed 1
  fail retriable          | open      | 10000.00 #100.00           | 10.000               | street_closed 2
  release executing       | open      | 10000.00 #100.00           | 10.000               | street_closed 2
  wait 1                  | open      | 10000.00 #100.00           | 10.000               | street_closed 2
  wait 1                  | filled    | 10000.00 -99.99            | 10.000 +0.990        | below_increment

its execution fails for good: cancelled
  hold executing          | -         | 10000.00                   | 10.000               | -
  buy 100.00              | placed    | 10000.00 #100.00           | 10.000               | -
  wait 1                  | open      | 10000.00 #100.00           | 10.000               | -
  fail final              | cancelled | 10000.00                   | 10.000               | street_closed

its execution fails for good after a trade: closed short, and the rest is released
  hold executing          | -         | 10000.00                   | 10.000               | -
  buy 100.00              | placed    | 10000.00 #100.00           | 10.000               | -
  wait 1                  | open      | 10000.00 #100.00           | 10.000               | -
  execute 0.40            | open      | 10000.00 -40.40 #59.60     | 10.000 +0.400        | -
  fail final              | filled    | 10000.00 -40.40            | 10.000 +0.400        | short: street_closed
  wait 5                  | settled   | 9959.60                    | 10.400               | short: street_closed

executed in parts by hand, each of which settles on its own
  hold executing          | -         | 10000.00                   | 10.000               | -
  sell 2.00               | placed    | 10000.00                   | 10.000 #2.000        | -
  wait 1                  | open      | 10000.00                   | 10.000 #2.000        | -
  execute 0.50            | open      | 10000.00 +49.50            | 10.000 -0.500 #1.500 | -
  wait 2                  | open      | 10000.00 +49.50            | 10.000 -0.500 #1.500 | -
  execute 1.50            | filled    | 10000.00 +198.00           | 10.000 -2.000        | exact
  wait 3                  | filled    | 10049.50 +148.50           | 9.500 -1.500         | exact
  wait 2                  | settled   | 10198.00                   | 8.000                | exact

nothing is executed of what is not executing
  sell 2.00               | placed    | 10000.00                   | 10.000 #2.000        | -
  execute 1.00 !          | placed    | 10000.00                   | 10.000 #2.000        | order_not_executing
  hold executing          | placed    | 10000.00                   | 10.000 #2.000        | -
  wait 1                  | open      | 10000.00                   | 10.000 #2.000        | -
  execute 2.00            | filled    | 10000.00 +198.00           | 10.000 -2.000        | exact
  execute 1.00 !          | filled    | 10000.00 +198.00           | 10.000 -2.000        | order_not_executing

the instrument is halted before it executes
  buy 100.00              | placed    | 10000.00 #100.00           | 10.000               | -
  halt                    | cancelled | 10000.00                   | 10.000               | market_not_trading
  buy 100.00 !            | cancelled | 10000.00                   | 10.000               | market_not_trading
  resume-market           | cancelled | 10000.00                   | 10.000               | market_not_trading
  buy 200.00              | placed    | 10000.00 #200.00           | 10.000               | -

the instrument is halted in the middle of its trades: closed short
  buy 3000.00             | placed    | 10000.00 #3000.00          | 10.000               | -
  wait 2                  | open      | 10000.00 -1010.00 #1990.00 | 10.000 +10.000       | -
  halt                    | filled    | 10000.00 -1010.00          | 10.000 +10.000       | short: market_not_trading
  wait 5                  | settled   | 8990.00                    | 20.000               | short: market_not_trading
  resume-market sell_only | settled   | 8990.00                    | 20.000               | short: market_not_trading
  buy 100.00 !            | settled   | 8990.00                    | 20.000               | buy_forbidden

the account is suspended while its order is pending
  price 0                 | -         | 10000.00                   | 10.000               | -
  sell 1.00               | placed    | 10000.00                   | 10.000 #1.000        | -
  wait 1                  | pending   | 10000.00                   | 10.000 #1.000        | for price_feed
  suspend                 | cancelled | 10000.00                   | 10.000               | account_suspended
  sell 1.00 !             | cancelled | 10000.00                   | 10.000               | account_suspended
  resume                  | cancelled | 10000.00                   | 10.000               | account_suspended
  sell 2.00               | placed    | 10000.00                   | 10.000 #2.000        | -

the account is suspended between two trades: closed short, and what it traded settles
  buy 3000.00             | placed    | 10000.00 #3000.00          | 10.000               | -
  wait 2                  | open      | 10000.00 -1010.00 #1990.00 | 10.000 +10.000       | -
  suspend                 | filled    | 10000.00 -1010.00          | 10.000 +10.000       | short: account_suspended
  wait 5                  | settled   | 8990.00                    | 20.000               | short: account_suspended
  resume                  | settled   | 8990.00                    | 20.000               | short: account_suspended

a settlement fails twice and is tried again until it is done
  sell 1.00               | placed    | 10000.00                   | 10.000 #1.000        | -
  hold settlement         | placed    | 10000.00                   | 10.000 #1.000        | -
  wait 7                  | filled    | 10000.00 +99.00            | 10.000 -1.000        | exact
  fail-settlement         | filled    | 10000.00 +99.00            | 10.000 -1.000        | no_delivery 1
  fail-settlement         | filled    | 10000.00 +99.00            | 10.000 -1.000        | no_delivery 2
  release settlement      | filled    | 10000.00 +99.00            | 10.000 -1.000        | no_delivery 2
  wait 1                  | filled    | 10000.00 +99.00            | 10.000 -1.000        | no_delivery 2
  wait 1                  | settled   | 10099.00                   | 9.000                | exact
  settle !                | settled   | 10099.00                   | 9.000                | trade_not_executed

a settlement that fails is settled by hand
  sell 1.00               | placed    | 10000.00                   | 10.000 #1.000        | -
  hold settlement         | placed    | 10000.00                   | 10.000 #1.000        | -
  wait 7                  | filled    | 10000.00 +99.00            | 10.000 -1.000        | exact
  fail-settlement         | filled    | 10000.00 +99.00            | 10.000 -1.000        | no_delivery 1
  settle                  | settled   | 10099.00                   | 9.000                | exact

settled before its day
  buy 100.00              | placed    | 10000.00 #100.00           | 10.000               | -
  wait 2                  | filled    | 10000.00 -99.99            | 10.000 +0.990        | below_increment
  settle                  | settled   | 9900.01                    | 10.990               | below_increment
  settle !                | settled   | 9900.01                    | 10.990               | trade_not_executed

buys not one increment: cancelled
  price 5000.00           | -         | 10000.00                   | 10.000               | -
  buy 40.00               | placed    | 10000.00 #40.00            | 10.000               | -
  wait 1                  | open      | 10000.00 #40.00            | 10.000               | -
  wait 1                  | cancelled | 10000.00                   | 10.000               | below_increment

the clock jumps over everything at once, and each thing happens at its own time
  buy 3000.00             | placed    | 10000.00 #3000.00          | 10.000               | -
  wait 1000               | settled   | 7000.30                    | 39.700               | below_increment
"""


@pytest.mark.parametrize("rows", [pytest.param(rows, id=sentence) for sentence, rows in scenarios(SCENARIOS)])
def test_the_way_of_an_order(rows: list[list[str]], tmp_path: Path) -> None:
    with opened(tmp_path / "data") as doors:
        scenario = Scenario(doors)
        for does, *expected in rows:
            refused = scenario.do(does.removesuffix(" !"))
            seen = scenario.seen()
            assert bool(refused) == does.endswith("!"), f"{does}: {refused}"
            assert [*seen[:3], refused or seen[3]] == expected, does
