"""What a Sophic venue lists of one account, as its half of the orders (match.half.Half).

The interface shows no client's key and no request to cancel: an order is found by the venue's id for it alone.
"""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Final, TypeVar
from urllib.parse import urlencode

from tallystick.connect.errors import Unreadable
from tallystick.core.lifecycle import TRADE_EXECUTED, TRADE_SETTLED
from tallystick.dialects.sophic.connector_reports import STATUS, SeenInstrument, SeenOrder, SeenTrade
from tallystick.dialects.sophic.connector_session import SophicSession
from tallystick.facts.codes import BUY, CASH, SELL, UNITS
from tallystick.match.half import HalfFill, HalfOrder

PAGE: Final = 1000

T = TypeVar("T", SeenInstrument, SeenOrder)

_STATES: Final = {"executed": TRADE_EXECUTED, "settled": TRADE_SETTLED}
_ZERO: Final = Decimal(0)


class SophicListed:
    """See Half. ``orders`` are newest first, as listed."""

    def __init__(self, orders: list[HalfOrder]) -> None:
        self._by_id: Final = {order.order_ids[0]: order for order in reversed(orders)}

    def find(self, order_ids: tuple[str, ...], client_id: str) -> HalfOrder | None:
        return next((self._by_id[order_id] for order_id in order_ids if order_id in self._by_id), None)

    def orders(self) -> Iterator[HalfOrder]:
        return iter(self._by_id.values())


async def listed(*, url: str, client_id: str, client_secret: str, account: str) -> SophicListed:
    """Everything that the venue lists of the account. Raises VenueError."""
    session = SophicSession(url, client_id, client_secret)
    try:
        markets = {each.id: _market(each) for each in await _pages(session, "/instruments", list[SeenInstrument])}
        seen = await _pages(session, f"/accounts/{account}/orders", list[SeenOrder])
        return SophicListed([_half(each, markets, account) for each in seen])
    finally:
        await session.close()


async def _pages(session: SophicSession, path: str, kind: type[list[T]]) -> list[T]:
    found: list[T] = []
    while True:
        query = {"limit": str(PAGE)} | ({"starting_after": found[-1].id} if found else {})
        page = await session.get(f"{path}?{urlencode(query)}", kind)
        found += page
        if len(page) < PAGE:
            return found


def _market(instrument: SeenInstrument) -> str:
    return f"{instrument.symbol}-{instrument.trading_currency}"


def _half(seen: SeenOrder, markets: dict[str, str], account: str) -> HalfOrder:
    buy = seen.side == "buy"
    fills = {trade.id: _fill(trade, buy) for trade in seen.trades}
    if seen.status not in STATUS:
        raise Unreadable(f"order {seen.id} has the unknown status {seen.status[:40]!r}")
    return HalfOrder(
        "",
        (seen.id,),
        account,
        markets.get(seen.instrument_id, seen.instrument_id),
        BUY if buy else SELL,
        CASH if buy else UNITS,
        _amount(seen.cash_amount if buy else seen.quantity),
        STATUS[seen.status],
        sum((fill.consumed for fill in fills.values()), _ZERO),
        _ZERO,
        _amount(seen.traded_quantity),
        sum((fill.notional for fill in fills.values()), _ZERO),
        sum((fill.fee for fill in fills.values()), _ZERO),
        fills,
    )


def _fill(trade: SeenTrade, buy: bool) -> HalfFill:
    if trade.status not in _STATES:
        raise Unreadable(f"trade {trade.id} has the unknown status {trade.status[:40]!r}")
    quantity, notional, fee = _amount(trade.quantity), _amount(trade.notional), _amount(trade.fees)
    return HalfFill(notional + fee if buy else quantity, quantity, notional, fee, _STATES[trade.status])


def _amount(text: str | None) -> Decimal:
    try:
        return _ZERO if text is None else Decimal(text)
    except InvalidOperation:
        raise Unreadable(f"{text!r:.40} is no amount") from None
