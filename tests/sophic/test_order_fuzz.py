"""Orders made of anything: only what a naive reading of the rules allows is accepted, and no cent goes astray."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.running import RunningServer
from tests.sophic.arithmetic import LISTINGS, net_of_fees
from tests.sophic.conftest import STANDSTILL
from tests.sophic.customer import Customer, order_body

FIELDS = {"instrument", "order_type", "side", "cash_amount", "quantity", "automatic_rollover"}
START = Decimal("100000.00")


class Book:
    """What should be reserved, said by a naive reader who sees each accepted order."""

    def __init__(self, customer: Customer) -> None:
        self.customer = customer
        self.cash = Decimal(0)
        self.units = dict.fromkeys(LISTINGS, Decimal(0))
        self.orders = 0

    def allows(self, body: Any) -> bool:
        if not isinstance(body, dict) or not set(body) <= FIELDS:
            return False
        if body.get("order_type") != "market" or not isinstance(body.get("automatic_rollover", False), bool):
            return False
        instrument, side = body.get("instrument"), body.get("side")
        if not isinstance(instrument, str) or instrument not in LISTINGS or side not in ("buy", "sell"):
            return False
        wanted, unwanted = ("cash_amount", "quantity") if side == "buy" else ("quantity", "cash_amount")
        amount = decimal(body.get(wanted), 2 if side == "buy" else 6)
        if amount is None or amount <= 0 or body.get(unwanted) is not None:
            return False
        if side == "buy":
            return self.cash + amount <= START and net_of_fees(amount) > 0
        listing = LISTINGS[instrument]
        return self.units[instrument] + amount <= listing.granted and amount % listing.increment == 0

    def accept(self, body: dict[str, Any]) -> None:
        self.orders += 1
        if body["side"] == "buy":
            self.cash += Decimal(body["cash_amount"])
        else:
            self.units[body["instrument"]] += Decimal(body["quantity"])

    def assert_conserved(self) -> None:
        balance = self.customer.cash()
        assert Decimal(balance["total"]) == START
        assert Decimal(balance["reserved"]) == self.cash
        assert Decimal(balance["available_for_trading"]) == START - self.cash
        for name, reserved in self.units.items():
            position = self.customer.position(name)
            assert Decimal(position["quantity"]) == LISTINGS[name].granted
            assert Decimal(position["reserved"]) == reserved
            assert Decimal(position["available_for_trading"]) == LISTINGS[name].granted - reserved
        assert len(self.customer.orders(limit=1000)) == self.orders


def decimal(value: Any, scale: int) -> Decimal | None:
    if not isinstance(value, str) or re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value) is None:
        return None
    whole, _, decimals = value.removeprefix("-").partition(".")
    if len(whole + decimals) > 78 or len(whole + decimals[:scale].ljust(scale, "0")) > 78 + scale:
        return None
    if decimals[scale:].strip("0"):
        return None
    return Decimal(value)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    data = tmp_path_factory.mktemp("fuzz") / "data"
    with (
        RunningServer(data, "--pace", STANDSTILL, "--prices", "fixed") as server,
        Customer(server) as customer,
    ):
        yield Book(customer)
        assert "Traceback" not in server.log


words = st.text(max_size=20)  # lone surrogates too: they are written as escapes
wild = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words | st.sampled_from(["1e400", "NaN", "-0", "0"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)
amount_texts = (
    st.decimals(min_value=0, max_value=2000, places=2).map(str)
    | st.decimals(min_value=-1, max_value=20, places=6).map(str)
    | st.decimals(allow_nan=True, allow_infinity=True).map(str)
    | st.from_regex(r"-?[0-9]{1,4}(\.[0-9]{0,8})?", fullmatch=True)
    | st.integers(min_value=0, max_value=10**85).map(str)
)


def mostly(usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(usual, usual, usual, usual, wild)


likely_orders = st.fixed_dictionaries(
    {
        "instrument": mostly(st.sampled_from(list(LISTINGS))),
        "order_type": mostly(st.just("market")),
        "side": mostly(st.sampled_from(["buy", "sell"])),
    },
    optional={
        "cash_amount": mostly(amount_texts | st.none()),
        "quantity": mostly(amount_texts | st.none()),
        "automatic_rollover": mostly(st.just(False)),
    },
)
right_orders = st.builds(
    lambda side, amount, instrument: json.loads(order_body(side, amount, instrument)),
    st.sampled_from(["buy", "sell"]),
    amount_texts,
    st.sampled_from(list(LISTINGS)),
)
bodies = st.one_of(
    right_orders,
    right_orders,
    likely_orders,
    st.builds(lambda order, more: order | more, likely_orders, st.dictionaries(words, wild, max_size=2)),
    wild,
)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@example({"instrument": "ins_acme", "order_type": "market", "side": "buy", "cash_amount": "0.02"})
@example({"instrument": "ins_acme", "order_type": "market", "side": "buy", "cash_amount": "0.01"})
@example({"instrument": "ins_tbill", "order_type": "market", "side": "sell", "quantity": "0.010000"})
@example({"instrument": "ins_tbill", "order_type": "market", "side": "sell", "quantity": "0.005"})
@given(bodies)
def test_only_what_a_naive_reader_allows_is_accepted(book: Book, body: Any) -> None:
    answer = book.customer.post(json.dumps(body).encode())
    allowed = book.allows(body)
    assert answer.status_code == (201 if allowed else 400), answer.text
    if allowed:
        book.accept(body)
    else:
        assert set(answer.json()) <= {"code", "detail", "params"}
    book.assert_conserved()


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_bytes_that_happen_to_come_are_never_an_order(book: Book, body: bytes) -> None:
    answer = book.customer.post(body)
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_request"
    assert len(book.customer.orders(limit=1000)) == book.orders
