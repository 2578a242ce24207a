"""Instruments as clients see them, rendered once and kept until something in them changes."""

from datetime import date
from typing import Final

import msgspec

from tallystick.core.amounts import render
from tallystick.dialects.sophic import wire
from tallystick.facts.codes import BUY_ONLY, BUY_SELL, NOT_TRADING, SELL_ONLY
from tallystick.venue.calendar import DAY_US
from tallystick.venue.state import Market

_STATUS: Final[dict[int, wire.TradingStatus]] = {
    BUY_SELL: "buy_sell",
    BUY_ONLY: "buy_only",
    SELL_ONLY: "sell_only",
    NOT_TRADING: "not_trading",
}
_EPOCH: Final = date(1970, 1, 1)


class Listing:
    """Texts that no rule looks at (issuer, ratings, dates) are the market's traits, by the names of their fields."""

    def __init__(self) -> None:
        self._rendered: Final[dict[int, tuple[int, int, msgspec.Raw]]] = {}

    def json(self, market: Market, now: int) -> msgspec.Raw:
        """The instrument, encoded, as of the venue time ``now``: it changes with its status, and from day to day."""
        day, status = now // DAY_US, market.status_at(now)
        rendered_as, rendered_on, encoded = self._rendered.get(market.number, _NEVER)
        if rendered_as != status or rendered_on != day:
            encoded = msgspec.Raw(msgspec.json.encode(instrument(market, status, day)))
            self._rendered[market.number] = (status, day, encoded)
        return encoded


def instrument(market: Market, status: int, day: int) -> wire.Instrument:
    """The instrument when it takes orders for ``status``, on ``day``, counted from the epoch."""
    terms = market.terms
    traits = dict(terms.traits)
    units, cash = market.unit.scale, market.currency.scale
    return wire.Instrument(
        id=market.name,
        name=market.title,
        symbol=market.symbol,
        ticker=traits.get("ticker"),
        isin=traits.get("isin"),
        instrument_type=traits.get("instrument_type"),
        trading_status=_STATUS[status],
        trading_currency=market.currency.name,
        trading_increment=render(market.increment, units),
        decimal_precision=units,
        minimum_trading_quantity=_amount(terms.quantity_min, units),
        minimum_initial_cash_investment=_amount(terms.cash_min, cash),
        required_cash_increment=_amount(terms.cash_increment, cash),
        enforce_trading_rules=True,
        pro_traders_only=terms.pros_only,
        supports_automatic_rollover=False,
        issuer=traits.get("issuer"),
        issuer_country=traits.get("issuer_country"),
        issuer_credit_rating=traits.get("issuer_credit_rating"),
        initial_issue_date=traits.get("initial_issue_date"),
        latest_issue_date=traits.get("latest_issue_date"),
        initial_auction_date=traits.get("initial_auction_date"),
        latest_auction_date=traits.get("latest_auction_date"),
        maturity_date=traits.get("maturity_date"),
        days_to_maturity=_days_to_maturity(traits.get("maturity_date"), day),
    )


def _amount(amount: int, scale: int) -> str | None:
    return render(amount, scale) if amount else None


def _days_to_maturity(maturity: str | None, day: int) -> int | None:
    """None for what does not mature, or whose date is none."""
    try:
        return None if maturity is None else max((date.fromisoformat(maturity) - _EPOCH).days - day, 0)
    except ValueError:
        return None


_NEVER: Final = (0, 0, msgspec.Raw())
