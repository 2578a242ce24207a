"""Looks into a book before anything is done: whether an order would trade, how much of it, and what that would cost."""

from tallystick.core.keys import Number
from tallystick.facts.codes import BUY, SELL
from tallystick.venue.book import Book, Level, Side
from tallystick.venue.state import State


def opposite(side: int) -> int:
    return SELL if side == BUY else BUY


def crosses(side: int, limit: int, price: int) -> bool:
    """Whether an order of the side with that limit (0: none) trades at ``price``."""
    return limit == 0 or (price <= limit if side == BUY else price >= limit)


def crossing_level(book: Book, side: int, limit: int) -> Level | None:
    """The best level that an order of the side trades with; None if there is none."""
    level = book.side(opposite(side)).best()
    return level if level is not None and crosses(side, limit, level.price) else None


def can_fill(state: State, book: Book, account: Number, side: int, limit: int, quantity: int) -> bool:
    """Whether there is so much to trade with now, besides what the account has there itself."""
    against: Side = book.side(opposite(side))
    for level in against.levels():
        if not crosses(side, limit, level.price):
            return False
        for resting in level.resting():
            if state.orders[resting.number].account != account:
                quantity -= resting.leaves
        if quantity <= 0:
            return True
    return False


def cost_of_taking(book: Book, side: int, limit: int, quantity: int) -> tuple[int, int]:
    """How much of ``quantity`` there is to trade with now, and its quantity x price together.

    It counts an account's own orders too, which are cheaper to count than to tell apart: an estimate for a reservation.
    """
    taken = worth = 0
    for level in book.side(opposite(side)).levels():
        if taken == quantity or not crosses(side, limit, level.price):
            break
        part = min(quantity - taken, level.total)
        taken += part
        worth += part * level.price
    return taken, worth
