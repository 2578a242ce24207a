"""Cancelling: an outcome for each order, whatever the venue says; only its word that it is done ends an order."""

import pytest

from tallystick.journal.memory import MemoryStorage
from tallystick.testing.bots import bot
from tallystick.testing.paper import PaperVenue
from tallystick.testing.virtual import run, until

CASES = [
    # what the venue does, the outcome, its reason, the last that is told of the order
    ("done", "DONE", "", "Cancelled"),
    ("request", "DONE", "", "Cancelled"),
    ("refuse", "REFUSED", "too_late_to_cancel", "Updated cancel"),
    ("not-there", "NOT_FOUND", "not_found", "Updated cancel"),
    ("swallowed", "UNKNOWN", "ambiguous", "Updated cancel"),
    ("crash", "UNKNOWN", "KeyError", "Updated cancel"),
]


@pytest.mark.parametrize(("word", "outcome", "reason", "last"), CASES, ids=[each[0] for each in CASES])
def test_what_comes_of_a_cancel(word: str, outcome: str, reason: str, last: str):
    async def scenario():
        paper = PaperVenue()
        async with bot(paper) as a:
            order_id = a.buy()
            await until(lambda: a.texts(order_id) == ["Created"])
            paper.cancels.append(word)
            results = await a.venue.cancel(order_id, timeout=5)
            assert list(results) == [order_id]
            assert results[order_id].outcome == outcome
            assert reason in ("", results[order_id].reason) or word == "not-there"
            await until(lambda: a.texts(order_id)[-1] == last)

    run(scenario)


def test_all_orders_are_cancelled_in_batches_each_with_its_outcome():
    async def scenario():
        paper = PaperVenue()
        async with bot(paper, cancel_batch_max=4) as a:
            orders = [a.buy() for _ in range(10)]
            await until(lambda: len(a.told) == 10)
            paper.fill(orders[0], 10)
            await until(lambda: a.ended(orders[0]))
            results = await a.venue.cancel_all(timeout=5)
            assert list(results) == orders[1:]
            assert {result.outcome for result in results.values()} == {"DONE"}
            assert paper.requests.count("cancel") == 3
            assert a.venue.open_order_ids() == []
            over = await a.venue.cancel(orders[0], orders[1])
            assert (over[orders[0]].outcome, over[orders[0]].reason) == ("REFUSED", "order_closed")
            assert over[orders[1]].outcome == "DONE"

    run(scenario)


def test_a_venue_that_cannot_cancel_says_so_by_capability():
    async def scenario():
        paper = PaperVenue()
        async with bot(paper, can_cancel=False) as a:
            order_id = a.buy()
            await until(lambda: a.told)
            results = await a.venue.cancel_all(timeout=5)
            assert results[order_id] == (order_id, "REFUSED", "cancel_not_supported")
            assert "cancel" not in paper.requests

    run(scenario)


def test_an_order_on_its_way_is_cancelled_when_it_has_an_id():
    async def scenario():
        paper = PaperVenue()
        async with bot(paper) as a:
            paper.delay = 2.0
            order_id = a.buy()
            await until(lambda: "place" in paper.requests)
            results = await a.venue.cancel(order_id, timeout=10)
            assert results[order_id].outcome == "DONE"

    run(scenario)


def test_no_answer_in_time_is_no_answer():
    async def scenario():
        paper = PaperVenue()
        async with bot(paper) as a:
            order_id = a.buy()
            await until(lambda: a.told)
            paper.delay = 50.0
            results = await a.venue.cancel_all(timeout=3)
            assert results[order_id] == (order_id, "UNKNOWN", "no answer in time")

    run(scenario)


def test_cancelling_needs_no_trusted_stream():
    async def scenario():
        paper = PaperVenue()
        async with bot(paper, silence_seconds=5.0) as a:
            order_id = a.buy()
            await until(lambda: a.told)
            a.client.venues["paper"]._runtime.desk.is_live = False
            assert not a.venue.is_ready
            assert (await a.venue.cancel_all())[order_id].outcome == "DONE"

    run(scenario)


def test_a_cancel_that_says_nothing_of_fills_is_followed_by_a_question():
    async def scenario():
        paper = PaperVenue()
        async with bot(paper) as a:
            order_id = a.buy()
            await until(lambda: a.texts(order_id) == ["Created"])
            paper.is_mute = True
            paper.fill(order_id, 4)
            assert (await a.venue.cancel(order_id))[order_id].outcome == "DONE"
            await until(lambda: a.texts(order_id)[-1] == "Filled 4 (late)")

    run(scenario)


def test_a_cancel_waits_until_the_venue_is_reached():
    async def scenario():
        paper, disk = PaperVenue(), MemoryStorage()
        async with bot(paper, disk) as a:
            order_id = a.buy()
            await until(lambda: a.texts(order_id) == ["Created"])
        paper.is_down = True
        async with bot(paper, disk, ready_seconds=0) as a:
            early = await a.venue.cancel(order_id, timeout=5)
            assert early[order_id].outcome == "UNKNOWN"
            assert "cancel" not in paper.requests, "no connector is asked before it was started"
            paper.is_down = False
            results = await a.venue.cancel(order_id, timeout=30)
            assert results[order_id].outcome == "DONE"

    run(scenario)
