"""Events for whoever listens, from any position on: as pages of JSON, server-sent events, or over a WebSocket.

One path serves all three: a WebSocket by its upgrade, server-sent events by ``Accept: text/event-stream``, else a page.
Each event comes with its position, so that a stream that broke goes on where it was (``Last-Event-ID`` or ``after``).

Nothing is queued for a consumer: it is sent the next batch when it has taken the last. One that does not take a batch
for STALL_SECONDS is cut off, with its position and a code (SLOW), and never finds a gap.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager, suppress
from typing import Any, Final, Generic, NamedTuple, TypeVar

import msgspec
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Message, Receive, Scope, Send

from tallystick.access.principal import Denied
from tallystick.deliver.patience import Patience
from tallystick.deliver.reading import Asked, Reading, Shown, Source
from tallystick.deliver.stream_query import BadQuery

BATCH: Final = 64
HEARTBEAT_SECONDS: Final = 15.0
STALL_SECONDS: Final = 30.0
GOODBYE_SECONDS: Final = 1.0
REVIEW_SECONDS: Final = 5.0
"""So often it is asked again whether the consumer may listen."""
RETRY_MS: Final = 1000
STREAMS_MAX: Final = 256
"""That one viewer follows at the same time: each is a connection, of which a server has a number for all."""

SLOW: Final = "slow_consumer"
ENDED: Final = "unauthorized"
STOPPING: Final = "server_stopping"
WEBSOCKET_CODES: Final = {SLOW: 4008, ENDED: 4001, STOPPING: 1012}
ABORT: Final = "abort"
"""A server may put there, in a request's state, what ends its connection at once."""

REASON_BYTES_MAX: Final = 123
"""What a WebSocket's close frame has room for (RFC 6455 §5.5)."""

Viewer = TypeVar("Viewer")
Admit = Callable[[str | None], Viewer]
"""Who the bearer of an Authorization header is. Raises Denied."""


class Limits(NamedTuple):
    """A test's are shorter."""

    heartbeat_seconds: float = HEARTBEAT_SECONDS
    stall_seconds: float = STALL_SECONDS
    review_seconds: float = REVIEW_SECONDS


class CutOff(Exception):
    """The stream ends before its consumer wants it to; ``code`` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code: Final = code


class Stream(Generic[Viewer]):
    """An ASGI application over what ``source`` has for whom ``admit`` lets in."""

    def __init__(self, source: Source[Viewer], admit: Admit[Viewer], *, limits: Limits | None = None) -> None:
        self._source: Final = source
        self._admit: Final = admit
        self._limits: Final = limits or Limits()
        self._stopping: Final = asyncio.Event()
        self._followed: Final[dict[Viewer, int]] = {}

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
            authorization = _authorization(scope)
            viewer = self._admit(authorization)
            last = headers.get(b"last-event-id", "")
            asked = Asked(scope["query_string"], last, scope.get("path_params", {}))
            reading = self._source.reading(asked, viewer)
        except (BadQuery, Denied) as error:
            await _refuse(error, is_socket, receive, send)
            return
        if not is_socket and "text/event-stream" not in headers.get(b"accept", ""):
            await self._page(reading, send)
            return
        if self._followed.get(viewer, 0) >= STREAMS_MAX:
            await _refuse(_too_many_streams(), is_socket, receive, send)
            return
        abort = scope.get("state", {}).get(ABORT)
        with self._following(viewer), reading:
            consumer = _Consumer(receive, send, abort, self._limits.stall_seconds, self._stopping, reading)
            batches = self._follow(reading, authorization, consumer.patience)
            await (self._socket if is_socket else self._server_sent)(consumer, reading, batches)

    @contextmanager
    def _following(self, viewer: Viewer) -> Iterator[None]:
        self._followed[viewer] = self._followed.get(viewer, 0) + 1
        try:
            yield
        finally:
            self._followed[viewer] -= 1
            if not self._followed[viewer]:
                del self._followed[viewer]

    async def _follow(
        self, reading: Reading, authorization: str | None, patience: Patience
    ) -> AsyncIterator[Sequence[Shown]]:
        """Batches of what is wanted; an empty one where there was nothing for a while. Raises CutOff."""
        loop = asyncio.get_running_loop()
        reviewed = told = loop.time()
        while True:
            found: Sequence[Shown] = ()
            with suppress(TimeoutError), patience.of(self._limits.heartbeat_seconds):
                found = await reading.next(BATCH)
            now = loop.time()
            if now - reviewed >= self._limits.review_seconds:
                reviewed = now
                self._review(authorization)
            if found or now - told >= self._limits.heartbeat_seconds:
                yield found
                told = now

    def _review(self, authorization: str | None) -> None:
        try:
            self._admit(authorization)
        except Denied as error:
            if error.status in (401, 403):
                raise CutOff(ENDED) from None

    # --- The three encoders ---

    async def _page(self, reading: Reading, send: Send) -> None:
        """One bounded look; whoever wants more goes on from its position."""
        body: dict[str, Any] = {"events": [msgspec.Raw(each.body) for each in await reading.page()]}
        await _answer(send, 200, msgspec.json.encode(body | reading.place))

    async def _server_sent(
        self, consumer: "_Consumer", reading: Reading, batches: AsyncIterator[Sequence[Shown]]
    ) -> None:
        head = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]
        await consumer.send({"type": "http.response.start", "status": 200, "headers": head})

        def body(text: bytes, more: bool = True) -> Message:
            return {"type": "http.response.body", "body": text, "more_body": more}

        def render(batch: Sequence[Shown]) -> Message:
            if not batch:
                return body(b"id: %b\n: nothing new\n\n" % reading.position.encode())
            lines = [
                b"id: %b\nevent: %b\ndata: %b\n\n" % (each.id.encode(), each.name.encode(), each.body) for each in batch
            ]
            return body(b"".join(lines))

        def goodbye(code: str) -> Message:
            data = msgspec.json.encode({"code": code, "position": consumer.position})
            return body(b"id: %b\nevent: cut_off\ndata: %b\n\n" % (consumer.position.encode(), data), more=False)

        await consumer.send(body(b"retry: %d\n: from %b\n\n" % (RETRY_MS, reading.position.encode())))
        await consumer.consume(batches, render, goodbye)

    async def _socket(self, consumer: "_Consumer", reading: Reading, batches: AsyncIterator[Sequence[Shown]]) -> None:
        """A message for each batch: an array of events, and the position after them."""
        await consumer.receive()
        await consumer.send({"type": "websocket.accept"})

        def render(batch: Sequence[Shown]) -> Message:
            shown = [msgspec.Raw(each.body) for each in batch]
            message = msgspec.json.encode({"events": shown, "position": reading.position})
            return {"type": "websocket.send", "text": message.decode()}

        def goodbye(code: str) -> Message:
            reason = f"{code} {consumer.position}"
            # Who is not told the position has it from the last message.
            reason = reason if len(reason.encode()) <= REASON_BYTES_MAX else code
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
        reading: Reading,
    ) -> None:
        self.receive: Final = receive
        self.send: Final = send
        self._abort: Final = abort
        self._stall_seconds: Final = stall_seconds
        self._stopping: Final = stopping
        self._reading: Final = reading
        self.patience: Final = Patience()
        self.position = reading.position

    async def consume(
        self,
        batches: AsyncIterator[Sequence[Shown]],
        render: Callable[[Sequence[Shown]], Message],
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
            self.patience.close()
        if not pushing.cancelled():
            await self._leave(goodbye(pushing.result()))
        elif self._stopping.is_set():
            await self._leave(goodbye(STOPPING))

    async def _push(self, batches: AsyncIterator[Sequence[Shown]], render: Callable[[Sequence[Shown]], Message]) -> str:
        """Send until the consumer is cut off: why."""
        try:
            async with aclosing(batches):  # type: ignore[type-var]  # it is a generator
                async for batch in batches:
                    await self._taken(render(batch))
                    self.position = self._reading.position
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
            with self.patience.of(self._stall_seconds):
                await self.send(message)
        except TimeoutError:
            raise CutOff(SLOW) from None

    async def _left(self) -> None:
        while (await self.receive())["type"] not in ("http.disconnect", "websocket.disconnect"):
            pass


def _authorization(scope: Scope) -> str | None:
    """The header, if there is one and no other: of two, nobody knows which one counts."""
    given = [value for name, value in scope["headers"] if name == b"authorization"]
    return given[0].decode("latin-1") if len(given) == 1 else None


def _too_many_streams() -> Denied:
    detail = f"{STREAMS_MAX} streams are followed already: end one first."
    return Denied(429, "too_many_streams", detail, retry_after=int(HEARTBEAT_SECONDS))


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


_STATUSES: Final = {"method_not_allowed": 405, "position_unknown": 410, "not_found": 404}
_NO_HEADERS: Final[dict[str, str]] = {}


async def _answer(
    send: Send, status: int, body: bytes, more: dict[str, str] = _NO_HEADERS, kind: str = "http.response"
) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    headers += [(name.encode(), value.encode("latin-1")) for name, value in more.items()]
    await send({"type": f"{kind}.start", "status": status, "headers": headers})
    await send({"type": f"{kind}.body", "body": body})
