"""The books: moves come in pairs, and what the books do not allow is refused before anything moves."""

import pytest

from tallystick.venue.ledger import Balance, Book, LedgerError, discharge, owe, reserve, transfer, unreserve


def amounts(balance: Balance) -> tuple[int, int, int, int]:
    return balance.settled, balance.receivable, balance.payable, balance.reserved


def test_what_is_owed_counts_at_once_and_settles_later():
    payer, payee = Balance(), Balance()
    payer.settled = 100
    owe(payer, payee, 60)
    assert (amounts(payer), amounts(payee)) == ((100, 0, -60, 0), (0, 60, 0, 0))
    assert (payer.total, payer.available, payer.available_settled) == (40, 40, 40)
    assert (payee.total, payee.available, payee.available_settled) == (60, 60, 0)
    discharge(payer, payee, 60)
    assert (amounts(payer), amounts(payee)) == ((40, 0, 0, 0), (60, 0, 0, 0))
    transfer(payee, payer, 10)
    assert (payer.settled, payee.settled) == (50, 50)


def test_a_hold_is_posted_or_voided_in_parts():
    balance = Balance()
    balance.settled = 100
    reserve(balance, 70)
    assert (balance.total, balance.available) == (100, 30)
    unreserve(balance, 30)
    unreserve(balance, 40)
    assert balance.available == 100


@pytest.mark.parametrize(
    "move",
    [
        lambda a, b: owe(a, b, 0),
        lambda a, b: transfer(a, b, -1),
        lambda a, b: discharge(a, b, 1),
        lambda a, b: reserve(a, -1),
        lambda a, b: unreserve(a, 1),
        lambda a, b: unreserve(a, -1),
    ],
)
def test_a_move_that_the_books_do_not_allow_moves_nothing(move):
    first, second = Balance(), Balance()
    with pytest.raises(LedgerError):
        move(first, second)
    assert amounts(first) == amounts(second) == (0, 0, 0, 0)


def test_looking_at_an_asset_keeps_nothing():
    book = Book()
    assert book.look(1).total == 0
    assert book.balances == {}
    assert book.of(1) is book.of(1)
