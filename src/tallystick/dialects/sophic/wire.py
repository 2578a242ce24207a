"""What Sophic's clients read and write, as types (specs/sophic.md §1). Amounts are decimal strings, times ISO 8601."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, Literal

from msgspec import Struct, field

Side = Literal["buy", "sell"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def instant(time_us: int) -> str:
    """Microseconds since the epoch as ``2026-03-12T14:30:05.000001Z``: as many digits each time, so that it sorts."""
    second, us = divmod(time_us, 1_000_000)
    return f"{_second(second)}.{us:06d}Z"


@lru_cache(maxsize=4096)
def _second(second: int) -> str:
    return (_EPOCH + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S")


class PlaceOrderBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of POST /accounts/{account_id}/orders: ``cash_amount`` for a buy, ``quantity`` for a sell."""

    instrument: str
    order_type: Literal["market"]
    side: Side
    cash_amount: str | None = None
    quantity: str | None = None
    automatic_rollover: bool = False


class Param(Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong with a request; ``path`` says where, as in ``body.cash_amount``."""

    path: str
    code: str
    detail: str


class ErrorBody(Struct, frozen=True, omit_defaults=True):
    code: str
    detail: str
    params: list[Param] = field(default_factory=list)


class Instrument(Struct, frozen=True):
    id: str
    name: str
    symbol: str
    trading_status: str
    trading_increment: str
    decimal_precision: int
    trading_currency: str


class Trade(Struct, frozen=True):
    """``status`` is executed or settled; ``settlement_date`` is the value date it settles on."""

    id: str
    account: str
    order: str
    instrument: str
    position: str
    side: Side
    status: str
    price: str
    quantity: str
    quantity_currency: str
    notional: str
    notional_currency: str
    fees: str
    executed_at: str
    settlement_date: str
    settled_at: str | None


class Order(Struct, frozen=True):
    """``cash_amount`` is what a buy invests before fees, ``net_cash_amount`` what of it is traded."""

    id: str
    account: str
    instrument: Instrument
    status: str
    order_type: str
    purpose: str
    side: Side
    cash_amount: str | None
    net_cash_amount: str | None
    quantity: str | None
    currency: str
    automatic_rollover: bool
    traded_quantity: str
    traded_notional: str
    fees: str
    position: str | None
    trades: list[Trade]
    created_at: str
    modified_at: str


class CashBalance(Struct, frozen=True):
    """``available_for_trading`` is buying power, unsettled proceeds included; withdrawals count settled cash alone."""

    currency: str
    total: str
    available_for_trading: str
    available_for_withdrawal: str
    reserved: str


class Position(Struct, frozen=True):
    """``quantity`` is everything owned, ``pending_settlement`` what of it has not settled yet."""

    id: str
    account: str
    instrument: str
    quantity: str
    available_for_trading: str
    reserved: str
    pending_settlement: str
