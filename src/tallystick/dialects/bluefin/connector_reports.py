"""What the exchange shows of orders and trades, read with tolerance, as observations (specs/bluefin.md §2, §9).

Unknown fields are ignored. Words are taken in either spelling of CANCELLED and in either case style; unknown ones are
kept as they came. A hash may have its prefix or not.

An OrderCancellationUpdate is one of three things, by its reason c and its failure f:

    c                      f                                     it is
    a reason               none, NO_FAILURE or UNSPECIFIED       the end of an order, or its refusal
    UNSPECIFIED            none or NO_FAILURE                    the same, nobody knows why
    null or UNSPECIFIED    one of the four failures              a cancel that failed; it says nothing of the order
    null                   UNSPECIFIED                           the same
    anything else                                                nothing: it is shown, and the order is asked for

Whether it ends or refuses an order depends on whether the order had lived, which the tracker knows (``Refusal.lived``).
"""

import re
from typing import Final

from msgspec import Raw, Struct

from tallystick.connect.clock_offset import ClockOffset
from tallystick.connect.errors import Unreadable
from tallystick.connect.port import Context
from tallystick.connect.trading_rules import TradingRule
from tallystick.core.lifecycle import CANCELLED, EXPIRED, FILLED, OPEN, PENDING, REFUSED, SUBMITTED
from tallystick.dialects.bluefin.hashes import bare_hash
from tallystick.dialects.bluefin.wire import E9_SCALE, camel
from tallystick.facts.client_codes import LIQUIDITY_UNKNOWN, MAKER, TAKER
from tallystick.tracker.observations import (
    STREAM,
    UNKNOWN_AMOUNT,
    UNKNOWN_STATUS,
    CancelReport,
    FillReport,
    Observation,
    OrderReport,
    Refusal,
)

US_PER_MS: Final = 1000
NO_REASON: Final = "UNSPECIFIED"
NO_FAILURE: Final = "NO_FAILURE"
DUPLICATE_ORDER: Final = "DUPLICATE_ORDER"
ORDER_EXPIRED: Final = "ORDER_EXPIRED"
ALL_ON_MARKET: Final = ("USER_CANCELLED_ALL_ON_MARKET", "USER_CANCELLED_ALL_STANDBY_ON_MARKET")
ENDS_THE_LIVING: Final = frozenset(
    {
        "USER_CANCELLED",
        *ALL_ON_MARKET,
        "SELF_TRADE_PREVENTION",
        "LEVERAGE_UPDATE",
        "MARGIN_CALL",
        "ACCOUNT_DEAUTHORIZED",
    }
)
"""Reasons that only an order can have that lived."""
FAILURES: Final = frozenset({"ORDER_NOT_FOUND", "MARKET_NOT_FOUND", "ACCOUNT_NOT_FOUND", "NO_OPEN_ORDERS_ON_MARKET"})
STATUS: Final = {
    "STANDBY": PENDING,
    "OPEN": OPEN,
    "PARTIALLY_FILLED_OPEN": OPEN,
    "FILLED": FILLED,
    "PARTIALLY_FILLED_CANCELLED": CANCELLED,
    "CANCELLED": CANCELLED,
    "EXPIRED": EXPIRED,
    "PARTIALLY_FILLED_EXPIRED": EXPIRED,
}
OPEN_MARKETS: Final = ("ACTIVE", "BETA")

_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_INTEGER: Final = re.compile(r"-?[0-9]{1,39}")


class Seen(Struct, frozen=True, rename=camel):
    """A part of an answer or of a frame; fields that are not named here are passed over."""


class SeenAsset(Seen, frozen=True):
    symbol: str


class SeenContracts(Seen, frozen=True):
    ids_id: str


class SeenMarket(Seen, frozen=True):
    symbol: str
    status: str
    base_asset_symbol: str
    step_size_e9: str
    tick_size_e9: str
    min_order_quantity_e9: str
    max_limit_order_quantity_e9: str
    default_leverage_e9: str


class SeenInfo(Seen, frozen=True):
    assets: list[SeenAsset]
    contracts_config: SeenContracts
    markets: list[SeenMarket]


class SeenPosition(Seen, frozen=True):
    symbol: str
    client_set_leverage_e9: str


class SeenAccount(Seen, frozen=True):
    positions: list[SeenPosition]


class SeenHash(Seen, frozen=True):
    order_hash: str


class SeenHashes(Seen, frozen=True):
    order_hashes: list[str]


class SeenRow(Seen, frozen=True):
    """An order in a list."""

    order_hash: str
    symbol: str
    status: str
    filled_quantity_e9: str
    client_order_id: str | None = None


class SeenTrade(Seen, frozen=True):
    id: str
    quantity_e9: str
    quote_quantity_e9: str
    price_e9: str
    executed_at_millis: int
    order_hash: str | None = None
    client_order_id: str | None = None
    is_maker: bool | None = None
    trading_fee_e9: str | None = None
    trading_fee_asset: str | None = None


class SeenFrame(Seen, frozen=True):
    event: str
    payload: Raw


class SeenTradeUpdate(Seen, frozen=True):
    trade: SeenTrade


class SeenOrderUpdate(Seen, frozen=True):
    """Either shape: with a ``status`` it is an ActiveOrderUpdate, without an OrderCancellationUpdate."""

    order_hash: str
    symbol: str
    client_order_id: str | None = None
    status: str | None = None
    filled_quantity_e9: str | None = None
    updated_at_millis: int = 0
    cancellation_reason: str | None = None
    failure_to_cancel_reason: str | None = None
    remaining_quantity_e9: str | None = None


class SeenSubscription(Seen, frozen=True):
    success: bool
    message: str = ""


def spelt(word: str) -> str:
    """In capitals, with underscores and two L, whichever way it was written."""
    return _HUMP.sub("_", word).upper().replace("CANCELED", "CANCELLED")


def e9(text: str) -> int:
    """Raises Unreadable."""
    if not _INTEGER.fullmatch(text):
        raise Unreadable(f"{text[:40]!r} is no integer")
    return int(text)


def rule_of(market: SeenMarket, currency: str) -> TradingRule:
    """Raises Unreadable."""
    return TradingRule(
        market.symbol,
        market.symbol,
        market.base_asset_symbol,
        currency,
        price_scale=E9_SCALE,
        unit_scale=E9_SCALE,
        cash_scale=E9_SCALE,
        price_increment=e9(market.tick_size_e9),
        unit_increment=e9(market.step_size_e9),
        units_min=e9(market.min_order_quantity_e9),
        units_max=e9(market.max_limit_order_quantity_e9),
        is_open=spelt(market.status) in OPEN_MARKETS,
    )


class Reader:
    """``clock`` corrects the exchange's times, which are never taken for later than now."""

    def __init__(self, context: Context, clock: ClockOffset) -> None:
        self._context: Final = context
        self._clock: Final = clock

    def row(self, row: SeenRow, as_of: int, origin: int) -> OrderReport:
        """An order of a list that was asked for at ``as_of``."""
        return self._active(row.order_hash, row.client_order_id, row.status, e9(row.filled_quantity_e9), as_of, origin)

    def fill(self, trade: SeenTrade, origin: int) -> FillReport | None:
        """None for a trade that no order made, as liquidations are."""
        if not (trade.order_hash or trade.client_order_id):
            return None
        quantity = e9(trade.quantity_e9)
        liquidity = LIQUIDITY_UNKNOWN if trade.is_maker is None else MAKER if trade.is_maker else TAKER
        return FillReport(
            self._context.venue,
            trade.client_order_id or "",
            bare_hash(trade.order_hash or ""),
            self._ours(trade.executed_at_millis),
            origin,
            trade.id,
            quantity,
            quantity,
            e9(trade.quote_quantity_e9),
            e9(trade.price_e9),
            0 if trade.trading_fee_e9 is None else -e9(trade.trading_fee_e9),
            "" if trade.trading_fee_e9 is None else trade.trading_fee_asset or "",
            E9_SCALE,
            liquidity,
        )

    def update(self, update: SeenOrderUpdate) -> Observation | None:
        """What a frame says of an order; None if it says nothing of any."""
        if update.status is None:
            return self._cancellation(update)
        filled = UNKNOWN_AMOUNT if update.filled_quantity_e9 is None else e9(update.filled_quantity_e9)
        as_of = self._ours(update.updated_at_millis)
        return self._active(update.order_hash, update.client_order_id, update.status, filled, as_of, STREAM)

    def _active(
        self, order_hash: str, client_id: str | None, word: str, filled: int, as_of: int, origin: int
    ) -> OrderReport:
        status = STATUS.get(spelt(word), UNKNOWN_STATUS)
        return OrderReport(
            self._context.venue,
            client_id or "",
            bare_hash(order_hash),
            as_of,
            origin,
            status,
            quantity=filled,
            word=word[:200] if status == UNKNOWN_STATUS else "",
        )

    def _cancellation(self, update: SeenOrderUpdate) -> Observation | None:
        """See the top of this file. It says when the order was made, and not when this happened: that is now."""
        context = self._context
        client_id, venue_id, now = update.client_order_id or "", bare_hash(update.order_hash), context.now()
        reason, failure = _word(update.cancellation_reason), _word(update.failure_to_cancel_reason)
        is_ended = reason not in ("", NO_REASON) and failure in ("", NO_FAILURE, NO_REASON)
        if is_ended or (reason == NO_REASON and failure in ("", NO_FAILURE)):
            return self._ended(client_id, venue_id, now, reason, self._filled(venue_id, update.remaining_quantity_e9))
        if not venue_id:
            return None
        is_failed = reason in ("", NO_REASON) and failure in FAILURES
        if is_failed or (not reason and failure == NO_REASON):
            return CancelReport(context.venue, client_id, venue_id, now, STREAM, REFUSED, failure)
        word = (
            f"cancelled because {update.cancellation_reason}, not cancelled because {update.failure_to_cancel_reason}"
        )
        return OrderReport(context.venue, client_id, venue_id, now, STREAM, UNKNOWN_STATUS, word=word[:200])

    def _ended(self, client_id: str, venue_id: str, now: int, reason: str, filled: int) -> Observation:
        """``filled`` is UNKNOWN_AMOUNT where the order's size is not known."""
        venue = self._context.venue
        if reason == DUPLICATE_ORDER:  # a second submission is refused, because the first one is known
            return OrderReport(venue, client_id, venue_id, now, STREAM, SUBMITTED)
        status = EXPIRED if reason == ORDER_EXPIRED else CANCELLED
        if reason in ENDS_THE_LIVING or filled > 0:
            return OrderReport(venue, client_id, venue_id, now, STREAM, status, quantity=filled)
        return Refusal(venue, client_id, venue_id, now, STREAM, reason, lived=status)

    def _filled(self, venue_id: str, remaining: str | None) -> int:
        order = self._context.order(venue_id)
        if order is None or remaining is None:
            return UNKNOWN_AMOUNT
        return max(UNKNOWN_AMOUNT, order.terms.size - e9(remaining))

    def _ours(self, millis: int) -> int:
        now = self._context.now()
        return max(0, min(now, self._clock.ours(millis * US_PER_MS))) if millis else now


def _word(word: str | None) -> str:
    """The word as it is spelt here; "" for none."""
    return spelt(word) if word else ""
