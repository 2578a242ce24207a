"""What a venue trades changes while it is traded: rules are read anew, and an order is checked against the newest."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from tallystick.connect.client import Client
from tallystick.connect.errors import Ambiguous
from tallystick.connect.events import OrderType
from tallystick.connect.trading_rules import TradingRule
from tallystick.testing.bots import TEN
from tallystick.testing.paper import PaperVenue
from tallystick.testing.paper_connector import PaperConnector
from tallystick.testing.stories import text
from tallystick.testing.virtual import run, until


def rule(name: str = "ACME-USD", **changes: Any) -> TradingRule:
    return TradingRule(
        name, name.lower(), name[:4], "USD", **{"price_scale": 2, "unit_scale": 3, "cash_scale": 2, **changes}
    )


class Changing(PaperConnector):
    """``listed`` is what it trades now; an error is raised. ``readings`` counts how often it was asked."""

    readings = 0

    def __init__(self, paper: PaperVenue, **capabilities: Any) -> None:
        super().__init__(paper, **capabilities)
        self.listed: list[TradingRule] | Exception = [rule()]

    async def markets(self) -> Sequence[TradingRule]:
        self.readings += 1
        if isinstance(self.listed, Exception):
            raise self.listed
        return self.listed


async def failure(venue, amount: Decimal = TEN, price: str = "10.00") -> str:
    """The code an order fails with, "" if it is created."""
    order_id = venue.buy("ACME-USD", amount, OrderType.LIMIT, Decimal(price))
    async for event in venue.events(order_id):
        return text(event).removeprefix("Created").removeprefix("Failure ")
    raise AssertionError("nothing was told")


def test_rules_are_read_anew_now_and_then_and_orders_are_checked_against_the_newest():
    async def scenario():
        connector = Changing(PaperVenue(), rules_seconds=60.0)
        async with Client() as client:
            venue = await client.add(connector)
            assert await failure(venue) == ""
            connector.listed = [rule(units_min=20_000), rule("NEWS-USD")]
            await until(lambda: "NEWS-USD" in venue.markets, 70)
            assert await failure(venue) == "below_minimum"
            connector.listed = [rule(is_open=False)]
            await until(lambda: not venue.markets["ACME-USD"].is_open, 70)
            assert await failure(venue) == "market_closed"
            connector.listed = [rule("NEWS-USD")]
            await until(lambda: "ACME-USD" not in venue.markets, 70)
            assert await failure(venue) == "market_closed", "it is not listed any more"
            connector.listed = [rule()]
            await until(lambda: "ACME-USD" in venue.markets, 70)
            assert await failure(venue) == ""

    run(scenario)


def test_a_refusal_that_speaks_of_the_rules_has_them_read_at_once_but_not_all_the_time():
    async def scenario():
        paper = PaperVenue()
        connector = Changing(paper, rules_seconds=3000.0, rule_refusals=frozenset({"insufficient_funds"}))
        async with Client() as client:
            venue = await client.add(connector)
            assert connector.readings == 1
            for _ in range(5):
                paper.script.append("refuse")
                assert await failure(venue) == "insufficient_funds"
            await asyncio.sleep(1)
            assert connector.readings == 2
            await asyncio.sleep(60)
            assert connector.readings == 3, "once more for those that came after the first"

    run(scenario)


def test_what_cannot_be_read_leaves_the_rules_as_they_were():
    async def scenario():
        connector = Changing(PaperVenue(), rules_seconds=10.0)
        async with Client() as client:
            venue = await client.add(connector)
            for broken in (Ambiguous("no answer"), KeyError("a bug"), []):
                connector.listed = broken
                before = connector.readings
                await until(lambda: connector.readings > before + 1)  # noqa: B023
                assert await failure(venue) == ""

    run(scenario)
