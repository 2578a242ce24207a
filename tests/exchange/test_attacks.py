"""What somebody would try who wants more than is theirs, and what the order of events must not change."""

import pytest
from msgspec.structs import replace

from tallystick.dialects.bluefin.policy import Policy
from tallystick.dialects.bluefin.reasons import on_the_wire
from tallystick.facts.codes import (
    AT_OR_ABOVE,
    AT_OR_BELOW,
    BUY,
    BUY_ONLY,
    CANCEL_BOTH,
    CANCEL_MAKER,
    CANCEL_TAKER,
    CUSTOMER,
    FILL_OR_KILL,
    IMMEDIATE_OR_CANCEL,
    MARKET_ORDER,
    NOT_TRADING,
    POSITION,
    REDUCE_ONLY,
    SELL,
    SUSPENDED,
    UNITS,
)
from tallystick.facts.commands import (
    Accepted,
    CancelOrders,
    ChangeAccount,
    ChangeMarket,
    DefineAsset,
    DefineMarket,
    OpenAccount,
    PlaceOrder,
    Quote,
    Refused,
    Transfer,
)
from tallystick.facts.venue import Instructions, OrderRefused, OrdersReached
from tallystick.readers.verify_facts import Facts
from tallystick.venue.draft import Draft
from tallystick.venue.positions import free_collateral
from tests.exchange.floor import CONTRACT, E9, ETH, USDC, WORLD_ACCOUNT, Floor


@pytest.fixture
def floor() -> Floor:
    return Floor()


def kinds(floor: Floor) -> list[str]:
    return [type(event).__name__ for event in floor.events]


def free(floor: Floor, trader: str) -> int:
    account = floor.state.accounts[floor.accounts[trader]]
    return free_collateral(floor.state, floor.engine.ambient, account, USDC)


def ended(floor: Floor) -> list[str]:
    return [event.reason for event in floor.events if type(event).__name__ == "OrderCancelled"]


# --- More than the collateral can margin -----------------------------------------------------------------------------


def test_an_order_that_closed_when_it_came_and_would_open_now_needs_its_margin_then(floor):
    """Ann's offer bound nothing while it would close; then she closed by another one, and spent her collateral."""
    floor.sell("bob", 16, at=3000)
    floor.buy("ann", 16, at=3000)
    offer = floor.sell("ann", 16, at=3010)
    assert floor.collateral("ann").endswith(" 0")
    floor.buy("cat", 16, at=3000)
    floor.sell("ann", 16, at=3000, flags=REDUCE_ONLY)
    floor.buy("ann", 16, at=2000)
    floor.buy("dan", 16, at=3010)
    assert floor.shows(offer) == "CANCELLED 0 of 16"
    assert ended(floor) == ["margin_call"]
    assert free(floor, "ann") >= 0


def test_a_market_order_is_not_estimated_by_its_owners_own_offers(floor):
    floor.deposit("bob", 50_000)
    floor.sell("ann", 1, at=3000)
    floor.sell("bob", 1, at=90_000)
    assert floor.buy("ann", 1) == "insufficient_margin"


def test_a_market_order_stops_where_its_margin_ends(floor):
    """The cheap offer goes when it is met, since it may only reduce; the next one is beyond the buyer's means."""
    floor.deposit("bob", 50_000)
    floor.sell("bob", 1, at=3000)
    floor.buy("cat", 1, at=3000)
    floor.sell("cat", 1, at=3010, flags=REDUCE_ONLY, expires=floor.now + 10)
    floor.sell("bob", 1, at=90_000)
    floor.now += 100
    order = floor.buy("ann", 1)
    assert floor.shows(order) == "CANCELLED 0 of 1"
    assert ended(floor) == ["insufficient_margin"]


def test_an_order_that_stands_by_brings_its_leverage_as_any_other(floor):
    floor.buy("bob", 1, at=2000)
    stop = floor.buy("ann", 1, at=3100, stop=3000, when=AT_OR_ABOVE, leverage=20)
    floor.sell("cat", 5, at=3000)
    floor.buy("dan", 1, at=3000)
    assert floor.shows(stop) == "FILLED 1 of 1"
    account = floor.state.accounts[floor.accounts["ann"]]
    assert account.leverage[ETH] == 20 * E9


def test_more_leverage_is_never_refused_for_want_of_margin(floor):
    floor.sell("bob", 16, at=3000)
    floor.buy("ann", 16, at=3000)
    floor.do(Quote(ETH, 2700 * E9))
    assert free(floor, "ann") < 0
    assert isinstance(floor.leverage("ann", 10), Accepted)


def test_collateral_that_positions_need_is_not_paid_out(floor):
    floor.sell("bob", 10, at=3000)
    floor.buy("ann", 10, at=3000)
    ann = floor.accounts["ann"]
    assert floor.do(Transfer(ann, WORLD_ACCOUNT, "USDC", 3_971 * E9)).code == "insufficient_funds"
    assert isinstance(floor.do(Transfer(ann, WORLD_ACCOUNT, "USDC", 3_970 * E9)), Accepted)
    assert free(floor, "ann") == 0


@pytest.mark.parametrize("asset", ["ETH-PERP", "ETH-PERP basis"])
def test_a_position_is_not_transferred(floor, asset):
    refused = floor.do(Transfer(WORLD_ACCOUNT, floor.accounts["ann"], asset, E9))
    assert isinstance(refused, Refused)
    assert refused.field == "asset"


@pytest.mark.parametrize(
    "change",
    [
        {"unit": "ETH-PERP"},
        {"contract": replace(CONTRACT, basis=3)},
        {"contract": replace(CONTRACT, basis=4)},
        {"currency": "ETH-PERP basis"},
        {"contract": replace(CONTRACT, basis=6)},
        {"contract": replace(CONTRACT, basis=5, leverage=100 * E9)},
    ],
    ids=["another's unit", "another's basis", "unit as basis", "a position as money", "another scale", "leverage"],
)
def test_two_contracts_have_nothing_in_common_but_their_currency(floor, change):
    floor.do(DefineAsset("BTC-PERP", 9, kind=POSITION))
    floor.do(DefineAsset("BTC-PERP basis", 9, kind=POSITION))
    floor.do(DefineAsset("short basis", 2, kind=POSITION))
    terms = {
        "name": "BTC-PERP",
        "symbol": "BTC-PERP",
        "title": "Bitcoin",
        "unit": "BTC-PERP",
        "currency": "USDC",
        "price_scale": 9,
        "increment": E9 // 100,
        "contract": replace(CONTRACT, basis=5),
    }
    assert isinstance(floor.do(DefineMarket(**terms | change)), Refused)
    assert isinstance(floor.do(DefineMarket(**terms)), Accepted)


def test_a_partial_fill_of_all_that_an_account_can_margin_is_no_margin_call():
    """The parts of a margin, each rounded up, come to a little more than the whole."""
    floor = Floor()
    order = floor.buy("ann", 3.33, at=3001.7, leverage=7)
    spare = free(floor, "ann")
    floor.do(Transfer(floor.accounts["ann"], WORLD_ACCOUNT, "USDC", spare))
    for _ in range(7):
        floor.sell("bob", 0.37, at=3001.7)
    assert floor.shows(order) == "OPEN 2.59 of 3.33"


# --- All or nothing --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("self_trade", [CANCEL_TAKER, CANCEL_BOTH])
def test_fill_or_kill_that_would_meet_its_owners_own_order_is_refused_whole(floor, self_trade):
    floor.sell("bob", 1, at=3000)
    floor.sell("ann", 1, at=3001)
    floor.sell("bob", 1, at=3002)
    assert floor.buy("ann", 2, at=3002, tif=FILL_OR_KILL, self_trade=self_trade) == "self_trade_prevention"
    assert kinds(floor) == ["OrderRefused"]


def test_fill_or_kill_passes_over_its_owners_own_order(floor):
    floor.sell("bob", 1, at=3000)
    floor.sell("ann", 1, at=3001)
    floor.sell("bob", 1, at=3002)
    assert floor.shows(floor.buy("ann", 2, at=3002, tif=FILL_OR_KILL, self_trade=CANCEL_MAKER)) == "FILLED 2 of 2"


def _reduces(floor):
    """Cat offers 2 that may only reduce a position of 1."""
    floor.sell("bob", 2, at=3000)
    floor.buy("cat", 2, at=3000)
    floor.sell("cat", 2, at=3010, flags=REDUCE_ONLY)
    floor.buy("dan", 1, at=3005)
    floor.sell("cat", 1, at=3005)


def _expired(floor):
    floor.sell("cat", 1, at=3010, expires=floor.now + 10)
    floor.sell("bob", 1, at=3010)
    floor.now += 100


def _suspended(floor):
    floor.sell("cat", 1, at=3010)
    floor.sell("bob", 1, at=3010)
    floor.do(ChangeAccount(floor.accounts["cat"], SUSPENDED))


def _lost_its_margin(floor):
    floor.deposit("cat", 1_000)
    floor.buy("bob", 16, at=3000)
    floor.sell("cat", 16, at=3000)
    floor.sell("cat", 1, at=3010)
    floor.do(Quote(ETH, 4000 * E9))
    floor.sell("bob", 1, at=3010)


@pytest.mark.parametrize("scene", [_reduces, _expired, _suspended, _lost_its_margin])
def test_fill_or_kill_counts_only_what_may_trade(floor, scene):
    scene(floor)
    assert floor.buy("ann", 2, at=3010, tif=FILL_OR_KILL) == "insufficient_liquidity"
    floor.sell("dan", 2, at=3010)
    assert floor.shows(floor.buy("ann", 2, at=3010, tif=FILL_OR_KILL)) == "FILLED 2 of 2"


def test_fill_or_kill_takes_everything_although_its_own_trades_move_the_price():
    """Bob is short; each trade of the taker moves the mark against him, and his second offer is still filled."""
    floor = Floor()
    floor.buy("dan", 15, at=3000)
    floor.sell("bob", 15, at=3000)
    floor.sell("bob", 0.1, at=3040)
    floor.sell("cat", 1, at=3090)
    floor.sell("bob", 0.1, at=3095)
    assert floor.shows(floor.buy("ann", 1.2, at=3095, tif=FILL_OR_KILL)) == "FILLED 1.2 of 1.2"


# --- Time ------------------------------------------------------------------------------------------------------------


def test_an_order_does_not_trade_after_its_time_although_nothing_woke_it(floor):
    order = floor.sell("bob", 1, at=3000, expires=floor.now + 10)
    floor.now += 100
    taker = floor.buy("ann", 1, at=3000)
    assert [floor.shows(order), floor.shows(taker)] == ["EXPIRED 0 of 1", "OPEN 0 of 1"]


def test_an_order_that_stands_by_is_not_set_off_after_its_time(floor):
    order = floor.sell("bob", 1, stop=3000, when=AT_OR_BELOW, expires=floor.now + 100)
    floor.buy("cat", 1, at=3000)
    floor.buy("dan", 2, at=2990)
    floor.now += 1000
    floor.sell("ann", 1, at=3000)
    assert floor.shows(order) == "EXPIRED 0 of 1"


# --- Triggers --------------------------------------------------------------------------------------------------------


def test_a_price_that_was_traded_on_the_way_sets_off_though_it_was_not_the_last(floor):
    floor.buy("bob", 1, at=2900)
    stop = floor.sell("cat", 1, at=2900, stop=3002, when=AT_OR_BELOW)
    floor.state.markets[ETH].traded = floor.readers.markets[ETH].traded = 3100 * E9
    floor.audited = False
    floor.sell("bob", 1, at=3000)
    floor.sell("bob", 1, at=3005)
    floor.buy("ann", 2, at=3005)
    assert floor.shows(stop) == "FILLED 1 of 1"


def crowd_of_stops(count: int, bids: int = 0) -> Floor:
    traders = [f"t{each}" for each in range(count // 40)]
    floor = Floor(" ".join(["ann", "bob", *traders]), audited=False)
    for each in range(bids):
        floor.buy(traders[each % len(traders)], 0.01, at=1000, hash=f"bid {each}")
    for trader in traders:
        for _ in range(40):
            assert isinstance(floor.sell(trader, 0.01, at=3010, stop=3000, when=AT_OR_BELOW), int)
    return floor


def test_two_thousand_stops_at_one_price_are_all_set_off_also_when_it_has_gone_again_and_after_a_crash():
    floor = crowd_of_stops(2000)
    floor.sell("bob", 1, at=3000)
    floor.buy("ann", 1, at=3000)
    assert all(len(entry.events) <= 1024 for entry in floor.entries)
    floor.sell("bob", 1, at=3009)
    floor.buy("ann", 1, at=3009)
    assert len(floor.state.markets[ETH].standby) == 0
    floor.restart()
    floor.wait(1)
    resting = [order for order in floor.state.orders.values() if floor.shows(order.number) == "OPEN 0 of 0.01"]
    assert len(resting) == 2000
    assert [each.number for each in resting] == [
        number for number in floor.state.markets[ETH].book.orders() if number in {each.number for each in resting}
    ]
    assert max(len(entry.events) for entry in floor.entries) <= 1024


def test_a_stop_that_is_set_off_late_has_as_much_room_as_any_other():
    floor = crowd_of_stops(400)
    for each in range(10):
        floor.buy("bob", 0.01, at=2000 + each)
    floor.cancel("bob")
    for _ in range(30):
        floor.buy("bob", 0.02, at=2999)
    floor.sell("bob", 1, at=3000)
    floor.buy("ann", 1, at=3000)
    floor.wait(1)
    reasons = [
        event.reason
        for entry in floor.entries
        for event in entry.events
        if hasattr(event, "voided") and hasattr(event, "reason")
    ]
    assert "too_many_matches" not in reasons


def test_a_taker_through_six_hundred_makers_ends_at_the_limit_and_the_book_is_not_crossed():
    floor = Floor(" ".join(["ann", *(f"t{each}" for each in range(15))]), audited=False)
    for each in range(600):
        assert isinstance(floor.sell(f"t{each % 15}", 0.01, at=3000), int)
    taker = floor.buy("ann", 6, at=3000)
    assert floor.shows(taker).startswith("CANCELLED")
    assert "too_many_matches" in ended(floor)
    assert len(floor.events) <= 1024
    assert isinstance(floor.buy("ann", 1, at=3000, tif=FILL_OR_KILL), int)


def test_fill_or_kill_through_too_many_makers_takes_nothing():
    floor = Floor(" ".join(["ann", *(f"t{each}" for each in range(15))]), audited=False)
    for each in range(600):
        floor.sell(f"t{each % 15}", 0.01, at=3000)
    assert floor.buy("ann", 6, at=3000, tif=FILL_OR_KILL) == "too_many_matches"


def test_by_the_mark_price_a_quote_sets_off():
    floor = Floor(policy=Policy(trigger_by_mark=True))
    floor.buy("bob", 1, at=2900)
    stop = floor.sell("cat", 1, stop=2950, when=AT_OR_BELOW)
    floor.do(Quote(ETH, 2960 * E9))
    assert floor.shows(stop) == "PENDING 0 of 1"
    floor.do(Quote(ETH, 2950 * E9))
    assert floor.shows(stop) == "FILLED 1 of 1"
    triggered = next(event for event in floor.events if type(event).__name__ == "OrderTriggered")
    assert triggered.price == 2950 * E9


def test_a_stop_that_only_reduces_closes_what_is_left_of_the_position(floor):
    floor.sell("bob", 2, at=3000)
    floor.buy("ann", 2, at=3000)
    stop = floor.sell("ann", 2, stop=2950, when=AT_OR_BELOW, flags=REDUCE_ONLY)
    floor.buy("cat", 1, at=2990)
    floor.sell("ann", 1, at=2990)
    floor.buy("cat", 1, at=2950)
    floor.buy("cat", 3, at=2940)
    floor.sell("dan", 1, at=2950)
    assert floor.shows(stop) == "CANCELLED 1 of 2"
    assert ended(floor) == ["reduce_only_would_open"]
    assert floor.position("ann") == "0"


def test_a_halt_ends_what_rests_and_what_stands_by(floor):
    orders = [floor.buy("ann", 1, at=2900), floor.sell("bob", 1, stop=2800, when=AT_OR_BELOW)]
    floor.do(ChangeMarket(ETH, NOT_TRADING))
    assert floor.buy("cat", 1, at=2900) == "market_not_trading"
    floor.wait(1)
    assert [floor.shows(order) for order in orders] == ["CANCELLED 0 of 1"] * 2
    assert len(floor.state.markets[ETH].standby) == len(floor.state.markets[ETH].book) == 0


def test_a_market_that_only_takes_buys_takes_no_sells(floor):
    floor.do(ChangeMarket(ETH, BUY_ONLY))
    assert floor.sell("ann", 1, at=3000) == "market_not_trading"
    assert isinstance(floor.buy("ann", 1, at=3000), int)


# --- Words that do not go together -----------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [{"price": 3 * E9 + 1}, {"self_trade": 0}, {"self_trade": 9}])
def test_a_market_order_with_a_price_or_no_word_on_self_trades_is_no_order(floor, change):
    with_ = replace(Instructions(0, IMMEDIATE_OR_CANCEL, self_trade=CANCEL_MAKER, leverage=5 * E9), **change)
    floor.sell("bob", 1, at=3000)
    floor.do(PlaceOrder(floor.accounts["ann"], ETH, BUY, MARKET_ORDER, UNITS, E9, "h", instructions=with_))
    assert [event.code for event in floor.events if isinstance(event, OrderRefused)] == ["invalid_input"]


def test_who_has_all_the_orders_there_may_be_can_still_close_at_once():
    floor = Floor(audited=False)
    floor.sell("bob", 1, at=3000)
    floor.buy("ann", 1, at=3000)
    for each in range(40):
        floor.sell("ann", 0.01, at=4000 + each)
    floor.buy("cat", 1, at=2900)
    assert floor.shows(floor.sell("ann", 1, flags=REDUCE_ONLY)) == "FILLED 1 of 1"
    assert floor.sell("ann", 1, at=5000) == "too_many_open_orders_on_market"


def test_a_cancel_of_what_stands_by_leaves_what_is_open(floor):
    floor.buy("ann", 1, at=2900, hash="open")
    floor.sell("ann", 1, stop=2800, when=AT_OR_BELOW, hash="stop")
    assert floor.cancel("ann", "open", "stop", standby=True) == ["order_not_found", "user_cancelled"]
    assert floor.depth() == "1@2900 | "


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("margin_call", "MARGIN_CALL"),
        ("account_suspended", "ACCOUNT_DEAUTHORIZED"),
        ("order_closed", "ORDER_NOT_FOUND"),
        ("", "UNSPECIFIED"),
        ("asked for by phone", "UNSPECIFIED"),
    ],
)
def test_a_client_reads_only_words_that_it_knows(said, word):
    assert on_the_wire(said) == word


@pytest.mark.parametrize("orders_max", [0, 501])
def test_a_policy_whose_cancels_would_not_fit_one_entry_is_none(orders_max):
    with pytest.raises(ValueError, match="orders_max"):
        Policy(orders_max=orders_max)


def test_all_the_orders_that_there_may_be_are_cancelled_at_once():
    floor = Floor(policy=Policy(orders_max=500), audited=False)
    for each in range(500):
        floor.buy("ann", 0.01, at=1000 + each)
        floor.sell("ann", 0.01, at=4000 + each)
    assert len(floor.cancel("ann")) == 1000


def test_an_account_with_many_orders_that_loses_its_margin_does_not_break_the_entry():
    floor = Floor(policy=Policy(orders_max=500), audited=False)
    floor.sell("bob", 10, at=3000)
    floor.buy("ann", 10, at=3000)
    for each in range(480):
        floor.buy("ann", 0.01, at=1000 + each)
        floor.sell("ann", 0.01, at=4000 + each, flags=REDUCE_ONLY)
    floor.buy("cat", 10, at=2500)
    floor.sell("ann", 10, at=2500)
    assert len(floor.events) <= 1024


def test_a_makers_order_leaves_while_the_other_leg_of_its_trade_stays(floor):
    floor.sell("bob", 1, at=3000)
    taker = floor.buy("ann", 2, at=3000)
    floor.wait(120)
    floor.buy("cat", 1, at=2000)
    assert 1 not in floor.state.orders
    assert floor.shows(taker) == "OPEN 1 of 2"
    floor.restart()
    floor.sell("dan", 1, at=3000)
    floor.wait(120)
    floor.buy("cat", 1, at=2000)
    assert taker not in floor.state.orders
    assert not floor.state.trades


def test_an_operators_cancel_ends_any_order(floor):
    orders = (floor.buy("ann", 1, at=2900), floor.sell("bob", 1, stop=2800, when=AT_OR_BELOW))
    floor.do(CancelOrders(orders, "ops"))
    assert [floor.shows(order) for order in orders] == ["CANCELLED 0 of 1"] * 2


def test_only_customers_trade(floor):
    number = floor.do(OpenAccount("eve", CUSTOMER)).number
    assert number == 8
    floor.accounts["house"] = 3
    assert floor.sell("house", 1, at=3000) == "account_not_found"


def test_both_sides_of_a_trade_are_of_their_own_account(floor):
    """Nobody's position is without its cost, and nobody's cost without its position."""
    floor.sell("ann", 1, at=3000)
    floor.buy("bob", 2, at=3000)
    floor.sell("cat", 1, at=3000)
    for trader in ("ann", "bob", "cat", "dan"):
        account = floor.state.accounts[floor.accounts[trader]]
        assert (account.book.look(2).settled == 0) == (account.book.look(3).settled == 0)
    assert floor.place("ann", SELL, 1, at=3000, hash="x") > 0


def test_a_journal_that_sets_off_what_does_not_stand_by_is_damaged(floor):
    """Two thousand stops are noted by one fact, which the audit of a journal holds against what stood by."""
    floor.buy("ann", 1, at=2900)
    draft = Draft(floor.state, floor.engine.ambient, floor.engine.timers, floor.now)
    reached = OrdersReached(0, 0, ETH, 3000 * E9, (1,), draft.started)
    assert "does not stand by" in Facts(floor.state, draft.started).objection(reached)
