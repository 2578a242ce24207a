"""What the auditor demands of the facts about assets, markets, accounts and the funds that are moved between them."""

from typing import Any

from tallystick.facts.codes import ACTIVE, CUSTOMER, NOT_TRADING, SUSPENDED
from tallystick.facts.venue import (
    AccountChanged,
    AccountOpened,
    AssetDefined,
    MarketChanged,
    MarketDefined,
    Transferred,
    VenueOpened,
)
from tallystick.simulate.books import Books
from tallystick.simulate.violation import require


def venue_opened(books: Books, event: VenueOpened) -> None:
    require(not books.name, "once", f"the venue {books.name!r} is opened again")
    books.name = event.name


def asset_defined(books: Books, event: AssetDefined) -> None:
    books.number(event.asset, books.assets, "asset")
    books.assets[event.asset] = {"name": event.name, "scale": event.scale}


def market_defined(books: Books, event: MarketDefined) -> None:
    books.number(event.market, books.markets, "market")
    books.markets[event.market] = {name: getattr(event, name) for name in event.__struct_fields__}


def market_changed(books: Books, event: MarketChanged) -> None:
    market = books.markets[event.market]
    if event.status == NOT_TRADING != market["status"]:
        books.stopped = (event.market, 0)
    market["status"] = event.status


def account_opened(books: Books, event: AccountOpened) -> None:
    books.number(event.account, books.accounts, "account")
    taken = any(account["name"] == event.name for account in books.accounts.values())
    require(not taken, "once", f"two accounts are called {event.name!r}")
    terms: dict[str, Any] = {name: getattr(event, name) for name in ("name", "role", "owner", "flags")}
    books.accounts[event.account] = terms | {"status": ACTIVE}


def account_changed(books: Books, event: AccountChanged) -> None:
    account = books.accounts[event.account]
    require(account["role"] == CUSTOMER, "allowed", f"account {event.account} is no customer's and is changed")
    if event.status == SUSPENDED != account["status"]:
        books.stopped = (0, event.account)
    for name in ("status", "flags", "owner"):
        account[name] = getattr(event, name)


def transferred(books: Books, event: Transferred) -> None:
    payer, payee = (event.payer, event.asset), (event.payee, event.asset)
    require(event.amount > 0 and payer != payee, "balance", f"{event} moves nothing")
    if books.is_customer(event.payer):
        free = books.free(payer)
        require(event.amount <= free, "available", f"account {event.payer} pays {event.amount} and has {free} free")
    if event.reference:
        for account in filter(books.is_customer, (event.payer, event.payee)):
            before = books.references.setdefault((account, event.reference), _moved(event))
            require(before == _moved(event), "once", f"account {account} knew {event.reference!r} as {before}")
    books.transfer(payer, payee, event.amount)


def _moved(event: Transferred) -> tuple[int, int, int, int]:
    return event.payer, event.payee, event.asset, event.amount
