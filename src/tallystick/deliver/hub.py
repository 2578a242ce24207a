"""New happenings are made once and read by many, each at its own pace and from its own position.

Each reader has a position and nothing else: there is no queue to overflow. Who keeps up reads what is kept of the
newest; who lags reads the journal, page by page, and costs nobody else a thing.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from tallystick.deliver.feed import Feed, Happening

RECENT: Final = 256
"""So many happenings of each owner are kept at least, once that many were new while somebody read along."""


class _Topic:
    """The newest of one owner, or of all; it is complete after the position ``since``."""

    __slots__ = ("positions", "readers", "recent", "since", "waiting")

    def __init__(self, since: int) -> None:
        self.since = since
        self.readers = 0
        self.recent: list[Happening] = []
        self.positions: list[int] = []
        self.waiting: set[asyncio.Future[None]] = set()

    def take(self, happening: Happening) -> None:
        if len(self.recent) == 2 * RECENT:
            self.since = self.positions[RECENT - 1]
            del self.recent[:RECENT], self.positions[:RECENT]
        self.recent.append(happening)
        self.positions.append(happening.position)
        self.wake()

    def after(self, position: int, limit: int) -> list[Happening]:
        begin = bisect_right(self.positions, position)
        return self.recent[begin : begin + limit]

    def wake(self) -> None:
        for waiting in self.waiting:
            if not waiting.done():
                waiting.set_result(None)
        self.waiting.clear()


class Hub:
    """Everything here runs on one event loop's thread."""

    def __init__(self, feed: Feed) -> None:
        self.feed: Final = feed
        self._topics: Final[dict[str | None, _Topic]] = {}
        feed.attach(self)

    @property
    def is_idle(self) -> bool:
        return not self._topics

    def wants(self, owner: str) -> bool:
        return owner in self._topics or None in self._topics

    def take(self, happening: Happening) -> None:
        for owner in (happening.owner, None):
            topic = self._topics.get(owner)
            if topic is not None:
                topic.take(happening)

    def cursor(self, owner: str | None, after: int) -> "Cursor":
        """Read what ``owner`` may see (None: everything) after a position. Close it in the end."""
        topic = self._topics.get(owner)
        if topic is None:
            topic = self._topics[owner] = _Topic(self.feed.newest())
        topic.readers += 1
        return Cursor(self, topic, owner, after)

    def _leave(self, topic: _Topic, owner: str | None) -> None:
        topic.readers -= 1
        if topic.readers == 0:
            del self._topics[owner]


class Cursor:
    """One reader's place: everything up to ``position`` was read."""

    __slots__ = ("_hub", "_is_open", "_owner", "_topic", "position")

    def __init__(self, hub: Hub, topic: _Topic, owner: str | None, after: int) -> None:
        self._hub: Final = hub
        self._topic: Final = topic
        self._owner: Final = owner
        self._is_open = True
        self.position = after

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
            self._hub._leave(self._topic, self._owner)

    async def next(self, limit: int) -> Sequence[Happening]:
        """The next ones, 1 to ``limit``; waits until there is one."""
        while True:
            found = await self.look(limit)
            if found:
                return found
            if self.position >= self._topic.since and not self._topic.after(self.position, 1):
                await self._change()

    async def look(self, limit: int) -> Sequence[Happening]:
        """The next ones, up to ``limit``; none if there are none yet, or none was found in a bounded look."""
        topic = self._topic
        if self.position >= topic.since:
            found: Sequence[Happening] = topic.after(self.position, limit)
            if found:
                self.position = found[-1].position
            return found
        page = await self._hub.feed.page(self._owner, self.position, limit)
        self.position = max(self.position, page.through)
        return page.happenings

    async def _change(self) -> None:
        changed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._topic.waiting.add(changed)
        try:
            await changed
        finally:
            self._topic.waiting.discard(changed)
