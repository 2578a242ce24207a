"""The exchange's floor with its sockets, in one process: what happens on the floor is followed by real clients.

``async with open_hall() as hall, hall.follow("ann") as ann:``, then ``hall.buy(...)`` as on the floor, and what ann was
told is ``await ann.told()``: one line for each frame, and each is read as the strictest clients do.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import time

import msgspec
import uvicorn
from starlette.applications import Starlette
from uvicorn.server import ServerState
from websockets.asyncio.client import ClientConnection, connect

from tallystick.dialects.bluefin.account_stream import AccountStream
from tallystick.dialects.bluefin.frames import Frames, Spelling
from tallystick.dialects.bluefin.login import Login
from tallystick.dialects.bluefin.market_data import MarketData
from tallystick.dialects.bluefin.market_stream import MarketStream
from tallystick.dialects.bluefin.naming import Names
from tallystick.dialects.bluefin.tokens import ACCESS, ISSUER, Claims, Tokens
from tallystick.dialects.bluefin.view import View
from tallystick.facts.commands import PlaceOrder
from tallystick.facts.venue import decode, encode
from tallystick.readers.readers import Readers
from tallystick.server.http import BoundedHttp, BoundedWebSocket
from tests.bluefin.strict_reader import FAILED_CANCEL_SAYS_NULL, StrictReader
from tests.exchange.floor import Floor

E9 = 10**9
MARKET = "ETH-PERP"
BUFFER_BYTES = 8192
"""What lies between two sockets: little, so that one that does not read is soon noticed."""
ACCOUNT_STREAMS = (
    "AccountOrderUpdate",
    "AccountTradeUpdate",
    "AccountAggregatedTradeUpdate",
    "AccountPositionUpdate",
    "AccountUpdate",
    "AccountTransactionUpdate",
    "AccountCommandFailureUpdate",
)
_STRICT = StrictReader()
_SEED = StrictReader(nullable=FAILED_CANCEL_SAYS_NULL)


class Wallets:
    def may_act_for(self, wallet: str, account: str) -> bool:
        return False

    async def welcome(self, account: str) -> None:
        pass


class Hall(Floor):
    """A floor whose entries are durable at once, with a readers' state that sockets follow."""

    port = 0

    def __init__(self, *, limits=None, spelling=None, **floor) -> None:
        self.venue = Readers()
        super().__init__(**{"audited": False} | floor)
        self.desk = Desk(self)
        self.tokens = Tokens(bytes(32))
        view = View(lambda: self.engine.ambient)
        self.data = MarketData(self.desk, view)
        frames = Frames(view, spelling or Spelling())
        self.accounts_stream = AccountStream(self.desk, Login(self.tokens, Wallets()), frames, limits)
        self.market_stream = MarketStream(self.desk, self.data, limits)
        self.data.start()

    def do(self, command):
        if isinstance(command, PlaceOrder):
            with_ = command.instructions
            words = ("STOP_" if with_.trigger else "") + ("LIMIT" if with_.price else "MARKET")
            names = Names(
                "", str(self.hashes), "0xsigner", words, "", "1700000000000", "" if command.market == 1 else "?"
            )
            command = msgspec.structs.replace(command, instructions=msgspec.structs.replace(with_, names=tuple(names)))
        return super().do(command)

    def _keep(self, entry) -> None:
        super()._keep(entry)
        if entry is not None:
            self.venue.commit(decode(encode(entry)))

    def token(self, trader: str, *, read_only: bool = False, seconds: int = 300) -> str:
        now = int(time())
        return self.tokens.issue(Claims(ISSUER, trader, "api", now, now + seconds, "id", trader, read_only, ACCESS))

    @asynccontextmanager
    async def connect(self, path: str = "account", trader: str = "", **options) -> AsyncIterator[ClientConnection]:
        headers = [("Authorization", f"Bearer {self.token(trader)}")] if trader else options.pop("headers", [])
        wire = socket.socket()
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        wire.connect(("127.0.0.1", self.port))
        options = {"close_timeout": 0.1} | options
        async with connect(f"ws://127.0.0.1/ws/{path}", additional_headers=headers, sock=wire, **options) as connection:
            yield connection

    @asynccontextmanager
    async def follow(self, trader: str, *streams: str, **options) -> AsyncIterator["Follower"]:
        async with self.connect("account", trader, **options) as connection:
            follower = Follower(connection)
            assert (await follower.subscribe(*(streams or ACCOUNT_STREAMS)))["success"]
            yield follower

    @asynccontextmanager
    async def watch(self, *streams: str, symbol: str = MARKET) -> AsyncIterator["Watcher"]:
        async with self.connect("market") as connection:
            watcher = Watcher(connection)
            assert (await watcher.subscribe(*streams, symbol=symbol))["success"]
            yield watcher


class Desk:
    def __init__(self, hall: Hall) -> None:
        self.hall = hall
        self.readers = hall.venue

    @property
    def ambient(self):
        return self.hall.engine.ambient

    def now(self) -> int:
        return max(self.hall.now, self.readers.state.time)


class Client:
    """Whoever is at the other end of a socket."""

    def __init__(self, connection: ClientConnection) -> None:
        self.socket = connection

    async def ask(self, message) -> dict:
        """The answer, which is the next frame."""
        await self.socket.send(message if isinstance(message, str | bytes) else json.dumps(message))
        return _STRICT.read("SubscriptionResponseMessage", await self.socket.recv())

    async def sent_until_answered(self, fence: dict) -> list[str]:
        """The frames until the answer to ``fence``, which comes behind all that was told before."""
        await self.socket.send(json.dumps(fence))
        frames = []
        while '"success":' not in (frame := await self.socket.recv()):
            frames.append(frame)
        return frames


class Follower(Client):
    async def subscribe(self, *streams: str, method: str = "Subscribe", **more) -> dict:
        return await self.ask({"method": method, "dataStreams": list(streams)} | more)

    async def frames(self) -> list[dict]:
        """All that it was told since it asked last."""
        frames = await self.sent_until_answered({"method": "Subscribe", "dataStreams": []})
        return [_SEED.read("AccountStreamMessage", frame) for frame in frames]

    async def told(self) -> list[str]:
        """The same, one line each."""
        return [line(frame) for frame in await self.frames()]


class Watcher(Client):
    async def subscribe(self, *streams: str, symbol: str = MARKET, method: str = "Subscribe") -> dict:
        return await self.ask({"method": method, "dataStreams": [{"symbol": symbol, "streams": list(streams)}]})

    async def next(self) -> dict:
        frame = _STRICT.read("MarketStreamMessage", await self.socket.recv())
        return frame["payload"]

    async def told(self) -> list[dict]:
        """The facts that it was told since it asked last."""
        fence = {"method": "Subscribe", "dataStreams": []}
        return [_STRICT.read("MarketStreamMessage", frame) for frame in await self.sent_until_answered(fence)]


def line(frame: dict) -> str:
    """A frame as a row of a scenario shows it."""
    payload, stream = frame["payload"], frame["event"]
    if "trade" in payload:
        trade = payload["trade"]
        what = "trade" if stream == "AccountTradeUpdate" else "trades"
        return f"{what} {trade['side']} {plain(trade['quantityE9'])}@{plain(trade['priceE9'])}"
    if stream == "AccountOrderUpdate" and "status" in payload:
        return f"{payload['status']} {plain(payload['filledQuantityE9'])} of {plain(payload['quantityE9'])}"
    if stream == "AccountOrderUpdate":
        failure = payload["failureToCancelReason"]
        return f"{payload['cancellationReason'] or 'failed'} {failure or plain(payload['remainingQuantityE9'])}"
    if stream == "AccountPositionUpdate":
        return f"position {payload['side']} {plain(payload['sizeE9'])}@{plain(payload['avgEntryPriceE9'])}"
    if stream == "AccountTransactionUpdate":
        return f"{payload['transactionType']} {plain(payload['amountE9'])}"
    if stream == "AccountCommandFailureUpdate":
        return f"command {payload['reasonCode']}"
    return f"account {frame['reason']}"


def plain(amount: str) -> str:
    return f"{int(amount) / E9:.4f}".rstrip("0").rstrip(".")


@asynccontextmanager
async def open_hall(*, ping_seconds: tuple[float, float] = (20, 20), **options) -> AsyncIterator[Hall]:
    """A hall whose doors are open."""
    hall = Hall(**options)
    routes = [*hall.accounts_stream.routes("/ws/account"), *hall.market_stream.routes("/ws/market")]
    config = uvicorn.Config(
        Starlette(routes=routes),
        log_config=None,
        lifespan="off",
        ws=BoundedWebSocket,
        ws_max_size=64 * 1024,
        ws_per_message_deflate=False,
        ws_ping_interval=ping_seconds[0],
        ws_ping_timeout=ping_seconds[1],
    )
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    door = socket.create_server(("127.0.0.1", 0))
    door.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
    server = await loop.create_server(lambda: BoundedHttp(config=config, server_state=state, app_state={}), sock=door)
    hall.port = server.sockets[0].getsockname()[1]
    try:
        yield hall
    finally:
        hall.accounts_stream.drain()
        hall.market_stream.drain()
        server.close()
        if state.tasks:
            await asyncio.wait(state.tasks)
