"""What the sandbox's broker must come to, computed naively with Decimal from the written rules (specs/sophic.md §4).

Fees are 25 basis points. A buy's fees are inside its cash amount. One trade moves at most 5,000.00.
"""

from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

CENT = Decimal("0.01")
FEE = Decimal("0.0025")
TRADE_MAX = Decimal("5000.00")


class Listing(NamedTuple):
    """A demo instrument: its fixed price, its trading increment, and what the demo account has of it."""

    price: Decimal
    increment: Decimal
    granted: Decimal


LISTINGS = {
    "ins_acme": Listing(Decimal("125.0000"), Decimal("0.000001"), Decimal(50)),
    "ins_tbill": Listing(Decimal("98.2500"), Decimal("0.01"), Decimal(1000)),
    "ins_world": Listing(Decimal("41.7300"), Decimal("0.0001"), Decimal(200)),
}


class NaiveTrade(NamedTuple):
    quantity: Decimal
    notional: Decimal
    fee: Decimal


def net_of_fees(cash_amount: Decimal) -> Decimal:
    """What of a buy's cash amount is traded."""
    return (cash_amount / (1 + FEE)).quantize(CENT, ROUND_FLOOR)


def trades_of(side: str, amount: Decimal, listing: Listing) -> list[NaiveTrade]:
    """The trades of a whole order, in their order."""
    slices = _bought(net_of_fees(amount), listing) if side == "buy" else _sold(amount, listing)
    trades: list[NaiveTrade] = []
    notional = fees = Decimal(0)
    for quantity in slices:
        worth = _worth(quantity, listing)
        notional += worth
        fee = (notional * FEE).quantize(CENT, ROUND_CEILING) - fees
        fees += fee
        trades.append(NaiveTrade(quantity, worth, fee))
    return trades


def _bought(cash: Decimal, listing: Listing) -> Iterator[Decimal]:
    while True:
        quantity = _affordable(min(cash, TRADE_MAX), listing)
        if _worth(quantity, listing) == 0:
            return
        cash -= _worth(quantity, listing)
        yield quantity


def _sold(left: Decimal, listing: Listing) -> Iterator[Decimal]:
    while _worth(left, listing):
        quantity = min(left, _affordable(TRADE_MAX, listing))
        left -= quantity
        yield quantity


def _affordable(cash: Decimal, listing: Listing) -> Decimal:
    return (cash / listing.price / listing.increment).to_integral_value(ROUND_FLOOR) * listing.increment


def _worth(quantity: Decimal, listing: Listing) -> Decimal:
    return (quantity * listing.price).quantize(CENT, ROUND_HALF_EVEN)
