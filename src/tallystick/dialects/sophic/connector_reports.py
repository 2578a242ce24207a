"""What a Sophic venue shows, read with tolerance, as observations: unknown fields are ignored, unknown words are kept.

A buy's size is cash, fees inside, so each of its fills consumes notional and fee; a sell's is units.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from msgspec import Struct

from tallystick.connect.errors import Unreadable
from tallystick.connect.trading_rules import TradingRule
from tallystick.core import lifecycle
from tallystick.core.amounts import AmountError, parse
from tallystick.facts.client_terms import MarketListed
from tallystick.tracker.observations import UNKNOWN_STATUS, FillReport, Observation, OrderReport

PRICE_SCALE: Final = 8
CASH_SCALE: Final = 2
SCALE_MAX: Final = 36
CASH_SCALES: Final = {"JPY": 0, "KRW": 0}

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
STATUS: Final = {
    "placed": lifecycle.PLACED,
    "pending": lifecycle.PENDING,
    "executing": lifecycle.OPEN,
    "filled": lifecycle.FILLED,
    "settled": lifecycle.FILLED,
    "cancelled": lifecycle.CANCELLED,
}
_TRADE_STATES: Final = {"executed": lifecycle.TRADE_EXECUTED, "settled": lifecycle.TRADE_SETTLED}


class SeenInstrument(Struct, frozen=True):
    id: str
    symbol: str
    trading_currency: str
    decimal_precision: int
    trading_increment: str
    minimum_trading_quantity: str | None = None
    minimum_initial_cash_investment: str | None = None
    required_cash_increment: str | None = None


class SeenTrade(Struct, frozen=True):
    id: str
    order: str
    status: str
    price: str
    quantity: str
    notional: str
    notional_currency: str
    fees: str | None = None


class SeenOrder(Struct, frozen=True):
    """``instrument`` is a whole object, or the id alone."""

    id: str
    instrument: dict[str, Any] | str
    status: str
    side: str
    traded_quantity: str
    trades: list[SeenTrade]
    created_at: str
    cash_amount: str | None = None
    quantity: str | None = None

    @property
    def instrument_id(self) -> str:
        return self.instrument if isinstance(self.instrument, str) else str(self.instrument.get("id", ""))


class SeenId(Struct, frozen=True):
    """What everything has."""

    id: str


class SeenResource(Struct, frozen=True):
    id: str
    resource_type: str


class SeenEvent(Struct, frozen=True):
    id: str
    name: str
    resource: SeenResource


def rule_of(instrument: SeenInstrument, name: str) -> TradingRule:
    """The instrument as a market. Raises Unreadable."""
    units = instrument.decimal_precision
    if not 0 <= units <= SCALE_MAX:
        raise Unreadable(f"an instrument has from 0 to {SCALE_MAX} decimals, not {units}")
    cash = CASH_SCALES.get(instrument.trading_currency, CASH_SCALE)
    return TradingRule(
        name,
        instrument.id,
        instrument.symbol,
        instrument.trading_currency,
        price_scale=PRICE_SCALE,
        unit_scale=units,
        cash_scale=cash,
        unit_increment=amount(instrument.trading_increment, units),
        cash_increment=amount(instrument.required_cash_increment, cash),
        units_min=amount(instrument.minimum_trading_quantity, units),
        cash_min=amount(instrument.minimum_initial_cash_investment, cash),
    )


def reports_of(
    seen: SeenOrder, market: MarketListed, client_id: str, as_of: int, origin: int
) -> tuple[OrderReport, list[FillReport]]:
    """The order as one report, and its fills; a trade in an unknown state is the report's word. Raises Unreadable."""
    status = STATUS.get(seen.status, UNKNOWN_STATUS)
    word = "" if status != UNKNOWN_STATUS else seen.status
    for trade in seen.trades:
        if trade.status not in _TRADE_STATES:
            status, word = UNKNOWN_STATUS, f"trade {trade.status}"
    quantity = amount(seen.traded_quantity, market.unit_scale)
    report = OrderReport(market.venue, client_id, seen.id, as_of, origin, status, quantity=quantity, word=word[:200])
    known = [each for each in seen.trades if each.status in _TRADE_STATES]
    return report, [_fill(each, seen, market, client_id, as_of, origin) for each in known]


def in_order(report: OrderReport, fills: list[FillReport]) -> list[Observation]:
    """As they are best told: what it has become while it lives, then its fills; its fills, then its end."""
    return [*fills, report] if report.status >= lifecycle.FILLED else [report, *fills]


def time_of(text: str) -> int:
    """Microseconds since the epoch. Raises Unreadable."""
    try:
        return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, TypeError, OverflowError):
        raise Unreadable(f"{text[:40]!r} is no time") from None


def amount(text: str | None, scale: int) -> int:
    """0 for None. Raises Unreadable."""
    try:
        return 0 if text is None else parse(text, scale)
    except AmountError as error:
        raise Unreadable(f"an amount cannot be read: {error.detail}") from None


def _fill(
    trade: SeenTrade, seen: SeenOrder, market: MarketListed, client_id: str, as_of: int, origin: int
) -> FillReport:
    quantity = amount(trade.quantity, market.unit_scale)
    notional = amount(trade.notional, market.cash_scale)
    fee = amount(trade.fees, market.cash_scale)
    return FillReport(
        market.venue,
        client_id,
        seen.id,
        as_of,
        origin,
        trade.id,
        notional + fee if seen.side == "buy" else quantity,
        quantity,
        notional,
        amount(trade.price, market.price_scale),
        fee,
        "" if trade.fees is None else trade.notional_currency,
        market.cash_scale,
        state=_TRADE_STATES[trade.status],
    )
