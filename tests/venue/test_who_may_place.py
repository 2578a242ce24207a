"""Who may place what: each refusal, which of two is said, minimums and increments; and a refusal reserves nothing."""

from itertools import combinations

import pytest

from tallystick.core.amounts import parse
from tallystick.facts.codes import (
    ACCOUNT_FLAG_NAMES,
    BUY,
    BUYS_FORBIDDEN,
    CASH,
    LIMIT_ORDER,
    MARKET_ORDER,
    PROFESSIONAL,
    SELL,
    SELLS_FORBIDDEN,
    SUSPENDED,
    TRADING_STATUS_NAMES,
    UNITS,
)
from tallystick.facts.commands import (
    Accepted,
    ChangeAccount,
    DefineAsset,
    DefineMarket,
    PlaceOrder,
    Transfer,
)
from tests.naive import dump
from tests.stage import ALICE, WORLD_ACCOUNT, Stage

# What can be wrong with a buy, and with a sell, in the order in which it is said (specs/sophic.md §5).
OF_A_BUY = """
nobody's account         unknown_account
a key that was used      exists_with_different_terms
a limit order            invalid_order_type
no such instrument       unknown_market
half an increment        invalid_amount
below the minimum        below_minimum
not trading              market_not_trading
suspended                account_suspended
the other side only      buy_forbidden
may not                  buy_forbidden
for professionals        professional_required
another currency         currency_not_held
too much                 insufficient_funds
"""
OF_A_SELL = """
nobody's account         unknown_account
a key that was used      exists_with_different_terms
a limit order            invalid_order_type
no such instrument       unknown_market
half an increment        invalid_amount
below the minimum        below_minimum
not trading              market_not_trading
suspended                account_suspended
the other side only      sell_forbidden
may not                  sell_forbidden
for professionals        professional_required
too much                 insufficient_units
"""
NEVER_TOGETHER = {
    ("not trading", "the other side only"),  # one status says both
    ("half an increment", "below the minimum"),
    ("below the minimum", "too much"),
    ("half an increment", "too much"),  # one size says all three
}


def faults(table: str) -> dict[str, str]:
    rows = (line.rsplit(maxsplit=1) for line in table.strip().splitlines())
    return {name.strip(): code for name, code in rows}


def refused(side: int, wrong: set[str]) -> str:
    """Place an order in a market, for an account, of a size in which just this is wrong; the code of the refusal."""
    stage = Stage()
    buy = side == BUY
    status = {"not trading": "not_trading", "the other side only": "sell_only" if buy else "buy_only"}
    named = [status[fault] for fault in wrong if fault in status]
    stage.do(DefineAsset("EUR", 2))
    stage.do(DefineAsset("BOND", 3))
    stage.do(
        DefineMarket(
            "ins_bond",
            "BOND",
            "A bond",
            "BOND",
            "EUR" if "another currency" in wrong else "USD",
            2,
            10,
            status=TRADING_STATUS_NAMES.index((named or ["buy_sell"])[0]),
            pros_only="for professionals" in wrong,
            quantity_min=1_000,
            cash_min=10_000,
            cash_increment=100,
        )
    )
    if not buy:
        stage.do(Transfer(WORLD_ACCOUNT, ALICE, "BOND", 9_000))
    stage.buy("1.00", client_key="used", fingerprint="then")
    forbidden = BUYS_FORBIDDEN if buy else SELLS_FORBIDDEN
    stage.do(ChangeAccount(ALICE, SUSPENDED if "suspended" in wrong else None, forbidden * ("may not" in wrong), "ann"))
    size = 20_000 if buy else 2_000
    for fault, other in (
        ("half an increment", size + (50 if buy else 5)),
        ("below the minimum", size // 4),
        ("too much", 10**9),
    ):
        size = other if fault in wrong else size
    command = PlaceOrder(
        99 if "nobody's account" in wrong else ALICE,
        0 if "no such instrument" in wrong else 2,
        side,
        LIMIT_ORDER if "a limit order" in wrong else MARKET_ORDER,
        CASH if buy else UNITS,
        size,
        *(("used", "now") if "a key that was used" in wrong else ()),
    )
    before = dump(stage.state)
    answer = stage.do(command)
    if isinstance(answer, Accepted):
        return "accepted"
    assert dump(stage.state) == before
    return str(answer.code)


@pytest.mark.parametrize(("side", "table"), [(BUY, OF_A_BUY), (SELL, OF_A_SELL)], ids=["buy", "sell"])
def test_each_fault_alone_is_refused_and_without_any_the_order_is_accepted(side, table):
    assert refused(side, set()) == "accepted"
    for fault, code in faults(table).items():
        assert refused(side, {fault}) == code, fault


PAIRS = [
    pytest.param(side, first, second, faults(table)[first], id=f"{name}: {first}, and {second}")
    for name, side, table in (("buy", BUY, OF_A_BUY), ("sell", SELL, OF_A_SELL))
    for first, second in combinations(faults(table), 2)
    if (first, second) not in NEVER_TOGETHER
]


@pytest.mark.parametrize(("side", "first", "second", "code"), PAIRS)
def test_of_two_faults_the_first_is_said(side, first, second, code):
    assert refused(side, {first, second}) == code


SIDES = """
            buy                 sell
buy_sell    accepted            accepted
buy_only    accepted            sell_forbidden
sell_only   buy_forbidden       accepted
not_trading market_not_trading  market_not_trading
"""


@pytest.mark.parametrize("row", SIDES.strip().splitlines()[1:])
def test_what_a_market_takes_orders_for(row):
    status, *expected = row.split()
    stage = Stage()
    stage.do(DefineAsset("BOND", 3))
    stage.do(Transfer(WORLD_ACCOUNT, ALICE, "BOND", 9_000))
    stage.do(
        DefineMarket("ins_bond", "BOND", "A bond", "BOND", "USD", 2, 10, status=TRADING_STATUS_NAMES.index(status))
    )
    answers = [
        stage.do(PlaceOrder(ALICE, 2, BUY, MARKET_ORDER, CASH, 1_000)),
        stage.do(PlaceOrder(ALICE, 2, SELL, MARKET_ORDER, UNITS, 1_000)),
    ]
    assert ["accepted" if isinstance(answer, Accepted) else answer.code for answer in answers] == expected


@pytest.mark.parametrize("name", ["", *ACCOUNT_FLAG_NAMES])
def test_only_a_professional_may_trade_what_is_for_professionals(name):
    stage = Stage()
    stage.do(DefineAsset("BOND", 3))
    stage.do(DefineMarket("ins_bond", "BOND", "A bond", "BOND", "USD", 2, 10, pros_only=True))
    flags = 1 << ACCOUNT_FLAG_NAMES.index(name) if name else 0
    stage.do(ChangeAccount(ALICE, flags=flags))
    answer = stage.do(PlaceOrder(ALICE, 2, BUY, MARKET_ORDER, CASH, 1_000))
    assert isinstance(answer, Accepted) == (flags == PROFESSIONAL)


# A market of increment 0.010 in which one sells 1.000 at least, and first invests 100.00, always whole dollars; Alice
# has so many units of it.
SIZES = """
has 0.000   buy 100.00   accepted
has 0.000   buy 99.00    below_minimum
has 0.000   buy 100.01   invalid_amount
has 0.000   buy 0.00     invalid_amount
has 0.010   buy 99.00    accepted
has 0.010   buy 99.50    invalid_amount
has 5.000   sell 1.000   accepted
has 5.000   sell 0.990   below_minimum
has 5.000   sell 1.005   invalid_amount
has 0.500   sell 0.500   accepted
has 0.500   sell 0.490   below_minimum
has 5.000   sell 5.010   insufficient_units
has 0.000   sell 0.500   below_minimum
has 0.000   sell 0.000   invalid_amount
"""


@pytest.mark.parametrize("row", SIZES.strip().splitlines())
def test_minimums_and_increments(row):
    _, held, verb, size, expected = row.split()
    stage = Stage()
    stage.do(DefineAsset("BOND", 3))
    stage.do(
        DefineMarket(
            "ins_bond", "BOND", "A bond", "BOND", "USD", 2, 10, quantity_min=1_000, cash_min=10_000, cash_increment=100
        )
    )
    if parse(held, 3):
        stage.do(Transfer(WORLD_ACCOUNT, ALICE, "BOND", parse(held, 3)))
    side, kind, scale = (BUY, CASH, 2) if verb == "buy" else (SELL, UNITS, 3)
    answer = stage.do(PlaceOrder(ALICE, 2, side, MARKET_ORDER, kind, parse(size, scale)))
    assert ("accepted" if isinstance(answer, Accepted) else answer.code) == expected


def test_an_investment_is_no_longer_the_first_once_units_are_on_their_way():
    stage = Stage()
    stage.do(DefineAsset("BOND", 3))
    stage.do(DefineMarket("ins_bond", "BOND", "A bond", "BOND", "USD", 2, 10, cash_min=10_000))
    small = PlaceOrder(ALICE, 2, BUY, MARKET_ORDER, CASH, 1_000)
    stage.do(PlaceOrder(ALICE, 2, BUY, MARKET_ORDER, CASH, 10_000))
    assert stage.do(small).code == "below_minimum"
    stage.engine.ambient.quote(2, 100, stage.now)
    stage.wait(3)
    assert isinstance(stage.do(small), Accepted)
