"""Orders on the account that were not made here: shown, never taken for ours, and cancelled where the venue can."""

from collections.abc import Sequence
from typing import Any

from tallystick.connect.client import Client
from tallystick.connect.store import Storage
from tallystick.core.lifecycle import DONE
from tallystick.journal.memory import MemoryJournal, MemoryStorage
from tallystick.testing.bots import TEN
from tallystick.testing.paper import PaperVenue
from tallystick.testing.paper_connector import PaperConnector
from tallystick.testing.stories import text
from tallystick.testing.virtual import run, until
from tallystick.tracker.agenda import Patience
from tallystick.tracker.observations import ANSWER, SNAPSHOT, CancelReport, OpenOrders, OrderReport

OFTEN = Patience(stale_us=1_000_000, again_us=100_000, again_max_us=1_000_000)


class Shared(PaperConnector):
    """An account that others trade on too: ``others`` are their open orders, by the venue's id, with their own ids.

    Its list of open orders names no client id of ours; while it is ``chatty`` it lists all that there ever was.
    """

    def __init__(self, paper: PaperVenue, **capabilities: Any) -> None:
        super().__init__(paper, **capabilities)
        self.others: dict[str, str] = {}
        self.chatty = False

    async def open_orders(self) -> OpenOrders:
        ours = await super().open_orders()
        if self.chatty:
            every = list(self.venue.orders.values())
            ours.reports[:] = [self.report(order, SNAPSHOT, ours.as_of) for order in every]
            ours.fills[:] = [fill for order in every for fill in self.fills(order, SNAPSHOT, ours.as_of)]
        for report in ours.reports:
            report.client_id = ""
        theirs = [
            OrderReport(self.number, maker_id, venue_id, ours.as_of, SNAPSHOT, 3)
            for venue_id, maker_id in self.others.items()
        ]
        return OpenOrders(self.number, ours.as_of, ours.reports + theirs, ours.fills, ours.fills_complete)

    async def cancel_foreign(self, venue_ids: Sequence[str]) -> Sequence[CancelReport]:
        for venue_id in venue_ids:
            del self.others[venue_id]
        return [CancelReport(self.number, "", venue_id, self.now, ANSWER, DONE) for venue_id in venue_ids]


def ids(venue) -> list[str]:
    return [order.exchange_order_id for order in venue.foreign_orders()]


def test_they_are_shown_and_never_taken_for_ours():
    async def scenario():
        connector = Shared(PaperVenue())
        connector.others = {"x1": "somebody-1", "x2": ""}
        seen = []
        async with Client(patience=OFTEN) as client:
            venue = await client.add(connector)
            venue.listen_foreign(seen.append)
            assert ids(venue) == ["x1", "x2"]
            order_id = venue.buy("ACME-USD", TEN)
            await until(lambda: order_id in connector.venue.orders)
            connector.others["x3"] = "somebody-2"
            await until(lambda: "x3" in ids(venue))
            assert [each.client_order_id for each in seen] == ["somebody-1", "", "somebody-2"]
            assert seen[0].status == "OPEN"
            assert venue.open_order_ids() == [order_id]
            assert set(await venue.cancel_all()) == {order_id}
            assert len(connector.others) == 3
            del connector.others["x1"]
            venue.buy("ACME-USD", TEN)
            await until(lambda: ids(venue) == ["x2", "x3"])

    run(scenario)


def test_an_order_of_ours_whose_id_is_not_known_yet_is_not_taken_for_somebody_s():
    async def scenario():
        paper = PaperVenue()
        connector = Shared(paper)
        seen = []
        async with Client(patience=OFTEN) as client:
            venue = await client.add(connector)
            venue.listen_foreign(seen.append)
            paper.script.append("hang")
            order_id = venue.buy("ACME-USD", TEN)
            await until(lambda: order_id in paper.orders)
            lists = paper.requests.count("open_orders")
            other = venue.buy("ACME-USD", TEN)
            await until(lambda: paper.requests.count("open_orders") > lists + 3)
            assert venue.open_order_ids() == [order_id, other]
            await until(lambda: venue._runtime.desk.tracked.by_client[order_id].venue_id, 200)
            assert seen == []

    run(scenario)


def test_what_another_run_without_this_journal_left_open_is_foreign_and_an_order_that_had_left_is_not():
    async def scenario():
        paper, disk = PaperVenue(), MemoryStorage()
        brief = Patience(stale_us=1_000_000, again_us=100_000, retain_us=10_000)
        async with Client(storage=Storage(None, MemoryJournal(disk)), patience=brief) as client:
            connector = Shared(paper)
            venue = await client.add(connector)
            left = venue.buy("ACME-USD", TEN)
            await until(lambda: left in paper.orders)
            await venue.cancel(left)
            await until(lambda: not client.store.state.orders)
            paper.orders[left].status = 3  # the venue changes its mind: it is open again
            watched = venue.buy("ACME-USD", TEN)
            await until(lambda: any(order.client_id == left for order in client.store.state.orders.values()))
            assert ids(venue) == []
        async with Client() as client:
            venue = await client.add(Shared(paper))
            assert len(ids(venue)) == 2
            assert watched not in venue.open_order_ids()

    run(scenario)


def test_a_list_of_all_orders_shows_none_that_is_over_and_brings_back_ours_only_with_a_fill_that_is_news():
    async def scenario():
        paper = PaperVenue()
        told = []
        async with Client(patience=Patience(stale_us=1_000_000, again_us=100_000, retain_us=10_000)) as client:
            client.listen(lambda event: told.append((event.order_id, text(event))))
            connector = Shared(paper)
            connector.chatty = True
            venue = await client.add(connector)
            venue.buy("ACME-USD", TEN)
            over = [venue.buy("ACME-USD", TEN) for _ in range(3)]
            await until(lambda: len(paper.orders) == 4)
            for order_id in over:
                paper.fill(order_id, 4)
                await venue.cancel(order_id)
            await until(lambda: len(client.store.state.orders) == 1)
            connector.others = {"x1": "theirs"}
            await until(lambda: ids(venue) == ["x1"])
            lists, before = paper.requests.count("open_orders"), len(told)
            await until(lambda: paper.requests.count("open_orders") > lists + 3)
            assert len(told) == before
            assert len(client.store.state.orders) == 1
            paper.mute()
            paper.fill(over[1], 1)
            await until(lambda: (over[1], "Filled 1 (late)") in told)

    run(scenario)


def test_cancelling_them_too():
    async def scenario():
        for able in (True, False):
            connector = Shared(PaperVenue(), cancels_foreign=able)
            connector.others = {"x1": "", "x2": "theirs"}
            async with Client() as client:
                venue = await client.add(connector)
                order_id = venue.buy("ACME-USD", TEN)
                await until(lambda: order_id in connector.venue.orders)  # noqa: B023
                results = await venue.cancel_all(foreign=True)
                assert results[order_id].outcome == "DONE"
                theirs = [(results[each].outcome, results[each].reason) for each in ("x1", "x2")]
                assert theirs == ([("DONE", "")] if able else [("REFUSED", "cancel_not_supported")]) * 2
                assert ids(venue) == ([] if able else ["x1", "x2"])

    run(scenario)
