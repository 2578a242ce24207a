"""A line between a client and a venue over HTTP that fails as it is told to: requests are lost before they arrive,
answers after it, both may be late, limited or garbled. The venue at the far end is a real one.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import aiohttp
from aiohttp import web

HOP_HEADERS: Final = {"host", "content-length", "transfer-encoding", "connection", "keep-alive"}
HOLD_SECONDS: Final = 600.0
LATE_SECONDS: Final = 1.0
GARBAGE: Final = b'{"id": 7, "status": ['


def places_an_order(request: web.Request) -> bool:
    return request.method == "POST" and request.path.endswith("/orders")


class Line:
    """``script`` says what becomes of the next orders sent: pass (the default), lose_request, lose_answer, hold_answer,
    late_request, garble_answer, or limit:SECONDS.

    While ``is_cut`` every connection ends at once. ``rewrite`` is what answers go through, ``revise`` what requests to
    place go through. ``delay`` is for every answer. ``is_order`` tells which requests place an order. ``url`` is the
    near end; ``answers`` are the bodies of the venue's answers to orders, also where they were lost.
    """

    def __init__(self, far: str, is_order: Callable[[web.Request], bool] = places_an_order) -> None:
        self.far: Final = far
        self.url = ""
        self.script: Final[deque[str]] = deque()
        self.is_cut = False
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

    def cut(self, ending: str) -> None:
        """End the next connection for a path with this ending, once."""
        self._cuts.append(ending)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        word = "pass"
        is_order = self._is_order(request)
        if is_order:
            self.posted += 1
            word = self.script.popleft() if self.script else "pass"
            body = self.revise(body)
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

    def _later(self, request: Awaitable[object]) -> None:
        async def wait() -> None:
            await asyncio.sleep(LATE_SECONDS)
            await request

        task: asyncio.Task[object] = asyncio.create_task(wait())
        self._late.add(task)
        task.add_done_callback(self._late.discard)


def _cut(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


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
