"""What the auditor demands of requests to end orders: of single ones, and of all that a market or an account has."""

from typing import Any

from tallystick.facts.codes import (
    ACCOUNT_SUSPENDED,
    MARKET_NOT_TRADING,
    ORDER_CLOSED,
    ORDER_HAS_TRADES,
    SCOPE_ACCOUNT,
    SCOPE_MARKET,
    SCOPE_ORDERS,
)
from tallystick.facts.commands import CancelOrders
from tallystick.facts.venue import CancelFinished, CancelRefused, CancelRequested, Entry
from tallystick.simulate.books import ENDED, Books
from tallystick.simulate.violation import require


def requested(books: Books, event: CancelRequested) -> None:
    books.number(event.request, books.requests, "cancel request")
    if event.scope == SCOPE_ORDERS:
        right = isinstance(books.command, CancelOrders) and books.command.orders == event.orders
        require(right, "sweep", f"{event} is not what {books.command} asked for")
    else:
        reason = {SCOPE_MARKET: MARKET_NOT_TRADING, SCOPE_ACCOUNT: ACCOUNT_SUSPENDED}[event.scope]
        good = event.through == len(books.orders) and event.reason == reason
        require(good, "sweep", f"{event} is for {reason} and there are {len(books.orders)} orders")
    books.requests[event.request] = {
        **{name: getattr(event, name) for name in ("scope", "account", "market", "through", "reason", "orders")},
        "outcomes": {},
        "done": 0,
        "finished": event.scope == SCOPE_ORDERS,
    }


def refused(books: Books, event: CancelRefused) -> None:
    order = books.orders[event.order]
    right = ORDER_CLOSED if order["status"] in ENDED else ORDER_HAS_TRADES
    good = event.reason == right and (right == ORDER_CLOSED or bool(order["trades"]))
    detail = f"order {event.order} is {order['status']} with trades {order['trades']}, and the reason {event.reason}"
    require(good, "refused", detail)
    before = books.requests[event.request]["outcomes"].setdefault(event.order, "refused")
    require(before == "refused", "answered", f"order {event.order} of request {event.request}: {before}, refused")


def finished(books: Books, event: CancelFinished) -> None:
    request = books.requests[event.request]
    require(not request["finished"], "sweep", f"request {event.request} finishes again")
    same = (event.account, event.market) == (request["account"], request["market"])
    require(same, "links", f"{event} has wrong keys")
    request["finished"] = True
    left = [
        number
        for number, order in books.orders.items()
        if number <= request["through"] and order["status"] not in ENDED and _is_in_scope(request, order)
    ]
    require(not left, "sweep", f"request {event.request} is finished and orders {left[:10]} have not ended")


def ended_by_request(books: Books, event: Any, order: dict[str, Any]) -> None:
    """A halt's or a suspension's request ends this order."""
    request = books.requests[event.request]
    good = event.order <= request["through"] and _is_in_scope(request, order) and not request["finished"]
    require(good, "sweep", f"{event} is none of the orders of {request}")
    require(event.reason == request["reason"], "reason", f"{event} ends for another reason than {request}")
    require(books.command is None, "sweep", f"{event} is ended by {books.command}")
    request["done"] += 1


def check(books: Books, entry: Entry) -> None:
    """Every order that was named has an outcome, and whoever stops something asks for its orders to be ended."""
    for event in entry.events:
        if isinstance(event, CancelRequested):
            without = [number for number in event.orders if number not in books.requests[event.request]["outcomes"]]
            require(not without, "answered", f"cancel request {event.request} says nothing of orders {without}")
    asks = [(event.market, event.account) for event in entry.events if _is_sweep(event)]
    right = [books.stopped] if books.stopped is not None else []
    require(asks == right, "sweep", f"{entry.events[0]} asks to end the orders of {asks}, and should of {right}")


def _is_sweep(event: Any) -> bool:
    return isinstance(event, CancelRequested) and event.scope != SCOPE_ORDERS


def _is_in_scope(request: dict[str, Any], order: dict[str, Any]) -> bool:
    kind = "market" if request["scope"] == SCOPE_MARKET else "account"
    return bool(order[kind] == request[kind])
