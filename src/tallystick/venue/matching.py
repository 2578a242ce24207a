"""Looks into a book before anything is done: whether an order would trade, and what that would cost."""

from tallystick.facts.codes import BUY, SELL
from tallystick.venue.book import Book, Level
from tallystick.venue.state import Account, Market, State


def opposite(side: int) -> int:
    return SELL if side == BUY else BUY


def crosses(side: int, limit: int, price: int) -> bool:
    """Whether an order of the side with that limit (0: none) trades at ``price``."""
    return limit == 0 or (price <= limit if side == BUY else price >= limit)


def crossing_level(book: Book, side: int, limit: int) -> Level | None:
    """The best level that an order of the side trades with; None if there is none."""
    level = book.side(opposite(side)).best()
    return level if level is not None and crosses(side, limit, level.price) else None


def cost_of_taking(state: State, market: Market, account: Account, side: int, limit: int, size: int) -> tuple[int, int]:
    """How much of ``size`` there is for the account to trade with now, and its quantity x price together."""
    book = market.book
    against = opposite(side)
    working = account.working.get(market.number)
    has_own = working is not None and working.resting(against) > 0
    taken = worth = 0
    for level in book.side(against).levels():
        if taken == size or not crosses(side, limit, level.price):
            break
        rests = _of_others(state, account, level) if has_own else level.total
        part = min(size - taken, rests)
        taken += part
        worth += part * level.price
    return taken, worth


def _of_others(state: State, account: Account, level: Level) -> int:
    rests = 0
    for resting in level.resting():
        if state.orders[resting.number].account != account.number:
            rests += resting.leaves
    return rests
