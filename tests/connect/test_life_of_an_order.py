"""What a strategy sees of its orders when all goes well: ids at once, events in order, the story from anywhere."""

import asyncio
import logging
from decimal import Decimal

import pytest

from tallystick.connect.errors import NoSuchMarket, NoSuchOrder
from tallystick.connect.events import BuyOrderCompletedEvent, OrderFilledEvent, OrderType, SellOrderCreatedEvent
from tallystick.core.lifecycle import EXPIRED
from tallystick.journal.memory import MemoryStorage
from tallystick.testing.bots import TEN, bot
from tallystick.testing.paper import PaperVenue
from tallystick.testing.stories import text
from tallystick.testing.virtual import run, until


def test_an_order_is_created_filled_and_completed():
    async def scenario():
        paper = PaperVenue()
        async with bot(paper) as a:
            order_id = a.buy()
            assert paper.requests.count("place") == 0, "the id is there before anything was sent"
            await until(lambda: order_id in paper.orders)
            paper.fill(order_id, 4)
            paper.fill(order_id, 6)
            found = [event async for event in a.venue.events(order_id)]
        assert [text(event) for event in found] == ["Created", "Filled 4", "Filled 6", "Completed 10"]
        assert [event.executed_amount_base for event in found] == [Decimal(each) for each in (0, 4, 10, 10)]
        filled, completed = found[1], found[3]
        assert isinstance(filled, OrderFilledEvent)
        assert (filled.price, filled.quote_amount, filled.trade_fee.asset) == (
            Decimal("10.00"),
            Decimal("40.00"),
            "USD",
        )
        assert isinstance(completed, BuyOrderCompletedEvent)
        assert (completed.base_asset, completed.quote_asset) == ("ACME", "USD")
        assert completed.quote_asset_amount == Decimal("100.00")

    run(scenario)


def test_events_have_the_names_of_their_side():
    async def scenario():
        paper = PaperVenue()
        async with bot(paper) as a:
            order_id = a.venue.sell("ACME-USD", TEN, OrderType.LIMIT, Decimal("12.34"), traits={"why": "a test"})
            await until(lambda: a.told)
        created = a.told[0]
        assert isinstance(created, SellOrderCreatedEvent)
        assert created.order_id == order_id
        assert created.price == Decimal("12.30"), "floored to the venue's increment of 0.05"
        assert (created.amount, created.amount_kind) == (TEN, "units")

    run(scenario)


@pytest.mark.parametrize(
    ("ending", "last"), [("cancel", "Cancelled"), ("expire", "Expired"), ("refuse", "Failure insufficient_funds")]
)
def test_the_end_ends_the_story(ending: str, last: str):
    async def scenario():
        paper = PaperVenue()
        async with bot(paper) as a:
            if ending == "refuse":
                paper.script.append("refuse")
            order_id = a.buy()
            if ending != "refuse":
                await until(lambda: order_id in paper.orders)
                paper.fill(order_id, 2)
                paper.end(order_id, *([EXPIRED] if ending == "expire" else []))
            found = [text(event) async for event in a.venue.events(order_id)]
            assert found == ([] if ending == "refuse" else ["Created", "Filled 2"]) + [last]
            assert order_id not in a.venue.open_order_ids()

    run(scenario)


def test_a_story_can_be_read_long_after_it_is_over():
    async def scenario():
        paper = PaperVenue()
        disk = MemoryStorage()
        async with bot(paper, disk) as a:
            order_id = a.buy()
            await until(lambda: order_id in paper.orders)
            paper.fill(order_id, 10)
            await until(lambda: a.ended(order_id))
            await asyncio.sleep(120)
            assert order_id not in a.client.store.state.venues[1].by_client, "it has left the memory"
            story = [text(event) async for event in a.venue.events(order_id)]
            assert story == ["Created", "Filled 10", "Completed 10"]
        async with bot(paper, disk) as again:
            assert [text(event) async for event in again.venue.events(order_id)] == story

    run(scenario)


def test_a_late_fill_of_an_order_that_has_left_is_told():
    async def scenario():
        paper = PaperVenue()
        async with bot(paper) as a:
            order_id = a.buy()
            await until(lambda: order_id in paper.orders)
            paper.end(order_id)
            await until(lambda: a.ended(order_id))
            await asyncio.sleep(120)
            paper.fill(order_id, 3)
            await until(lambda: "Filled 3 (late)" in a.texts(order_id))
            story = [text(event) async for event in a.venue.events(order_id)]
            assert story == ["Created", "Cancelled"], "a story ends with its end"
            assert a.texts(order_id)[2:] == ["Filled 3 (late)"]

    run(scenario)


def test_events_since_a_position_are_those_after_it_and_no_others():
    async def scenario():
        paper = PaperVenue()
        disk = MemoryStorage()
        async with bot(paper, disk) as a:
            orders = [a.buy() for _ in range(3)]
            await until(lambda: all(each in paper.orders for each in orders))
            for each in orders:
                paper.fill(each, 10)
            await until(lambda: all(a.ended(each) for each in orders))
        everything = a.told
        for at, event in enumerate(everything):
            async with bot(paper, disk) as again:
                stream = again.client.events(since=event.position)
                found = [await anext(stream) for _ in everything[at + 1 :]]
                await stream.aclose()
                assert found == everything[at + 1 :]
            async with bot(paper, disk) as again:
                stream = again.venue.events(since="")
                assert [await anext(stream) for _ in everything] == everything
                await stream.aclose()

    run(scenario)


def test_a_listener_that_raises_is_reported_and_stops_nobody(caplog: pytest.LogCaptureFixture):
    async def scenario():
        paper = PaperVenue()
        heard: list[str] = []

        def bad(event: object) -> None:
            raise RuntimeError("a fault of the strategy")

        async with bot(paper) as a:
            a.venue.listen(bad)
            end = a.venue.listen(lambda event: heard.append(text(event)))
            order_id = a.buy()
            await until(lambda: order_id in paper.orders)
            paper.fill(order_id, 10)
            assert [text(event) async for event in a.venue.events(order_id)] == ["Created", "Filled 10", "Completed 10"]
            end()
            a.buy()
            await until(lambda: len(a.told) > 3)
        assert heard == ["Created", "Filled 10", "Completed 10"]

    with caplog.at_level(logging.ERROR):
        run(scenario)
    failures = [record for record in caplog.records if "failed at" in record.getMessage()]
    assert len(failures) == 4
    assert "bad failed at BuyOrderCreatedEvent" in failures[0].getMessage()


def test_what_is_no_order_is_said_at_once():
    async def scenario():
        async with bot(PaperVenue()) as a:
            with pytest.raises(NoSuchMarket, match="lists no market 'ACME-EUR'"):
                a.venue.buy("ACME-EUR", TEN)
            with pytest.raises(TypeError, match="Decimals"):
                a.venue.buy("ACME-USD", 10.0)  # type: ignore[arg-type]
            for bad in ("NaN", "Infinity", "-1"):
                with pytest.raises(ValueError, match="zero or more"):
                    a.venue.buy("ACME-USD", Decimal(bad))
            with pytest.raises(NoSuchOrder):
                await anext(a.venue.events("never-heard-of"))
            with pytest.raises(NoSuchOrder):
                await a.venue.cancel("never-heard-of")
            with pytest.raises(ValueError, match="is not a position"):
                await anext(a.client.events(since="yesterday"))
        assert a.told == []

    run(scenario)


def test_a_thousand_orders_are_sent_in_batches():
    async def scenario():
        paper = PaperVenue()
        async with bot(paper, place_batch_max=100, at_once_max=2) as a:
            orders = [a.buy() for _ in range(1000)]
            assert len(set(orders)) == 1000
            await until(lambda: len(paper.orders) == 1000)
            await until(lambda: len(a.told) == 1000)
        assert paper.requests.count("place") <= 20
        assert {text(event) for event in a.told} == {"Created"}

    run(scenario)
