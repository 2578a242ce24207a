"""Each request has an id: in its answer as ``Request-Id``, in its state, and in every log line that it causes."""

import logging
import os
import re
import time
from collections.abc import Awaitable, Iterable
from itertools import count
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tallystick.server.logs import request_state

HEADER: Final = b"request-id"
STATE_NAME: Final = "request_id"

_ACCEPTABLE: Final = re.compile(rb"[!-~]{1,64}")
_THIS_PROCESS: Final = b"req_" + os.urandom(6).hex().encode() + b"_"
_numbers: Final = count(1)

_log = logging.getLogger(__name__)


def request_id(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The client's own id if it is 1 to 64 printable ASCII characters without spaces; else one of ours."""
    for name, value in headers:
        if name == HEADER:
            return value if _ACCEPTABLE.fullmatch(value) else new_id()
    return new_id()


def new_id() -> bytes:
    """Unlike any other of any process; it is no secret, so a number does."""
    return b"%b%x" % (_THIS_PROCESS, next(_numbers))


class Identified:
    """An ASGI application, each of whose requests is known to the log; at level debug each is logged, too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app: Final = app
        self._tells: Final = _log.isEnabledFor(logging.DEBUG)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        # No coroutine of its own: this is in the way of every request.
        request_state.set(scope["state"])
        if self._tells and scope["type"] == "http":
            return self._answer_and_tell(scope, receive, send)
        return self._app(scope, receive, send)

    async def _answer_and_tell(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The query is not told: it is where clients put what they should not."""
        began = time.monotonic()

        async def send_and_tell(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.start":
                milliseconds = round(1000 * (time.monotonic() - began), 1)
                extra = {"status": message["status"], "ms": milliseconds}
                _log.debug("%s %s", scope["method"], scope["path"], extra=extra)

        await self._app(scope, receive, send_and_tell)
