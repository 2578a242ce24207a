"""One HTTP/1.1 connection to an endpoint: a request is written, the head of its response is read, and not much more.

The verdict is in the head, so nobody waits for the body: what is small is read so that the connection can be used
again, and a connection with more to say than that is closed. How long the rest of a body may take is its owner's to
bound: it is told of it.
"""

import asyncio
from collections.abc import Callable
from typing import Final, cast

import httptools

HEAD_BYTES_MAX: Final = 32 * 1024
BODY_BYTES_MAX: Final = 64 * 1024


class BadResponse(Exception):
    """What came back is not a response of HTTP/1.1, or its head is too large."""


class Unanswered(Exception):
    """The connection ended before the response did; ``is_untouched`` when not a byte of one had come."""

    def __init__(self, is_untouched: bool) -> None:
        super().__init__()
        self.is_untouched: Final = is_untouched


class Connection(asyncio.Protocol):
    """``lingers`` is called when there was an answer and not yet all of its body, ``released`` when it can take the
    next request, ``lost`` once when it is over."""

    def __init__(
        self,
        lingers: Callable[["Connection"], None],
        released: Callable[["Connection"], None],
        lost: Callable[["Connection"], None],
    ) -> None:
        self._lingers: Final = lingers
        self._released: Final = released
        self._lost: Final = lost
        self._transport: asyncio.Transport | None = None
        self._reply: asyncio.Future[tuple[int, str]] | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._head_bytes = 0
        self._body_bytes = 0
        self._is_in_head = False
        self._is_lingering = False
        self._retry_after = ""
        self.is_closed = False

    async def post(self, request: bytes, seconds: float) -> tuple[int, str]:
        """The response's status and its Retry-After header ("" without one).

        Raises Unanswered, BadResponse, and TimeoutError if there is no answer within ``seconds``.

        When whoever waits gives up, the connection is closed.
        """
        assert self._transport is not None
        self._parser = httptools.HttpResponseParser(self)
        self._head_bytes = self._body_bytes = 0
        self._is_in_head = True
        self._is_lingering = False
        self._retry_after = ""
        loop = asyncio.get_running_loop()
        reply: asyncio.Future[tuple[int, str]] = loop.create_future()
        self._reply = reply
        # A timer of its own costs a fraction of asyncio.timeout, once for each delivery.
        timer = loop.call_later(seconds, self._fail, TimeoutError())
        self._transport.write(request)
        try:
            return await reply
        except asyncio.CancelledError:
            self.close()
            raise
        finally:
            timer.cancel()

    @property
    def _is_free(self) -> bool:
        """Whether nothing of a response is awaited."""
        return self._parser is None

    def close(self) -> None:
        """At once: whatever is still to be written is not."""
        if self._transport is not None and not self.is_closed:
            self._transport.abort()

    # --- asyncio's calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class

    def data_received(self, data: bytes) -> None:
        if self._parser is None:  # nothing was asked
            self.close()
            return
        if self._is_in_head:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(BadResponse("The response switches to another protocol."))
            return
        except httptools.HttpParserError as error:
            self._fail(BadResponse(f"The response is not HTTP/1.1: {error}."))
            return
        if self._is_in_head and self._head_bytes > HEAD_BYTES_MAX:
            self._fail(BadResponse(f"The head of the response has more than {HEAD_BYTES_MAX} bytes."))
        elif not (self._is_in_head or self._is_lingering or self._is_free):
            self._is_lingering = True
            self._lingers(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_closed = True
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(Unanswered(self._head_bytes == 0))
        self._parser = None
        self._lost(self)

    # --- the parser's calls ---

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"retry-after":
            self._retry_after = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        assert self._parser is not None
        status = self._parser.get_status_code()
        if status < 200:  # interim: the response itself is still to come
            return
        self._is_in_head = False
        if self._reply is not None and not self._reply.done():
            self._reply.set_result((status, self._retry_after))

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if self._body_bytes > BODY_BYTES_MAX:
            self.close()

    def on_message_complete(self) -> None:
        assert self._parser is not None
        if self._is_in_head:  # that was an interim response
            return
        may_go_on = self._parser.should_keep_alive() and self._body_bytes <= BODY_BYTES_MAX
        self._parser = None
        if may_go_on:
            self._released(self)
        else:
            self.close()

    def _fail(self, error: Exception) -> None:
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(error)
        self.close()
