"""A venue's state, and the fold that makes it: state is what the journal's events add up to (docs/design.md §3).

Folding only assigns, adds and indexes. It never rounds, prices, allocates or chooses, so that old journals survive new
rules. The writer and the readers each keep a State of their own; terms are shared by both.
"""

from bisect import bisect_left
from collections import deque
from typing import Final

from tallystick.core.cancel import CancelRequest
from tallystick.core.keys import ACCOUNT, MARKET, ORDER
from tallystick.core.order import Order
from tallystick.core.trade import Trade
from tallystick.facts.venue import AccountOpened, AssetDefined, MarketDefined
from tallystick.venue.ledger import Balance, Book


class OutOfSequence(Exception):
    """An entry that does not follow the last one folded."""


class Asset:
    __slots__ = ("name", "number", "scale")

    def __init__(self, number: int, name: str, scale: int) -> None:
        self.number: Final = number
        self.name: Final = name
        self.scale: Final = scale


class Account:
    """``orders`` are the numbers of its orders, oldest first, among them some that have left the state; ``keys`` finds
    an order by its owner's word for it."""

    __slots__ = ("_left", "book", "keys", "last", "name", "number", "orders", "role")

    def __init__(self, number: int, name: str, role: int) -> None:
        self.number: Final = number
        self.name: Final = name
        self.role: Final = role
        self.book: Final = Book()
        self.orders: list[int] = []
        self.keys: Final[dict[str, int]] = {}
        self.last = 0
        self._left = 0

    def newest_before(self, number: int, limit: int, remaining: dict[int, Order]) -> list[int]:
        """Up to ``limit`` of its orders that are in ``remaining`` and below ``number``, newest first."""
        found: list[int] = []
        at = bisect_left(self.orders, number)
        while at > 0 and len(found) < limit:
            at -= 1
            if self.orders[at] in remaining:
                found.append(self.orders[at])
        return found

    def let_go(self, order: Order, remaining: dict[int, Order]) -> None:
        """The order has left. Its number is dropped when half of them have, so that each costs the same."""
        key: str = order.terms.client_key
        if key:
            del self.keys[key]
        self._left += 1
        if self._left * 2 > len(self.orders):
            self.orders = [number for number in self.orders if number in remaining]
            self._left = 0


class Market:
    """``parity`` is what quantity x price is divided by to be money: the scales' difference as a power of ten."""

    __slots__ = (
        "currency",
        "increment",
        "last",
        "name",
        "number",
        "parity",
        "price_scale",
        "symbol",
        "terms",
        "title",
        "unit",
    )

    def __init__(self, terms: MarketDefined, unit: Asset, currency: Asset) -> None:
        self.terms: Final = terms
        self.number: Final[int] = terms.market
        self.name: Final[str] = terms.name
        self.symbol: Final[str] = terms.symbol
        self.title: Final[str] = terms.title
        self.unit: Final = unit
        self.currency: Final = currency
        self.price_scale: Final[int] = terms.price_scale
        self.increment: Final[int] = terms.increment
        self.parity: Final[int] = 10 ** (unit.scale + terms.price_scale - currency.scale)
        self.last = 0


class State:
    """What a venue knows of all that is not over yet, and of what is over since less than ``retain_us``.

    ``sequence`` and ``time`` are the last entry's; numbers are given in order from 1. ``leaving`` holds what is done,
    as (since when, order), with cancel requests as negative numbers; an entry lets at most ``retire_max`` of them go.
    ``left``, unless it is None, gathers the orders that have gone, with their trades, until somebody takes them;
    ``left_at`` is the sequence of the last entry that let one go.
    """

    def __init__(self) -> None:
        self.name = ""
        self.key_check = ""
        self.sequence = 0
        self.time = 0
        self.assets: Final[dict[int, Asset]] = {}
        self.markets: Final[dict[int, Market]] = {}
        self.accounts: Final[dict[int, Account]] = {}
        self.orders: Final[dict[int, Order]] = {}
        self.trades: Final[dict[int, Trade]] = {}
        self.requests: Final[dict[int, CancelRequest]] = {}
        self.leaving: Final[deque[tuple[int, int]]] = deque()
        self.left: list[tuple[Order, list[Trade]]] | None = None
        self.left_at = 0
        self.retain_us = 0
        self.retire_max = 0
        self.orders_made = 0
        self.trades_made = 0
        self.requests_made = 0
        self.asset_named: Final[dict[str, Asset]] = {}
        self.market_named: Final[dict[str, Market]] = {}
        self.account_named: Final[dict[str, Account]] = {}
        self.account_of_role: Final[dict[int, Account]] = {}

    def balance(self, account: int, asset: int) -> Balance:
        """The balance that a move changes; KeyError for an account that does not exist."""
        return self.accounts[account].book.of(asset)

    def define_asset(self, event: AssetDefined) -> None:
        asset = Asset(event.asset, event.name, event.scale)
        self.assets[asset.number] = asset
        self.asset_named[asset.name] = asset

    def define_market(self, event: MarketDefined) -> None:
        market = Market(event, self.assets[event.unit], self.assets[event.currency])
        self.markets[market.number] = market
        self.market_named[market.name] = market

    def open_account(self, event: AccountOpened) -> None:
        account = Account(event.account, event.name, event.role)
        self.accounts[account.number] = account
        self.account_named[account.name] = account
        self.account_of_role.setdefault(account.role, account)

    def last(self, key: int) -> int:
        """The sequence of the newest entry that touched ``key``, 0 for none."""
        kind, number = key & 3, key >> 2
        if kind == ORDER:
            return self.orders[number].last if number in self.orders else 0
        if kind == ACCOUNT:
            return self.accounts[number].last if number in self.accounts else 0
        if kind == MARKET:
            return self.markets[number].last if number in self.markets else 0
        return self.sequence

    def touch(self, key: int, sequence: int) -> int:
        """The entry ``sequence`` touches ``key``: it is its newest now. Returns the one before it, 0 for none."""
        kind, number = key & 3, key >> 2
        before = 0
        if kind == ORDER:
            order = self.orders[number]
            before, order.last = order.last, sequence
        elif kind == ACCOUNT:
            account = self.accounts[number]
            before, account.last = account.last, sequence
        elif kind == MARKET:
            market = self.markets[number]
            before, market.last = market.last, sequence
        return before

    def close_entry(self, sequence: int, time: int) -> None:
        """The entry is folded; ``time`` is its last event's. What is done for long enough leaves."""
        self.sequence = sequence
        self.time = time
        leaving = self.leaving
        room = self.retire_max
        while room > 0 and leaving and leaving[0][0] + self.retain_us <= time:
            _, number = leaving.popleft()
            if number > 0:
                self._let_order_go(number)
            else:
                del self.requests[-number]
            room -= 1

    def is_done(self, order: Order, time: int) -> None:
        """If the order is closed and settled, it leaves in due time."""
        if order.is_settled():
            self.leaving.append((time, order.number))

    def _let_order_go(self, number: int) -> None:
        order = self.orders.pop(number)
        self.left_at = self.sequence
        trades: list[Trade] = []
        for made in order.progress.trades:
            trade = self.trades[made]
            trades.append(trade)
            trade.holders -= 1
            if trade.holders == 0:
                del self.trades[made]
        self.accounts[order.account].let_go(order, self.orders)
        if self.left is not None:
            self.left.append((order, trades))
