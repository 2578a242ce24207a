"""One WebSocket to a venue, as texts: what it says, that it says nothing, or that it has ended.

A control ping is sent every PING_SECONDS; where no answer to it comes the socket ends. So one that has not ended is
alive, however silent it is.
"""

from typing import Final, Protocol

import aiohttp

from tallystick.connect.errors import Ambiguous

PING_SECONDS: Final = 10.0


class Socket(Protocol):
    """A WebSocket, or what stands in its place in a simulation."""

    async def send(self, text: str) -> None:
        """Raises Ambiguous."""
        ...

    async def receive(self, seconds: float) -> str | None:
        """The next text; None if none came in so many seconds. Raises Ambiguous when the socket has ended."""
        ...

    async def close(self) -> None: ...


class WebSocket:
    """See Socket; made by HttpSession.socket."""

    def __init__(self, connection: aiohttp.ClientWebSocketResponse) -> None:
        self._connection: Final = connection

    async def send(self, text: str) -> None:
        try:
            await self._connection.send_str(text)
        except (aiohttp.ClientError, OSError) as error:
            raise Ambiguous(f"the socket broke: {type(error).__name__}") from None

    async def receive(self, seconds: float) -> str | None:
        try:
            message = await self._connection.receive(seconds)
        except TimeoutError:
            return None
        if message.type is aiohttp.WSMsgType.TEXT:
            text: str = message.data
            return text
        if message.type is aiohttp.WSMsgType.BINARY:
            return bytes(message.data).decode(errors="replace")
        raise Ambiguous(f"the socket ended with code {self._connection.close_code}")

    async def close(self) -> None:
        await self._connection.close()
