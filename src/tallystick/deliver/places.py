"""Places for attempts, so many for an owner and so many for all: whoever finds none is told when there is one again."""

import asyncio
from typing import Final


class Places:
    """Everything here runs on one event loop's thread."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: Final[dict[asyncio.Event, None]] = {}  # in order, as they are told

    def take(self, freed: asyncio.Event | None = None) -> bool:
        """Whether there is one, which is then taken; if not, ``freed`` is set once there is."""
        if not self._free:
            if freed is not None:
                self._waiting[freed] = None
            return False
        self._free -= 1
        return True

    async def wait(self) -> None:
        """Take one as soon as there is one."""
        freed = asyncio.Event()
        try:
            while not self.take(freed):
                await freed.wait()
                freed.clear()
        except asyncio.CancelledError:
            self.leave(freed)
            raise

    def give(self) -> None:
        """One is free again."""
        self._free += 1
        self._tell()

    def leave(self, freed: asyncio.Event) -> None:
        """Whoever waited with it does so no more; if it was told already, another is."""
        self._waiting.pop(freed, None)
        if self._free:
            self._tell()

    def _tell(self) -> None:
        if self._waiting:
            freed = next(iter(self._waiting))
            del self._waiting[freed]
            freed.set()
