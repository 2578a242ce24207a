"""Channels over a journal of their own, served on a real socket; the journal outlives the server, as a disk would.

In a scene that is played, ``ann = await hall.join("ann", "news")``; then ``hall.publish("news", 1)``, and what ann was
told is ``ann.told``. Tokens are a name, ``name:seconds`` for one that ends, and ``name:expired``; the channels that
begin with ``secret`` are denied, those that begin with ``no`` are unknown.
"""

import asyncio
import json
import socket
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress

import uvicorn
from centrifuge import Client, ClientEventHandler, SubscriptionEventHandler
from starlette.applications import Starlette
from uvicorn.server import ServerState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tallystick.deliver.centrifugo import (
    ALLOWED,
    DENIED,
    IN_ENTRY_MAX,
    UNKNOWN,
    Bounds,
    Centrifugo,
    Limits,
    Published,
    Recent,
    Streams,
    TokenRefused,
    Visitor,
    offset_of,
)
from tallystick.server.http import BoundedHttp, BoundedWebSocket

BUFFER_BYTES = 8192
"""What lies between two sockets: little, so that one that does not read is soon noticed."""
KEPT = Bounds(100, 300)


class Door:
    """``barred`` are channels that nobody may listen to any more."""

    def __init__(self) -> None:
        self.barred = set()

    def admit(self, token: str) -> Visitor[str]:
        name, _, word = token.partition(":")
        if word == "expired" or not name.isalpha():
            raise TokenRefused(expired=word == "expired")
        return Visitor(name, int(word) if word else None)

    def may_subscribe(self, principal: str, channel: str) -> int:
        if channel in self.barred or channel.startswith("secret"):
            return DENIED
        return UNKNOWN if channel.startswith("no") else ALLOWED


class Journal:
    """Entries, each with publications of some channels.

    ``gate`` holds up whoever reads: before it has read if it ``reads_late``, else after.
    """

    epoch = "journal-1"

    def __init__(self, bounds: Bounds) -> None:
        self.now = 1_700_000_000_000_000
        self.sequence = 0
        self.reads = 0
        self.reads_late = False
        self.gate = asyncio.Event()
        self.gate.set()
        self._bounds = bounds
        self._published = defaultdict(list)

    def bounds(self, channel: str) -> Bounds:
        return Bounds(0, 0) if channel.startswith("fleeting") else self._bounds

    def write(self, channel: str, *rows: object) -> list[Published]:
        self.sequence += 1
        entry = [
            Published(offset_of(self.sequence, at), json.dumps(row).encode(), self.now) for at, row in enumerate(rows)
        ]
        self._published[channel] += entry
        return entry

    async def recent(self, channel: str, count: int, not_before: int) -> Recent:
        self.reads += 1
        if self.reads_late:
            await self.gate.wait()
        top = offset_of(self.sequence, IN_ENTRY_MAX - 1)
        published = list(self._published[channel])
        await self.gate.wait()
        found = [each for each in published if each.time >= not_before][-count:]
        left_out = published[: len(published) - len(found)]
        return Recent(found, left_out[-1].offset if left_out else 0, top)


class Hall:
    """``limits`` are the server's; the same port is served again after ``restart``."""

    port = 0

    def __init__(self, bounds: Bounds, limits: Limits) -> None:
        self.journal = Journal(bounds)
        self.door = Door()
        self._limits = limits
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "Hall":
        await self._open()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._stack.aclose()
        await self._close()

    def publish(self, channel: str, *rows: object) -> None:
        for published in self.journal.write(channel, *rows):
            self.streams.publish(channel, published)

    def drop(self) -> None:
        """Every connection, as when the network goes."""
        for connection in list(self._state.connections):
            connection.transport.abort()

    async def restart(self, *, meanwhile: Callable[[], object] = lambda: None) -> None:
        await self._close()
        meanwhile()
        await self._open()

    async def join(self, token: str, *channels: str, **options: object) -> "Follower":
        """The official client, subscribed to the channels with the options."""
        follower = Follower(self.port, token)
        self._stack.push_async_callback(follower.client.disconnect)
        await follower.client.connect()
        for channel in channels:
            await follower.subscribe(channel, **options)
        return follower

    async def visit(self, token: str = "ann", **options: object) -> "Bot":
        """A connection that speaks for itself; it has connected if it has a token."""
        wire = socket.socket()
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        wire.connect(("127.0.0.1", self.port))
        options = {"close_timeout": 0.1} | options
        bot = Bot(await self._stack.enter_async_context(connect("ws://127.0.0.1/connection", sock=wire, **options)))
        if token:
            bot.welcome = (await bot.ask(connect={"token": token}))["connect"]
        return bot

    async def _open(self) -> None:
        self.streams = Streams(self.journal, lambda: self.journal.now)
        self.centrifugo = Centrifugo(self.door, self.streams, self._limits)
        config = uvicorn.Config(
            Starlette(routes=self.centrifugo.routes("/connection")),
            log_config=None,
            lifespan="off",
            ws=BoundedWebSocket,
            ws_per_message_deflate=False,
        )
        config.load()
        state = self._state = ServerState()
        door = socket.create_server(("127.0.0.1", self.port))
        door.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        self._server = await asyncio.get_running_loop().create_server(
            lambda: BoundedHttp(config=config, server_state=state, app_state={}), sock=door
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._server.close()
        self.centrifugo.drain()
        if self._state.tasks:
            await asyncio.wait(self._state.tasks)


class Follower(ClientEventHandler, SubscriptionEventHandler):
    """What the official client says it was told: publications as they are, everything else as a word and its number."""

    def __init__(self, port: int, token: str) -> None:
        self.told = []
        self.tokens = []
        """To be shown after the first one."""
        self.client = Client(
            f"ws://127.0.0.1:{port}/connection",
            token=token,
            get_token=self._next_token,
            events=self,
            min_reconnect_delay=0.01,
            max_reconnect_delay=0.02,
            proxy=None,
        )
        self.subscriptions = {}

    async def subscribe(self, channel: str, **options: object) -> None:
        if channel not in self.subscriptions:
            options = {"min_resubscribe_delay": 0.01, "events": self} | options
            self.subscriptions[channel] = self.client.new_subscription(channel, **options)
        await self.subscriptions[channel].subscribe()

    async def sees(self, *last: object) -> list[object]:
        """Return all that it was told when it has been told these last."""
        try:
            await until(lambda: tuple(self.told[-len(last) :]) == last)
        except asyncio.CancelledError:
            raise AssertionError(f"it was told {self.told}") from None
        return self.told

    async def _next_token(self) -> str:
        self.told.append("fetches a token")
        return self.tokens.pop(0)

    async def on_publication(self, context) -> None:
        self.told.append(context.pub.data)

    async def on_subscribed(self, context) -> None:
        how = "recovered" if context.recovered else "not recovered" if context.was_recovering else "subscribed"
        self.told.append(how)

    async def on_unsubscribed(self, context) -> None:
        self.told.append(f"unsubscribed {context.code}")

    async def on_disconnected(self, context) -> None:
        self.told.append(f"disconnected {context.code}")

    async def on_connecting(self, context) -> None:
        if context.code:
            self.told.append(f"reconnects after {context.code}")


class Bot:
    """A client that sends frames as they are written."""

    welcome = None

    def __init__(self, connection: ClientConnection) -> None:
        self.socket = connection
        self._read = []
        self._id = 0

    async def send(self, *commands: object) -> None:
        await self.socket.send("\n".join(json.dumps(each) for each in commands))

    async def next(self) -> dict:
        """The next message."""
        while not self._read:
            self._read = [json.loads(line) for line in (await self.socket.recv()).split("\n")]
        return self._read.pop(0)

    async def ask(self, **method: object) -> dict:
        """The next message, which is to be the answer."""
        self._id += 1
        await self.send({"id": self._id} | method)
        answer = await self.next()
        assert answer.pop("id") == self._id
        return answer

    async def refused(self, **method: object) -> int:
        """The code of the error."""
        return (await self.ask(**method))["error"]["code"]

    async def closed(self) -> int:
        """The code with which the server ends it; whatever was sent before is passed over."""
        with suppress(ConnectionClosed):
            while True:
                await self.next()
        return self.socket.close_code


def play(scene: Callable[[Hall], Awaitable[None]], bounds: Bounds = KEPT, **limits: float) -> None:
    async def run() -> None:
        async with asyncio.timeout(20), Hall(bounds, Limits(**limits)) as hall:
            await scene(hall)

    asyncio.run(run())


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():  # noqa: ASYNC110 - it is about what another party's client has been told
        await asyncio.sleep(0.001)
