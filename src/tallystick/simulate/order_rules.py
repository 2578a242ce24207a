"""What the auditor demands of the facts about orders: what they wait for, when they go on, how and why they end."""

from typing import Any, Final

from tallystick.facts.codes import (
    ACCOUNT_SUSPENDED,
    BELOW_ONE_INCREMENT,
    CLOSED_SHORT,
    COMPLIANCE,
    EXACT,
    MARKET_NOT_TRADING,
    PENDING_STAGE,
    PLACED_STAGE,
    PREREQUISITE_FAILED,
    PREREQUISITE_TIMED_OUT,
    PRICE_FEED,
    REVIEWED,
)
from tallystick.facts.commands import CancelOrders, ClearPrerequisite, ExecutePart, FailExecution
from tallystick.facts.venue import (
    ExecutionFailed,
    OrderCancelled,
    OrderFilled,
    OrderOpened,
    OrderPlaced,
    OrderRefused,
    OrderSettled,
    OrderWaiting,
    PrerequisiteCleared,
)
from tallystick.simulate.arithmetic import nearest, tradeable, wait
from tallystick.simulate.books import BUY, CASH, SELL, UNITS, Books
from tallystick.simulate.request_rules import ended_by_request
from tallystick.simulate.violation import require

REVIEW_DECIMALS: Final = 8


def placed(books: Books, event: OrderPlaced) -> None:
    books.number(event.order, books.orders, "order")
    market = books.markets[event.market]
    is_buy = event.side == BUY
    asset = market["currency"] if is_buy else market["unit"]
    holding = (event.account, asset)
    room = books.available(holding) if is_buy else books.free(holding)
    detail = f"account {event.account} has {room} of asset {asset} and orders for {event.size}"
    require(0 < event.size <= room, "available", detail)
    require(event.reserved == event.size and event.reserve_asset == asset, "reserved", f"{event}")
    require(event.kind == (CASH if is_buy else UNITS), "size", f"order {event.order} is sized in {event.kind}")
    if is_buy:
        right = tradeable(event.size, books.terms.fee_bps)
    else:
        right = event.size
        whole = event.size % market["increment"] == 0
        require(whole, "quantity", f"order {event.order} sells {event.size} by {market['increment']}")
    require(event.fee_bps == books.terms.fee_bps, "fees", f"order {event.order} pays {event.fee_bps} basis points")
    require(event.tradeable == right > 0, "fees", f"of {event.size} {right} is tradeable, not {event.tradeable}")
    _use_key(books, event, {"order": event.order})
    books.orders[event.order] = {
        **{name: getattr(event, name) for name in ("account", "market", "side", "size", "tradeable", "reserved")},
        **dict.fromkeys(("consumed", "quantity", "notional", "fees", "deadline", "waits_for", "failures"), 0),
        "due": books.now + books.terms.submit_after_us,
        "status": "nothing",
        "held": False,
        "is_complete": False,
        "holding": holding,
        "trades": [],
    }
    books.open_orders.setdefault(holding, {})[event.order] = None
    books.hold(holding, event.size)
    books.move(event, "placed")


def refused(books: Books, event: OrderRefused) -> None:
    books.refusals += 1
    require(event.refusal == books.refusals, "numbers", f"refusal {event.refusal} follows {books.refusals - 1}")
    require(bool(event.client_key), "once", f"{event} is on record without a key")
    _use_key(books, event, {"order": 0, "refused": (event.code, event.detail, event.field)})


def waiting(books: Books, event: OrderWaiting) -> None:
    order = books.orders[event.order]
    _goes_beyond_placed(books, event, order)
    review, held = wants_review(books, order), books.is_held(PENDING_STAGE, event.market)
    books.move(event, "pending")
    order["held"] = event.prerequisite == COMPLIANCE and event.due != event.deadline
    if event.prerequisite == COMPLIANCE:
        right = held is not False and review is not True if order["held"] else review is not False
        detail = f"order {event.order} waits for a check; it needs one: {review}; it is held: {held}; {event}"
        require(right, "waiting", detail)
    else:
        price = books.price(event.market)
        require(event.prerequisite == PRICE_FEED, "waiting", f"order {event.order} waits for {event.prerequisite}")
        require(not (review or held or price), "waiting", f"order {event.order} waits for a price, and it is {price}")
    _wait_for(books, event, order, event.prerequisite)


def cleared(books: Books, event: PrerequisiteCleared) -> None:
    """By an operator; or by itself, if it was only held and is not any more."""
    order = books.orders[event.order]
    books.touch(event, order)
    detail = f"order {event.order} is {order['status']}, waits for {order['waits_for']}, and this is cleared: {event}"
    right = order["status"] == "pending" and order["waits_for"] == event.prerequisite == COMPLIANCE
    require(right and event.then == PRICE_FEED, "waiting", detail)
    if books.command is None:
        require(order["held"], "waiting", f"order {event.order} needs a check, and nobody made it")
        held = books.is_held(PENDING_STAGE, event.market)
        require(not held, "held", f"order {event.order} goes on while its market is held at pending")
        goes_on(books, event.order, order)
    else:
        require(isinstance(books.command, ClearPrerequisite) and books.command.passed, "waiting", detail)
    order["held"] = False
    _wait_for(books, event, order, event.then)


def opened(books: Books, event: OrderOpened) -> None:
    order = books.orders[event.order]
    price = books.price(event.market)
    require(price != 0, "waiting", f"order {event.order} is executing and its market has no price")
    if order["status"] == "placed":
        _goes_beyond_placed(books, event, order)
        review, held = wants_review(books, order), books.is_held(PENDING_STAGE, event.market)
        require(not review, "waiting", f"order {event.order} is executing without the check that it needs")
        require(not held, "held", f"order {event.order} is executing while its market is held at pending")
    else:
        detail = f"order {event.order} is executing and waits for {order['waits_for']}"
        require(order["waits_for"] == PRICE_FEED, "waiting", detail)
        goes_on(books, event.order, order)
    books.move(event, "executing")
    order["due"] = books.now + books.terms.execute_after_us


def failed(books: Books, event: ExecutionFailed) -> None:
    order = books.orders[event.order]
    books.touch(event, order)
    asked = isinstance(books.command, FailExecution) and books.command.retriable
    detail = f"order {event.order} is {order['status']} and failed for {event.reason!r}"
    require(asked and order["status"] == "executing", "reason", detail)
    require(event.reason == (books.command.reason or "execution_failed"), "reason", detail)
    order["due"] = books.now + wait(books.terms.retry_us, order["failures"])
    order["failures"] += 1
    require(event.due == order["due"], "due", f"{event} should be due at {order['due']}")


def filled(books: Books, event: OrderFilled) -> None:
    order = books.close(event, "filled")
    require(bool(order["trades"]), "closed short", f"order {event.order} is filled without a trade")
    if event.verdict == CLOSED_SHORT:
        _ends_early(books, event, order)
        return
    good = not event.reason and not event.request and (event.verdict != EXACT or event.released == 0)
    require(good, "closed short", f"{event} is not closed short")
    price = _deciding_price(books, order)
    if price:
        rest = order["tradeable"] - order["notional"] if order["side"] == BUY else 0
        unit = books.value(order["market"], books.markets[order["market"]]["increment"], price)
        if order["side"] == SELL:
            unit = books.value(order["market"], event.released, price)
            require(nearest(unit) == 0, "size", f"order {event.order} is filled with {event.released} unsold")
        require(rest <= unit + 1, "size", f"order {event.order} is filled with {rest} unspent, a unit is {unit}")


def cancelled(books: Books, event: OrderCancelled) -> None:
    order = books.orders[event.order]
    before = order["status"]
    books.close(event, "cancelled")
    require(not order["trades"], "closed short", f"order {event.order} has trades and is cancelled")
    command, reason = books.command, event.reason
    if isinstance(command, CancelOrders):
        require(event.request > 0 and reason == command.reason, "reason", f"{event} is not what {command} asked for")
        request = books.requests[event.request]
        request["outcomes"][event.order] = "done"
        request["done"] += 1
    elif reason == PREREQUISITE_FAILED and before == "pending":
        right = isinstance(command, ClearPrerequisite) and not command.passed and command.order == event.order
        require(right, "reason", f"order {event.order} failed a check that nobody made")
    elif reason == PREREQUISITE_TIMED_OUT:
        right = before == "pending" and 0 < order["deadline"] <= books.now
        require(right, "reason", f"order {event.order} was {before} until {order['deadline']}, and timed out")
    elif reason == BELOW_ONE_INCREMENT:
        price = books.price(event.market)
        worth = nearest(books.value(event.market, books.possible(order, price), price)) if price else 0
        require(price != 0 and worth == 0, "reason", f"order {event.order} comes to {worth} at {price}, not to nothing")
    else:
        _ends_early(books, event, order)


def settled(books: Books, event: OrderSettled) -> None:
    order = books.move(event, "settled")
    left = books.unsettled(order)
    require(not left, "settlement", f"order {event.order} is settled before its trades {left}")


def wants_review(books: Books, order: dict[str, Any]) -> bool | None:
    """Whether the order needs a compliance check, for its account or its worth, also while its worth is not known for
    want of a price; None if nobody here can tell."""
    if books.accounts[order["account"]]["flags"] & REVIEWED:
        return True
    limit = books.terms.review_over * 10 ** books.assets[books.markets[order["market"]]["currency"]]["scale"]
    worth = order["size"]
    if limit and order["side"] == SELL:
        price = books.price(order["market"])
        if not price:
            return None if price is None else True
        worth = nearest(books.value(order["market"], order["size"], price))
    return bool(limit and worth > limit // 10**REVIEW_DECIMALS)


def _goes_beyond_placed(books: Books, event: Any, order: dict[str, Any]) -> None:
    held = books.is_held(PLACED_STAGE, event.market)
    require(not held, "held", f"order {event.order} goes on while its market is held at placed")
    goes_on(books, event.order, order)


def goes_on(books: Books, number: int, order: dict[str, Any]) -> None:
    """Nothing keeps the order from it: it is due, and neither its market nor its account is stopped."""
    require(books.now >= order["due"], "due", f"order {number} goes on at {books.now}, and is due at {order['due']}")
    halted, suspended = books.stopped_by(order)
    detail = f"order {number} goes on; its market is halted: {halted}, its account suspended: {suspended}"
    require(not (halted or suspended), "halted", detail)


def _wait_for(books: Books, event: Any, order: dict[str, Any], prerequisite: int) -> None:
    limit = books.terms.prerequisite_us
    order["waits_for"], order["deadline"] = prerequisite, books.now + limit if limit else 0
    order["due"] = event.due
    detail = f"order {event.order} waits until {event.deadline}, and should until {order['deadline']}"
    require(event.deadline == order["deadline"], "waiting", detail)


def _deciding_price(books: Books, order: dict[str, Any]) -> int | None:
    """An operator may have named another than the market's."""
    named = books.command.price if isinstance(books.command, ExecutePart) else 0
    return named or books.price(order["market"])


def _ends_early(books: Books, event: Any, order: dict[str, Any]) -> None:
    """By the venue: because of a halt, a suspension, or a failure that is final."""
    halted, suspended = books.stopped_by(order)
    command, reason = books.command, event.reason
    if event.request:
        ended_by_request(books, event, order)
    elif isinstance(command, FailExecution) and command.order == event.order:
        right = not command.retriable and reason == (command.reason or "execution_failed")
        require(right, "reason", f"{event} is not what {command} asked for")
    else:
        right = (halted and reason == MARKET_NOT_TRADING) or (suspended and reason == ACCOUNT_SUSPENDED)
        require(right, "reason", f"order {event.order} ends for {reason!r}, and there is no such reason")


def _use_key(books: Books, event: Any, use: dict[str, Any]) -> None:
    if event.client_key:
        before = books.used(event.account, event.client_key)
        detail = f"the key {event.client_key!r} of account {event.account} stands for {before} and now for {use}"
        require(before is None, "once", detail)
        since = {"since": books.now, "fingerprint": event.fingerprint}
        books.keys[event.account, event.client_key] = use | since
