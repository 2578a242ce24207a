"""Every kind of difference, planted in two halves that match: each is found, and no other with it."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from msgspec.structs import replace

from tallystick.core.lifecycle import (
    CANCELLED,
    DONE,
    FILLED,
    OPEN,
    REFUSED,
    REJECTED,
    REQUESTED,
    SUBMITTED,
    TRADE_EXECUTED,
    TRADE_SETTLED,
    UNKNOWN,
)
from tallystick.facts.client_codes import AMBIGUOUS, INFERRED, LOST
from tallystick.facts.codes import BUY, CASH, SELL
from tallystick.match.differences import differences
from tallystick.match.half import HalfFill, HalfOrder, exact

FILL = HalfFill(Decimal("50.13"), Decimal("0.4"), Decimal(50), Decimal("0.13"), TRADE_SETTLED)
SUMS = (FILL.consumed, Decimal(0), FILL.quantity, FILL.notional, FILL.fee)
ORDER = HalfOrder("c1", ("o1",), "alice", "ACME-USD", BUY, CASH, Decimal(100), FILLED, *SUMS, {"t1": FILL})
OPEN_ORDER = replace(ORDER, status=OPEN)
ENDED = HalfOrder("c1", ("o1",), "alice", "ACME-USD", BUY, CASH, Decimal(100), CANCELLED, *[Decimal(0)] * 5, {})


class Listed:
    """See Half; of alice's orders, and bob's are found too."""

    def __init__(self, *orders: HalfOrder) -> None:
        self._orders = orders

    def find(self, order_ids: tuple[str, ...], client_id: str) -> HalfOrder | None:
        by_id = [order for order in self._orders if order.order_ids[0] in order_ids]
        return next(iter(by_id + [order for order in self._orders if order.client_id == client_id]), None)

    def orders(self) -> Iterator[HalfOrder]:
        return (order for order in self._orders if order.account == "alice")


def found(client: list[HalfOrder], *venue: HalfOrder) -> list[str]:
    return [each.what for each in differences(client, Listed(*venue), "alice")]


# what differs, the client's order, the venue's, the differences
PLANTED = [
    ("nothing", ORDER, ORDER, []),
    ("nothing but zeros at the end", replace(ORDER, size=Decimal("100.00")), ORDER, []),
    ("its id is not known, and it is found by the client's", replace(ORDER, order_ids=()), ORDER, []),
    ("its size", replace(ORDER, size=Decimal(99)), ORDER, ["terms"]),
    ("its side", replace(ORDER, side=SELL), ORDER, ["terms"]),
    ("its price", replace(ORDER, price=Decimal(5)), replace(ORDER, price=Decimal(6)), ["terms"]),
    ("that it has a price", replace(ORDER, price=Decimal(5)), ORDER, ["terms"]),
    ("its market", replace(ORDER, market="ACME-EUR"), ORDER, ["terms"]),
    ("its account", ORDER, replace(ORDER, account="bob"), ["other_account"]),
    ("its status", replace(ORDER, status=OPEN), ORDER, ["status"]),
    ("how sure the client is", replace(ORDER, certainty=INFERRED), ORDER, ["certainty"]),
    ("what was consumed", replace(ORDER, consumed=Decimal(50)), ORDER, ["amount"]),
    ("what is pending", ORDER, replace(ORDER, pending=Decimal(1)), ["amount"]),
    ("quantity and notional", replace(ORDER, quantity=Decimal(0), notional=Decimal(0)), ORDER, ["amount", "amount"]),
    ("fees", replace(ORDER, fee=Decimal("0.12")), ORDER, ["amount"]),
    ("a fill that the client does not have", replace(ORDER, fills={}), ORDER, ["fill_not_at_client"]),
    ("a fill that the venue does not have", ORDER, replace(ORDER, fills={}), ["fill_not_at_venue"]),
    (
        "the trade's id",
        replace(ORDER, fills={"t2": FILL}),
        ORDER,
        ["fill_not_at_client", "fill_not_at_venue"],
    ),
    ("a fill's amount", replace(ORDER, fills={"t1": replace(FILL, fee=Decimal(1))}), ORDER, ["fill"]),
    (
        "a trade's state",
        replace(ORDER, fills={"t1": replace(FILL, state=TRADE_EXECUTED)}),
        ORDER,
        ["trade_state"],
    ),
    ("a refusal of what is there", replace(ORDER, status=REJECTED), ORDER, ["refused_and_placed"]),
    (
        "no refusal: it was told of the end in the same word",
        replace(ENDED, status=REJECTED),
        replace(ENDED, may_be_refused=True),
        [],
    ),
    (
        "the terms of what was refused in that word",
        replace(ENDED, status=REJECTED, side=SELL),
        replace(ENDED, may_be_refused=True),
        ["terms"],
    ),
    ("a cancel that is done, of what is not cancelled", replace(ORDER, cancel=DONE), ORDER, ["cancel"]),
    (
        "a cancel whose refusal was not heard",
        replace(OPEN_ORDER, cancel=UNKNOWN),
        replace(OPEN_ORDER, cancel=REFUSED),
        ["cancel"],
    ),
    ("no cancel: the venue does not tell of it", replace(OPEN_ORDER, cancel=REQUESTED), OPEN_ORDER, []),
    ("no cancel: the order is over", replace(ORDER, cancel=UNKNOWN), replace(ORDER, cancel=REFUSED), []),
    (
        "no cancel: it is done",
        replace(ORDER, status=CANCELLED, cancel=DONE),
        replace(ORDER, status=CANCELLED),
        [],
    ),
]


@pytest.mark.parametrize(("client", "venue", "what"), [each[1:] for each in PLANTED], ids=[each[0] for each in PLANTED])
def test_what_differs_is_found(client: HalfOrder, venue: HalfOrder, what: list[str]):
    assert found([client], venue) == what


ALONE = [
    ("it was sent, and nobody knows what came of it", SUBMITTED, AMBIGUOUS, ["not_at_venue"]),
    ("it was filled", FILLED, 0, ["not_at_venue"]),
    ("it was refused", REJECTED, 0, []),
    ("the venue denies it, as it should", SUBMITTED, LOST, []),
    ("the venue denies it, and had it once", OPEN, LOST, ["not_at_venue"]),
]


@pytest.mark.parametrize(("status", "certainty", "what"), [e[1:] for e in ALONE], ids=[e[0] for e in ALONE])
def test_an_order_of_the_client_alone(status: int, certainty: int, what: list[str]):
    assert found([replace(ORDER, status=status, certainty=certainty)]) == what


def test_an_order_of_the_venue_alone():
    assert found([], ORDER) == ["not_at_client"]
    assert found([], replace(ORDER, account="bob")) == []


def test_two_orders_of_the_client_are_one_at_the_venue():
    assert found([ORDER, replace(ORDER, client_id="c2")], ORDER) == ["shared_id"]


def test_amounts_of_any_length_are_exact():
    assert exact(12345678901234567890123456789012345678901, 2) - exact(12345678901234567890123456789012345678900, 2)
    assert str(exact(10**40 + 1, 20)) == "100000000000000000000.00000000000000000001"
    assert found([replace(ORDER, size=exact(10**40 + 1, 2))], replace(ORDER, size=exact(10**40, 2))) == ["terms"]
