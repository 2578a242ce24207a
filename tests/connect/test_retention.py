"""Orders that are over leave memory, by time and by number; late evidence of them is recognised all the same."""

import asyncio

import tallystick
from tallystick.connect.client import Client
from tallystick.core.lifecycle import FILLED, TRADE_EXECUTED, TRADE_SETTLED
from tallystick.testing.bots import TEN
from tallystick.testing.paper import PaperVenue
from tallystick.testing.paper_connector import PaperConnector
from tallystick.testing.stories import text
from tallystick.testing.virtual import run, until
from tallystick.tracker.agenda import Patience
from tallystick.tracker.observations import SNAPSHOT, OpenOrders


def test_of_many_closed_orders_few_stay_and_a_late_fill_finds_any_of_them():
    async def scenario():
        paper = PaperVenue()
        told = []
        patience = Patience(retain_us=3_000_000_000, retain_max=5, again_us=100_000)
        async with Client(patience=patience) as client:
            client.listen(told.append)
            venue = await client.add(PaperConnector(paper))
            orders = [venue.buy("ACME-USD", TEN) for _ in range(50)]
            stays_open = orders.pop()
            await until(lambda: len(paper.orders) == 50)
            for order_id in orders:
                paper.fill(order_id, 4)
            await venue.cancel(*orders)
            await until(lambda: len(client.store.state.orders) == 6)
            held = [order.client_id for order in client.store.state.orders.values() if order.status < FILLED]
            assert held == [stays_open]
            paper.fill(orders[0], 1)
            await until(lambda: text(told[-1]) == "Filled 1 (late)")
            assert told[-1].order_id == orders[0]
            assert told[-1].executed_amount_base == 5
            await asyncio.sleep(1)
            assert len(client.store.state.orders) == 6, "it was back, and has left again"

    run(scenario)


def test_an_order_leaves_not_before_the_venue_was_asked_how_much_of_it_was_filled():
    async def scenario():
        paper = PaperVenue()
        told = []
        patience = Patience(retain_us=60_000_000, retain_max=1, grace_us=10_000_000)
        async with Client(patience=patience) as client:
            client.listen(lambda event: told.append((event.order_id, text(event))))
            venue = await client.add(PaperConnector(paper))
            orders = [venue.buy("ACME-USD", TEN) for _ in range(10)]
            await until(lambda: len(paper.orders) == 10)
            paper.mute()
            paper.fill(orders[0], 4)
            await venue.cancel(*orders)
            await until(lambda: (orders[0], "Filled 4 (late)") in told)

    run(scenario)


def test_an_order_of_which_fills_are_expected_stays_whatever_comes_after_it():
    async def scenario():
        paper = PaperVenue()
        patience = Patience(retain_us=1_000_000, retain_max=1, again_us=100_000, again_max_us=1_000_000)
        async with Client(patience=patience) as client:
            venue = await client.add(PaperConnector(paper))
            waiting = venue.buy("ACME-USD", TEN)
            await until(lambda: waiting in paper.orders)
            paper.fill_pending(waiting, 4)
            await venue.cancel(waiting)
            for _ in range(5):
                order_id = venue.buy("ACME-USD", TEN)
                await until(lambda: order_id in paper.orders)  # noqa: B023
                await venue.cancel(order_id)
            await asyncio.sleep(10)
            assert [order.client_id for order in client.store.state.orders.values()] == [waiting]

    run(scenario)


def test_a_trade_that_was_settled_after_its_order_had_left_is_learned_from_a_list():
    """What is said between two streams is in no stream; the list that is asked for then says it of the order."""

    async def scenario():
        paper = PaperVenue(fills_by_itself=True)
        async with Client(patience=Patience(retain_us=10_000)) as client:
            told = []
            client.listen(told.append)
            venue = await client.add(PaperConnector(paper))
            desk = venue._runtime.desk
            order_id = venue.buy("ACME-USD", TEN)
            await until(lambda: any(isinstance(each, tallystick.BuyOrderCompletedEvent) for each in told))
            await until(lambda: order_id not in desk.tracked.by_client)
            (order,) = paper.orders.values()
            for state in (TRADE_EXECUTED, TRADE_SETTLED, TRADE_SETTLED):
                order.fills[0].state = state
                fills = desk.connector.fills(order, SNAPSHOT, desk.now())
                desk.observe([OpenOrders(1, desk.now(), [], fills, fills_complete=False)])
                await client.store.settled()
            assert [text(each) for each in told].count("Updated fills") == 1

    run(scenario)
