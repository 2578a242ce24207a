"""An auditor that finds nothing proves nothing: each kind of lie a server could tell after a crash is found."""

from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal

import pytest

from tests.crash.auditor import Auditor, Heard, Terms, judge_progress
from tests.crash.books import Fault, Json, Report, judge_money, judge_order, judge_rest

BOUGHT: Json = {
    "id": "ord_b",
    "account": "acc_demo",
    "instrument": {"id": "ins_tbill", "trading_increment": "0.01"},
    "status": "executing",
    "order_type": "market",
    "purpose": "user_request",
    "side": "buy",
    "cash_amount": "12000.00",
    "net_cash_amount": "11970.07",
    "quantity": None,
    "currency": "USD",
    "automatic_rollover": False,
    "traded_quantity": "50.00",
    "traded_notional": "5000.00",
    "fees": "12.50",
    "trades": [
        {
            "id": "trd_1",
            "status": "executed",
            "price": "100.0000",
            "quantity": "50.00",
            "notional": "5000.00",
            "fees": "12.50",
            "settled_at": None,
        }
    ],
    "created_at": "2026-03-12T14:30:05.000002Z",
    "modified_at": "2026-03-12T14:30:07.000000Z",
}
SOLD: Json = {
    **BOUGHT,
    "id": "ord_s",
    "status": "placed",
    "side": "sell",
    "cash_amount": None,
    "net_cash_amount": None,
    "quantity": "3.00",
    "traded_quantity": "0.00",
    "traded_notional": "0.00",
    "fees": "0.00",
    "trades": [],
    "created_at": "2026-03-12T14:30:05.000001Z",
}
ORDERS = [BOUGHT, SOLD]  # newest first


def position(instrument: str, quantity: str, **other: str) -> Json:
    still = {"available_for_trading": quantity, "reserved": "0", "pending_settlement": "0"}
    return {"instrument": instrument, "quantity": quantity, **still, **other}


REPORT = Report(
    ORDERS,
    [
        {
            "currency": "USD",
            "total": "94987.50",
            "reserved": "6987.50",
            "available_for_trading": "88000.00",
            "available_for_withdrawal": "88000.00",
        }
    ],
    [
        position("ins_acme", "50"),
        position("ins_tbill", "1050", available_for_trading="997", reserved="3", pending_settlement="50"),
        position("ins_world", "200"),
    ],
)


def auditor(*unknown: Terms) -> Auditor:
    """One that heard both acknowledgements, and had no answer to ``unknown``."""
    heard = Heard()
    heard.acknowledged.extend(deepcopy([SOLD, BOUGHT]))
    heard.unknown.extend(unknown)
    made = Auditor()
    made.hear(heard)
    return made


def stranger(order_id: str, created_at: str) -> Json:
    return {**SOLD, "id": order_id, "created_at": created_at}


def test_the_truth_is_believed() -> None:
    auditor().check(ORDERS)
    judge_money(REPORT)


def test_an_acknowledged_order_that_is_lost_is_found() -> None:
    with pytest.raises(Fault, match="are lost"):
        auditor().check([BOUGHT])


def test_an_order_that_was_seen_and_never_acknowledged_must_stay_too() -> None:
    heard = Heard()
    heard.seen.append(SOLD)
    watched = Auditor()
    watched.hear(heard)
    with pytest.raises(Fault, match="are lost"):
        watched.check([])


def test_an_order_that_nobody_asked_for_is_found() -> None:
    with pytest.raises(Fault, match="at most 2 were asked for"):
        auditor().check([stranger("ord_x", "2027"), *ORDERS])


def test_an_unanswered_request_may_be_carried_out_once_and_on_its_own_terms_only() -> None:
    asked, other = Terms("ins_tbill", "sell", Decimal(3)), Terms("ins_acme", "sell", Decimal(3))
    once, twice = stranger("ord_x", "2027"), stranger("ord_y", "2028")
    auditor(asked).check([once, *ORDERS])
    with pytest.raises(Fault, match="not so often"):
        auditor(asked, other).check([twice, once, *ORDERS])
    with pytest.raises(Fault, match="nobody can have asked for"):
        auditor(other).check([once, *ORDERS])


def test_an_unanswered_request_that_was_not_carried_out_never_is() -> None:
    asking = auditor(Terms("ins_tbill", "sell", Decimal(3)))
    assert asking.learn(ORDERS) == 0
    with pytest.raises(Fault, match="at most 2 were asked for"):
        asking.check([stranger("ord_x", "2027"), *ORDERS])


def test_an_order_listed_twice_is_found() -> None:
    with pytest.raises(Fault, match="listed twice"):
        auditor().check([BOUGHT, *ORDERS])


def lose_trade(order: Json) -> None:
    order.update(trades=[])


def change_trade(order: Json) -> None:
    order["trades"][0]["price"] = "100.0001"


REWRITTEN: dict[str, tuple[Callable[[Json], None], str]] = {
    "other terms": (lambda order: order.update(cash_amount="11999.99"), "cash_amount changed"),
    "another time": (lambda order: order.update(created_at="2027"), "created_at changed"),
    "a status before": (lambda order: order.update(status="placed"), "the status moved back"),
    "cancelled though filled": (lambda order: order.update(status="cancelled"), "the status moved back"),
    "a lost trade": (lose_trade, "a trade is lost"),
    "another price": (change_trade, "a trade changed"),
}


@pytest.mark.parametrize(("rewrite", "fault"), REWRITTEN.values(), ids=REWRITTEN)
def test_history_rewritten_is_found(rewrite: Callable[[Json], None], fault: str) -> None:
    before = {**deepcopy(BOUGHT), "status": "filled"}
    after = deepcopy(before)
    rewrite(after)
    with pytest.raises(Fault, match=fault):
        judge_progress(before, after)


CROOKED: dict[str, tuple[Callable[[Json], None], str]] = {
    "a total": (lambda order: order.update(traded_notional="4999.99"), "traded_notional is not the sum"),
    "beyond its terms": (lambda order: order.update(cash_amount="5012.49"), "traded more than it ordered"),
    "settled too early": (lambda order: order.update(status="settled"), "its trades say otherwise"),
    "cancelled with trades": (lambda order: order.update(status="cancelled"), "it is cancelled and has trades"),
    "filled without one": (
        lambda order: order.update(status="filled", trades=[], traded_quantity="0", traded_notional="0", fees="0"),
        "without a trade",
    ),
}


@pytest.mark.parametrize(("bend", "fault"), CROOKED.values(), ids=CROOKED)
def test_an_order_that_contradicts_itself_is_found(bend: Callable[[Json], None], fault: str) -> None:
    order = deepcopy(BOUGHT)
    bend(order)
    with pytest.raises(Fault, match=fault):
        judge_order(order)


@pytest.mark.parametrize("field", ["total", "reserved", "available_for_trading", "available_for_withdrawal"])
def test_a_missing_cent_is_found(field: str) -> None:
    report = deepcopy(REPORT)
    report.cash[0][field] = str(Decimal(report.cash[0][field]) - Decimal("0.01"))
    with pytest.raises(Fault, match=f"{field} is"):
        judge_money(report)


@pytest.mark.parametrize("field", ["quantity", "reserved", "available_for_trading", "pending_settlement"])
def test_a_missing_unit_is_found(field: str) -> None:
    report = deepcopy(REPORT)
    report.positions[1][field] = str(Decimal(report.positions[1][field]) - 1)
    with pytest.raises(Fault, match=f"{field} is"):
        judge_money(report)


def test_an_order_that_never_comes_to_rest_is_found() -> None:
    with pytest.raises(Fault, match="not at rest"):
        judge_rest(REPORT)
