"""Of several reasons to refuse an order the first of specs/sophic.md §5 is told, and nothing is reserved."""

from collections.abc import Iterator
from itertools import combinations
from typing import Any, NamedTuple

import pytest

from tallystick.access.principal import ORDERS_READ
from tallystick.facts.codes import (
    ACTIVE,
    BUY_ONLY,
    BUY_SELL,
    BUYS_FORBIDDEN,
    NOT_TRADING,
    PROFESSIONAL,
    SELL_ONLY,
    SELLS_FORBIDDEN,
    SUSPENDED,
)
from tallystick.facts.commands import ChangeAccount, ChangeMarket, DefineMarket
from tests.sophic.customer import assert_error
from tests.sophic.floor import DEMO, Floor

BUY = {"side": "buy", "cash_amount": "100.00"}
SELL = {"side": "sell", "quantity": "5.0"}


class Reason(NamedTuple):
    """Something that is wrong, and how it is told: ``request`` changes the token, the account or the body, the others
    what the account and the instrument are."""

    title: str
    status: int
    code: str
    param: str = ""
    param_code: str = ""
    request: tuple[tuple[str, str], ...] = ()
    flags: int = 0
    no_flags: int = 0
    account_status: int = ACTIVE
    market_status: int = BUY_SELL


EVERYBODY = (
    Reason("no token", 401, "unauthorized", request=(("token", ""),)),
    Reason("a token that only reads", 403, "insufficient_scope", request=(("token", "reader"),)),
    Reason("no such account", 404, "not_found", request=(("account", "acc_other"),)),
    Reason("a bad form", 400, "invalid_request", "body.order_type", "invalid_param", (("order_type", "limit"),)),
)
INSTRUMENT = (
    Reason("no such instrument", 400, "not_found", "body.instrument", "not_found", (("instrument", "ins_other"),)),
    Reason("a halt", 400, "instrument_not_trading", "body.instrument", market_status=NOT_TRADING),
)
PROS_ONLY = Reason("only for professionals", 403, "professional_trader_required", no_flags=PROFESSIONAL)
BUYING = (
    *EVERYBODY,
    Reason(
        "a cash amount off the step",
        400,
        "invalid_request",
        "body.cash_amount",
        "invalid_param",
        (("cash_amount", "99999999.01"),),
    ),
    *INSTRUMENT,
)
BUY_END = (
    PROS_ONLY,
    Reason(
        "none of the currency", 400, "currency_not_supported", "body.instrument", request=(("account", "acc_empty"),)
    ),
    Reason("too little cash", 400, "insufficient_funds", "body.cash_amount", request=(("cash_amount", "99999999.00"),)),
)
SELLING = (
    *EVERYBODY,
    Reason(
        "a quantity off the increment",
        400,
        "invalid_request",
        "body.quantity",
        "invalid_param",
        (("quantity", "5.55"),),
    ),
    *INSTRUMENT,
)
SELL_END = (
    PROS_ONLY,
    Reason("too few units", 400, "insufficient_units", "body.quantity", request=(("quantity", "90.0"),)),
)
CHAINS = [
    (BUY, (*BUYING, Reason("a suspension", 403, "buy_order_forbidden", account_status=SUSPENDED), *BUY_END)),
    (BUY, (*BUYING, Reason("only sells taken", 403, "buy_order_forbidden", market_status=SELL_ONLY), *BUY_END)),
    (BUY, (*BUYING, Reason("no buys allowed", 403, "buy_order_forbidden", flags=BUYS_FORBIDDEN), *BUY_END)),
    (SELL, (*SELLING, Reason("a suspension", 403, "sell_order_forbidden", account_status=SUSPENDED), *SELL_END)),
    (SELL, (*SELLING, Reason("only buys taken", 403, "sell_order_forbidden", market_status=BUY_ONLY), *SELL_END)),
    (SELL, (*SELLING, Reason("no sells allowed", 403, "sell_order_forbidden", flags=SELLS_FORBIDDEN), *SELL_END)),
]

tokens: dict[str, str | None] = {DEMO: DEMO, "": None}
"""By the names that reasons call them."""


def go_together(first: Reason, second: Reason) -> bool:
    """Whether both can be wrong at once. What a size must be is the instrument's to say: it has to exist."""
    names = [{name for name, _ in each.request} for each in (first, second)]
    statuses = {first.market_status, second.market_status} - {BUY_SELL}
    sized = first.param in ("body.cash_amount", "body.quantity") and second.title == "no such instrument"
    return not names[0] & names[1] and len(statuses) < 2 and not sized


PAIRS = [
    pytest.param(order, first, second, id=f"{order['side']}: {first.title} before {second.title}")
    for order, chain in CHAINS
    for first, second in combinations(chain, 2)
    if go_together(first, second)
]


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    """An instrument for professionals in steps of 1.00, and accounts with plenty and with nothing."""
    with Floor(tmp_path_factory.mktemp("precedence") / "data") as floor:
        floor.ask(DefineMarket("ins_pro", "PRO", "Pro", "ACME", "USD", 4, 100_000, pros_only=True, cash_increment=100))
        floor.account("acc_empty", "demo", funds=0)
        tokens["reader"] = floor.client("reader", ORDERS_READ)
        yield floor


def set_up(floor: Floor, account: str, *reasons: Reason) -> None:
    """Let the instrument and the account be what the reasons want, and else as they should be."""
    flags, status, market_status = PROFESSIONAL, ACTIVE, BUY_SELL
    for each in reasons:
        flags = (flags | each.flags) & ~each.no_flags
        status = max(status, each.account_status)
        market_status = max(market_status, each.market_status)
    if account in floor.state.account_named:
        floor.ask(ChangeAccount(floor.state.account_named[account].number, status, flags))
    floor.ask(ChangeMarket(floor.state.market_named["ins_pro"].number, market_status))


def order_with(floor: Floor, order: dict[str, str], *reasons: Reason) -> Any:
    changes = dict(pair for each in reasons for pair in each.request)
    account, token = changes.pop("account", "acc_demo"), changes.pop("token", DEMO)
    set_up(floor, account, *reasons)
    body = {"instrument": "ins_pro", "order_type": "market"} | order | changes
    return floor.send("POST", f"/accounts/{account}/orders", token=tokens[token], json=body)


def assert_told(answer: Any, reason: Reason) -> None:
    params = [(reason.param, reason.param_code or reason.code)] if reason.param else []
    assert_error(answer, reason.status, reason.code, params)


@pytest.fixture(autouse=True, scope="module")
def nothing_is_reserved(floor: Floor) -> Iterator[None]:
    before = floor.read("/accounts/acc_demo/cash-balances"), floor.read("/accounts/acc_demo/positions")
    yield
    assert (floor.read("/accounts/acc_demo/cash-balances"), floor.read("/accounts/acc_demo/positions")) == before
    assert floor.read("/accounts/acc_demo/orders") == []


@pytest.mark.parametrize(
    ("order", "reasons"), CHAINS, ids=[f"{order['side']} {chain[7].title}" for order, chain in CHAINS]
)
def test_each_reason_alone_is_told(floor: Floor, order: dict[str, str], reasons: tuple[Reason, ...]) -> None:
    for reason in reasons:
        assert_told(order_with(floor, order, reason), reason)


@pytest.mark.parametrize(("order", "first", "second"), PAIRS)
def test_of_two_reasons_the_first_is_told(floor: Floor, order: dict[str, str], first: Reason, second: Reason) -> None:
    assert_told(order_with(floor, order, first, second), first)


def test_faults_of_header_query_and_body_are_told_together(floor: Floor) -> None:
    answer = floor.send(
        "POST",
        "/accounts/acc_demo/orders?dry_run=1",
        headers={"idempotency-key": ""},
        json={"instrument": "ins_pro", "order_type": "limit"} | BUY,
    )
    params = [
        ("body.order_type", "invalid_param"),
        ("header.Idempotency-Key", "invalid_param"),
        ("query.dry_run", "unknown_field"),
    ]
    assert_error(answer, 400, "invalid_request", params)
