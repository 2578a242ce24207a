"""What the auditor demands of a whole entry: its place, its time, its links, and what must hold after each one."""

from typing import Any, Final

from tallystick.facts.venue import (
    AccountChanged,
    AccountOpened,
    AssetDefined,
    CancelFinished,
    CancelRefused,
    CancelRequested,
    Entry,
    ExecutionFailed,
    MarketChanged,
    MarketDefined,
    OrderCancelled,
    OrderFilled,
    OrderOpened,
    OrderPlaced,
    OrderRefused,
    OrderSettled,
    OrderWaiting,
    PrerequisiteCleared,
    SettlementFailed,
    TradeMade,
    TradeSettled,
    Transferred,
    VenueOpened,
)
from tallystick.simulate import order_rules, reference_rules, request_rules, trade_rules
from tallystick.simulate.books import Books
from tallystick.simulate.violation import Violation, require

ACCOUNT, ORDER, MARKET = 1, 2, 3  # the kinds of key: a key is number * 4 + kind


def take(books: Books, entry: Entry, command: Any) -> None:
    """The next entry, which carries out ``command`` (None: it happened by itself); raises Violation."""
    require(entry.sequence == len(books.entries) + 1, "sequence", f"{entry.sequence} follows {len(books.entries)}")
    require(1 <= len(entry.events) <= 1024, "sequence", f"entry {entry.sequence} has {len(entry.events)} events")
    ended = books.ended
    require(entry.time > ended, "time", f"entry {entry.sequence} is of {entry.time}, the one before of {ended}")
    books.begin(entry, command)
    keys: dict[int, None] = {}
    for event in entry.events:
        _route(event, keys)
        _RULES.get(type(event), _unexpected)(books, event)
    books.entries.append(entry)
    _check_links(books, entry, keys)
    _check_ledger(books, entry)
    _check_orders(books, entry)
    request_rules.check(books, entry)


def _route(event: Any, keys: dict[int, None]) -> None:
    named = [(event.account, ACCOUNT), (event.order, ORDER), (event.market, MARKET)]
    if isinstance(event, Transferred):
        named.append((event.payer, ACCOUNT))
    if isinstance(event, TradeMade):
        named += [(leg.account, ACCOUNT) for leg in event.legs] + [(leg.order, ORDER) for leg in event.legs]
    for number, kind in named:
        if number:
            keys[number * 4 + kind] = None


def _check_links(books: Books, entry: Entry, keys: dict[int, None]) -> None:
    expected = {key: books.newest.get(key, 0) for key in keys}
    found = dict(zip(entry.links[::2], entry.links[1::2], strict=True))
    good = found == expected and len(entry.links) == 2 * len(expected)
    require(good, "links", f"entry {entry.sequence} has {found} and should have {expected}")
    for key in expected:
        books.newest[key] = entry.sequence


def _check_ledger(books: Books, entry: Entry) -> None:
    for asset in {asset for _, asset in books.touched}:
        total = sum(books.total((account, asset)) for account in books.accounts)
        require(total == 0, "balance", f"after entry {entry.sequence} asset {asset} sums to {total}")
    for holding in books.touched:
        account, asset = holding
        if books.is_customer(account):
            left = books.available(holding)
            require(left >= 0, "available", f"account {account} has {left} of asset {asset} available")
        owed, owing = books.receivable[holding], books.payable[holding]
        require(owed >= 0 >= owing, "balance", f"account {account} is owed {owed} and owes {-owing} of {asset}")
        orders = [books.orders[number] for number in books.open_orders.get(holding, ())]
        needed = sum(order["size"] - order["consumed"] for order in orders)
        held = books.reserved[holding]
        detail = f"account {account} holds {held} of asset {asset}, its open orders need {needed}"
        require(held == needed, "reserved", detail)


def _check_orders(books: Books, entry: Entry) -> None:
    for number in books.orders_touched:
        order = books.orders[number]
        done = order["is_complete"] and order["status"] == "executing"
        require(not done, "size", f"order {number} has traded all it can, and entry {entry.sequence} does not fill it")
        if order["status"] == "filled":
            detail = f"order {number} is filled, all its trades settled, and entry {entry.sequence} does not say so"
            require(bool(books.unsettled(order)), "settlement", detail)


def _unexpected(_books: Books, event: Any) -> None:
    raise Violation("arrows", f"{event} cannot happen at this venue")


_RULES: Final[dict[type, Any]] = {
    AssetDefined: reference_rules.asset_defined,
    MarketDefined: reference_rules.market_defined,
    MarketChanged: reference_rules.market_changed,
    VenueOpened: reference_rules.venue_opened,
    AccountOpened: reference_rules.account_opened,
    AccountChanged: reference_rules.account_changed,
    Transferred: reference_rules.transferred,
    OrderPlaced: order_rules.placed,
    OrderRefused: order_rules.refused,
    OrderWaiting: order_rules.waiting,
    PrerequisiteCleared: order_rules.cleared,
    OrderOpened: order_rules.opened,
    ExecutionFailed: order_rules.failed,
    OrderFilled: order_rules.filled,
    OrderCancelled: order_rules.cancelled,
    OrderSettled: order_rules.settled,
    CancelRequested: request_rules.requested,
    CancelRefused: request_rules.refused,
    CancelFinished: request_rules.finished,
    TradeMade: trade_rules.made,
    TradeSettled: trade_rules.settled,
    SettlementFailed: trade_rules.failed,
}
