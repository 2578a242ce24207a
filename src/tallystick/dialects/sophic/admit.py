"""Admission to a Sophic venue: who may place what, in the precedence of specs/sophic.md §5. Nothing is reserved here.

What is wrong with the form of a request (an amount that is no multiple of the increment) is not held against its key;
what the venue refuses for its own reasons is, and is refused again in the same words.
"""

from typing import Final

from tallystick.core.amounts import is_multiple, render
from tallystick.facts.codes import (
    ACCOUNT_SUSPENDED,
    BELOW_MINIMUM,
    BUY_FORBIDDEN,
    BUY_ONLY,
    BUYS_FORBIDDEN,
    CASH,
    CURRENCY_NOT_HELD,
    INSUFFICIENT_FUNDS,
    INSUFFICIENT_UNITS,
    INVALID_AMOUNT,
    MARKET_NOT_TRADING,
    NOT_TRADING,
    PROFESSIONAL,
    PROFESSIONAL_REQUIRED,
    SELL_FORBIDDEN,
    SELL_ONLY,
    SELLS_FORBIDDEN,
    SUSPENDED,
    UNITS,
)
from tallystick.facts.commands import Refused
from tallystick.venue.state import Account, Market

_WHOLE: Final = "Nothing is left of the cash amount after fees."


def misformed_buy(kind: int, size: int, tradeable: int, account: Account, market: Market) -> Refused | None:
    """What is wrong with the size of a buy, of which ``tradeable`` is left after fees, as this market wants it."""
    if kind != CASH or size <= 0:
        return Refused(INVALID_AMOUNT, "A buy gives a positive cash amount.", "size")
    if tradeable <= 0:
        return Refused(INVALID_AMOUNT, _WHOLE, "size")
    if market.cash_increment and not is_multiple(size, market.cash_increment):
        step = render(market.cash_increment, market.currency.scale)
        return Refused(INVALID_AMOUNT, f"The cash amount must be a multiple of {step}.", "size")
    if size < market.cash_min and account.book.look(market.unit.number).total == 0:
        least = render(market.cash_min, market.currency.scale)
        return Refused(BELOW_MINIMUM, f"A first investment in this instrument is of {least} at least.", "size")
    return None


def misformed_sell(kind: int, size: int, account: Account, market: Market) -> Refused | None:
    """What is wrong with the size of a sell, as this market wants it."""
    if kind != UNITS or size <= 0:
        return Refused(INVALID_AMOUNT, "A sell gives a positive quantity.", "size")
    if not is_multiple(size, market.increment):
        return Refused(INVALID_AMOUNT, "The quantity is not a multiple of the trading increment.", "size")
    if size < market.quantity_min and size != account.book.look(market.unit.number).available_settled:
        shown = render(market.quantity_min, market.unit.scale)
        return Refused(BELOW_MINIMUM, f"Sell {shown} at least, or everything there is.", "size")
    return None


def refusal(buy: bool, size: int, account: Account, market: Market) -> Refused | None:
    """Why the venue does not take an order whose form is right; the first reason of all that there are."""
    if market.status == NOT_TRADING:
        return Refused(MARKET_NOT_TRADING, "The instrument is not trading at the moment.", "market")
    forbidden = _forbidden(buy, account, market)
    if forbidden is not None:
        return forbidden
    if buy:
        return _lacks_funds(size, account, market)
    if account.book.look(market.unit.number).available_settled < size:
        return Refused(INSUFFICIENT_UNITS, "The account has fewer units settled and free.", "size")
    return None


def _forbidden(buy: bool, account: Account, market: Market) -> Refused | None:
    if account.status == SUSPENDED:
        return Refused(ACCOUNT_SUSPENDED, "The account is suspended.", "account")
    if buy:
        if market.status == SELL_ONLY:
            return Refused(BUY_FORBIDDEN, "The instrument can only be sold at the moment.", "side")
        if account.flags & BUYS_FORBIDDEN:
            return Refused(BUY_FORBIDDEN, "The account may not buy.", "side")
    else:
        if market.status == BUY_ONLY:
            return Refused(SELL_FORBIDDEN, "The instrument can only be bought at the moment.", "side")
        if account.flags & SELLS_FORBIDDEN:
            return Refused(SELL_FORBIDDEN, "The account may not sell.", "side")
    if market.pros_only and not account.flags & PROFESSIONAL:
        return Refused(PROFESSIONAL_REQUIRED, "The instrument is for professional traders.", "market")
    return None


def _lacks_funds(size: int, account: Account, market: Market) -> Refused | None:
    currency = market.currency
    balance = account.book.balances.get(currency.number)
    if balance is None:
        return Refused(CURRENCY_NOT_HELD, f"The account has no {currency.name}.", "market")
    if balance.available < size:
        return Refused(INSUFFICIENT_FUNDS, "The account's buying power is less than the cash amount.", "size")
    return None
