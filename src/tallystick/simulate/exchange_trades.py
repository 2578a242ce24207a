"""What the auditor demands of a match at an exchange: whose turn it was, at which price, and every amount of it."""

from collections import Counter
from fractions import Fraction
from math import ceil
from typing import Any, Final

from tallystick.facts.codes import BUY, FILL_OR_KILL, NOT_TRADING, POST_ONLY, REDUCE_ONLY, SUSPENDED
from tallystick.facts.venue import TradeMade
from tallystick.simulate.arithmetic import nearest
from tallystick.simulate.exchange_books import ROUNDING, ExchangeBooks, Row, crosses
from tallystick.simulate.violation import require

COUNTERPARTY: Final = 3
FEES: Final = 4
SETTLED: Final = 2


def match(books: ExchangeBooks, event: TradeMade) -> None:
    """Judge the trade, and book it."""
    require(event.trade == books.trades + 1, "numbers", f"trade {event.trade} follows {books.trades}")
    books.trades += 1
    require(len(event.legs) == 2 and event.status == SETTLED, "settlement", f"{event} is no match that is settled")
    taking, making = event.legs
    taker, maker = books.orders[taking.order], books.orders[making.order]
    _check_parties(books, event, taker, maker)
    quantity, market = taking.quantity, event.market
    worth = books.worth(market, quantity, event.price)
    owed: Counter[tuple[int, int, int]] = Counter()
    buyer, seller = (taker, maker) if taker["side"] == BUY else (maker, taker)
    owed[seller["account"], buyer["account"], books.markets[market]["unit"]] += quantity
    owed[buyer["account"], seller["account"], books.markets[market]["basis"]] += worth
    contract = books.markets[market]["contract"]
    for order, leg, rate in ((taker, taking, contract.taker_fee), (maker, making, contract.maker_fee)):
        _check_leg(books, event, order, leg, worth, rate)
        _owe(books, owed, order, leg, market)
    said: Counter[tuple[int, int, int]] = Counter()
    for each in event.obligations:
        said[each.payer, each.payee, each.asset] += each.amount
    require(said == +owed, "obligations", f"trade {event.trade} moves {dict(said)}, and should {dict(+owed)}")
    for (payer, payee, asset), amount in owed.items():
        books.settled[payer, asset] -= amount
        books.settled[payee, asset] += amount
    for order, leg in ((taker, taking), (maker, making)):
        order["left"] -= leg.quantity
        order["reserved"] -= leg.posted
    if maker["left"] == 0:
        books.markets[market]["rows"].remove(maker["number"])
    books.markets[market]["traded"] = event.price


def _check_parties(books: ExchangeBooks, event: TradeMade, taker: Row, maker: Row) -> None:
    """Who trades with whom, and at which price."""
    trade = f"trade {event.trade}"
    statuses = (taker["status"], maker["status"])
    require(statuses == ("open", "resting"), "arrows", f"{trade} is between orders that are {statuses}")
    first = books.queue(event.market, maker["side"])[0]
    detail = f"{trade} is with order {maker['number']}, and it was the turn of {first}"
    require(maker["number"] == first and maker["side"] != taker["side"], "turn", detail)
    good = event.price == maker["price"] and crosses(taker["side"], taker["price"], event.price)
    require(good, "price", f"{trade} is at {event.price}, between {taker['price']} and {maker['price']}")
    require(taker["account"] != maker["account"], "self trade", f"{trade} is of {taker['account']} with itself")
    require(not taker["with"].flags & POST_ONLY, "turn", f"{trade} is taken by an order that only makes")
    require(books.markets[event.market]["status"] != NOT_TRADING, "halted", f"{trade} is in a halted market")
    for order in (taker, maker):
        expires = order["with"].expires
        require(not 0 < expires <= books.now, "due", f"{trade} is at {books.now}, order {order['number']} was over")
        active = books.accounts[order["account"]]["status"] != SUSPENDED
        require(active, "halted", f"{trade} is of a suspended account {order['account']}")
    rate = books.markets[event.market]["contract"].maker_fee
    quantity = event.legs[1].quantity
    lacking = books.lacking(maker, quantity, event.price, rate)
    free = books.free(maker["account"])
    exempt = lacking == 0 or free is None or taker["with"].time_in_force == FILL_OR_KILL
    detail = f"{trade} opens what order {maker['number']} cannot margin: it lacks {lacking}, {free} is free"
    require(exempt or (free is not None and lacking <= free + ROUNDING), "margin", detail)


def _check_leg(books: ExchangeBooks, event: TradeMade, order: Row, leg: Any, worth: int, rate: int) -> None:
    who = f"trade {event.trade}, order {order['number']}"
    increment = books.markets[event.market]["increment"]
    whole = 0 < leg.quantity <= order["left"] and leg.quantity % increment == 0
    require(whole, "quantity", f"{who} trades {leg.quantity} of {order['left']} by {increment}")
    require(leg.quantity == leg.consumed == event.legs[0].quantity, "size", f"{who}: its legs differ")
    require(leg.notional == worth, "notional", f"{who} is for {leg.notional}, and worth {worth}")
    require(leg.fee == books.fee(worth, rate), "fees", f"{who} costs {leg.fee}, not {books.fee(worth, rate)}")
    posted = ceil(Fraction(order["reserved"] * leg.quantity, order["left"]))
    require(leg.posted == posted, "reserved", f"{who} posts {leg.posted}, and its share is {posted}")
    closable = books.closable(order["account"], order["market"], order["side"])
    opens = order["with"].flags & REDUCE_ONLY and leg.quantity > closable
    require(not opens, "reduce only", f"{who} trades {leg.quantity}, and could close {closable}")


def _owe(books: ExchangeBooks, owed: Counter[tuple[int, int, int]], order: Row, leg: Any, market: int) -> None:
    """The order's result and fee."""
    account = order["account"]
    clearing, house = books.role(COUNTERPARTY), books.role(FEES)
    basis, held = books.markets[market]["basis"], books.held(account, market)
    closes = min(leg.quantity, books.closable(account, market, order["side"]))
    result = 0
    if closes:
        cost = nearest(Fraction(books.paid(account, market) * closes, abs(held)))
        worth = nearest(Fraction(leg.notional * closes, leg.quantity))
        result = -cost - worth if order["side"] == BUY else worth - cost
    detail = f"order {order['number']} realises {leg.realised}, and should {result}"
    require(leg.realised == result, "result", detail)
    payer, payee = (clearing, account) if result > 0 else (account, clearing)
    if result:
        owed[payer, payee, 1] += abs(result)
        owed[payee, payer, basis] += abs(result)
    if leg.fee:
        payer, payee = (account, house) if leg.fee > 0 else (house, account)
        owed[payer, payee, 1] += abs(leg.fee)
