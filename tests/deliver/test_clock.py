"""Clocks that are set while deliveries wait: none becomes due an hour late, and signatures go by the wall."""

import asyncio
import time
from pathlib import Path

import pytest

from tallystick.deliver.clock import SteadyClock
from tallystick.deliver.schedule import SECOND
from tests.deliver.virtual import World, run

HOUR = 3600 * SECOND


def test_a_clock_that_is_set_back_an_hour_delays_nothing_for_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, wall = SteadyClock(), time.time_ns
    due = clock.now() + 20_000
    monkeypatch.setattr(time, "time_ns", lambda: wall() - HOUR * 1000)
    assert clock.wall() < due - HOUR // 2
    asyncio.run(asyncio.wait_for(clock.wait(asyncio.Event(), due), 10))
    assert clock.now() > due - 10_000


def test_a_clock_that_is_set_on_an_hour_makes_nothing_due_an_hour_early(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, wall = SteadyClock(), time.time_ns
    due = clock.now() + HOUR // 2
    monkeypatch.setattr(time, "time_ns", lambda: wall() + HOUR * 1000)
    assert clock.now() < due < clock.wall()


def test_signatures_are_of_the_walls_time(tmp_path: Path) -> None:
    async def scene() -> None:
        world = World(tmp_path)
        world.clock.wall = lambda: world.clock.now() - HOUR  # type: ignore[method-assign]
        world.endpoint()
        world.start()
        world.feed.happen("demo")
        await world.clock.advance(1)
        assert int(world.attempts[0].headers["Webhook-Timestamp"]) == (world.attempts[0].at - HOUR) // SECOND
        await world.stop()

    run(scene)


def test_what_was_recorded_in_the_future_waits_as_long_as_it_was_to_wait(tmp_path: Path) -> None:
    """As by a process whose clock was an hour ahead."""

    async def scene() -> None:
        world = World(tmp_path, answer=lambda attempted: 500 if attempted.headers["Webhook-Attempt"] == "1" else 200)
        world.endpoint()
        world.start()
        world.feed.happen("demo")
        await world.clock.advance(1)
        await world.stop()
        for column in ("next_at", "modified_at", "created_at"):
            world.book._connection.execute(f"UPDATE deliveries SET {column} = {column} + {HOUR}")
        world.start()
        await world.clock.advance(20)
        assert len(world.attempts) == 2
        await world.stop()

    run(scene)
