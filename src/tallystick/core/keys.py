"""The keys by which entries are linked and routed: an account, an order or a market, as one integer each."""

from typing import Any, Final, TypeAlias

Number: TypeAlias = Any
"""The number of an account, an order, a market or a trade, where it stays the very object that it came as.

It is an integer. Compiled code would else take its value out, and make an object of it again for each fact and look-up.
"""

# A key is number * 4 + kind.
EVERYTHING: Final = 0
ACCOUNT: Final = 1
ORDER: Final = 2
MARKET: Final = 3


def account_key(number: int) -> int:
    return number * 4 + ACCOUNT


def order_key(number: int) -> int:
    return number * 4 + ORDER


def market_key(number: int) -> int:
    return number * 4 + MARKET
