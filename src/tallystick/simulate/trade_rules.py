"""What the auditor demands of the facts about trades: price, quantity, money, what they owe, when they settle."""

from collections import Counter
from typing import Any

from tallystick.facts.codes import EXECUTING_STAGE, SETTLEMENT_STAGE
from tallystick.facts.commands import ExecutePart, SettleTrade
from tallystick.facts.venue import UNCHANGED, SettlementFailed, TradeMade, TradeSettled
from tallystick.simulate.arithmetic import fees, nearest, settlement, wait
from tallystick.simulate.books import BUY, Books
from tallystick.simulate.order_rules import goes_on
from tallystick.simulate.violation import require


def made(books: Books, event: TradeMade) -> None:
    books.number(event.trade, books.trades, "trade")
    order = books.orders[event.order]
    require(order["status"] == "executing", "arrows", f"order {event.order} is {order['status']} and trades")
    require(len(event.legs) == 1 and event.status == 1, "obligations", f"{event} is no trade with the street")
    _check_moment(books, event, order)
    leg = event.legs[0]
    _check_leg(books, event, order, leg)
    order["is_complete"] = leg.quantity == books.possible(order, event.price)
    next_due = UNCHANGED if isinstance(books.command, ExecutePart) else books.now + books.terms.trade_interval_us
    next_due = 0 if order["is_complete"] else next_due
    require(event.order_due == next_due, "due", f"after {event} its order should be due at {next_due}")
    owed = books.owed(order, leg)
    said = Counter({(each.payer, each.payee, each.asset): each.amount for each in event.obligations})
    detail = f"trade {event.trade} owes {dict(said)} and should owe {dict(owed)}"
    require(said == owed and len(said) == len(event.obligations), "obligations", detail)
    right = settlement(books.terms, books.now)
    detail = f"trade {event.trade} of {books.now} settles at {event.due}, {event.value_date}, and should at {right}"
    require((event.due, event.value_date) == right, "settlement", detail)
    for (payer, payee, asset), amount in owed.items():
        books.owe((payer, asset), (payee, asset), amount)
    books.hold(order["holding"], -leg.posted)
    order["reserved"] -= leg.posted
    for name in ("consumed", "quantity", "notional"):
        order[name] += getattr(leg, name)
    order["fees"] += leg.fee
    order["trades"].append(event.trade)
    if event.order_due != UNCHANGED:
        order["due"] = event.order_due
    books.orders_touched[event.order] = None
    books.trades[event.trade] = {
        "status": "executed",
        "order": event.order,
        "due": event.due,
        "first_due": event.due,
        "owed": owed,
        "failures": 0,
    }


def settled(books: Books, event: TradeSettled) -> None:
    trade = books.trades[event.trade]
    require(trade["status"] == "executed", "arrows", f"trade {event.trade} is {trade['status']} and settles")
    require(trade["order"] == event.order, "links", f"{event} is of order {trade['order']}")
    if books.command is None:
        due, held = trade["due"], books.is_held(SETTLEMENT_STAGE, event.market)
        require(books.now >= due, "settlement", f"trade {event.trade} settles at {books.now} and is due at {due}")
        require(not held, "held", f"trade {event.trade} settles while its market is held before settlement")
    else:
        asked = isinstance(books.command, SettleTrade) and books.command.trade == event.trade
        good = asked and not books.command.failed
        require(good, "settlement", f"trade {event.trade} settles because of {books.command}")
    trade["status"] = "settled"
    books.touch(event, books.orders[event.order])
    for (payer, payee, asset), amount in trade["owed"].items():
        books.discharge((payer, asset), (payee, asset), amount)


def failed(books: Books, event: SettlementFailed) -> None:
    """Tried again later, and never before the day on which it was to settle."""
    trade = books.trades[event.trade]
    command = books.command
    asked = isinstance(command, SettleTrade) and command.failed and command.trade == event.trade
    require(asked and trade["status"] == "executed", "settlement", f"trade {event.trade} fails because of {command}")
    require(event.reason == (command.reason or "settlement_failed"), "reason", f"{event} is not of {command}")
    books.touch(event, books.orders[event.order])
    again = books.now + wait(books.terms.settlement_retry_us, trade["failures"])
    trade["due"] = max(again, trade["first_due"])
    trade["failures"] += 1
    require(event.due == trade["due"], "settlement", f"{event} should be tried again at {trade['due']}")


def _check_moment(books: Books, event: TradeMade, order: dict[str, Any]) -> None:
    """It may trade now, and at this price."""
    named = 0
    if isinstance(books.command, ExecutePart):
        halted, suspended = books.stopped_by(order)
        detail = f"order {event.order} trades; its market is halted: {halted}, its account suspended: {suspended}"
        require(not (halted or suspended), "halted", detail)
        named = books.command.price
    else:
        held = books.is_held(EXECUTING_STAGE, event.market)
        require(not held, "held", f"order {event.order} trades while its market is held at executing")
        goes_on(books, event.order, order)
    price = books.price(event.market)
    if named:
        require(event.price == named, "price", f"trade {event.trade} is at {event.price}, and not at {named}")
    elif price is None:
        known = (event.market, event.price) in books.asked_prices
        require(known, "price", f"trade {event.trade} is at {event.price}, which was never quoted")
    else:
        good = event.price == price > 0
        require(good, "price", f"trade {event.trade} is at {event.price}, and the price was {price}")


def _check_leg(books: Books, event: TradeMade, order: dict[str, Any], leg: Any) -> None:
    market, terms, subject = books.markets[event.market], books.terms, f"trade {event.trade} of order {event.order}"
    whole = leg.quantity > 0 and leg.quantity % market["increment"] == 0
    require(whole, "quantity", f"{subject} is for {leg.quantity} by {market['increment']}")
    most = books.possible(order, event.price)
    require(leg.quantity <= most, "size", f"{subject} is for {leg.quantity}, and {most} is left at its price")
    exact = books.value(event.market, leg.quantity, event.price)
    right = nearest(exact)
    require(leg.notional == right > 0, "notional", f"{subject} is for {leg.notional}, and {exact} is {right}")
    right = fees(order["notional"] + leg.notional, terms.fee_bps) - order["fees"]
    require(leg.fee == right, "fees", f"{subject} costs {leg.fee} in fees, and should cost {right}")
    right = leg.notional + leg.fee if order["side"] == BUY else leg.quantity
    good = leg.consumed == leg.posted == right and (leg.order, leg.account) == (event.order, order["account"])
    require(good, "size", f"{subject} consumes {leg.consumed}, posts {leg.posted}, and should {right}")
    after = order["consumed"] + leg.consumed
    require(after <= order["size"], "size", f"{subject} brings what is consumed to {after} of {order['size']}")
    if isinstance(books.command, ExecutePart):
        return
    unit = books.value(event.market, market["increment"], event.price)
    if terms.trade_cash_max > 0 and unit <= terms.trade_cash_max:
        detail = f"{subject} moves {leg.notional}, and the most is {terms.trade_cash_max}"
        require(leg.notional <= terms.trade_cash_max, "price", detail)
