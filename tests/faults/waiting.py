"""Waiting for something to come true."""

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Final

DEADLINE_SECONDS: Final = 30


async def until(holds: Callable[[], bool | Awaitable[bool]]) -> None:
    """Ask again and again; TimeoutError after DEADLINE_SECONDS."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            found = holds()
            if await found if isawaitable(found) else found:
                return
            await asyncio.sleep(0.01)


async def grows(many: Callable[[], int], by: int) -> None:
    """Wait until the number is greater by so much than it is now."""
    enough = many() + by
    await until(lambda: many() >= enough)
