"""What becomes of an order in a Bluefin book (specs/bluefin.md §3): one case for each row of the table."""

import pytest

from tallystick.facts.codes import (
    AT_OR_ABOVE,
    AT_OR_BELOW,
    CANCEL_BOTH,
    CANCEL_MAKER,
    CANCEL_TAKER,
    FILL_OR_KILL,
    IMMEDIATE_OR_CANCEL,
    POST_ONLY,
    REDUCE_ONLY,
)
from tallystick.facts.commands import Refused
from tests.exchange.floor import Floor


@pytest.fixture
def floor() -> Floor:
    """Ann offers 2 at 3000 and 1 at 3001; bob bids 2 at 2999."""
    floor = Floor()
    floor.sell("ann", 2, at=3000)
    floor.sell("ann", 1, at=3001)
    floor.buy("bob", 2, at=2999)
    return floor


def test_an_order_that_crosses_nothing_rests(floor):
    assert floor.depth() == "2@2999 | 2@3000 1@3001"
    assert floor.shows(1) == "OPEN 0 of 2"


def test_an_order_is_filled_at_the_prices_of_those_who_rest_best_first(floor):
    taker = floor.buy("cat", 3, at=3005)
    assert floor.shows(taker) == "FILLED 3 of 3"
    assert [floor.shows(1), floor.shows(2)] == ["FILLED 2 of 2", "FILLED 1 of 1"]
    assert floor.position("cat") == "3@3000.3333"
    assert floor.position("ann") == "-3@3000.3333"


def test_of_two_at_one_price_who_came_first_is_first(floor):
    floor.sell("dan", 2, at=3000)
    floor.buy("cat", 3, at=3000)
    assert floor.shows(1) == "FILLED 2 of 2"
    assert floor.shows(4) == "OPEN 1 of 2"


def test_what_is_left_of_a_limit_order_rests(floor):
    taker = floor.buy("cat", 3, at=3000)
    assert floor.shows(taker) == "OPEN 2 of 3"
    assert floor.depth() == "1@3000 2@2999 | 1@3001"


@pytest.mark.parametrize("at", [0, 3000], ids=["market", "limit"])
def test_what_is_left_of_an_immediate_order_is_cancelled(floor, at):
    taker = floor.buy("cat", 4, at=at, tif=IMMEDIATE_OR_CANCEL)
    assert floor.shows(taker) == f"CANCELLED {3 if at == 0 else 2} of 4"
    assert floor.events[-1].reason == "insufficient_liquidity"


def test_a_market_order_is_immediate_whatever_it_says(floor):
    assert floor.shows(floor.buy("cat", 4)) == "CANCELLED 3 of 4"


REFUSED = [
    (
        "an immediate order with nothing to trade with",
        {"quantity": 1, "at": 2000, "tif": IMMEDIATE_OR_CANCEL},
        "insufficient_liquidity",
    ),
    ("fill or kill of more than there is", {"quantity": 4, "at": 3001, "tif": FILL_OR_KILL}, "insufficient_liquidity"),
    ("post only that would trade", {"quantity": 1, "at": 3000, "flags": POST_ONLY}, "post_only_would_trade"),
    ("a price below the least", {"quantity": 1, "at": 0.5}, "price_out_of_bound"),
    ("a price above the most", {"quantity": 1, "at": 2_000_000}, "price_out_of_bound"),
    ("a price between two ticks", {"quantity": 1, "at": 3000.05}, "price_out_of_tick_size"),
    ("a quantity below the least", {"quantity": 0.001, "at": 2990}, "quantity_out_of_bound"),
    ("a quantity above the most", {"quantity": 1001, "at": 2990}, "quantity_out_of_bound"),
    ("a market order above its own most", {"quantity": 101}, "quantity_out_of_bound"),
    ("a quantity between two steps", {"quantity": 1.005, "at": 2990}, "quantity_out_of_step_size"),
    ("a signature of the future", {"quantity": 1, "at": 2990, "signed": 10**15}, "signed_at_too_old"),
    ("a time that is over", {"quantity": 1, "at": 2990, "expires": 1}, "order_expired"),
    ("leverage below one", {"quantity": 1, "at": 2990, "leverage": 0.5}, "invalid_leverage"),
    ("leverage beyond the initial margin", {"quantity": 1, "at": 2990, "leverage": 21}, "invalid_leverage"),
    ("more than the collateral can margin", {"quantity": 17, "at": 2990}, "insufficient_margin"),
    ("reduce only without a position", {"quantity": 1, "at": 2990, "flags": REDUCE_ONLY}, "reduce_only_would_open"),
    ("an unknown market", {"quantity": 1, "at": 2990, "market": 7}, "invalid_symbol"),
    ("a trigger without a side", {"quantity": 1, "at": 2990, "stop": 3000, "when": 0}, "invalid_input"),
]


@pytest.mark.parametrize(("terms", "reason"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused_with_the_documented_reason_and_nothing_changes(floor, terms, reason):
    before = floor.depth(), floor.collateral("cat")
    assert floor.buy("cat", **terms) == reason
    assert (floor.depth(), floor.collateral("cat")) == before
    assert [type(event).__name__ for event in floor.events] == ["OrderRefused"]


def test_an_unknown_account_is_refused_by_an_event(floor):
    assert floor.buy("nobody", 1, at=2990) == "account_not_found"


def test_a_hash_is_taken_once_and_its_repetition_does_not_touch_the_order(floor):
    order = floor.buy("cat", 1, at=2990, hash="mine")
    assert floor.buy("cat", 1, at=2990, hash="mine") == "duplicate_order"
    assert floor.shows(order) == "OPEN 0 of 1"
    assert floor.cancel("cat", "mine") == ["user_cancelled"]


def test_there_are_so_many_orders_on_one_side_and_no_more():
    floor = Floor(audited=False)
    for each in range(40):
        assert floor.buy("ann", 0.01, at=1000 + each) == each + 1
    assert floor.buy("ann", 0.01, at=990) == "too_many_open_orders_on_market"
    assert floor.sell("ann", 0.01, at=4000) == 41


SELF_TRADES = [
    (CANCEL_TAKER, "CANCELLED 0 of 3", "OPEN 0 of 2", "2@2999 | 2@3000 1@3001"),
    (CANCEL_MAKER, "OPEN 1 of 3", "CANCELLED 0 of 2", "2@3001 2@2999 | "),
    (CANCEL_BOTH, "CANCELLED 0 of 3", "CANCELLED 0 of 2", "2@2999 | 1@3001"),
]


@pytest.mark.parametrize(("self_trade", "taker", "maker", "depth"), SELF_TRADES, ids=["taker", "maker", "both"])
def test_nobody_trades_with_themselves(self_trade, taker, maker, depth):
    floor = Floor()
    floor.sell("ann", 2, at=3000)
    floor.sell("dan" if self_trade == CANCEL_MAKER else "ann", 1, at=3001)
    floor.buy("bob", 2, at=2999)
    order = floor.buy("ann", 3, at=3001, self_trade=self_trade)
    assert [floor.shows(order), floor.shows(1), floor.depth()] == [taker, maker, depth]


# --- Cancels ---------------------------------------------------------------------------------------------------------


def test_a_cancel_ends_what_is_open_and_tells_of_the_rest_why_not(floor):
    floor.buy("cat", 1, at=3000, hash="filled")
    outcomes = floor.cancel("ann", "hash 1", "hash 2", "filled", "never seen")
    assert outcomes == ["user_cancelled", "user_cancelled", "order_not_found", "order_not_found"]
    assert floor.shows(1) == "CANCELLED 1 of 2"
    assert floor.depth() == "2@2999 | "


def test_another_accounts_hash_is_not_found(floor):
    assert floor.cancel("bob", "hash 1") == ["order_not_found"]


def test_a_second_cancel_of_the_same_order_fails(floor):
    assert floor.cancel("ann", "hash 1", "hash 1") == ["user_cancelled", "order_not_found"]
    assert floor.cancel("ann", "hash 1") == ["order_not_found"]


def test_cancel_all_ends_every_order_of_the_market_but_those_that_stand_by(floor):
    stop = floor.sell("ann", 1, stop=2000, when=AT_OR_BELOW)
    assert floor.cancel("ann") == ["user_cancelled_all_on_market"] * 2
    assert floor.shows(stop) == "PENDING 0 of 1"
    assert floor.cancel("ann") == ["no_open_orders_on_market"]
    assert floor.cancel("ann", standby=True) == ["user_cancelled_all_standby_on_market"]


def test_a_market_that_is_not_there(floor):
    assert floor.cancel("ann", market=9) == ["market_not_found"]
    assert floor.cancel("ann", "hash 1", "hash 2", market=9) == ["market_not_found"] * 2


# --- Time ------------------------------------------------------------------------------------------------------------


def test_an_order_expires_when_its_time_is_over(floor):
    order = floor.buy("cat", 1, at=2990, expires=floor.now + 5_000_000)
    floor.wait(4)
    assert floor.shows(order) == "OPEN 0 of 1"
    floor.wait(2)
    assert floor.shows(order) == "EXPIRED 0 of 1"
    assert floor.collateral("cat") == "10000 0"


# --- Triggers --------------------------------------------------------------------------------------------------------


def test_an_order_with_a_trigger_stands_by_and_binds_nothing(floor):
    order = floor.sell("cat", 1, stop=2999, when=AT_OR_BELOW)
    assert floor.shows(order) == "PENDING 0 of 1"
    assert floor.collateral("cat") == "10000 0"


def test_a_trade_at_its_price_sets_it_off_in_the_same_entry(floor):
    stop = floor.sell("cat", 1, stop=2999, when=AT_OR_BELOW)
    floor.sell("dan", 1, at=2999)
    assert floor.shows(stop) == "FILLED 1 of 1"
    assert floor.depth() == " | 2@3000 1@3001"


def test_one_that_sets_off_another(floor):
    floor.buy("bob", 1, at=2990)
    first = floor.sell("cat", 1.5, stop=2999, when=AT_OR_BELOW)
    second = floor.sell("dan", 0.5, at=2980, stop=2995, when=AT_OR_BELOW)
    floor.sell("ann", 1, at=2999)
    assert [floor.shows(first), floor.shows(second)] == ["FILLED 1.5 of 1.5", "FILLED 0.5 of 0.5"]


def test_a_trigger_that_is_reached_already_is_an_order_at_once(floor):
    floor.buy("cat", 1, at=3000)
    assert floor.shows(floor.sell("dan", 1, stop=3005, when=AT_OR_BELOW)) == "FILLED 1 of 1"


def test_one_that_cannot_be_an_order_when_its_price_comes_is_cancelled(floor):
    stop = floor.buy("cat", 90, at=3100, stop=3000, when=AT_OR_ABOVE)
    floor.buy("dan", 1, at=3000)
    assert floor.shows(stop) == "CANCELLED 0 of 90"
    assert [event.reason for event in floor.events if type(event).__name__ == "OrderCancelled"] == [
        "insufficient_margin"
    ]


def test_an_order_that_stands_by_can_be_cancelled_and_expires(floor):
    one = floor.sell("cat", 1, stop=2000, when=AT_OR_BELOW, hash="one")
    two = floor.sell("cat", 1, stop=2000, when=AT_OR_BELOW, expires=floor.now + 1_000_000)
    assert floor.cancel("cat", "one") == ["user_cancelled"]
    floor.wait(2)
    assert [floor.shows(one), floor.shows(two)] == ["CANCELLED 0 of 1", "EXPIRED 0 of 1"]


# --- A restart -------------------------------------------------------------------------------------------------------


def test_a_restart_keeps_the_book_and_whose_turn_it_is(floor):
    floor.sell("dan", 2, at=3000)
    floor.restart()
    floor.buy("cat", 3, at=3000)
    assert [floor.shows(1), floor.shows(4)] == ["FILLED 2 of 2", "OPEN 1 of 2"]


def test_orders_without_instructions_are_no_orders_here(floor):
    from tallystick.facts.codes import BUY, LIMIT_ORDER, UNITS
    from tallystick.facts.commands import PlaceOrder

    assert isinstance(floor.do(PlaceOrder(4, 1, BUY, LIMIT_ORDER, UNITS, 10**9)), Refused)
