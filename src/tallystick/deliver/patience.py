"""A limit on how long a task waits, set anew for every wait: for waits that are many, short, and seldom too long.

``asyncio.timeout`` makes and drops a timer for each wait. Here one timer is kept and looks, when it goes off, whether
the wait of that moment is over its limit; if not, it is set for then.
"""

import asyncio
from types import TracebackType
from typing import Final, Self


class Patience:
    """Of one task: ``with patience.of(seconds): await …`` raises TimeoutError as ``asyncio.timeout`` does."""

    __slots__ = ("_cancelling", "_is_over", "_loop", "_task", "_timer", "_until")

    def __init__(self) -> None:
        self._loop: Final = asyncio.get_running_loop()
        self._task: asyncio.Task[object] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._cancelling = 0
        self._until = 0.0
        self._is_over = False

    def of(self, seconds: float) -> Self:
        """For what is awaited in the block that follows."""
        self._until = self._loop.time() + seconds
        if self._timer is None or self._timer.when() > self._until:
            self._set()
        return self

    def close(self) -> None:
        """No more waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def __enter__(self) -> Self:
        self._task = asyncio.current_task()
        assert self._task is not None, "only a task waits"
        self._cancelling = self._task.cancelling()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        task, self._task = self._task, None
        if self._is_over:
            self._is_over = False
            if task is not None and task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
                raise TimeoutError from error

    def _set(self) -> None:
        self.close()
        self._timer = self._loop.call_at(self._until, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._task is None:
            return
        if self._loop.time() < self._until:
            self._set()
        else:
            self._is_over = True
            self._task.cancel()
