"""Several venues in one client share a journal and nothing else: none waits for another, none falls with another."""

import asyncio
from decimal import Decimal

import pytest

from tallystick.connect.client import Client
from tallystick.connect.errors import CannotStart, SignInRefused
from tallystick.testing.paper import PaperVenue
from tallystick.testing.paper_connector import PaperConnector
from tallystick.testing.stories import text
from tallystick.testing.virtual import clock, run, until


class Faulty(PaperConnector):
    """Its ``start`` does what is said."""

    def __init__(self, venue: PaperVenue, name: str, error: Exception) -> None:
        super().__init__(venue, name)
        self.error = error

    async def start(self) -> None:
        raise self.error


def test_a_slow_venue_and_a_dead_one_hold_up_no_other():
    async def scenario():
        good, slow, dead = PaperVenue(), PaperVenue(), PaperVenue()
        slow.delay = 20.0
        dead.is_down = True
        told = []
        async with Client(clock=clock) as client:
            client.listen(lambda event: told.append(f"{event.venue} {text(event)}"))
            for name, paper in (("slow", slow), ("dead", dead)):
                await client.add(PaperConnector(paper, name), ready_seconds=0)
            venue = await client.add(PaperConnector(good, "good"), ready_seconds=1)
            assert venue.is_ready
            began = asyncio.get_running_loop().time()
            order_id = venue.buy("ACME-USD", Decimal(10))
            await until(lambda: order_id in good.orders)
            good.fill(order_id, 10)
            await until(lambda: "good Completed 10" in told)
            assert asyncio.get_running_loop().time() - began < 0.1
            await until(lambda: client.venues["slow"].is_ready)
            assert not client.venues["dead"].is_ready
            dead.is_down = False
            await until(lambda: client.venues["dead"].is_ready)

    run(scenario)


def test_the_same_order_ids_of_two_venues_are_two_orders():
    async def scenario():
        papers = {"a": PaperVenue(), "b": PaperVenue()}
        told = []
        async with Client(clock=clock) as client:
            client.listen(lambda event: told.append(f"{event.venue} {text(event)}"))
            for name, paper in papers.items():
                venue = await client.add(PaperConnector(paper, name))
                venue.buy("ACME-USD", Decimal(10))
            await until(lambda: len(told) == 2)
            (order_a,), (order_b,) = (list(paper.orders.values()) for paper in papers.values())
            assert order_a.venue_id == order_b.venue_id
            papers["a"].fill(order_a.client_id, 10)
            await until(lambda: "a Completed 10" in told)
            assert "b Completed 10" not in told

    run(scenario)


def test_refused_credentials_are_said_at_once():
    async def scenario():
        async with Client(clock=clock) as client:
            with pytest.raises(SignInRefused):
                await client.add(Faulty(PaperVenue(), "a", SignInRefused("invalid_client", "no")))
            assert client.venues == {}
            venue = await client.add(PaperConnector(PaperVenue(), "a"))
            assert venue.is_ready
            with pytest.raises(CannotStart, match="already"):
                await client.add(PaperConnector(PaperVenue(), "a"))

    run(scenario)


def test_a_connector_with_a_bug_is_tried_again_and_harms_nobody(caplog: pytest.LogCaptureFixture):
    async def scenario():
        async with Client(clock=clock) as client:
            broken = Faulty(PaperVenue(), "broken", KeyError("a bug"))
            await client.add(broken, ready_seconds=5)
            venue = await client.add(PaperConnector(PaperVenue(), "good"))
            assert venue.is_ready
            assert not client.venues["broken"].is_ready

    run(scenario)
    assert any("its connector failed at starting" in record.getMessage() for record in caplog.records)
