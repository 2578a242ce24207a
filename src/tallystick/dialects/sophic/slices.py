"""Long work in short turns: the event loop is everybody's, so whoever renders much pauses now and then."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

T = TypeVar("T")
SLICE: Final = 32


async def in_slices(items: Iterable[T], render: Callable[[T], bytes]) -> list[bytes]:
    """Render each of ``items``, a few at a time."""
    rendered: list[bytes] = []
    for item in items:
        rendered.append(render(item))
        if len(rendered) % SLICE == 0:
            await asyncio.sleep(0)
    return rendered
