"""One WebSocket through a line: what either end says goes to the other, until one of them or the line ends it."""

import asyncio
from collections.abc import Callable
from typing import Final

import aiohttp
from aiohttp import web

Rewrite = Callable[[bytes], bytes]
HANDSHAKE: Final = "sec-websocket-"


class Relay:
    """``rewrite`` is what the venue's frames go through; what it makes empty is not passed on."""

    def __init__(self, path: str, rewrite: Rewrite) -> None:
        self.path: Final = path
        self._rewrite: Final = rewrite
        self._ended: Final = asyncio.Event()

    def end(self) -> None:
        """As a line that is cut: nobody says goodbye."""
        self._ended.set()

    async def serve(self, near: web.WebSocketResponse, far: aiohttp.ClientWebSocketResponse) -> None:
        """Returns when it is over."""
        tasks = [
            asyncio.create_task(self._ask(near, far)),
            asyncio.create_task(self._tell(far, near)),
            asyncio.create_task(self._ended.wait()),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, near: web.WebSocketResponse, far: aiohttp.ClientWebSocketResponse) -> None:
        async for message in near:
            if message.type is aiohttp.WSMsgType.TEXT:
                await far.send_str(message.data)

    async def _tell(self, far: aiohttp.ClientWebSocketResponse, near: web.WebSocketResponse) -> None:
        async for message in far:
            if message.type is aiohttp.WSMsgType.TEXT and (body := self._rewrite(message.data.encode())):
                await near.send_str(body.decode())
