"""A connector written from nothing (docs/connectors.md), for a toy exchange that lives in this file, and a bot over it.

    python examples/own_connector.py

The exchange forgets to answer every third order, and sends the fill before the answer of the others.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal

import tallystick
from tallystick.connect.errors import Ambiguous, NotThere
from tallystick.connect.port import ORDERS, Capabilities, Context, Live, Order, StreamItem
from tallystick.connect.trading_rules import TradingRule
from tallystick.core.lifecycle import FILLED, OPEN
from tallystick.tracker.observations import (
    ANSWER,
    SNAPSHOT,
    STREAM,
    SUBMIT,
    FillReport,
    Gap,
    Observation,
    OpenOrders,
    OrderReport,
)


class ToyExchange:
    """It fills whatever it is sent, at 100.00, and tells whoever listens. Orders are (id, size) by client id."""

    def __init__(self) -> None:
        self.orders: dict[str, tuple[str, int]] = {}
        self.told: asyncio.Queue[str] = asyncio.Queue()
        self.forgets = 3

    async def send(self, client_id: str, size: int) -> str:
        order_id = f"toy{len(self.orders) + 1}"
        self.orders[client_id] = (order_id, size)
        self.told.put_nowait(client_id)
        await asyncio.sleep(0.01)
        if len(self.orders) % self.forgets == 0:
            raise TimeoutError
        return order_id


class ToyConnector:
    """See tallystick.connect.port.Connector."""

    name = "toy"
    capabilities = Capabilities(can_cancel=False)

    def __init__(self, exchange: ToyExchange) -> None:
        self._exchange = exchange
        self._context: Context

    async def start(self) -> None:
        """Nothing to sign in to."""

    async def close(self) -> None:
        """Nothing to let go of."""

    async def markets(self) -> Sequence[TradingRule]:
        return [TradingRule("TOY-USD", "toy", "TOY", "USD", price_scale=2, unit_scale=3, cash_scale=2)]

    def enter(self, context: Context) -> None:
        self._context = context

    def identify(self, order: Order) -> str:
        return ""

    async def place(self, orders: Sequence[Order]) -> Sequence[Observation]:
        (order,) = orders
        sent_at = self._context.now()
        try:
            order_id = await self._exchange.send(order.client_id, order.terms.size)
        except TimeoutError as error:
            raise Ambiguous("no answer") from error  # it may have arrived: the tracker will ask
        return [OrderReport(self._context.venue, order.client_id, order_id, sent_at, SUBMIT, OPEN)]

    async def cancel(self, orders: Sequence[Order]) -> Sequence[Observation]:
        return []

    async def fetch_order(self, order: Order) -> Sequence[Observation]:
        return self._look(order.client_id, ANSWER)

    async def fetch_fills(self, order: Order) -> Sequence[Observation]:
        return self._look(order.client_id, ANSWER)

    async def open_orders(self) -> OpenOrders:
        asked_at = self._context.now()
        reports: list[OrderReport] = []
        fills: list[FillReport] = []
        for client_id in self._exchange.orders:
            fill, report = self._look(client_id, SNAPSHOT)
            reports.append(report)
            fills.append(fill)
        return OpenOrders(self._context.venue, asked_at, reports, fills, fills_complete=True)

    async def stream(self, position: str) -> AsyncIterator[StreamItem]:
        yield Live()
        yield Gap(self._context.venue, ORDERS, self._context.now(), "nothing is repeated here")
        while True:
            for each in self._look(await self._exchange.told.get(), STREAM):
                yield each

    def _look(self, client_id: str, origin: int) -> tuple[FillReport, OrderReport]:
        """All that the exchange knows of the order: its one fill, and that it is filled."""
        if client_id not in self._exchange.orders:
            raise NotThere("unknown_order")
        order_id, size = self._exchange.orders[client_id]
        venue, now = self._context.venue, self._context.now()
        trade = f"{order_id}-1"
        fill = FillReport(venue, client_id, order_id, now, origin, trade, size, size, size * 10, 10_000)
        return fill, OrderReport(venue, client_id, order_id, now, origin, FILLED, quantity=size)


async def main() -> None:
    async with tallystick.connect(ToyConnector(ToyExchange())) as venue:
        for units in range(1, 7):
            order_id = venue.buy("TOY-USD", Decimal(units))
            async for event in venue.events(order_id):
                print(event.order_id, type(event).__name__, event.status, event.executed_amount_base)


if __name__ == "__main__":
    asyncio.run(main())
