"""An account's trades, newest first, however long ago they were: what a client concludes a gap of its stream from."""

from typing import Final

from tallystick.dialects.bluefin.view import US_PER_MS, View
from tallystick.dialects.bluefin.wire import Trade as ShownTrade
from tallystick.readers.readers import Readers
from tallystick.venue.state import Account

LOOKED_AT_MAX: Final = 10_000
"""So many orders are looked at for one answer."""


def account_trades(
    readers: Readers, view: View, account: Account, *, symbol: str, since: int, until: int, limit: int, page: int
) -> list[ShownTrade]:
    """The ``page``-th (from 1) ``limit`` trades of the account between two times in milliseconds.

    An order's trades are never before it, and it may rest for long: so all of its orders are looked at, the newest
    LOOKED_AT_MAX of them.
    """
    state = readers.state
    found: list[tuple[int, ShownTrade]] = []
    for number in readers.orders_before(account, state.orders_made + 1, LOOKED_AT_MAX):
        kept = readers.order(number)
        if kept is None:
            continue
        order, trades = kept
        if symbol and state.markets[order.market].name != symbol:
            continue
        for trade in trades:
            if since * US_PER_MS <= trade.made < until * US_PER_MS:
                found.extend(
                    (trade.number, view.trade(state, trade.terms, trade.made, leg, order))
                    for leg in trade.terms.legs
                    if leg.order == number
                )
    found.sort(key=_number, reverse=True)
    first = (max(page, 1) - 1) * limit
    return [shown for _, shown in found[first : first + limit]]


def _number(found: tuple[int, ShownTrade]) -> int:
    return found[0]
