"""uvicorn's protocols with request ids, and bounds on how large a head is and how long a request takes to come."""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from tallystick.deliver.stream import ABORT
from tallystick.server.request_ids import HEADER, STATE_NAME, new_id, request_id

HEAD_BYTES_MAX: Final = 64 * 1024
REQUEST_SECONDS: Final = 15

_TOO_LARGE: Final = (
    b"431 Request Header Fields Too Large",
    b'{"code":"request_head_too_large","detail":"The head of a request has at most 64 KiB."}',
)
_ANSWER: Final = (
    b"HTTP/1.1 %b\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n%b: %b\r\n\r\n%b"
)
_NOT_HTTP: Final = (b"400 Bad Request", b'{"code":"invalid_request","detail":"This is not an HTTP/1.1 request."}')


class BoundedHttp(HttpToolsProtocol):
    """A head of more than HEAD_BYTES_MAX is answered 431; a request that takes too long to arrive is cut off.

    Every answer has a Request-Id. Almost every request comes in one piece and costs next to nothing here.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._in_head = False
        self._arriving = False
        self._head_bytes = 0
        self._timer: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._arriving and not self.transport.is_closing():
            if self._in_head:
                self._head_bytes += len(data)
                if self._head_bytes > HEAD_BYTES_MAX:
                    self._refuse(*_TOO_LARGE)
            if self._timer is None:
                self._timer = self.loop.call_later(REQUEST_SECONDS, self.transport.close)

    def on_message_begin(self) -> None:
        self._in_head = self._arriving = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_bytes = 0
        identity = request_id(self.headers)
        self.scope["state"][STATE_NAME] = identity.decode()
        self.scope["state"][ABORT] = self.transport.abort
        before = self.cycle
        super().on_headers_complete()
        cycle = self.cycle
        if cycle is not before:  # else it is to become a WebSocket
            cycle.default_headers = [*cycle.default_headers, (HEADER, identity)]

    def on_message_complete(self) -> None:
        self._arriving = False
        self._stop_timer()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """What uvicorn calls when it cannot read a request."""
        self._refuse(*_NOT_HTTP)

    def _refuse(self, status: bytes, body: bytes) -> None:
        """Answer what has not become a request, and hear no more."""
        self.transport.write(_ANSWER % (status, len(body), HEADER, new_id(), body))
        self.transport.close()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """With a request id, and with the means to end a connection whose peer reads nothing."""

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:  # else there is no request
            self.scope["state"][STATE_NAME] = request_id(self.scope["headers"]).decode()
            self.scope["state"][ABORT] = self.transport.abort
