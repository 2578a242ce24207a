"""What waits for one client, bounded in bytes: nothing in it is ever dropped, and what waits together goes together."""

from collections import deque
from typing import Final

QUEUE_BYTES_MAX: Final = 1024 * 1024
FRAME_BYTES: Final = 64 * 1024
"""Messages are put into one frame until it has so many."""


class Outbox:
    """Messages, each a line of a frame. ``size`` is their bytes."""

    __slots__ = ("_bytes_max", "_messages", "size")

    def __init__(self, bytes_max: int = QUEUE_BYTES_MAX) -> None:
        self._bytes_max: Final = bytes_max
        self._messages: Final[deque[bytes]] = deque()
        self.size = 0

    def put(self, message: bytes) -> bool:
        """Whether there was room. There always is for one message: else a long recovery would be asked for forever."""
        if self._messages and self.size + len(message) > self._bytes_max:
            return False
        self._messages.append(message)
        self.size += len(message)
        return True

    def take(self) -> str | None:
        """The next frame, which waits no longer; None if there is none."""
        messages = self._messages
        if not messages:
            return None
        first = messages.popleft()
        size = len(first)
        if not messages:
            self.size = 0
            return first.decode()
        lines = [first]
        while messages and size + len(messages[0]) < FRAME_BYTES:
            lines.append(messages.popleft())
            size += len(lines[-1]) + 1
        self.size = self.size - size + len(lines) - 1
        return b"\n".join(lines).decode()

    def clear(self) -> None:
        """Nothing waits any more."""
        self._messages.clear()
        self.size = 0
