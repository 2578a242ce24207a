"""Trades over several orders, pending until another party confirms or reverts them: as a whole, with every posting."""

import pytest
from msgspec import structs

from tallystick.core.keys import account_key, order_key
from tallystick.core.lifecycle import (
    ORDER_STATUS_NAMES,
    TRADE_EXECUTED,
    TRADE_PENDING,
    TRADE_SETTLED,
    TRADE_STATUS_NAMES,
    LifecycleError,
)
from tallystick.facts.codes import BUY, CUSTOMER, LIMIT_ORDER, SELL, STAKE
from tallystick.facts.common import Cause
from tallystick.facts.venue import (
    AccountOpened,
    AssetDefined,
    Leg,
    MarketDefined,
    Obligation,
    OrderCancelled,
    OrderOpened,
    OrderPlaced,
    TradeConfirmed,
    TradeMade,
    TradeReverted,
    TradeSettled,
    Transferred,
)
from tallystick.venue.ambient import Ambient
from tallystick.venue.draft import Draft
from tallystick.venue.fold import apply
from tallystick.venue.state import State
from tallystick.venue.timers import Timers
from tests.naive import check

HOUSE, MAKER, OTHER, TAKER = 1, 2, 3, 4
USD, BET = 1, 2


class Book:
    """Two makers' orders of 100 and 50, and a taker's of 150, all open, all reserved in full."""

    def __init__(self) -> None:
        self.state = State()
        self.time = 0
        self.let(AssetDefined(0, 0, 0, USD, "USD", 2), AssetDefined(0, 0, 0, BET, "BET", 2))
        self.let(*(AccountOpened(number, 0, 0, f"a{number}", CUSTOMER + (number == 1)) for number in range(1, 5)))
        self.let(MarketDefined(0, 0, 1, "m", "M", "A match", BET, USD, 2, 1))
        for number, account, side, size in ((1, MAKER, SELL, 100), (2, OTHER, SELL, 50), (3, TAKER, BUY, 150)):
            self.let(Transferred(account, 0, 0, HOUSE, account, USD, size))
            self.let(OrderPlaced(account, number, 1, side, LIMIT_ORDER, STAKE, size, size, USD, size, 0))
            self.let(OrderOpened(account, number, 1, 0))

    def let(self, *events) -> None:
        for event in events:
            self.time += 1
            apply(self.state, event, self.time)
        check(self.state)

    def trade(self, number: int, status: int, first: int, second: int) -> TradeMade:
        legs = (
            Leg(1, MAKER, first, first, first, 0, first),
            Leg(2, OTHER, second, second, second, 0, second),
            Leg(3, TAKER, first + second, first + second, first + second, 0, first + second),
        )
        owed = (
            Obligation(MAKER, HOUSE, USD, first),
            Obligation(OTHER, HOUSE, USD, second),
            Obligation(TAKER, HOUSE, USD, first + second),
        )
        return TradeMade(TAKER, 3, 1, number, status, 100, legs, owed, 0)

    def shown(self) -> str:
        return "  ".join(
            f"{ORDER_STATUS_NAMES[order.status]} {come.consumed}/{come.pending}/{order.leaves}/{come.released}"
            for order in self.state.orders.values()
            for come in [order.progress]
        )

    def cash(self) -> list[tuple[int, int, int]]:
        books = [self.state.accounts[number].book.look(USD) for number in (MAKER, OTHER, TAKER)]
        return [(balance.settled, balance.payable, balance.reserved) for balance in books]


# Each order is shown as status consumed/pending/leaves/released: maker, other maker, taker.


def test_it_is_confirmed_as_a_whole_and_then_settles():
    book = Book()
    book.let(book.trade(1, TRADE_PENDING, 60, 50))
    assert book.shown() == "OPEN 0/60/40/0  OPEN 0/50/0/0  OPEN 0/110/40/0"
    assert book.cash() == [(100, 0, 100), (50, 0, 50), (150, 0, 150)]
    book.let(TradeConfirmed(TAKER, 3, 1, 1, 0))
    assert book.shown() == "OPEN 60/0/40/0  OPEN 50/0/0/0  OPEN 110/0/40/0"
    assert book.cash() == [(100, -60, 40), (50, -50, 0), (150, -110, 40)]
    book.let(TradeSettled(TAKER, 3, 1, 1))
    assert book.cash() == [(40, 0, 40), (0, 0, 0), (40, 0, 40)]
    assert TRADE_STATUS_NAMES[book.state.trades[1].status] == "SETTLED"


def test_it_is_reverted_as_a_whole_and_every_order_can_trade_again():
    book = Book()
    book.let(book.trade(1, TRADE_PENDING, 60, 50))
    book.let(TradeReverted(TAKER, 3, 1, 1, (0, 0, 0)))
    assert book.shown() == "OPEN 0/0/100/0  OPEN 0/0/50/0  OPEN 0/0/150/0"
    assert book.cash() == [(100, 0, 100), (50, 0, 50), (150, 0, 150)]


def test_a_cancel_keeps_what_a_pending_trade_needs_and_a_confirmation_still_takes_it():
    book = Book()
    book.let(book.trade(1, TRADE_PENDING, 60, 50))
    assert book.state.orders[1].voidable == 40
    book.let(OrderCancelled(MAKER, 1, 1, 40, 40, "asked"))
    assert book.shown() == "CANCELLED 0/60/0/40  OPEN 0/50/0/0  OPEN 0/110/40/0"
    assert book.cash()[0] == (100, 0, 60)
    book.let(TradeConfirmed(TAKER, 3, 1, 1, 0))
    assert book.shown().startswith("CANCELLED 60/0/0/40")
    assert book.cash()[0] == (100, -60, 0)


def test_a_cancelled_order_gives_back_what_a_reverted_trade_held():
    book = Book()
    book.let(book.trade(1, TRADE_PENDING, 60, 50))
    book.let(OrderCancelled(MAKER, 1, 1, 40, 40, "asked"))
    book.let(TradeReverted(TAKER, 3, 1, 1, (60, 0, 0)))
    assert book.shown() == "CANCELLED 0/0/0/100  OPEN 0/0/50/0  OPEN 0/0/150/0"
    assert book.cash()[0] == (100, 0, 0)


def test_every_fact_of_a_trade_reaches_the_order_and_account_of_each_leg():
    book = Book()
    timers = Timers()
    facts = [
        book.trade(1, TRADE_PENDING, 60, 50),
        TradeConfirmed(TAKER, 3, 1, 1, due=77),
        TradeSettled(TAKER, 3, 1, 1),
    ]
    everybody = {key for leg in facts[0].legs for key in (account_key(leg.account), order_key(leg.order))}
    for fact in facts:
        draft = Draft(book.state, Ambient(), timers, book.time + 1)
        draft.emit(fact)
        assert everybody <= set(draft.seal(Cause("test")).touched())
    assert timers.next_due() == 77


def test_a_pending_trade_is_looked_at_when_it_is_due_also_after_a_restart():
    book = Book()
    trade = structs.replace(book.trade(1, TRADE_PENDING, 60, 50), due=55)
    timers = Timers()
    draft = Draft(book.state, Ambient(), timers, 10)
    draft.emit(trade)
    draft.seal(Cause("test"))
    assert timers.next_due() == 55
    timers.rebuild(book.state)
    assert timers.next_due() == 55


def test_a_venue_without_a_settlement_cycle_executes_and_settles_together():
    book = Book()
    book.let(book.trade(1, TRADE_SETTLED, 100, 50))
    assert book.cash() == [(0, 0, 0), (0, 0, 0), (0, 0, 0)]
    assert all(order.progress.executed == 0 for order in book.state.orders.values())


@pytest.mark.parametrize("again", [TradeConfirmed(TAKER, 3, 1, 1, 0), TradeReverted(TAKER, 3, 1, 1, (0, 0, 0))])
def test_what_was_executed_is_neither_confirmed_nor_reverted(again):
    book = Book()
    book.let(book.trade(1, TRADE_EXECUTED, 60, 50))
    with pytest.raises(LifecycleError):
        book.let(again)
