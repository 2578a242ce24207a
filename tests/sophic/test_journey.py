"""An order's way over a real socket: placed, executing, filled, settled, with every cent and unit accounted for."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import Any, NamedTuple

import httpx
import pytest

from tests.running import RunningServer
from tests.sophic.arithmetic import LISTINGS, NaiveTrade, net_of_fees, trades_of
from tests.sophic.customer import Customer, Snapshot, assert_error

PACE = "0.2"


class Journey(NamedTuple):
    title: str
    side: str
    instrument: str
    amount: str


JOURNEYS = [
    Journey("a buy of one trade", "buy", "ins_acme", "1000.00"),
    Journey("a buy that its last trade fills to the increment", "buy", "ins_acme", "10025.00"),
    Journey("a buy of three trades that leaves a rest", "buy", "ins_world", "12345.67"),
    Journey("a buy in coarse increments releases most of an increment", "buy", "ins_tbill", "99.99"),
    Journey("a sell of one trade", "sell", "ins_acme", "1.234567"),
    Journey("a sell of three trades", "sell", "ins_tbill", "123.45"),
]


@pytest.fixture(scope="module")
def customer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Customer]:
    data = tmp_path_factory.mktemp("journey") / "data"
    with RunningServer(data, "--pace", PACE, "--prices", "fixed") as server, Customer(server) as customer:
        yield customer
        assert "Traceback" not in server.log


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Customer]:
    """Where every step follows the one before at once."""
    data = tmp_path_factory.mktemp("quick") / "data"
    with RunningServer(data, "--pace", "0", "--prices", "fixed") as server, Customer(server) as customer:
        yield customer
        assert "Traceback" not in server.log


def follow(customer: Customer, journey: Journey) -> list[Snapshot]:
    """Place it and look until it is settled: every different sight of it, the answer to the POST being the first."""
    placed = customer.place(journey.side, journey.amount, journey.instrument)
    sights = [customer.snapshot(placed["id"], journey.instrument)]
    assert sights[0].order == placed
    while sights[-1].order["status"] not in ("settled", "cancelled"):
        sight = customer.snapshot(placed["id"], journey.instrument)
        if sight.order != sights[-1].order:
            sights.append(sight)
    return sights


def total(trades: list[NaiveTrade]) -> NaiveTrade:
    quantities, notionals, fees = zip(*trades, strict=True) if trades else ((), (), ())
    return NaiveTrade(sum(quantities, Decimal(0)), sum(notionals, Decimal(0)), sum(fees, Decimal(0)))


def expected_cash(
    start: Decimal, journey: Journey, trades: list[NaiveTrade], settled: int, closed: bool
) -> list[Decimal]:
    """total, available for trading, available for withdrawal, reserved."""
    done = total(trades)
    if journey.side == "buy":
        reserved = Decimal(0) if closed else Decimal(journey.amount) - done.notional - done.fee
        now = start - done.notional - done.fee
        return [now, now - reserved, now - reserved, reserved]
    arrived = total(trades[:settled])
    now = start + done.notional - done.fee
    return [now, now, start + arrived.notional - arrived.fee, Decimal(0)]


def expected_position(start: Decimal, journey: Journey, trades: list[NaiveTrade], settled: int) -> list[Decimal]:
    """quantity, available for trading, reserved, pending settlement."""
    done, arrived = total(trades).quantity, total(trades[:settled]).quantity
    if journey.side == "buy":
        return [start + done, start + arrived, Decimal(0), done - arrived]
    reserved = Decimal(journey.amount) - done
    return [start - done, start - done - reserved, reserved, Decimal(0)]


def amounts(shown: dict[str, str], *names: str) -> list[Decimal]:
    return [Decimal(shown[name]) for name in names]


def assert_sums(order: dict[str, Any]) -> None:
    trades = order["trades"]
    assert Decimal(order["traded_quantity"]) == sum(Decimal(each["quantity"]) for each in trades)
    assert Decimal(order["traded_notional"]) == sum(Decimal(each["notional"]) for each in trades)
    assert Decimal(order["fees"]) == sum(Decimal(each["fees"]) for each in trades)


@pytest.mark.slow
@pytest.mark.parametrize("journey", JOURNEYS, ids=[each.title for each in JOURNEYS])
def test_every_sight_on_the_way_agrees_with_a_naive_account(customer: Customer, journey: Journey) -> None:
    cash = Decimal(customer.cash()["total"])
    units = Decimal(customer.position(journey.instrument)["quantity"])
    naive = trades_of(journey.side, Decimal(journey.amount), LISTINGS[journey.instrument])
    sights = follow(customer, journey)

    seen = list(dict.fromkeys(sight.order["status"] for sight in sights))
    assert seen == ["placed", "executing", "filled", "settled"]
    assert len(sights[-1].order["trades"]) == len(naive)
    for order, balance, position in sights:
        made = naive[: len(order["trades"])]
        settled = [each["status"] for each in order["trades"]].count("settled")
        closed = order["status"] in ("filled", "settled")
        assert_sums(order)
        assert [NaiveTrade(*amounts(each, "quantity", "notional", "fees")) for each in order["trades"]] == made
        assert amounts(
            balance, "total", "available_for_trading", "available_for_withdrawal", "reserved"
        ) == expected_cash(cash, journey, made, settled, closed)
        assert amounts(
            position, "quantity", "available_for_trading", "reserved", "pending_settlement"
        ) == expected_position(units, journey, made, settled)


@pytest.mark.slow
def test_an_order_tells_its_own_story_in_full(customer: Customer) -> None:
    sights = [sight.order for sight in follow(customer, Journey("", "buy", "ins_world", "6000.00"))]
    placed, settled = sights[0], sights[-1]

    fixed = ["id", "account", "instrument", "order_type", "purpose", "side", "cash_amount", "net_cash_amount"]
    for order in sights:
        assert [order[name] for name in [*fixed, "created_at"]] == [placed[name] for name in [*fixed, "created_at"]]
    assert (placed["account"], placed["order_type"], placed["purpose"]) == ("acc_demo", "market", "user_request")
    assert (placed["cash_amount"], placed["quantity"]) == ("6000.00", None)
    assert Decimal(placed["net_cash_amount"]) == net_of_fees(Decimal("6000.00"))
    assert (placed["position"], placed["trades"], placed["traded_quantity"]) == (None, [], "0.000000")

    assert settled["position"] == customer.position("ins_world")["id"]
    assert Decimal(settled["traded_notional"]) + Decimal(settled["fees"]) <= Decimal("6000.00")
    assert Decimal(settled["traded_notional"]) <= Decimal(settled["net_cash_amount"])
    assert len({each["id"] for each in settled["trades"]}) == 2
    for trade in settled["trades"]:
        assert Decimal(trade["notional"]) <= 5000
        assert (trade["order"], trade["account"], trade["side"]) == (settled["id"], "acc_demo", "buy")
        assert (trade["price"], trade["quantity_currency"], trade["notional_currency"]) == ("41.7300", "WRLD", "USD")
        assert trade["executed_at"] < trade["settled_at"]
        assert trade["settlement_date"] == trade["settled_at"][:10]

    modified = [order["modified_at"] for order in sights]
    assert all(before < after for before, after in pairwise(modified))
    assert settled["created_at"] == modified[0]


@pytest.mark.slow
def test_what_is_bought_can_be_sold_when_it_is_settled_and_not_before(customer: Customer) -> None:
    placed = customer.place("buy", "500.00")
    tried: list[httpx.Response] = []
    while (sight := customer.snapshot(placed["id"], "ins_acme")).order["status"] != "settled":
        if sight.order["status"] == "filled" and not tried:
            tried.append(customer.try_place("sell", sight.position["quantity"]))
    assert_error(tried[0], 400, "insufficient_units", [("body.quantity", "insufficient_units")])
    assert sight.position["available_for_trading"] == sight.position["quantity"]


def test_many_orders_come_to_what_a_naive_account_comes_to(quick: Customer) -> None:
    chance = Random(4)
    cash = Decimal(quick.cash()["total"])
    units = {name: Decimal(quick.position(name)["quantity"]) for name in LISTINGS}
    orders: dict[str, list[NaiveTrade]] = {}
    for _ in range(60):
        instrument, side = chance.choice(list(LISTINGS)), chance.choice(["buy", "sell"])
        listing = LISTINGS[instrument]
        if side == "buy":
            amount = Decimal(chance.choice([chance.randint(2, 500), chance.randint(2, 700_000)])).scaleb(-2)
        else:
            amount = chance.randint(1, int(listing.granted / listing.increment / 40)) * listing.increment
        naive = trades_of(side, amount, listing)
        orders[quick.place(side, str(amount), instrument)["id"]] = naive
        done, sign = total(naive), 1 if side == "buy" else -1
        cash -= sign * done.notional + done.fee
        units[instrument] += sign * done.quantity
    quick.until_settled()

    for order in quick.orders(limit=1000):
        if order["id"] in orders:
            shown = [NaiveTrade(*amounts(each, "quantity", "notional", "fees")) for each in order["trades"]]
            assert shown == orders[order["id"]]
            assert order["status"] == ("settled" if shown else "cancelled")
            assert_sums(order)
    balance = quick.cash()
    names = ("total", "available_for_trading", "available_for_withdrawal", "reserved")
    assert amounts(balance, *names) == [cash, cash, cash, Decimal(0)]
    for name, quantity in units.items():
        position = quick.position(name)
        assert amounts(position, "quantity", "available_for_trading") == [quantity, quantity]
        assert amounts(position, "reserved", "pending_settlement") == [0, 0]


def test_lists_are_newest_first_and_page_backwards_from_any_order(quick: Customer) -> None:
    placed = [quick.place("buy", f"{number}.00")["id"] for number in range(1, 8)]
    quick.until_settled()
    whole = quick.orders(limit=1000)
    assert [order["id"] for order in whole[:7]] == placed[::-1]
    assert quick.orders(limit=3) == whole[:3]
    assert quick.orders(limit=2, starting_after=whole[2]["id"]) == whole[3:5]
    assert quick.orders(limit=1000, starting_after=whole[-2]["id"]) == whole[-1:]
    assert quick.orders(starting_after=whole[-1]["id"]) == []
    for order in whole[:7]:
        assert quick.order(order["id"]) == order
    pages: list[dict[str, Any]] = []
    while page := quick.orders(limit=2, **({"starting_after": pages[-1]["id"]} if pages else {})):
        pages += page
    assert pages == whole


def test_an_order_too_small_to_buy_one_increment_is_cancelled_and_costs_nothing(quick: Customer) -> None:
    before = quick.cash()
    order = quick.place("buy", "0.50", "ins_tbill")
    assert (order["status"], order["trades"], order["traded_notional"]) == ("cancelled", [], "0.00")
    assert quick.cash() == before
