"""A venue's state, and the fold that makes it: state is what the journal's events add up to (docs/design.md §3).

Folding only assigns, adds and indexes. It never rounds, prices, allocates or chooses, so that old journals survive new
rules. The writer and the readers each keep a State of their own; terms are shared by both.
"""

from bisect import bisect_left, bisect_right, insort
from collections import deque
from typing import Final

from tallystick.core.cancel import CancelRequest
from tallystick.core.keys import ACCOUNT, MARKET, ORDER, Number, account_key, market_key
from tallystick.core.numbered import Numbered
from tallystick.core.order import Order
from tallystick.core.trade import Trade
from tallystick.facts.codes import ACTIVE, AT_OR_ABOVE, BUY, OWNED, REDUCE_ONLY, SELL
from tallystick.facts.venue import (
    AccountOpened,
    AssetDefined,
    Contract,
    Instructions,
    MarketDefined,
    OrderPlaced,
    OrderRefused,
    Transferred,
)
from tallystick.venue.book import Book as OrderBook
from tallystick.venue.ledger import Balance, Book

MILESTONE_ENTRIES: Final = 256
PARTS: Final = 10**9  # rates and leverage are parts of it
REFERENCES_MAX: Final = 256


class OutOfSequence(Exception):
    """An entry that does not follow the last one folded."""


class Asset:
    __slots__ = ("kind", "name", "number", "scale")

    def __init__(self, number: int, name: str, scale: int, kind: int = OWNED) -> None:
        self.number: Final[Number] = number
        self.name: Final = name
        self.scale: Final = scale
        self.kind: Final = kind


class Working:
    """An account's orders in one market's book, or standing by for it: ``orders``, oldest first, and what they come to.

    Of each side, how many there are (``buys``, ``sells``) and how much of them rests (``bid``, ``offered``);
    ``reducing`` counts those that rest and may only reduce a position.
    """

    __slots__ = ("bid", "buys", "offered", "orders", "reducing", "sells")

    def __init__(self) -> None:
        self.orders: Final[dict[int, None]] = {}
        self.buys = 0
        self.sells = 0
        self.bid = 0
        self.offered = 0
        self.reducing = 0

    def count(self, side: int, orders: int) -> None:
        """So many more, or less, of that side."""
        if side == BUY:
            self.buys += orders
        else:
            self.sells += orders

    def rest(self, side: int, quantity: int) -> None:
        """So much more, or less, of that side rests."""
        if side == BUY:
            self.bid += quantity
        else:
            self.offered += quantity

    def counted(self, side: int) -> int:
        return self.buys if side == BUY else self.sells

    def resting(self, side: int) -> int:
        return self.bid if side == BUY else self.offered


class Account:
    """``orders`` are the numbers of its orders, oldest first, among them some that have left the state; ``keys`` finds
    an order (or, negative, a refusal) by its owner's word for it; ``transfers`` the last REFERENCES_MAX transfers that
    had a reference, by it.

    ``touched`` counts the entries that touched it, of which every MILESTONE_ENTRIES-th is a milestone: from one to the
    next the journal's links lead back in few steps, so a reader may begin anywhere.

    ``leverage`` is what it chose, by market; ``working`` are its orders that are worked in a book, by market.
    """

    __slots__ = (
        "_left",
        "book",
        "flags",
        "key",
        "keys",
        "last",
        "leverage",
        "milestones",
        "name",
        "number",
        "orders",
        "owner",
        "role",
        "status",
        "touched",
        "transfers",
        "working",
    )

    def __init__(self, number: int, name: str, role: int, owner: str, flags: int) -> None:
        self.number: Final[Number] = number
        self.key: Final[Number] = account_key(number)
        self.name: Final = name
        self.role: Final = role
        self.owner = owner
        self.flags = flags
        self.status = ACTIVE
        self.touched = 0
        self.milestones: Final[list[int]] = []
        self.book: Final = Book()
        self.orders: list[int] = []
        self.keys: Final[dict[str, int]] = {}
        self.transfers: Final[dict[str, Transferred]] = {}
        self.leverage: Final[dict[int, int]] = {}
        self.working: Final[dict[int, Working]] = {}
        self.last: Number = 0
        self._left = 0

    def touch(self, sequence: Number) -> Number:
        """The entry ``sequence`` touches it: it is its newest now. Returns the one before it, 0 for none."""
        before = self.last
        self.last = sequence
        self.touched += 1
        if self.touched % MILESTONE_ENTRIES == 0:
            self.milestones.append(sequence)
        return before

    def newest_before(self, number: int, limit: int, remaining: dict[int, Order]) -> list[int]:
        """Up to ``limit`` of its orders that are in ``remaining`` and below ``number``, newest first."""
        found: list[int] = []
        at = bisect_left(self.orders, number)
        while at > 0 and len(found) < limit:
            at -= 1
            if self.orders[at] in remaining:
                found.append(self.orders[at])
        return found

    def oldest_after(self, number: int, limit: int, remaining: dict[int, Order]) -> list[int]:
        """Up to ``limit`` of its orders that are in ``remaining`` and above ``number``, oldest first."""
        found: list[int] = []
        at = bisect_right(self.orders, number)
        while at < len(self.orders) and len(found) < limit:
            if self.orders[at] in remaining:
                found.append(self.orders[at])
            at += 1
        return found

    def let_go(self, order: Order, remaining: dict[int, Order]) -> None:
        """The order has left. Its number is dropped when half of them have, so that each costs the same."""
        self.forget(order.terms.client_key, order.number)
        self._left += 1
        if self._left * 2 > len(self.orders):
            self.orders = [number for number in self.orders if number in remaining]
            self._left = 0

    def work(self, market: Number) -> Working:
        """Its orders in that market's book, to be changed."""
        working = self.working.get(market)
        if working is None:
            working = Working()
            self.working[market] = working
        return working

    def orders_working(self, market: Number) -> list[int]:
        """The numbers of its orders that are worked in the market or stand by, oldest first."""
        working = self.working.get(market)
        return [] if working is None else list(working.orders)

    def remember(self, transfer: Transferred) -> None:
        """Know its reference again, as long as not too many came after it."""
        self.transfers[transfer.reference] = transfer
        if len(self.transfers) > REFERENCES_MAX:
            del self.transfers[next(iter(self.transfers))]

    def forget(self, key: str, number: int) -> None:
        """The order (or, negative, the refusal) is found by its key no longer, unless that is another's by now."""
        if key and self.keys.get(key) == number:
            del self.keys[key]


class Market:
    """``status`` is what it takes orders for, ``changes`` of it are (since when, from then on), oldest first. Of its
    ``terms`` and its ``contract``, those that an order is held to are at hand here too.

    ``parity`` is what quantity x price is divided by to be money: the scales' difference as a power of ten;
    ``step_worth`` is what one increment is worth for each tick of the price, 0 if that is no whole amount.

    ``book`` is what rests in it, ``standby`` what waits for its price: those that want it higher as sellers, lowest
    first. ``traded`` is the price of its last trade between two orders, 0 before the first.
    """

    __slots__ = (
        "basis",
        "book",
        "cash_increment",
        "cash_min",
        "changes",
        "contract",
        "currency",
        "increment",
        "key",
        "last",
        "leverage",
        "leverage_max",
        "maker_fee",
        "market_quantity_max",
        "name",
        "number",
        "parity",
        "price_max",
        "price_min",
        "price_scale",
        "pros_only",
        "quantity_max",
        "quantity_min",
        "standby",
        "status",
        "step_worth",
        "symbol",
        "taker_fee",
        "terms",
        "tick",
        "title",
        "traded",
        "unit",
    )

    def __init__(self, terms: MarketDefined, unit: Asset, currency: Asset) -> None:
        self.terms: Final = terms
        self.number: Final[Number] = terms.market
        self.key: Final[Number] = market_key(terms.market)
        self.name: Final[str] = terms.name
        self.symbol: Final[str] = terms.symbol
        self.title: Final[str] = terms.title
        self.unit: Final = unit
        self.currency: Final = currency
        self.price_scale: Final[int] = terms.price_scale
        self.increment: Final[int] = terms.increment
        self.pros_only: Final[bool] = terms.pros_only
        self.quantity_min: Final[int] = terms.quantity_min
        self.cash_min: Final[int] = terms.cash_min
        self.cash_increment: Final[int] = terms.cash_increment
        self.parity: Final[int] = 10 ** (unit.scale + terms.price_scale - currency.scale)
        self.status: int = terms.status
        contract = terms.contract
        self.contract: Final[Contract | None] = contract
        self.basis: Final[Number] = 0 if contract is None else contract.basis
        self.leverage: Final[int] = 0 if contract is None else contract.leverage
        self.leverage_max: Final[int] = 0 if contract is None else PARTS * PARTS // contract.initial_margin
        self.maker_fee: Final[int] = 0 if contract is None else contract.maker_fee
        self.taker_fee: Final[int] = 0 if contract is None else contract.taker_fee
        self.tick: Final[int] = 1 if contract is None else contract.tick
        self.price_min: Final[int] = 0 if contract is None else contract.price_min
        self.price_max: Final[int] = 0 if contract is None else contract.price_max
        self.quantity_max: Final[int] = 0 if contract is None else contract.quantity_max
        self.market_quantity_max: Final[int] = 0 if contract is None else contract.market_quantity_max
        step = self.increment * self.tick
        self.step_worth: Final[int] = 0 if step % self.parity else step // self.parity
        self.changes: Final[list[tuple[int, int]]] = []
        self.book: Final = OrderBook()
        self.standby: Final = OrderBook()
        self.traded = 0
        self.last: Number = 0

    def change(self, status: int, time: int) -> None:
        """It takes orders for ``status`` from ``time`` on."""
        self.status = status
        self.changes.append((time, status))

    def status_at(self, time: int) -> int:
        """What it took orders for then."""
        status: int = self.terms.status
        for since, changed in self.changes:
            if since > time:
                break
            status = changed
        return status

    def touch(self, sequence: Number) -> Number:
        """The entry ``sequence`` touches it: it is its newest now. Returns the one before it, 0 for none."""
        before = self.last
        self.last = sequence
        return before


class Waiting:
    """What a PENDING order waits for, and until when (0: for ever)."""

    __slots__ = ("deadline", "prerequisite")

    def __init__(self, prerequisite: int, deadline: int) -> None:
        self.prerequisite: Final = prerequisite
        self.deadline: Final = deadline


class Refusal:
    """A request under an owner's key that was refused; it is refused again in the same words."""

    __slots__ = ("made", "terms")

    def __init__(self, terms: OrderRefused, made: int) -> None:
        self.terms: Final = terms
        self.made: Final = made


class Retry:
    """How often an order's execution or a trade's settlement has failed so far, and why the last time."""

    __slots__ = ("attempts", "reason")

    def __init__(self, attempts: int, reason: str) -> None:
        self.attempts: Final = attempts
        self.reason: Final = reason


class State:
    """What a venue knows of all that is not over yet, and of what is over since less than ``retain_us``.

    ``sequence`` and ``time`` are the last entry's; numbers are given in order from 1. ``leaving`` holds what is done,
    as (since when, order), with cancel requests as negative numbers; an entry lets at most ``retire_max`` of them go.
    ``left`` and ``left_refusals``, unless they are None, gather what has gone until somebody takes it; ``left_at`` is
    the sequence of the last entry that let something go. ``waiting`` says what PENDING orders wait for;
    ``order_retries`` and ``trade_retries`` what has failed and is tried again; ``sweeps`` are the requests that are not
    finished. ``accounts_of_owner`` are each client's, by number, oldest first. ``has_books`` once an order came to be
    worked in a book.
    """

    def __init__(self) -> None:
        self.name = ""
        self.key_check = ""
        self.sequence = 0
        self.time = 0
        self.assets: Final[Numbered[Asset]] = Numbered()
        self.markets: Final[Numbered[Market]] = Numbered()
        self.accounts: Final[Numbered[Account]] = Numbered()
        self.orders: Final[dict[int, Order]] = {}
        self.trades: Final[dict[int, Trade]] = {}
        self.requests: Final[dict[int, CancelRequest]] = {}
        self.leaving: Final[deque[tuple[int, int]]] = deque()
        self.left: list[tuple[Order, list[Trade]]] | None = None
        self.left_refusals: list[Refusal] | None = None
        self.waiting: Final[dict[int, Waiting]] = {}
        self.refusals: Final[dict[int, Refusal]] = {}
        self.order_retries: Final[dict[int, Retry]] = {}
        self.trade_retries: Final[dict[int, Retry]] = {}
        self.sweeps: Final[dict[int, CancelRequest]] = {}
        self.has_books = False
        self.left_at = 0
        self.retain_us = 0
        self.retire_max = 0
        self.orders_made = 0
        self.trades_made = 0
        self.requests_made = 0
        self.refusals_made = 0
        self.asset_named: Final[dict[str, Asset]] = {}
        self.market_named: Final[dict[str, Market]] = {}
        self.account_named: Final[dict[str, Account]] = {}
        self.account_of_role: Final[dict[int, Account]] = {}
        self.accounts_of_owner: Final[dict[str, list[int]]] = {}

    def balance(self, account: int, asset: Number) -> Balance:
        """The balance that a move changes; KeyError for an account that does not exist."""
        return self.accounts[account].book.of(asset)

    def define_asset(self, event: AssetDefined) -> None:
        asset = Asset(event.asset, event.name, event.scale, event.kind)
        self.assets.add(asset.number, asset)
        self.asset_named[asset.name] = asset

    def define_market(self, event: MarketDefined) -> None:
        market = Market(event, self.assets[event.unit], self.assets[event.currency])
        self.markets.add(market.number, market)
        self.market_named[market.name] = market

    def open_account(self, event: AccountOpened) -> None:
        account = Account(event.account, event.name, event.role, event.owner, event.flags)
        self.accounts.add(account.number, account)
        self.account_named[account.name] = account
        self.account_of_role.setdefault(account.role, account)
        if account.owner:
            self.accounts_of_owner.setdefault(account.owner, []).append(account.number)

    def change_owner(self, account: Account, owner: str) -> None:
        """The account is that client's from now on; "" for nobody's."""
        if account.owner:
            self.accounts_of_owner[account.owner].remove(account.number)
        account.owner = owner
        if owner:
            insort(self.accounts_of_owner.setdefault(owner, []), account.number)

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

    def touch(self, key: int, sequence: Number) -> Number:
        """The entry ``sequence`` touches ``key``: it is its newest now. Returns the one before it, 0 for none."""
        kind, number = key & 3, key >> 2
        if kind == ORDER:
            return self.orders[number].touch(sequence)
        if kind == ACCOUNT:
            return self.accounts[number].touch(sequence)
        if kind == MARKET:
            return self.markets[number].touch(sequence)
        return 0

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
        refusals = self.refusals
        while room > 0 and refusals:
            oldest = next(iter(refusals))
            if refusals[oldest].made + self.retain_us > time:
                break
            self._let_refusal_go(oldest)
            room -= 1

    def is_done(self, order: Order, time: int) -> None:
        """If the order is closed and settled, it leaves in due time."""
        if order.is_settled():
            self.leaving.append((time, order.number))

    def work(self, order: Order, side: int) -> None:
        """The order is worked in a book from now on, or stands by for it."""
        self.has_books = True
        working = self.accounts[order.account].work(order.market)
        working.orders[order.number] = None
        working.count(side, 1)

    def rest(self, order: Order) -> None:
        """What is left of the order rests in its market's book."""
        terms: OrderPlaced = order.terms
        side, instructions, leaves = terms.side, terms.instructions, order.leaves
        assert instructions is not None
        self.markets[order.market].book.add(order.number, side, instructions.price, leaves)
        working = self.accounts[order.account].work(order.market)
        working.rest(side, leaves)
        if instructions.flags & REDUCE_ONLY:
            working.reducing += 1

    def take(self, order: Order, quantity: int) -> None:
        """So much of what rests of the order is taken."""
        rests = self.markets[order.market].book.take(order.number, quantity)
        terms: OrderPlaced = order.terms
        working = self.accounts[order.account].working[order.market]
        working.rest(terms.side, -quantity)
        if rests == 0 and working.reducing:
            instructions: Instructions = order.terms.instructions
            if instructions.flags & REDUCE_ONLY:
                working.reducing -= 1

    def stand_by(self, order: Order) -> None:
        """The order waits for its market's price."""
        instructions: Instructions = order.terms.instructions
        side = SELL if instructions.trigger_when == AT_OR_ABOVE else BUY
        self.markets[order.market].standby.add(order.number, side, instructions.trigger, order.leaves)

    def stop_working(self, order: Order) -> None:
        """The order is closed: it neither rests nor stands by."""
        terms: OrderPlaced = order.terms
        instructions = terms.instructions
        if instructions is None:
            return
        account = self.accounts[order.account]
        working = account.working[order.market]
        del working.orders[order.number]
        if not working.orders:
            del account.working[order.market]
        market = self.markets[order.market]
        side = terms.side
        working.count(side, -1)
        if len(market.standby):
            market.standby.remove(order.number)
        rested = market.book.remove(order.number)
        if rested:
            working.rest(side, -rested)
            if instructions.flags & REDUCE_ONLY:
                working.reducing -= 1

    def add_refusal(self, refusal: Refusal) -> None:
        """Keep it, and find it by its owner's key."""
        terms = refusal.terms
        self.refusals[terms.refusal] = refusal
        self.accounts[terms.account].keys[terms.client_key] = -terms.refusal

    def add_request(self, request: CancelRequest) -> None:
        """Keep it; one that is not finished is a sweep."""
        self.requests[request.number] = request
        if not request.finished:
            self.sweeps[request.number] = request

    def _let_refusal_go(self, number: int) -> None:
        refusal = self.refusals.pop(number)
        self.left_at = self.sequence
        self.accounts[refusal.terms.account].forget(refusal.terms.client_key, -number)
        if self.left_refusals is not None:
            self.left_refusals.append(refusal)

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
