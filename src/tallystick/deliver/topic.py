"""The newest of what some readers have in common, made once and read by each at its own pace from its own position.

Each reader has a position and nothing else: there is no queue to overflow. Who keeps up reads what is kept of the
newest; who lags reads the journal, page by page, and costs nobody else a thing.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Final, Self

from tallystick.deliver.feed import Happening, Page

RECENT: Final = 256
"""So many happenings of each topic are kept at least, once that many were new while somebody read along."""

Look = Callable[[int, int], Awaitable[Page]]
"""A page of the journal after a position, with a limit: see ``feed.Feed.page``."""


class Topic:
    """The newest of what its readers want; it is complete after the position ``since``."""

    __slots__ = ("positions", "readers", "recent", "since", "waiting")

    def __init__(self, since: int) -> None:
        self.since = since
        self.readers = 0
        self.recent: list[Happening] = []
        self.positions: list[int] = []
        self.waiting: dict[asyncio.Future[None], None] = {}  # in order, as they are woken

    def take(self, happening: Happening) -> None:
        """One that is durable now; each once, in order."""
        if len(self.recent) == 2 * RECENT:
            self.since = self.positions[RECENT - 1]
            del self.recent[:RECENT], self.positions[:RECENT]
        self.recent.append(happening)
        self.positions.append(happening.position)
        self._wake()

    def begin_anew(self, since: int) -> None:
        """What is kept is not what its readers want, or not all: up to ``since`` they are to look in the journal."""
        self.since = since
        self.recent.clear()
        self.positions.clear()
        self._wake()

    def after(self, position: int, limit: int) -> list[Happening]:
        """What is kept after the position."""
        begin = bisect_right(self.positions, position)
        return self.recent[begin : begin + limit]

    def _wake(self) -> None:
        for waiting in self.waiting:
            if not waiting.done():
                waiting.set_result(None)
        self.waiting.clear()


class Cursor:
    """One reader's place: everything up to ``position`` was read. ``leave`` is called when it is closed."""

    __slots__ = ("_is_open", "_leave", "_look", "_topic", "position")

    def __init__(self, topic: Topic, after: int, look: Look, leave: Callable[[], object]) -> None:
        self._topic: Final = topic
        self._look: Final = look
        self._leave: Final = leave
        self._is_open = True
        self.position = after
        topic.readers += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closing twice is harmless."""
        if self._is_open:
            self._is_open = False
            self._topic.readers -= 1
            self._leave()

    @property
    def is_up_to_date(self) -> bool:
        """Whether there is nothing that it has not read."""
        return self.position >= self._topic.since and not self._topic.after(self.position, 1)

    async def next(self, limit: int) -> Sequence[Happening]:
        """The next ones, 1 to ``limit``; waits until there is one."""
        while True:
            found = await self.look(limit)
            if found:
                return found
            await changed((self,))

    async def look(self, limit: int) -> Sequence[Happening]:
        """The next ones, up to ``limit``; none if there are none yet, or none was found in a bounded look."""
        topic = self._topic
        if self.position >= topic.since:
            found: Sequence[Happening] = topic.after(self.position, limit)
            if found:
                self.position = found[-1].position
            return found
        page = await self._look(self.position, limit)
        self.position = max(self.position, page.through)
        return page.happenings


async def changed(cursors: Sequence[Cursor]) -> None:
    """Return when there may be something that one of them has not read."""
    if not all(each.is_up_to_date for each in cursors):
        return
    change: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    for each in cursors:
        each._topic.waiting[change] = None
    try:
        await change
    finally:
        for each in cursors:
            each._topic.waiting.pop(change, None)
