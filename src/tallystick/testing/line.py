"""A line between a client and a venue over HTTP that fails as it is told to: requests are lost before they arrive,
answers after it, both may be late, limited or garbled. WebSockets pass through it too, and are cut with it. The venue
at the far end is a real one.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import aiohttp
from aiohttp import web

from tallystick.testing.socket_relay import HANDSHAKE, Relay

HOP_HEADERS: Final = {"host", "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade"}
HOLD_SECONDS: Final = 600.0
LATE_SECONDS: Final = 1.0
GARBAGE: Final = b'{"id": 7, "status": ['


def places_an_order(request: web.Request) -> bool:
    return request.method == "POST" and request.path.endswith("/orders")


def cancels_orders(request: web.Request) -> bool:
    return request.method == "PUT" and request.path.endswith("/orders/cancel")


class Line:
    """``script`` says what becomes of the next orders sent: pass (the default), lose_request, lose_answer, hold_answer,
    late_request, garble_answer, or limit:SECONDS; ``cancels`` says it of the next requests to cancel.

    While ``is_cut`` every connection ends at once. ``rewrite`` is what answers and the venue's frames go through (a
    frame that it makes empty is not told), ``revise`` what requests to place go through. ``delay`` is for every answer.
    ``is_order`` tells which requests place an order. ``url`` is the near end; ``answers`` are the bodies of the venue's
    answers to orders, also where they were lost.
    """

    def __init__(self, far: str, is_order: Callable[[web.Request], bool] = places_an_order) -> None:
        self.far: Final = far
        self.url = ""
        self.script: Final[deque[str]] = deque()
        self.cancels: Final[deque[str]] = deque()
        self._is_cut = False
        self._relays: Final[set[Relay]] = set()
        self.delay = 0.0
        self.posted = 0
        self.held: Final = asyncio.Event()
        self.answers: Final[list[bytes]] = []
        self.rewrite: Callable[[str, bytes], bytes] = lambda path, content: content
        self.revise: Callable[[bytes], bytes] = lambda content: content
        self._is_order: Final = is_order
        self._cuts: Final[deque[str]] = deque()
        self._session: aiohttp.ClientSession | None = None
        self._late: Final[set[asyncio.Task[object]]] = set()

    @property
    def is_cut(self) -> bool:
        return self._is_cut

    @is_cut.setter
    def is_cut(self, value: bool) -> None:
        self._is_cut = value
        if value:
            for relay in self._relays:
                relay.end()

    def cut(self, ending: str) -> None:
        """End the sockets for a path with this ending; where there is none, the next connection for it, once."""
        relays = [relay for relay in self._relays if relay.path.endswith(ending)]
        for relay in relays:
            relay.end()
        if not relays:
            self._cuts.append(ending)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("upgrade", "").lower() == "websocket":
            return _cut(request) if self.is_cut else await self._join(request)
        body = await request.read()
        word = "pass"
        is_order = self._is_order(request)
        if is_order:
            self.posted += 1
            word = self.script.popleft() if self.script else "pass"
            body = self.revise(body)
        elif self.cancels and cancels_orders(request):
            word = self.cancels.popleft()
        if word == "late_request":
            self._later(self._forward(request, body, is_order=True))
        if self._cuts and request.path.endswith(self._cuts[0]):
            self._cuts.popleft()
            return _cut(request)
        if self.is_cut or word in ("lose_request", "late_request"):
            return _cut(request)
        if word.startswith("limit:"):
            return web.Response(status=429, headers={"retry-after": word.removeprefix("limit:")})
        answer = await self._forward(request, body, is_order=is_order)
        if word == "hold_answer":
            self.held.set()
            await asyncio.sleep(HOLD_SECONDS)
        if self.delay:
            await asyncio.sleep(self.delay)
        if word == "lose_answer" or self.is_cut:
            return _cut(request)
        if word == "garble_answer":
            answer.body = GARBAGE
        return answer

    async def _forward(self, request: web.Request, body: bytes, *, is_order: bool) -> web.Response:
        assert self._session is not None
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_HEADERS}
        async with self._session.request(
            request.method, self.far + request.raw_path, data=body, headers=headers
        ) as answer:
            content = await answer.read()
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_HEADERS}
        if is_order:
            self.answers.append(content)
        return web.Response(status=answer.status, body=self.rewrite(request.path, content), headers=kept)

    async def _join(self, request: web.Request) -> web.StreamResponse:
        """Through to the venue, until one of both ends or the line is cut."""
        assert self._session is not None
        headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower() not in HOP_HEADERS and not name.lower().startswith(HANDSHAKE)
        }
        try:
            far = await self._session.ws_connect(self.far + request.raw_path, headers=headers)
        except aiohttp.WSServerHandshakeError as error:
            return web.Response(status=error.status)
        near = web.WebSocketResponse()
        await near.prepare(request)
        relay = Relay(request.path, lambda content: self.rewrite(request.path, content))
        self._relays.add(relay)
        try:
            await relay.serve(near, far)
        finally:
            self._relays.discard(relay)
            await far.close()
        return _cut(request, near)

    def _later(self, request: Awaitable[object]) -> None:
        async def wait() -> None:
            await asyncio.sleep(LATE_SECONDS)
            await request

        task: asyncio.Task[object] = asyncio.create_task(wait())
        self._late.add(task)
        task.add_done_callback(self._late.discard)


def _cut(request: web.Request, answer: web.StreamResponse | None = None) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response() if answer is None else answer


@asynccontextmanager
async def line_to(far: str) -> AsyncIterator[Line]:
    """A line to the venue at the URL ``far``, on a free port of this machine."""
    line = Line(far)
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", line.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    line.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession() as session:
        line._session = session
        try:
            yield line
        finally:
            await runner.cleanup()
