"""Naive books: what an account must own if its orders are what they say, in Decimals, from the public API alone.

It shares no code and no rounding with the server: a second opinion that uses the first one's rules would be none.
"""

from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal
from typing import Any, Final, NamedTuple

Json = dict[str, Any]

CASH_AT_START: Final = Decimal("100000.00")
UNITS_AT_START: Final = {"ins_acme": Decimal(50), "ins_tbill": Decimal(1000), "ins_world": Decimal(200)}
FEE_RATE: Final = Decimal("0.0025")
CENT: Final = Decimal("0.01")
OPEN: Final = ("placed", "pending", "executing")
AT_REST: Final = ("settled", "cancelled")


class Fault(AssertionError):
    """The server's word is not true."""


class Report(NamedTuple):
    """Everything the public API says of one account, read while nothing changed. Orders are newest first."""

    orders: list[Json]
    cash: list[Json]
    positions: list[Json]


def require(held: bool, fault: str, *evidence: Any) -> None:
    """Raise Fault with the evidence unless it ``held``."""
    if not held:
        raise Fault("\n  ".join([fault, *(str(each) for each in evidence)]))


def judge_order(order: Json) -> None:
    """One order by itself: its totals are its trades', it trades within its terms, its status fits its trades."""
    trades = order["trades"]
    for total, part in (("traded_quantity", "quantity"), ("traded_notional", "notional"), ("fees", "fees")):
        require(Decimal(order[total]) == total_of(trades, part), f"{total} is not the sum of the trades", order)
    require(_within_terms(order), "it traded more than it ordered", order)
    _judge_rounding(order)
    status, settled = order["status"], [trade["status"] == "settled" for trade in trades]
    dated = [trade["settled_at"] is not None for trade in trades]
    require(dated == settled, "a trade is settled just when it says when", order)
    if status in ("placed", "pending", "cancelled"):
        require(not trades, f"it is {status} and has trades", order)
    elif status in ("filled", "settled"):
        require(bool(trades), f"it is {status} without a trade", order)
        require(all(settled) == (status == "settled"), f"it is {status}, its trades say otherwise", order)
    if order["side"] == "sell" and status in ("filled", "settled"):
        require(order["traded_quantity"] == order["quantity"], "it sold less than it ordered and is done", order)


def judge_money(report: Report) -> None:
    """Cash to the cent and units to the last decimal: owned, reserved, available, waiting for settlement."""
    require(len(report.cash) == 1 and report.cash[0]["currency"] == "USD", "one cash balance, in dollars", report.cash)
    cash = report.cash[0]
    buys = [order for order in report.orders if order["side"] == "buy"]
    sells = [order for order in report.orders if order["side"] == "sell"]
    waiting = not_settled(sells)
    unsettled = total_of(waiting, "notional") - total_of(waiting, "fees")
    spent = total_of(buys, "traded_notional") + total_of(buys, "fees")
    earned = total_of(sells, "traded_notional") - total_of(sells, "fees")
    total = CASH_AT_START - spent + earned
    reserved = still_reserved(buys)
    _same(cash, "total", total)
    _same(cash, "reserved", reserved)
    _same(cash, "available_for_trading", total - reserved)
    _same(cash, "available_for_withdrawal", max(total - reserved - unsettled, Decimal(0)))
    require({each["instrument"] for each in report.positions} == set(UNITS_AT_START), "positions", report.positions)
    for position in report.positions:
        _judge_position(
            position, [each for each in report.orders if each["instrument"]["id"] == position["instrument"]]
        )


def judge_rest(report: Report) -> None:
    """Once every order is at rest nothing is reserved and nothing waits for settlement."""
    require(all(order["status"] in AT_REST for order in report.orders), "an order is not at rest")
    for each in (*report.cash, *report.positions):
        require(Decimal(each["reserved"]) == 0, "something is still reserved", each)
    for each in report.positions:
        require(Decimal(each["pending_settlement"]) == 0, "something is still to be settled", each)
    cash = report.cash[0]
    require(cash["total"] == cash["available_for_withdrawal"], "cash at rest cannot be withdrawn", cash)


def still_reserved(orders: list[Json]) -> Decimal:
    """What the open ones of these buys, or of these sells, hold back: the cash or units they have not used."""
    working = [order for order in orders if order["status"] in OPEN]
    buys = [order for order in working if order["side"] == "buy"]
    sells = [order for order in working if order["side"] == "sell"]
    cash = total_of(buys, "cash_amount") - total_of(buys, "traded_notional") - total_of(buys, "fees")
    return cash + total_of(sells, "quantity") - total_of(sells, "traded_quantity")


def total_of(things: list[Json], field: str) -> Decimal:
    return sum((Decimal(thing[field]) for thing in things), Decimal(0))


def not_settled(orders: list[Json]) -> list[Json]:
    """Their trades that are executed and wait for settlement."""
    return [trade for order in orders for trade in order["trades"] if trade["status"] != "settled"]


def _judge_position(position: Json, orders: list[Json]) -> None:
    buys = [order for order in orders if order["side"] == "buy"]
    sells = [order for order in orders if order["side"] == "sell"]
    bought, sold = total_of(buys, "traded_quantity"), total_of(sells, "traded_quantity")
    quantity = UNITS_AT_START[position["instrument"]] + bought - sold
    reserved = still_reserved(sells)
    waiting = total_of(not_settled(buys), "quantity")
    _same(position, "quantity", quantity)
    _same(position, "reserved", reserved)
    _same(position, "pending_settlement", waiting)
    _same(position, "available_for_trading", max(quantity - reserved - waiting, Decimal(0)))


def _same(balance: Json, field: str, expected: Decimal) -> None:
    require(Decimal(balance[field]) == expected, f"{field} is {balance[field]}, the orders come to {expected}", balance)


def _within_terms(order: Json) -> bool:
    if order["side"] == "buy":
        return Decimal(order["traded_notional"]) + Decimal(order["fees"]) <= Decimal(order["cash_amount"])
    return Decimal(order["traded_quantity"]) <= Decimal(order["quantity"])


def _judge_rounding(order: Json) -> None:
    """A trade costs quantity x price to the nearest cent; fees are rounded up once, on the running total."""
    notional = fees = Decimal(0)
    step = Decimal(order["instrument"]["trading_increment"])
    for trade in order["trades"]:
        exact = Decimal(trade["quantity"]) * Decimal(trade["price"])
        require(Decimal(trade["quantity"]) % step == 0, "a trade is not a multiple of the increment", trade)
        require(Decimal(trade["notional"]) == exact.quantize(CENT, ROUND_HALF_EVEN), "a trade's notional", trade)
        notional += Decimal(trade["notional"])
        fees += Decimal(trade["fees"])
        require(fees == (notional * FEE_RATE).quantize(CENT, ROUND_CEILING), "fees on the running total", trade, order)
