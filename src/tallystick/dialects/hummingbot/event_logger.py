"""A listener that keeps the newest events that it was told."""

import asyncio
from collections import deque
from typing import Any, Final

from tallystick.dialects.hummingbot.pubsub import EventListener

EVENTS_MAX: Final = 1000


class EventLogger(EventListener):
    def __init__(self, event_source: str | None = None) -> None:
        super().__init__()
        self._event_source: Final = event_source
        self._events: Final[deque[Any]] = deque(maxlen=EVENTS_MAX)
        self._waiting: Final[list[tuple[type, asyncio.Future[Any]]]] = []

    @property
    def event_log(self) -> list[Any]:
        """The newest events, oldest first."""
        return list(self._events)

    @property
    def event_source(self) -> str:
        return self._event_source or ""

    def clear(self) -> None:
        self._events.clear()

    async def wait_for(self, event_type: type, timeout_seconds: float = 180) -> Any:
        """The next event of that type. Raises TimeoutError."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        waiting = (event_type, future)
        self._waiting.append(waiting)
        try:
            async with asyncio.timeout(timeout_seconds):
                return await future
        finally:
            self._waiting.remove(waiting)

    def __call__(self, message: Any) -> None:
        self._events.append(message)
        for event_type, future in self._waiting:
            if isinstance(message, event_type) and not future.done():
                future.set_result(message)
