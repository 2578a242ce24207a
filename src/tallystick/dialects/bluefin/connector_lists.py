"""What a Bluefin exchange lists: what is open, what stands by, the account's trades; it has no call for one order.

An order may go from standing by to being open, and never back: so what stands by is asked for first, and an order that
changes in between is in one list at least.
"""

from typing import Final

from tallystick.connect.port import Context, Order
from tallystick.dialects.bluefin.connector_reports import Reader, SeenRow, SeenTrade
from tallystick.dialects.bluefin.connector_session import ACCOUNT, TRADE, BluefinSession
from tallystick.dialects.bluefin.hashes import bare_hash
from tallystick.tracker.observations import FillReport

TRADES_PAGE: Final = 1000
TRADES_BACK_US: Final = 89 * 86_400_000_000
"""How far back trades can be asked for, a day less than the exchange allows."""
MARGIN_US: Final = 60_000_000
"""How much further back than an order its trades are read: the exchange's clock is not ours."""


class Lists:
    """Each method raises what BluefinSession.get does, and has had the turn of its first request."""

    def __init__(self, session: BluefinSession, context: Context, reader: Reader) -> None:
        self._session: Final = session
        self._context: Final = context
        self._read: Final = reader

    async def orders(self, symbol: str) -> list[SeenRow]:
        """What is open or stands by in a market, "" for all. What was seen in both lists is open."""
        standby = await self._session.get(f"{TRADE}/standbyOrders", list[SeenRow], symbol=symbol)
        await self._context.turn()
        working = await self._session.get(f"{TRADE}/openOrders", list[SeenRow], symbol=symbol)
        return list({row.order_hash: row for row in (*standby, *working)}.values())

    async def fills(self, order: Order, origin: int) -> list[FillReport]:
        """All of the order."""
        trades = await self._trades(order.made)
        found = [self._read.fill(trade, origin) for trade in trades if is_of(order, trade)]
        return [fill for fill in found if fill is not None]

    async def all_fills(self, since: int, origin: int) -> list[FillReport]:
        """Of all orders, since a time of our clock."""
        found = [self._read.fill(trade, origin) for trade in await self._trades(since)]
        return [fill for fill in found if fill is not None]

    def reach(self, since: int) -> bool:
        """Whether trades can be asked for so far back."""
        return since - MARGIN_US > self._context.now() - TRADES_BACK_US

    async def _trades(self, since: int) -> list[SeenTrade]:
        """In all markets: what is documented of the filter by market is not certain (specs/bluefin-openapi)."""
        context = self._context
        began = max(since - MARGIN_US, context.now() - TRADES_BACK_US)
        found: list[SeenTrade] = []
        page = 1
        while True:
            trades = await self._session.get(
                f"{ACCOUNT}/trades",
                list[SeenTrade],
                startTimeAtMillis=self._session.venue_millis(began),
                limit=TRADES_PAGE,
                page=page,
            )
            found += trades
            if len(trades) < TRADES_PAGE:
                return found
            page += 1
            await context.turn()


def is_of(order: Order, seen: SeenRow | SeenTrade) -> bool:
    return seen.client_order_id == order.client_id or bare_hash(seen.order_hash or "") == order.venue_id != ""
