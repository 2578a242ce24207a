"""Orders whose id is known beforehand, and lists that are asked for while a request is on its way."""

import asyncio
from collections.abc import Sequence
from typing import Any

from tallystick.connect.client import Client
from tallystick.connect.port import Order
from tallystick.testing.bots import TEN
from tallystick.testing.paper import RULE, PaperVenue
from tallystick.testing.paper_connector import PaperConnector
from tallystick.testing.stories import text
from tallystick.testing.virtual import run
from tallystick.tracker.observations import Observation, OpenOrders


class Hashed(PaperConnector):
    """It knows an order's id before it is sent."""

    def identify(self, order: Order) -> str:
        return f"hash of {order.client_id}"


class Slow(PaperConnector):
    """A request is on its way for ten seconds, and lists say of what they lack that it is over."""

    async def place(self, orders: Sequence[Order]) -> Sequence[Observation]:
        sent_at = self.now
        await asyncio.sleep(10)
        return [each for order in orders for each in await self._place(order, sent_at)]

    async def open_orders(self) -> OpenOrders:
        taken = await super().open_orders()
        return OpenOrders(taken.venue, taken.as_of, taken.reports, taken.fills, fills_complete=True)


def test_that_its_id_is_known_does_not_take_an_order_out_of_doubt():
    async def scenario():
        paper = PaperVenue()
        paper.script.append("swallowed")
        async with Client() as client:
            told: list[Any] = []
            client.listen(told.append)
            venue = await client.add(Hashed(paper))
            order_id = venue.buy(RULE.name, TEN)
            await asyncio.sleep(1)
            assert [(event.status, event.certainty) for event in told] == [("SUBMITTED", "AMBIGUOUS")]
            assert told[0].exchange_order_id == f"hash of {order_id}"

    run(scenario)


def test_a_list_that_was_made_before_a_request_arrived_says_nothing_of_it():
    async def scenario():
        paper = PaperVenue()
        async with Client() as client:
            told: list[Any] = []
            client.listen(told.append)
            venue = await client.add(Slow(paper))
            paper.is_mute = True
            order_id = venue.buy(RULE.name, TEN)
            await asyncio.sleep(1)
            before = paper.requests.count("open_orders")
            paper.cut_stream()  # so that everything is asked for
            await asyncio.sleep(20)
            assert paper.requests.count("open_orders") > before
            assert [text(event) for event in told] == ["Created"]
            assert venue.open_order_ids() == [order_id]

    run(scenario)
