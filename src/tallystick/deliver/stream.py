"""Events for whoever listens, from any position on: as pages of JSON, server-sent events, or over a WebSocket.

One path serves all three: a WebSocket by its upgrade, server-sent events by ``Accept: text/event-stream``, else a page.
Each event comes with its position, so that a stream that broke goes on where it was (``Last-Event-ID`` or ``after``).

Nothing is queued for a consumer: it is sent the next batch when it has taken the last. One that does not take a batch
for STALL_SECONDS is cut off, with its position and a code (SLOW), and never finds a gap.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, suppress
from typing import Final, NamedTuple

import msgspec
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Message, Receive, Scope, Send

from tallystick.access.principal import Denied
from tallystick.deliver.feed import Happening
from tallystick.deliver.hub import Cursor, Hub
from tallystick.deliver.stream_query import BadQuery, Wanted, read_query

BATCH: Final = 64
HEARTBEAT_SECONDS: Final = 15.0
STALL_SECONDS: Final = 30.0
GOODBYE_SECONDS: Final = 1.0
REVIEW_SECONDS: Final = 60.0
"""So often it is asked again whether the consumer may listen."""
RETRY_MS: Final = 1000

SLOW: Final = "slow_consumer"
ENDED: Final = "unauthorized"
STOPPING: Final = "server_stopping"
WEBSOCKET_CODES: Final = {SLOW: 4008, ENDED: 4001, STOPPING: 1012}
ABORT: Final = "abort"
"""A server may put there, in a request's state, what ends its connection at once."""

Admit = Callable[[str | None], str | None]
"""Whose events the bearer of an Authorization header may see, None for everybody's. Raises Denied."""


class Limits(NamedTuple):
    """A test's are shorter."""

    heartbeat_seconds: float = HEARTBEAT_SECONDS
    stall_seconds: float = STALL_SECONDS
    review_seconds: float = REVIEW_SECONDS


class Envelope(msgspec.Struct, frozen=True):
    """An event with all that a sender of another process must know of it; for those who may see everything."""

    position: int
    event_id: str
    name: str
    resource: str
    group: str
    owner: str
    time: int
    body: msgspec.Raw


class CutOff(Exception):
    """The stream ends before its consumer wants it to; ``code`` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code: Final = code


class Stream:
    """An ASGI application. ``is_enveloped`` shows Envelopes instead of the events themselves."""

    def __init__(self, hub: Hub, admit: Admit, *, is_enveloped: bool = False, limits: Limits | None = None) -> None:
        self._hub: Final = hub
        self._admit: Final = admit
        self._is_enveloped: Final = is_enveloped
        self._show: Final = _enveloped if is_enveloped else _bare
        self._limits: Final = limits or Limits()
        self._stopping: Final = asyncio.Event()

    def stop(self) -> None:
        """Tell every consumer where it was, and end its stream: the server is asked to stop."""
        self._stopping.set()

    def routes(self, path: str) -> list[BaseRoute]:
        """To stand in an application before what else is below ``path``."""
        return [Route(path, self), WebSocketRoute(path, self)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        is_socket = scope["type"] == "websocket"
        try:
            if not is_socket and scope["method"] != "GET":
                raise BadQuery("method_not_allowed", "Events are read with GET.")
            owner = self._admit(headers.get(b"authorization"))
            last = headers.get(b"last-event-id", "")
            wanted = read_query(scope["query_string"], last, owner, self._hub.feed)
        except (BadQuery, Denied) as error:
            await _refuse(error, is_socket, receive, send)
            return
        consumer = _Consumer(
            receive, send, scope.get("state", {}).get(ABORT), self._limits.stall_seconds, self._stopping
        )
        if not is_socket and "text/event-stream" not in headers.get(b"accept", ""):
            await self._page(wanted, send)
            return
        consumer.position = wanted.after
        with self._hub.cursor(wanted.owner, wanted.after) as cursor:
            batches = self._follow(cursor, wanted, headers.get(b"authorization"))
            if is_socket:
                await self._socket(consumer, cursor, batches)
            else:
                await self._server_sent(consumer, cursor, batches)

    async def _follow(
        self, cursor: Cursor, wanted: Wanted, authorization: str | None
    ) -> AsyncIterator[Sequence[Happening]]:
        """Batches of what is wanted; an empty one where there was nothing for a while. Raises CutOff."""
        loop = asyncio.get_running_loop()
        reviewed = loop.time()
        while True:
            found: Sequence[Happening] = ()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._limits.heartbeat_seconds):
                    found = await cursor.next(BATCH)
            if loop.time() - reviewed >= self._limits.review_seconds:
                reviewed = loop.time()
                self._review(authorization)
            shown = [each for each in found if wanted.includes(each)]
            if shown or not found:
                yield shown

    def _review(self, authorization: str | None) -> None:
        try:
            self._admit(authorization)
        except Denied as error:
            if error.status in (401, 403):
                raise CutOff(ENDED) from None

    # --- The three encoders ---

    async def _page(self, wanted: Wanted, send: Send) -> None:
        """One bounded look; whoever wants more goes on from its position."""
        page = await self._hub.feed.page(wanted.owner, wanted.after, wanted.limit)
        shown = [msgspec.Raw(self._show(each)) for each in page.happenings if wanted.includes(each)]
        body = {"events": shown, "position": self._hub.feed.text(page.through)}
        await _answer(send, 200, msgspec.json.encode(body | {"through": page.through} if self._is_enveloped else body))

    async def _server_sent(
        self, consumer: "_Consumer", cursor: Cursor, batches: AsyncIterator[Sequence[Happening]]
    ) -> None:
        head = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]
        await consumer.send({"type": "http.response.start", "status": 200, "headers": head})
        feed = self._hub.feed

        def body(text: bytes, more: bool = True) -> Message:
            return {"type": "http.response.body", "body": text, "more_body": more}

        def render(batch: Sequence[Happening]) -> Message:
            if not batch:
                return body(b": nothing new\n\n")
            lines = [
                b"id: %b\nevent: %b\ndata: %b\n\n" % (each.event_id.encode(), each.name.encode(), self._show(each))
                for each in batch
            ]
            return body(b"".join(lines))

        def goodbye(code: str) -> Message:
            position = feed.text(consumer.position)
            data = msgspec.json.encode({"code": code, "position": position})
            return body(b"id: %b\nevent: cut_off\ndata: %b\n\n" % (position.encode(), data), more=False)

        await consumer.send(body(b"retry: %d\n: from %b\n\n" % (RETRY_MS, feed.text(cursor.position).encode())))
        await consumer.consume(batches, render, goodbye)

    async def _socket(self, consumer: "_Consumer", cursor: Cursor, batches: AsyncIterator[Sequence[Happening]]) -> None:
        """A message for each batch: an array of events, and the position after them."""
        await consumer.receive()
        await consumer.send({"type": "websocket.accept"})
        feed = self._hub.feed

        def render(batch: Sequence[Happening]) -> Message:
            position = feed.text(batch[-1].position if batch else cursor.position)
            shown = [msgspec.Raw(self._show(each)) for each in batch]
            message = msgspec.json.encode({"events": shown, "position": position})
            return {"type": "websocket.send", "text": message.decode()}

        def goodbye(code: str) -> Message:
            reason = f"{code} {feed.text(consumer.position)}"
            return {"type": "websocket.close", "code": WEBSOCKET_CODES[code], "reason": reason}

        await consumer.consume(batches, render, goodbye)


class _Consumer:
    """Who is at the other end: sent one message at a time, and watched for leaving. It has all up to ``position``."""

    def __init__(
        self,
        receive: Receive,
        send: Send,
        abort: Callable[[], object] | None,
        stall_seconds: float,
        stopping: asyncio.Event,
    ) -> None:
        self.receive: Final = receive
        self.send: Final = send
        self._abort: Final = abort
        self._stall_seconds: Final = stall_seconds
        self._stopping: Final = stopping
        self.position = 0

    async def consume(
        self,
        batches: AsyncIterator[Sequence[Happening]],
        render: Callable[[Sequence[Happening]], Message],
        goodbye: Callable[[str], Message],
    ) -> None:
        """Send until the consumer leaves, is cut off, or the server stops."""
        loop = asyncio.get_running_loop()
        pushing = loop.create_task(self._push(batches, render))
        others = [loop.create_task(self._left()), loop.create_task(self._stopping.wait())]
        try:
            await asyncio.wait((pushing, *others), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (pushing, *others):
                task.cancel()
            await asyncio.gather(pushing, *others, return_exceptions=True)
        if not pushing.cancelled():
            await self._leave(goodbye(pushing.result()))
        elif self._stopping.is_set():
            await self._leave(goodbye(STOPPING))

    async def _push(
        self, batches: AsyncIterator[Sequence[Happening]], render: Callable[[Sequence[Happening]], Message]
    ) -> str:
        """Send until the consumer is cut off: why."""
        try:
            async with aclosing(batches):  # type: ignore[type-var]  # it is a generator
                async for batch in batches:
                    await self._taken(render(batch))
                    if batch:
                        self.position = batch[-1].position
        except CutOff as cut:
            return cut.code
        raise AssertionError("happenings do not end")

    async def _leave(self, goodbye: Message) -> None:
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self.send(goodbye)
        except TimeoutError:  # it cannot even be told
            if self._abort is not None:
                self._abort()

    async def _taken(self, message: Message) -> None:
        """Sent, and so far taken that there is room for another."""
        try:
            async with asyncio.timeout(self._stall_seconds):
                await self.send(message)
        except TimeoutError:
            raise CutOff(SLOW) from None

    async def _left(self) -> None:
        while (await self.receive())["type"] not in ("http.disconnect", "websocket.disconnect"):
            pass


def _bare(happening: Happening) -> bytes:
    return happening.body


def _enveloped(happening: Happening) -> bytes:
    return msgspec.json.encode(Envelope(*happening[:7], msgspec.Raw(happening.body)))


async def _refuse(error: BadQuery | Denied, is_socket: bool, receive: Receive, send: Send) -> None:
    status = error.status if isinstance(error, Denied) else _STATUSES.get(error.code, 400)
    headers = error.headers if isinstance(error, Denied) else {}
    if is_socket:
        await receive()
    await _answer(
        send,
        status,
        msgspec.json.encode({"code": error.code, "detail": error.detail}),
        headers,
        "websocket.http.response" if is_socket else "http.response",
    )


_STATUSES: Final = {"method_not_allowed": 405, "position_unknown": 410}
_NO_HEADERS: Final[dict[str, str]] = {}


async def _answer(
    send: Send, status: int, body: bytes, more: dict[str, str] = _NO_HEADERS, kind: str = "http.response"
) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    headers += [(name.encode(), value.encode("latin-1")) for name, value in more.items()]
    await send({"type": f"{kind}.start", "status": status, "headers": headers})
    await send({"type": f"{kind}.body", "body": body})
