"""A limit on waits that is set anew for each and keeps one timer."""

import asyncio

import pytest

from tallystick.deliver.patience import Patience


def test_a_wait_that_is_too_long_ends_and_the_task_goes_on() -> None:
    async def scene() -> None:
        patience, never = Patience(), asyncio.Event()
        for _ in range(3):
            with pytest.raises(TimeoutError), patience.of(0.01):
                await never.wait()
        assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]
        with patience.of(10):
            await asyncio.sleep(0.02)

    asyncio.run(scene())


def test_many_short_waits_share_a_timer_that_counts_for_the_last_of_them() -> None:
    async def scene() -> None:
        patience, never = Patience(), asyncio.Event()
        with patience.of(0.05):
            await asyncio.sleep(0)
        first = patience._timer
        for _ in range(100):
            with patience.of(10):
                await asyncio.sleep(0)
        assert patience._timer is first
        await asyncio.sleep(0.1)  # the timer has gone off while nobody waited
        with pytest.raises(TimeoutError), patience.of(0.01):
            await never.wait()

    asyncio.run(scene())


def test_who_is_cancelled_from_outside_is_cancelled() -> None:
    async def scene() -> None:
        async def wait() -> None:
            with Patience().of(10):
                await asyncio.Event().wait()

        task = asyncio.ensure_future(wait())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scene())
