"""Why an exchange may refuse an order, found anew by the auditor (specs/bluefin.md §3, §9)."""

from typing import Any, Final

from tallystick.facts.codes import (
    AT_OR_ABOVE,
    BUY,
    CANCEL_MAKER,
    FILL_OR_KILL,
    LIMIT_ORDER,
    MARKET_ORDER,
    NOT_TRADING,
    POST_ONLY,
    REDUCE_ONLY,
    SUSPENDED,
)
from tallystick.simulate.exchange_books import PARTS, ExchangeBooks, crosses

FILLS_MAX: Final = 150


class Reasons:
    """``certain``: with one of these it must be refused. ``possible``: it may be, and nobody outside can tell."""

    def __init__(self) -> None:
        self.certain: set[str] = set()
        self.possible: set[str] = set()


def may_refuse(books: ExchangeBooks, order: Any) -> Reasons:
    """What there is against the order now: the first thing in the order in which it is looked for."""
    found = Reasons()
    with_ = order.instructions
    if (order.account, order.client_key) in books.hashes:
        found.possible.add("duplicate_order")  # a live one comes after what is wrong with its terms, an old one before
    reason = _unknown(books, order) or _misformed(books, order, with_)
    if not reason and found.possible:
        reason = "duplicate_order"
    reason = reason or _affairs(books, order, with_)
    if reason:
        found.certain.add(reason)
        return found
    traded = books.markets[order.market]["traded"]
    if with_.trigger:
        above = with_.trigger_when == AT_OR_ABOVE
        if not traded or (traded < with_.trigger if above else traded > with_.trigger):
            return found
    _of_the_book(books, order, with_, found)
    return found


def _unknown(books: ExchangeBooks, order: Any) -> str:
    if not books.is_customer(order.account):
        return "account_not_found"
    if books.accounts[order.account]["status"] == SUSPENDED:
        return "account_deauthorized"
    return "" if order.market in books.markets else "invalid_symbol"


def _misformed(books: ExchangeBooks, order: Any, with_: Any) -> str:
    market = books.markets[order.market]
    contract = market["contract"]
    if market["status"] == NOT_TRADING:
        return "market_not_trading"
    if 0 < with_.expires <= books.now:
        return "order_expired"
    if (
        order.side not in (1, 2)
        or with_.self_trade not in (1, 2, 3)
        or (order.order_type == MARKET_ORDER and with_.price)
    ):
        return "invalid_input"
    if with_.leverage < PARTS or with_.leverage * contract.initial_margin > PARTS**2:
        return "invalid_leverage"
    if order.order_type == LIMIT_ORDER:
        if not contract.price_min <= with_.price <= contract.price_max:
            return "price_out_of_bound"
        if with_.price % contract.tick:
            return "price_out_of_tick_size"
    if with_.trigger and not contract.price_min <= with_.trigger <= contract.price_max:
        return "price_out_of_bound"
    most = contract.quantity_max if order.order_type == LIMIT_ORDER else contract.market_quantity_max
    if not market["quantity_min"] <= order.size <= most:
        return "quantity_out_of_bound"
    return "quantity_out_of_step_size" if order.size % market["increment"] else ""


def _affairs(books: ExchangeBooks, order: Any, with_: Any) -> str:
    working = books.open_orders(order.account, order.market)
    busy = working or books.held(order.account, order.market)
    if busy and with_.leverage != books.leverage(order.account, order.market):
        return "invalid_leverage"
    stays = with_.trigger or (with_.price and with_.time_in_force == 1)
    many = len([each for each in working if each["side"] == order.side]) >= books.orders_max
    return "too_many_open_orders_on_market" if stays and many else ""


def _of_the_book(books: ExchangeBooks, order: Any, with_: Any, found: Reasons) -> None:
    account, market, side = order.account, order.market, order.side
    if with_.flags & REDUCE_ONLY and order.size > books.closable(account, market, side):
        found.certain.add("reduce_only_would_open")
        return
    queue = books.queue(market, 3 - side)
    best = books.orders[queue[0]]["price"] if queue else 0
    meets = bool(best) and crosses(side, with_.price, best)
    if with_.flags & POST_ONLY:
        found.certain |= {"post_only_would_trade"} if meets else set()
    elif with_.time_in_force != 1 or not with_.price:
        if not meets:
            found.certain.add("insufficient_liquidity")
        elif with_.time_in_force == FILL_OR_KILL:
            _whole(books, order, with_, found)
    if found.certain:
        return
    needed, free = books.needed(account, market, side, order.size, with_), books.free(account)
    if needed is None or free is None:
        found.possible.add("insufficient_margin")
    elif needed > max(0, free) if needed else False:
        (found.possible or found.certain).add("insufficient_margin")


def _whole(books: ExchangeBooks, order: Any, with_: Any, found: Reasons) -> None:
    """What may be against filling it whole: too little there, its owner's own orders, those that cannot trade."""
    others, own, sure = 0, False, 0
    for at, number in enumerate(books.queue(order.market, 3 - order.side)):
        row = books.orders[number]
        if not crosses(order.side, with_.price, row["price"]) or sure >= order.size:
            break
        if row["account"] == order.account:
            own = True
            continue
        others += row["left"]
        rate = books.markets[order.market]["contract"].maker_fee
        expired = 0 < row["with"].expires <= books.now
        reduces = row["with"].flags & REDUCE_ONLY
        lacking = books.lacking(row, min(row["left"], order.size), row["price"], rate)
        free = books.free(row["account"])
        lacks = lacking and (free is None or free < max(0, lacking) + 100)
        suspended = books.accounts[row["account"]]["status"] == SUSPENDED
        sure += 0 if expired or reduces or lacks or suspended or at > FILLS_MAX else row["left"]
    if own and with_.self_trade != CANCEL_MAKER:
        found.possible |= {"self_trade_prevention"}
    if others < order.size:
        (found.possible or found.certain).add("insufficient_liquidity")
    elif sure < order.size:
        found.possible |= {"insufficient_liquidity", "too_many_matches", "insufficient_margin"}
    if order.side == BUY and not with_.price:
        found.possible.add("insufficient_margin")
