"""Answers that are lost, late, limited or nonsense (specs/failures.md): in doubt is asked about, and never guessed."""

import asyncio
import logging
from typing import Any

import pytest

from tallystick.journal.memory import MemoryStorage
from tallystick.testing.bots import bot
from tallystick.testing.paper import PaperVenue
from tallystick.testing.virtual import run, until

CASES = [
    # what becomes of the request to place, what is told in the next minute
    ("accept", ["Created"]),
    ("refuse", ["Failure insufficient_funds"]),
    ("unsent", ["Failure not_sent"]),
    ("limited", ["Failure too_many_requests"]),
    ("lost", ["Updated certainty", "Created"]),
    ("nonsense", ["Updated certainty", "Created"]),
    ("crash", ["Updated certainty", "Updated certainty"]),  # AMBIGUOUS, then LOST: it is nowhere
    ("swallowed", ["Updated certainty", "Updated certainty"]),
    ("late", ["Updated certainty", "Created"]),
]


@pytest.mark.parametrize(("word", "expected"), CASES, ids=[word for word, _ in CASES])
def test_what_a_lost_request_comes_to(word: str, expected: list[str]):
    async def scenario():
        paper = PaperVenue()
        paper.script.append(word)
        async with bot(paper) as a:
            # Only questions answer it: the stream is silent about it.
            paper.is_mute = True
            order_id = a.buy()
            await asyncio.sleep(60)
            assert a.texts(order_id) == expected
            assert paper.requests.count("place") == 1, "what is in doubt is never sent again blindly"
            assert len(paper.orders) == (word not in ("refuse", "unsent", "limited", "crash", "swallowed"))

    run(scenario)


def test_a_lost_order_is_still_open_and_may_be_found():
    async def scenario():
        paper = PaperVenue()
        paper.script.append("swallowed")
        async with bot(paper) as a:
            order_id = a.buy()
            await until(lambda: a.told and a.told[-1].certainty == "LOST")
            assert order_id in a.venue.open_order_ids(), "a timeout and a denial end nothing"
            paper.add(order_id, 10_000)
            paper.fill(order_id, 10)
            await until(lambda: a.ended(order_id))
            assert a.texts(order_id)[-3:] == ["Created (inferred)", "Filled 10", "Completed 10"] or a.texts(order_id)[
                -3:
            ] == ["Created", "Filled 10", "Completed 10"]

    run(scenario)


def test_a_fill_that_overtakes_its_answer_is_kept():
    async def scenario():
        paper = PaperVenue()
        async with bot(paper) as a:

            def at_once(order: Any) -> None:
                paper.add(order.client_id, order.terms.size)
                paper.fill(order.client_id, 10)

            paper.on_place = at_once
            order_id = a.buy()
            await until(lambda: a.ended(order_id))
            words = [each.split()[0] for each in a.texts(order_id)]
            assert [word for word in words if word != "Updated"] == ["Created", "Filled", "Completed"]

    run(scenario)


def test_fills_that_no_stream_tells_of_are_found_by_the_audit():
    async def scenario():
        paper = PaperVenue()
        async with bot(paper) as a:
            order_id = a.buy()
            await until(lambda: a.told)
            paper.is_mute = True
            paper.fill(order_id, 10)
            await until(lambda: a.ended(order_id))
            assert "open_orders" in paper.requests
            assert a.texts(order_id)[-2:] == ["Filled 10", "Completed 10"]

    run(scenario)


def test_what_happened_while_the_stream_was_down_is_asked_for():
    async def scenario():
        paper = PaperVenue()
        async with bot(paper) as a:
            order_id = a.buy()
            await until(lambda: a.told)
            paper.is_down = True
            paper.cut_stream()
            await until(lambda: not a.venue.is_ready)
            paper.fill(order_id, 10)
            await asyncio.sleep(30)
            assert a.texts(order_id) == ["Created"]
            paper.is_down = False
            await until(lambda: a.ended(order_id), 15)
            await until(lambda: a.venue.is_ready)

    run(scenario)


def test_a_stream_that_falls_silent_is_taken_for_broken():
    async def scenario():
        paper = PaperVenue()
        async with bot(paper, quiet_seconds=30.0) as a:
            begun = paper.requests.count("stream")
            await asyncio.sleep(100)
            assert paper.requests.count("stream") > begun
            assert a.venue.is_ready

    run(scenario)


def test_after_a_429_nobody_asks_until_the_venue_wants_to_be_asked():
    async def scenario():
        paper = PaperVenue()
        paper.script.append("limited")
        async with bot(paper) as a:
            first = a.buy()
            await until(lambda: a.ended(first))
            asked = len(paper.requests)
            a.buy()
            await asyncio.sleep(4.9)
            assert len(paper.requests) == asked
            await asyncio.sleep(0.2)
            assert paper.requests.count("place") == 2

    run(scenario)


def test_an_order_that_is_on_its_way_is_not_asked_about():
    async def scenario():
        paper = PaperVenue()
        async with bot(paper) as a:
            paper.delay = 25.0
            order_id = a.buy()
            await asyncio.sleep(24)
            assert "fetch_order" not in paper.requests
            await until(lambda: a.texts(order_id) == ["Created"])

    run(scenario)


def test_a_request_that_never_returns_is_in_doubt_after_a_minute():
    async def scenario():
        paper = PaperVenue()
        paper.script.append("hang")
        async with bot(paper) as a:
            order_id = a.buy()
            await until(lambda: "Created" in a.texts(order_id))
            assert a.told[0].order_id == order_id

    run(scenario)


def test_nonsense_is_reported_and_reaches_nobody(caplog: pytest.LogCaptureFixture):
    async def scenario():
        paper = PaperVenue()
        paper.script.append("nonsense")
        async with bot(paper) as a:
            order_id = a.buy()
            await until(lambda: "Created" in a.texts(order_id))
            assert a.client.store.stopped is None

    with caplog.at_level(logging.ERROR):
        run(scenario)
    assert any("gave what cannot be" in record.getMessage() for record in caplog.records)


# --- Restarts ---------------------------------------------------------------------------------------------------------


def test_a_restart_asks_for_everything_before_it_takes_orders():
    async def scenario():
        paper = PaperVenue()
        disk = MemoryStorage()
        async with bot(paper, disk) as a:
            orders = [a.buy() for _ in range(3)]
            await until(lambda: len(a.told) == 3)
        paper.fill(orders[0], 10)
        paper.fill(orders[1], 5)
        paper.end(orders[2])
        async with bot(paper, disk) as again:
            assert again.venue.is_ready
            await until(lambda: len(again.told) >= 4)
            assert again.texts(orders[0]) == ["Filled 10", "Completed 10"]
            assert again.texts(orders[1]) == ["Filled 5"]
            assert again.texts(orders[2])[-1].startswith("Cancelled")
            new = again.buy()
            assert new not in orders

    run(scenario)


def test_a_restart_while_the_venue_is_down_sends_nothing():
    async def scenario():
        paper = PaperVenue()
        disk = MemoryStorage()
        async with bot(paper, disk):
            pass
        paper.is_down = True
        async with bot(paper, disk, ready_seconds=5.0) as a:
            assert not a.venue.is_ready
            placed = paper.requests.count("place")
            paper.is_down = False
            await until(lambda: a.venue.markets)
            paper.is_down = True
            paper.cut_stream()
            await until(lambda: not a.venue.is_ready)
            order_id = a.buy()
            await until(lambda: a.ended(order_id))
            assert a.texts(order_id) == ["Failure venue_not_ready"]
            assert paper.requests.count("place") == placed

    run(scenario)


def test_an_intent_whose_process_ended_before_it_was_sent_is_asked_about():
    async def scenario():
        paper = PaperVenue()
        disk = MemoryStorage()
        async with bot(paper, disk, requests_per_second=0.001, burst=3.0, ready_seconds=3000.0) as a:
            order_id = a.buy()
            await a.client.store.settled()
            assert not paper.orders
        async with bot(paper, disk) as again:
            assert order_id in again.venue.open_order_ids()
            await until(lambda: again.told)
            assert again.told[-1].certainty == "LOST"
            assert not paper.orders, "it is not sent by another process than the one that intended it"

    run(scenario)
