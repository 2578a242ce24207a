"""The second fold: the state that the world may see, because everything in it is durable."""

from typing import Final

from tallystick.core.keys import ORDER
from tallystick.core.order import Order
from tallystick.core.trade import Trade
from tallystick.facts.commands import NOTHING_KNOWN, Known
from tallystick.facts.venue import Entry
from tallystick.readers.dispatch import Dispatcher
from tallystick.readers.tables import Tables
from tallystick.venue.fold import fold
from tallystick.venue.operations import known_by_key
from tallystick.venue.state import Account, State


class Readers:
    """Reads, streams and effects look here and nowhere else; ``commit`` gets each entry once it is durable.

    ``tables``, if there are any, are given what leaves the state, and asked for what is not in it.
    """

    def __init__(self, state: State | None = None, tables: Tables | None = None) -> None:
        self.state: Final = State() if state is None else state
        self.tables: Final = tables
        self.dispatcher: Final = Dispatcher()
        if tables is not None:
            self.state.left = []
            self.state.left_refusals = []

    def commit(self, entry: Entry) -> None:
        """Fold one durable entry, then hand (entry, state after it) to whoever listens."""
        state = self.state
        fold(state, entry)
        if (state.left or state.left_refusals) and self.tables is not None:
            self.tables.take(entry.sequence, state.left or (), state.left_refusals or ())
            state.left = []
            state.left_refusals = []
        self.dispatcher.dispatch(entry, state)

    def order(self, number: int) -> tuple[Order, list[Trade]] | None:
        """The order and its trades, however long ago it was; None if there is none."""
        order = self.state.orders.get(number)
        if order is not None:
            return order, [self.state.trades[made] for made in order.progress.trades]
        return None if self.tables is None else self.tables.order(number)

    def last(self, key: int) -> int:
        """The sequence of the newest entry that touched ``key``, 0 for none; of an order also long after it is over."""
        sequence = self.state.last(key)
        if sequence or key & 3 != ORDER or self.tables is None:
            return sequence
        left = self.tables.order(key >> 2)
        return 0 if left is None else left[0].last

    def trade(self, number: int) -> Trade | None:
        """The trade, however long ago it was."""
        trade = self.state.trades.get(number)
        return trade if trade is not None or self.tables is None else self.tables.trade(number)

    def known(self, account: Account, client_key: str) -> Known:
        """What the account's owner last used the key for, however long ago it was."""
        known = known_by_key(self.state, account, client_key, self.state.time)
        if known is None and self.tables is not None:
            known = self.tables.known(account.number, client_key)
        return NOTHING_KNOWN if known is None else known

    def orders_before(self, account: Account, number: int, limit: int) -> list[int]:
        """Up to ``limit`` numbers of the account's orders below ``number``, newest first."""
        found = account.newest_before(number, limit, self.state.orders)
        if self.tables is None:
            return found
        return sorted({*found, *self.tables.numbers_before(account.number, number, limit)}, reverse=True)[:limit]

    def orders_after(self, account: Account, number: int, limit: int) -> list[int]:
        """Up to ``limit`` numbers of the account's orders above ``number``, oldest first."""
        found = account.oldest_after(number, limit, self.state.orders)
        if self.tables is None:
            return found
        return sorted({*found, *self.tables.numbers_after(account.number, number, limit)})[:limit]
