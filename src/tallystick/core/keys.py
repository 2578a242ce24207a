"""The keys by which entries are linked and routed: an account, an order or a market, as one integer each."""

from typing import Final

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
