"""The fast book is the naive one, only faster: by itself under any commands, and under the rules by its state hash."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tallystick.cli.build_info import is_compiled
from tallystick.facts.codes import BUY, SELL
from tallystick.venue import state as state_room
from tallystick.venue.book import Book, BookError
from tallystick.venue.snapshot import state_hash
from tests.exchange.crowd import crowd, wide_floor
from tests.exchange.floor import ETH
from tests.exchange.naive_book import NaiveBook

SIDES = (BUY, SELL)
COMMANDS = some.lists(
    some.one_of(
        some.tuples(some.just("add"), some.sampled_from(SIDES), some.integers(1, 6), some.integers(1, 5)),
        some.tuples(some.just("take"), some.integers(0, 40), some.integers(1, 5)),
        some.tuples(some.just("remove"), some.integers(0, 40)),
    ),
    max_size=120,
)


def shown(book) -> tuple:
    levels = [
        (level.price, level.total, level.count, [(each.number, each.leaves) for each in level.resting()])
        for side in SIDES
        for level in book.side(side).levels()
    ]
    best = [(book.best(side), book.first(side), len(book.side(side)), book.depth(side, 2)) for side in SIDES]
    totals = [book.side(side).total(price) for side in SIDES for price in range(7)]
    return len(book), book.orders(), levels, best, totals


@given(COMMANDS)
def test_it_is_the_naive_book_under_any_commands(commands):
    fast, naive = Book(), NaiveBook()
    added = 0
    for kind, *arguments in commands:
        if kind == "add":
            added += 1
            arguments = [added, *arguments]
        else:
            numbers = [*naive.orders(), 1_000]
            arguments[0] = numbers[arguments[0] % len(numbers)]
        outcomes = []
        for book in (fast, naive):
            try:
                outcomes.append(getattr(book, kind)(*arguments))
            except (BookError, KeyError, StopIteration):
                outcomes.append("refused")
        assert outcomes[0] == outcomes[1]
        assert shown(fast) == shown(naive)


def test_a_level_with_many_that_have_gone_is_cleared_and_keeps_its_turns():
    book = Book()
    for number in range(1, 1001):
        book.add(number, BUY, 10, 1)
    for number in range(1, 1001):
        if number % 10:
            book.remove(number)
    assert book.orders() == list(range(10, 1001, 10))
    assert book.first(BUY) == 10
    assert book.depth(BUY, 1) == [(10, 100)]


@pytest.mark.skipif(is_compiled(), reason="a compiled venue takes no other book than its own")
@pytest.mark.parametrize("seed", range(12))
def test_a_venue_with_the_naive_book_comes_to_the_same_state(seed, monkeypatch):
    fast = wide_floor()
    crowd(fast, seed, 300)
    monkeypatch.setattr(state_room, "OrderBook", NaiveBook)
    naive = wide_floor()
    crowd(naive, seed, 300)
    assert isinstance(naive.state.markets[ETH].book, NaiveBook)
    assert state_hash(fast.state) == state_hash(naive.state)


@pytest.mark.parametrize("seed", range(100, 106))
def test_whatever_is_asked_both_folds_agree_and_everything_adds_up(seed):
    floor = wide_floor(audited=True)
    crowd(floor, seed, 120)
    assert floor.state.trades_made > 3
