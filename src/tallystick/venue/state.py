"""A venue's state, and the fold that makes it: state is what the journal's events add up to (DESIGN §3).

Folding only assigns, adds and indexes. It never rounds, prices, allocates or chooses, so that old journals survive new
rules. The writer and the readers each keep a State of their own; terms are shared by both.
"""

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
    """``orders`` are its orders' numbers, oldest first; ``keys`` finds an order by its owner's word for it."""

    __slots__ = ("book", "keys", "last", "name", "number", "orders", "role")

    def __init__(self, number: int, name: str, role: int) -> None:
        self.number: Final = number
        self.name: Final = name
        self.role: Final = role
        self.book: Final = Book()
        self.orders: Final[list[int]] = []
        self.keys: Final[dict[str, int]] = {}
        self.last = 0


class Market:
    """``parity`` is what quantity x price is divided by to be money: the scales' difference as a power of ten."""

    __slots__ = ("currency", "increment", "last", "name", "number", "parity", "price_scale", "symbol", "title", "unit")

    def __init__(self, terms: MarketDefined, unit: Asset, currency: Asset) -> None:
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
    """Everything a venue knows. ``sequence`` and ``time`` are the last entry's; numbers are given in order from 1."""

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
        """The entry is folded; ``time`` is its last event's."""
        self.sequence = sequence
        self.time = time
