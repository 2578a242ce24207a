"""Positions, results, fees and margin: every unit and every cent has its place (specs/bluefin.md, seeds/002)."""

import pytest

from tallystick.facts.codes import BUY, POST_ONLY, REDUCE_ONLY, SELL
from tallystick.facts.commands import Exists, Refused
from tests.exchange.floor import E9, USDC, Floor


@pytest.fixture
def floor() -> Floor:
    """Ann has bought 2 of bob at 3000; ann paid 10 basis points, bob was paid 2."""
    floor = Floor()
    floor.sell("bob", 2, at=3000)
    floor.buy("ann", 2, at=3000)
    return floor


def test_a_trade_makes_two_positions_and_takes_the_fees(floor):
    assert [floor.position("ann"), floor.position("bob")] == ["2@3000", "-2@3000"]
    assert [floor.collateral("ann"), floor.collateral("bob")] == ["9994 0", "10001.2 0"]


def test_adding_averages_the_entry_price(floor):
    floor.sell("bob", 1, at=3300)
    floor.buy("ann", 1, at=3300)
    assert floor.position("ann") == "3@3100"


def test_closing_a_part_realises_its_share(floor):
    floor.buy("cat", 1, at=3100)
    floor.sell("ann", 1, at=3100)
    leg = floor.events[2].legs[0]
    assert (leg.realised, leg.fee) == (100 * E9, 31 * E9 // 10)
    assert floor.position("ann") == "1@3000"
    assert floor.collateral("ann") == "10090.9 0"


def test_closing_all_leaves_nothing_of_the_position_and_its_cost(floor):
    floor.buy("cat", 2, at=2900)
    floor.sell("ann", 2, at=2900)
    assert floor.position("ann") == "0"
    account = floor.state.accounts[floor.accounts["ann"]]
    assert [balance.settled for asset, balance in account.book.balances.items() if asset != USDC] == [0, 0]
    assert floor.collateral("ann") == "9788.2 0"  # 10000 - 200 lost - 6 - 5.8 of fees


def test_turning_a_position_round_realises_what_it_closes_and_opens_the_rest(floor):
    floor.buy("cat", 3, at=3100)
    floor.sell("ann", 3, at=3100)
    assert floor.position("ann") == "-1@3100"
    assert floor.events[2].legs[0].realised == 200 * E9


def test_a_short_position_gains_when_the_price_falls(floor):
    floor.sell("cat", 2, at=2800)
    floor.buy("bob", 2, at=2800)
    assert floor.events[2].legs[0].realised == 400 * E9
    assert floor.position("bob") == "0"


# --- Margin ----------------------------------------------------------------------------------------------------------


def test_an_order_binds_its_margin_and_its_fee():
    floor = Floor()
    floor.buy("ann", 1, at=3000)
    assert floor.collateral("ann") == "10000 603"  # a fifth of 3000, and 10 basis points


def test_a_fill_posts_its_share_of_what_the_order_binds():
    floor = Floor()
    floor.buy("ann", 4, at=3000)
    floor.sell("bob", 1, at=3000)
    assert floor.collateral("ann") == "10000.6 1809"


def test_what_closes_a_position_needs_no_margin_and_what_goes_beyond_it_does(floor):
    floor.sell("ann", 2, at=3500)
    assert floor.collateral("ann") == "9994 0"
    floor.sell("ann", 1, at=3500)
    assert floor.collateral("ann") == "9994 703.5"


def test_a_position_binds_margin_at_its_entry_and_gains_and_loses_with_the_price(floor):
    # 9994 of collateral, 1200 bound by the position: 8794 are free for 14 more at 3000 (602 each, with the fee).
    assert floor.buy("ann", 15, at=3000, flags=POST_ONLY) == "insufficient_margin"
    floor.buy("cat", 0.01, at=3500)
    floor.sell("dan", 0.01, at=3500)
    assert isinstance(floor.buy("ann", 15, at=3000, flags=POST_ONLY), int)


def test_who_cannot_margin_their_orders_any_more_loses_the_newest_first():
    floor = Floor()
    floor.sell("bob", 10, at=3000)
    floor.buy("ann", 10, at=3000)
    older = floor.buy("ann", 2, at=2500)
    newer = floor.buy("ann", 2, at=2400)
    floor.buy("cat", 0.1, at=2750)
    floor.sell("ann", 0.1, at=2750)
    assert [floor.shows(older), floor.shows(newer)] == ["OPEN 0 of 2", "CANCELLED 0 of 2"]
    assert [event.reason for event in floor.events if type(event).__name__ == "OrderCancelled"] == ["margin_call"]


def test_an_order_that_lost_its_margin_to_the_price_is_not_traded():
    floor = Floor()
    floor.sell("bob", 10, at=3000)
    floor.buy("ann", 10, at=3000)
    order = floor.buy("ann", 2, at=2500)
    floor.buy("cat", 0.1, at=2501)
    floor.sell("dan", 0.1, at=2501)
    assert floor.shows(order) == "OPEN 0 of 2"
    floor.sell("dan", 1, at=2500)
    assert floor.shows(order) == "CANCELLED 0 of 2"
    assert floor.depth() == " | 1@2500"


# --- Reduce only -----------------------------------------------------------------------------------------------------


def test_reduce_only_closes_and_never_opens(floor):
    assert floor.sell("ann", 3, at=3100, flags=REDUCE_ONLY) == "reduce_only_would_open"
    assert floor.buy("ann", 1, at=2900, flags=REDUCE_ONLY) == "reduce_only_would_open"
    order = floor.sell("ann", 2, at=3100, flags=REDUCE_ONLY)
    floor.buy("cat", 2, at=3100)
    assert floor.shows(order) == "FILLED 2 of 2"
    assert floor.position("ann") == "0"


def test_two_that_reduce_the_same_position_do_not_turn_it_round(floor):
    first = floor.sell("ann", 2, at=3100, flags=REDUCE_ONLY)
    second = floor.sell("ann", 2, at=3101, flags=REDUCE_ONLY)
    floor.buy("cat", 4, at=3101)
    assert [floor.shows(first), floor.shows(second)] == ["FILLED 2 of 2", "CANCELLED 0 of 2"]
    assert floor.position("ann") == "0"


def test_one_that_has_nothing_left_to_reduce_is_cancelled_with_the_position(floor):
    order = floor.sell("ann", 2, at=3100, flags=REDUCE_ONLY)
    floor.buy("cat", 2, at=2990)
    floor.sell("ann", 2, at=2990)
    assert floor.shows(order) == "CANCELLED 0 of 2"
    assert floor.events[-1].reason == "reduce_only_would_open"


# --- Leverage --------------------------------------------------------------------------------------------------------


def test_the_first_order_brings_its_leverage_and_others_must_have_the_same():
    floor = Floor()
    floor.buy("ann", 1, at=3000, leverage=10)
    assert floor.buy("ann", 1, at=3000, leverage=5) == "invalid_leverage"
    assert isinstance(floor.buy("ann", 1, at=3000, leverage=10), int)


def test_changing_the_leverage_ends_the_markets_orders(floor):
    order = floor.sell("ann", 1, at=3500)
    floor.leverage("ann", 10)
    assert floor.shows(order) == "CANCELLED 0 of 1"
    assert floor.events[1].reason == "leverage_update"
    assert isinstance(floor.leverage("ann", 10), Exists)


@pytest.mark.parametrize("leverage", [0.5, 21])
def test_leverage_that_the_market_does_not_allow(floor, leverage):
    assert floor.leverage("ann", leverage) == Refused(
        "invalid_leverage", "The market does not allow that leverage.", "leverage"
    )


def test_less_leverage_than_the_position_can_be_margined_with():
    floor = Floor()
    floor.place("bob", SELL, 10, at=3000)
    floor.place("ann", BUY, 10, at=3000)
    assert floor.leverage("ann", 2).code == "insufficient_margin"
