"""An order's way through a brokerage venue: its status, Alice's cash and her units after each step.

Amounts are settled, receivable, payable and reserved. Fees are 1 %, inside the cash amount; each step takes a second,
settlement five; one trade moves at most 1,000.00. A row's first column is what is done.
"""

import pytest

from tallystick.core.lifecycle import TRADE_STATUS_NAMES
from tallystick.dialects.sophic.policy import Policy
from tallystick.dialects.sophic.rules import SophicRules
from tallystick.facts.codes import VERDICT_NAMES
from tallystick.facts.commands import CancelOrders, Quote
from tallystick.facts.venue import OrderCancelled, OrderFilled, OrderSettled
from tallystick.venue.calendar import FixedDelay
from tallystick.venue.engine import Engine
from tests.stage import ACME, SECOND, Stage

SCENARIOS = """
a buy is reserved, traded and settled, and what could not be spent is released
  quote 30.00   | -          | 1000.00 0.00 0.00 0.00        | 10.000 0.000 0.000 0.000  | -
  buy 100.00    | PLACED     | 1000.00 0.00 0.00 100.00      | 10.000 0.000 0.000 0.000  | -
  wait 1        | OPEN       | 1000.00 0.00 0.00 100.00      | 10.000 0.000 0.000 0.000  | -
  wait 1        | FILLED     | 1000.00 0.00 -99.99 0.00      | 10.000 3.300 0.000 0.000  | below_increment
  wait 4        | FILLED     | 1000.00 0.00 -99.99 0.00      | 10.000 3.300 0.000 0.000  | -
  wait 1        | SETTLED    | 900.01 0.00 0.00 0.00         | 13.300 0.000 0.000 0.000  | -

a sell reserves units and its proceeds are owed until it settles
  quote 30.00   | -          | 1000.00 0.00 0.00 0.00        | 10.000 0.000 0.000 0.000  | -
  sell 2.50     | PLACED     | 1000.00 0.00 0.00 0.00        | 10.000 0.000 0.000 2.500  | -
  wait 2        | FILLED     | 1000.00 74.25 0.00 0.00       | 10.000 0.000 -2.500 0.000 | exact
  wait 5        | SETTLED    | 1074.25 0.00 0.00 0.00        | 7.500 0.000 0.000 0.000   | -

without a price it waits, and goes on when there is one
  buy 100.00    | PLACED     | 1000.00 0.00 0.00 100.00      | 10.000 0.000 0.000 0.000  | -
  wait 1        | PENDING    | 1000.00 0.00 0.00 100.00      | 10.000 0.000 0.000 0.000  | -
  wait 60       | PENDING    | 1000.00 0.00 0.00 100.00      | 10.000 0.000 0.000 0.000  | -
  quote 30.00   | OPEN       | 1000.00 0.00 0.00 100.00      | 10.000 0.000 0.000 0.000  | -
  wait 1        | FILLED     | 1000.00 0.00 -99.99 0.00      | 10.000 3.300 0.000 0.000  | below_increment

the price goes away while it executes: it stays open until there is one again
  quote 30.00   | -          | 1000.00 0.00 0.00 0.00        | 10.000 0.000 0.000 0.000  | -
  buy 100.00    | PLACED     | 1000.00 0.00 0.00 100.00      | 10.000 0.000 0.000 0.000  | -
  wait 1        | OPEN       | 1000.00 0.00 0.00 100.00      | 10.000 0.000 0.000 0.000  | -
  quote 0       | OPEN       | 1000.00 0.00 0.00 100.00      | 10.000 0.000 0.000 0.000  | -
  wait 60       | OPEN       | 1000.00 0.00 0.00 100.00      | 10.000 0.000 0.000 0.000  | -
  quote 30.00   | FILLED     | 1000.00 0.00 -99.99 0.00      | 10.000 3.300 0.000 0.000  | below_increment

a cash amount that buys not one increment is cancelled and released
  quote 5000.00 | -          | 1000.00 0.00 0.00 0.00        | 10.000 0.000 0.000 0.000  | -
  buy 50.00     | PLACED     | 1000.00 0.00 0.00 50.00       | 10.000 0.000 0.000 0.000  | -
  wait 1        | OPEN       | 1000.00 0.00 0.00 50.00       | 10.000 0.000 0.000 0.000  | -
  wait 1        | CANCELLED  | 1000.00 0.00 0.00 0.00        | 10.000 0.000 0.000 0.000  | below_increment

units that are worth nothing are not given away
  quote 0.01    | -          | 1000.00 0.00 0.00 0.00        | 10.000 0.000 0.000 0.000  | -
  sell 0.40     | PLACED     | 1000.00 0.00 0.00 0.00        | 10.000 0.000 0.000 0.400  | -
  wait 2        | CANCELLED  | 1000.00 0.00 0.00 0.00        | 10.000 0.000 0.000 0.000  | below_increment

proceeds buy at once but bought units are not sold before they settle
  quote 100.00  | -          | 1000.00 0.00 0.00 0.00        | 10.000 0.000 0.000 0.000  | -
  sell 10.00    | PLACED     | 1000.00 0.00 0.00 0.00        | 10.000 0.000 0.000 10.000 | -
  wait 2        | FILLED     | 1000.00 990.00 0.00 0.00      | 10.000 0.000 -10.000 0.000 | exact
  buy 1990.00   | PLACED     | 1000.00 990.00 0.00 1990.00   | 10.000 0.000 -10.000 0.000 | -
  sell 0.01 !   | PLACED     | 1000.00 990.00 0.00 1990.00   | 10.000 0.000 -10.000 0.000 | insufficient_units
  buy 0.02 !    | PLACED     | 1000.00 990.00 0.00 1990.00   | 10.000 0.000 -10.000 0.000 | insufficient_funds
"""


def scenarios() -> list:
    found = []
    for block in SCENARIOS.strip().split("\n\n"):
        sentence, *rows = block.splitlines()
        found.append(pytest.param([[cell.strip() for cell in row.split("|")] for row in rows], id=sentence))
    return found


@pytest.mark.parametrize("rows", scenarios())
def test_the_way_of_an_order(rows):
    stage = Stage()
    for does, status, cash, units, reason in rows:
        verb, argument, *refused = does.split()
        seen = len(stage.entries)
        answer = stage.wait(float(argument)) if verb == "wait" else getattr(stage, verb)(argument)
        assert stage.cash() == cash, does
        assert stage.units() == units, does
        if refused:
            assert answer.code == reason
        elif stage.readers.orders:
            order = stage.readers.orders[stage.readers.orders_made]
            settled = order.is_settled() and order.progress.trades
            assert ("SETTLED" if settled else stage.status(stage.readers.orders_made)) == status, does
            assert closing_reason(stage.entries[seen:]) == reason, does


def closing_reason(entries) -> str:
    for entry in entries:
        for event in entry.events:
            if isinstance(event, OrderFilled):
                return VERDICT_NAMES[event.verdict]
            if isinstance(event, OrderCancelled):
                return event.reason
    return "-"


def test_a_large_order_trades_in_several_parts_whose_fees_add_up_to_one_fee():
    stage = Stage()
    stage.quote("100.00")
    stage.sell("10.00")
    stage.wait(2)
    stage.buy("1990.00")
    stage.wait(4)
    order = stage.readers.orders[2]
    trades = [stage.readers.trades[number] for number in order.progress.trades]
    legs = [trade.terms.legs[0] for trade in trades]
    assert [leg.notional for leg in legs] == [100_000, 97_000]
    assert sum(leg.fee for leg in legs) == order.progress.fees == 1_970
    assert sum(leg.quantity for leg in legs) == order.progress.quantity == 19_700
    assert order.progress.consumed == order.progress.notional + order.progress.fees <= order.size
    assert stage.status(2) == "FILLED"
    assert [trade.made for trade in trades] == sorted({trade.made for trade in trades})
    stage.wait(10)
    assert [TRADE_STATUS_NAMES[trade.status] for trade in stage.readers.trades.values()] == ["SETTLED"] * 3
    assert stage.cash() == "0.30 0.00 0.00 0.00"
    assert stage.units() == "19.700 0.000 0.000 0.000"


def test_an_operator_cancels_what_has_no_trades_and_each_order_has_its_outcome():
    stage = Stage()
    stage.quote("100.00")
    stage.sell("1.00")
    stage.wait(3)
    stage.buy("1000.00")
    stage.buy("10.00", account=5)
    stage.wait(1)
    stage.buy("20.00", account=5)
    answer = stage.do(CancelOrders((1, 2, 4, 4), by="operator", reason="asked by phone"))
    request = stage.readers.requests[answer.number]
    assert request.outcomes == {1: 2, 2: 1, 4: 1}
    assert request.reasons == {1: "order_closed"}
    assert [stage.status(number) for number in (1, 2, 3, 4)] == ["FILLED", "CANCELLED", "OPEN", "CANCELLED"]
    assert stage.entries[-1].cause.by == "operator"
    assert stage.cash() == "1000.00 99.00 0.00 0.00"
    assert stage.cash(5) == "1000.00 0.00 0.00 10.00"


def test_an_order_with_a_trade_is_not_cancelled():
    stage = Stage()
    stage.quote("100.00")
    stage.sell("10.00")
    stage.wait(2)
    stage.buy("1990.00")
    stage.wait(2)
    answer = stage.do(CancelOrders((2,)))
    assert stage.readers.requests[answer.number].reasons == {2: "order_has_trades"}
    stage.wait(1)
    assert stage.status(2) == "FILLED"


def test_an_unknown_order_refuses_the_whole_request():
    stage = Stage()
    stage.buy("10.00")
    assert stage.do(CancelOrders((1, 2))).code == "unknown_order"
    assert stage.do(CancelOrders(())).code == "invalid_scope"
    assert stage.status(1) == "PLACED"


def test_a_repeated_request_finds_its_order_and_another_one_under_the_same_key_is_refused():
    stage = Stage()
    first = stage.buy("10.00", client_key="k", fingerprint="a")
    again = stage.buy("10.00", client_key="k", fingerprint="a")
    other = stage.buy("11.00", client_key="k", fingerprint="b")
    theirs = stage.buy("11.00", account=5, client_key="k", fingerprint="b")
    assert (first.number, again.number) == (1, 1)
    assert type(again).__name__ == "Exists"
    assert other.code == "exists_with_different_terms"
    assert theirs.number == 2


def test_the_fee_that_was_agreed_is_the_fee_whatever_the_venue_takes_later():
    stage = Stage()
    stage.quote("100.00")
    stage.sell("10.00")
    stage.wait(2)
    stage.buy("1990.00")
    stage.wait(2)
    for fee_bps in (0, 500):
        later = Policy(FixedDelay(5 * SECOND), fee_bps, SECOND, SECOND, SECOND, 100_000)
        engine = Engine(SophicRules(later))
        engine.recover(stage.entries)
        engine.decide(Quote(ACME, 10_000), stage.now)
        while engine.next_due():
            engine.wake(engine.next_due())
        assert engine.state.orders[2].progress.fees == 1_970
        assert engine.state.orders[2].is_settled()


def test_an_order_whose_trades_have_settled_before_it_is_filled_is_said_to_be_settled():
    stage = Stage()
    stage.quote("100.00")
    stage.sell("10.00")
    stage.wait(10)
    stage.buy("1990.00")
    stage.wait(2)
    stage.quote("0")
    stage.wait(30)
    stage.quote("999999.00")
    assert [type(event).__name__ for event in stage.entries[-1].events] == ["OrderFilled", "OrderSettled"]
    said = [event for entry in stage.entries for event in entry.events if isinstance(event, OrderSettled)]
    assert [event.order for event in said] == [1, 2]
