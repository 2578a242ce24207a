"""An accepted WebSocket: what waits for the client is sent in order, as fast as it is taken, until either side ends it.

What waits, and how much of it may, is the outbox's business; here is how it is sent, how the client is heard, and how
a connection comes to an end that the client is told of, if it can be told anything.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, NamedTuple, Protocol

from starlette.types import Receive, Scope, Send

from tallystick.deliver.stream import ABORT, GOODBYE_SECONDS

_log = logging.getLogger(__name__)


class Ending(NamedTuple):
    """Why the server ends a connection: a close code and its reason."""

    code: int
    reason: str


class Outbox(Protocol):
    """What waits to be sent to one client."""

    def take(self) -> str | None:
        """The next frame, which waits no longer; None if there is none."""

    def clear(self) -> None:
        """Nothing waits any more."""


class Socket:
    """``serve`` returns when the connection is over; the other methods neither wait nor raise.

    A client that takes no frame for ``stall_seconds`` is closed as ``slow``, and after a fault of ours as ``failed``.
    """

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        outbox: Outbox,
        *,
        slow: Ending,
        failed: Ending,
        stall_seconds: float,
    ) -> None:
        self._receive: Final = receive
        self._send: Final = send
        self._outbox: Final = outbox
        self._abort: Final[Callable[[], object] | None] = scope.get("state", {}).get(ABORT)
        self._slow: Final = slow
        self._failed: Final = failed
        self._stall_seconds: Final = stall_seconds
        self._wake: Final = asyncio.Event()
        self._sending: asyncio.Timeout | None = None
        self._sending_since: float | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._ending: Ending | None = None
        self._left = False

    @property
    def is_ending(self) -> bool:
        """Whether nothing more is to be put into the outbox."""
        return self._left or self._ending is not None

    def wake(self) -> None:
        """There is something in the outbox."""
        self._wake.set()

    def end(self, ending: Ending) -> None:
        """Close it when it has been sent what waits."""
        self._ending = self._ending or ending
        self._wake.set()

    def cut(self, ending: Ending) -> None:
        """Close it, whatever still waits."""
        self._ending = ending
        self._stop_sending()

    async def serve(self, hear: Callable[[bytes | str], Awaitable[None]]) -> None:
        """Send what there is until the client leaves or is closed.

        ``hear`` is given each message of the client's, and the next one when it has returned.
        """
        listening = asyncio.get_running_loop().create_task(self._listen(hear))
        try:
            await self._send_what_there_is()
        finally:
            listening.cancel()
            if self._watch is not None:
                self._watch.cancel()
            await asyncio.gather(listening, return_exceptions=True)
        if not self._left:
            await self._say_goodbye(self._ending or self._slow)

    def _stop_sending(self) -> None:
        self._outbox.clear()
        self._wake.set()
        if self._sending is not None and not self._sending.expired():
            self._sending.reschedule(asyncio.get_running_loop().time())

    async def _listen(self, hear: Callable[[bytes | str], Awaitable[None]]) -> None:
        try:
            while True:
                message = await self._receive()
                if message["type"] == "websocket.disconnect":
                    self._left = True
                    self._stop_sending()
                    return
                await hear(message.get("text") or message.get("bytes") or b"")
        except Exception:  # noqa: BLE001 - a fault of ours, which ends this connection and no other
            _log.exception("a message over a WebSocket could not be handled")
            self.end(self._failed)

    async def _send_what_there_is(self) -> None:
        """Returns when it is to be closed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(None) as self._sending:
                while not self._left:
                    frame = self._outbox.take()
                    if frame is not None:
                        await self._send_frame(frame)
                    elif self._ending is not None:
                        break
                    else:
                        self._wake.clear()
                        await self._wake.wait()
        self._sending = None

    async def _send_frame(self, frame: str) -> None:
        loop = asyncio.get_running_loop()
        self._sending_since = loop.time()
        if self._watch is None:  # one timer for many frames: most are taken at once
            self._watch = loop.call_later(self._stall_seconds, self._look_for_a_stall)
        try:
            await self._send({"type": "websocket.send", "text": frame})
        except (OSError, RuntimeError):  # it has gone meanwhile
            self._left = True
        self._sending_since = None

    def _look_for_a_stall(self) -> None:
        self._watch = None
        if self._sending_since is None:
            return
        loop = asyncio.get_running_loop()
        seconds = self._sending_since + self._stall_seconds - loop.time()
        if seconds > 0:
            self._watch = loop.call_later(seconds, self._look_for_a_stall)
        else:
            self.cut(self._slow)

    async def _say_goodbye(self, ending: Ending) -> None:
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self._send({"type": "websocket.close", "code": ending.code, "reason": ending.reason})
        except (OSError, RuntimeError):  # it has gone meanwhile
            pass
        except TimeoutError:  # it cannot even be told
            if self._abort is not None:
                self._abort()
