"""Lists in pages: as much of a long one as is found in a bounded amount of looking, and where to go on."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

from starlette.responses import Response

from tallystick.server.doors.answers import answer
from tallystick.server.doors.requests import read_number

T = TypeVar("T")
LIMIT_DEFAULT: Final = 100
LIMIT_MAX: Final = 1000
LOOKS_MAX: Final = 5000
SLICE: Final = 50


def read_limit(query: dict[str, str]) -> int:
    """How long a page is at most."""
    return read_number(query, "limit", LIMIT_DEFAULT, 1, LIMIT_MAX)


async def page(
    name: str,
    candidates: Iterator[T],
    limit: int,
    show: Callable[[T], Any | None],
    mark: Callable[[T], Any],
) -> Response:
    """``{name: [...], "next": mark}``: what ``show`` makes of the candidates, without those it makes None of.

    ``next`` is the mark of the last candidate looked at, to go on after, or null when that was all. So a page may be
    short, even empty, and not the last. Others are served between slices.
    """
    shown: list[Any] = []
    last: Any = None
    for looked, candidate in enumerate(candidates):
        if len(shown) == limit or looked == LOOKS_MAX:
            return answer({name: shown, "next": last})
        if looked % SLICE == SLICE - 1:
            await asyncio.sleep(0)
        last = mark(candidate)
        made = show(candidate)
        if made is not None:
            shown.append(made)
    return answer({name: shown, "next": None})
