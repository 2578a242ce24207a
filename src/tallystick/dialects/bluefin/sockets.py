"""One client's WebSocket: what it is told waits in a bounded queue, and is sent in order, as fast as it is taken.

*Facts* are never dropped: a client that is too slow for them is closed. *Views* are as of now: the newest takes the
place of one that still waits. Messages are made once and shared by all the sockets that are sent them.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import Final, NamedTuple, TypeVar

import msgspec
from msgspec import Struct
from starlette.types import Message, Receive, Scope, Send

from tallystick.deliver.sockets import Ending
from tallystick.deliver.stream import ABORT, GOODBYE_SECONDS, STOPPING, WEBSOCKET_CODES
from tallystick.deliver.stream import SLOW as SLOW_CONSUMER
from tallystick.dialects.bluefin.errors import RequestError
from tallystick.dialects.bluefin.requests import read
from tallystick.dialects.bluefin.wire import SubscriptionAnswer

T = TypeVar("T", bound=Struct)

FACTS_MAX: Final = 8192
"""So many may wait: more than one entry can make for an account."""
STALL_SECONDS: Final = 10.0
TAKEN_AT_ONCE: Final = 64


SLOW: Final = Ending(WEBSOCKET_CODES[SLOW_CONSUMER], SLOW_CONSUMER)
STOPPED: Final = Ending(WEBSOCKET_CODES[STOPPING], STOPPING)
FAILED: Final = Ending(1011, "internal_error")

_encode: Final = msgspec.json.Encoder().encode
_log = logging.getLogger(__name__)


class Limits(NamedTuple):
    """A test's are smaller. A client is slow when more than ``facts_max`` frames wait for it, or when it does not take
    TAKEN_AT_ONCE of them in ``stall_seconds``."""

    facts_max: int = FACTS_MAX
    stall_seconds: float = STALL_SECONDS


class Socket:
    """An accepted connection. ``serve`` returns when it is over; the other methods neither wait nor raise."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, limits: Limits) -> None:
        self._receive: Final = receive
        self._send: Final = send
        self._abort: Final[Callable[[], object] | None] = scope.get("state", {}).get(ABORT)
        self._limits: Final = limits
        self._facts: Final[deque[Message]] = deque()
        self._views: Final[dict[Hashable, Message]] = {}
        self._wake: Final = asyncio.Event()
        self._deadline: asyncio.Timeout | None = None
        self._ending: Ending | None = None
        self._left = False

    def tell(self, message: Message) -> None:
        """A fact; the client is closed if it has too many to take already."""
        if self._ending is not None:
            return
        if len(self._facts) >= self._limits.facts_max:
            self._cut(SLOW)
            return
        self._facts.append(message)
        self._wake.set()

    def show(self, view: Hashable, message: Message) -> None:
        """What ``view`` is now; it takes the place of what it was, if that still waits."""
        self._views[view] = message
        self._wake.set()

    def end(self, ending: Ending) -> None:
        """Close it when it has been sent what waits."""
        self._ending = self._ending or ending
        self._wake.set()

    async def serve(self, hear: Callable[[bytes | str], None]) -> None:
        """Send what there is until the client leaves or is closed; ``hear`` is given each message of the client's."""
        listening = asyncio.get_running_loop().create_task(self._listen(hear))
        try:
            await self._send_what_there_is()
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
        if not self._left:
            await self._say_goodbye(self._ending or SLOW)

    def _cut(self, ending: Ending) -> None:
        """Close it, whatever still waits."""
        self._ending = ending
        self._facts.clear()
        self._views.clear()
        self._wake.set()
        if self._deadline is not None and not self._deadline.expired():
            self._deadline.reschedule(asyncio.get_running_loop().time())

    async def _listen(self, hear: Callable[[bytes | str], None]) -> None:
        try:
            while True:
                message = await self._receive()
                if message["type"] == "websocket.disconnect":
                    self._left = True
                    self._cut(STOPPED)
                    return
                hear(message.get("text") or message.get("bytes") or b"")
        except Exception:  # noqa: BLE001 - a fault of ours, which ends this connection and no other
            _log.exception("a message over a WebSocket could not be handled")
            self.end(FAILED)

    async def _send_what_there_is(self) -> None:
        """Returns when it is to be closed."""
        loop = asyncio.get_running_loop()
        with suppress(TimeoutError):
            async with asyncio.timeout(None) as deadline:
                self._deadline = deadline
                while not (self._left or (self._ending is not None and not self._facts)):
                    if not (self._facts or self._views):
                        deadline.reschedule(None)
                        self._wake.clear()
                        await self._wake.wait()
                        continue
                    deadline.reschedule(loop.time() + self._limits.stall_seconds)
                    await self._send_some()
        self._deadline = None

    async def _send_some(self) -> None:
        facts, views = self._facts, self._views
        for _ in range(TAKEN_AT_ONCE):
            if not (facts or views):
                return
            message = facts.popleft() if facts else views.pop(next(iter(views)))
            try:
                await self._send(message)
            except (OSError, RuntimeError):  # it has gone meanwhile
                self._left = True
                return

    async def _say_goodbye(self, ending: Ending) -> None:
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self._send({"type": "websocket.close", "code": ending.code, "reason": ending.reason})
        except (OSError, RuntimeError):  # it has gone meanwhile
            pass
        except TimeoutError:  # it cannot even be told
            if self._abort is not None:
                self._abort()


def read_message(kind: type[T], raw: bytes | str) -> T:
    """A client's message as a ``kind``; RequestError."""
    return read(kind, raw.encode() if isinstance(raw, str) else raw)


def text_message(body: bytes) -> Message:
    """A frame, to be shared by all who are sent it."""
    return {"type": "websocket.send", "text": body.decode()}


def answer(success: bool, message: str) -> Message:
    """The one frame after a subscription."""
    return text_message(_encode(SubscriptionAnswer(success=success, message=message)))


async def refuse(receive: Receive, send: Send, error: RequestError) -> None:
    """Answer a handshake with an HTTP error."""
    await receive()
    body = _encode(error.body)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "websocket.http.response.start", "status": error.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})
