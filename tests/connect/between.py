"""A line between a client and a venue that loses what it is told to: requests before they arrive, answers after it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

HOP_HEADERS = {"host", "content-length", "transfer-encoding", "connection", "keep-alive"}


class Line:
    """``script`` says what becomes of the next orders sent: pass (the default), lose_request, lose_answer, hold_answer.

    While ``is_cut`` every connection ends at once. ``rewrite`` is what answers go through. ``url`` is the near end.
    """

    def __init__(self, far: str) -> None:
        self.far = far
        self.url = ""
        self.script: deque[str] = deque()
        self.is_cut = False
        self.posted = 0
        self.held = asyncio.Event()
        self.rewrite: Callable[[str, bytes], bytes] = lambda path, content: content
        self._session: aiohttp.ClientSession | None = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        assert self._session is not None
        body = await request.read()
        word = "pass"
        if request.method == "POST" and request.path.endswith("/orders"):
            self.posted += 1
            word = self.script.popleft() if self.script else "pass"
        if self.is_cut or word == "lose_request":
            return _cut(request)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_HEADERS}
        async with self._session.request(
            request.method, self.far + request.raw_path, data=body, headers=headers
        ) as answer:
            content = await answer.read()
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_HEADERS}
        if word == "hold_answer":
            self.held.set()
            await asyncio.sleep(600)
        if word == "lose_answer" or self.is_cut:
            return _cut(request)
        return web.Response(status=answer.status, body=self.rewrite(request.path, content), headers=kept)


def _cut(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@asynccontextmanager
async def line_to(far: str) -> AsyncIterator[Line]:
    line = Line(far)
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", line.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    line.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession() as session:
        line._session = session
        try:
            yield line
        finally:
            await runner.cleanup()
