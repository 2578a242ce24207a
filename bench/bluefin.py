"""What is told over a thousand account sockets: frames per second, beside the same server sending one frame over and
over.

Orders that rest and are taken are put in front of the readers, and all the sockets follow all that happens to their
accounts: each account by one socket, or by twenty. It is the server's processor time that counts, folding the orders'
entries included.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from pathlib import Path
from statistics import median
from time import process_time
from types import SimpleNamespace
from typing import Any, Final, cast

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from uvicorn.loops.auto import auto_loop_factory

from bench.floor import PRICE, Floor
from bench.options import Options
from bench.processes import CLIENT_CORE, ask, serving
from bench.report import Figure, Finding, say
from tallystick.dialects.bluefin.account_stream import AccountStream
from tallystick.dialects.bluefin.frames import Frame, Frames, Spelling, Wants
from tallystick.dialects.bluefin.login import Login, Session
from tallystick.dialects.bluefin.view import View
from tallystick.dialects.bluefin.words import AccountStream as Stream
from tallystick.facts.codes import BUY, SELL
from tallystick.facts.commands import PlaceOrder
from tallystick.facts.venue import Entry
from tallystick.readers.readers import Readers
from tallystick.server.addresses import LOOPBACK, bind, url
from tallystick.server.listeners import Listener, Listeners
from tallystick.venue.ambient import Ambient
from tallystick.venue.state import State

SOCKETS: Final = 1000
STREAMS: Final[tuple[Stream, ...]] = (
    "AccountOrderUpdate",
    "AccountTradeUpdate",
    "AccountPositionUpdate",
    "AccountUpdate",
)
PLAIN: Final = "x" * 700
"""About as long as a frame."""
AT_ONCE: Final = 64
EACH: Final = {"plain": 20, "twenty": 20, "one": 1}
"""Sockets of an account."""


def run(options: Options) -> list[Finding]:
    """The three in turn; medians of three rounds."""
    rates: dict[str, list[float]] = {}
    for number in range(1 if options.quick else 3):
        for load in ("plain", "twenty", "one"):
            found = _measure(options, load)
            rates.setdefault(load, []).append(found["rate"])
            say(f"  round {number + 1}: {load}: {found['rate']:,.0f} frames/s, {found['frames']:,} frames")
    plain, twenty, one = (median(each) for each in rates.values())
    return [
        Figure(f"one frame over and over to {SOCKETS:,} sockets, in a second of the server's", plain, "/s"),
        Figure("accounts' frames to twenty sockets each, share of that", 100 * twenty / plain, "%", 50, 70),
        Figure("accounts' frames to one socket each, share of that", 100 * one / plain, "%", 20, 30),
    ]


def _measure(options: Options, load: str) -> dict[str, Any]:
    orders = (2_000 if load == "twenty" else 8_000) // (4 if options.quick else 1)
    with (
        tempfile.TemporaryDirectory(dir=options.folder) as place,
        serving(["bench.bluefin", "serve", load, str(orders)], Path(place) / "log") as server,
    ):
        return ask("bench.bluefin", {"port": server.port, "load": load}, core=CLIENT_CORE)


# --- The serving process ---


class NamedFloor(Floor):
    """Its orders have the names that they would have come with, and come from all of its traders."""

    def __init__(self, traders: int, keep: Callable[[Entry], object]) -> None:
        super().__init__(0, keep)
        self.traders.extend(self._open(at) for at in range(len(self.traders), traders))

    def orders(self, count: int) -> list[PlaceOrder]:
        """By turns one that rests and one that takes it; everybody buys and sells as much."""
        made: list[PlaceOrder] = []
        traders = self.traders
        for at in range(count // 2):
            turn, side = at % len(traders), BUY if at // len(traders) % 2 else SELL
            made.append(self.order(traders[turn], side, PRICE))
            made.append(self.order(traders[(turn + 1) % len(traders)], SELL if side == BUY else BUY, PRICE))
        return made

    def order(self, trader: int, side: int, price: int) -> PlaceOrder:
        made = super().order(trader, side, price)
        names = ("", "1", "0x" + "0" * 64, "LIMIT", "", "1700000000000", "")
        assert made.instructions is not None
        return msgspec.structs.replace(made, instructions=msgspec.structs.replace(made.instructions, names=names))


class CountedFrames(Frames):
    """``made`` frames so far, of those that are told to traders."""

    made = 0

    def of(self, entry: Entry, state: State, wants: Wants) -> list[Frame]:
        frames = super().of(entry, state, wants)
        self.made += len(frames)
        return frames


class AnyToken:
    """A token is the account's name."""

    def session(self, token: str) -> Session:
        return Session(token, token, is_read_only=False)


class PlainStream:
    """Sends everybody the same."""

    def __init__(self) -> None:
        self.sends: Final[list[Send]] = []

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        await send({"type": "websocket.send", "text": "ready"})
        self.sends.append(send)
        while (await receive())["type"] != "websocket.disconnect":
            pass

    async def flood(self, frames: int) -> int:
        message = {"type": "websocket.send", "text": PLAIN}
        for _ in range(frames // len(self.sends)):
            for send in self.sends:
                await send(message)
        return frames // len(self.sends) * len(self.sends)


def serve(load: str, orders: int) -> None:
    """Sockets at ``/ws``; ``POST /flood`` answers with the number of frames that it has caused."""
    entries: list[Entry] = []
    floor = NamedFloor(SOCKETS // EACH[load], entries.append)
    readers = Readers()
    for entry in entries:
        readers.commit(entry)
    entries.clear()
    floor.place(floor.orders(orders))
    frames = CountedFrames(View(Ambient), Spelling())
    accounts = AccountStream(cast(Any, SimpleNamespace(readers=readers)), cast(Login, AnyToken()), frames)
    plain = PlainStream()

    async def flood(_request: Request) -> Response:
        if load == "plain":
            return JSONResponse({"frames": await plain.flood(orders * 20)})
        for at, entry in enumerate(entries):
            readers.commit(entry)
            if at % AT_ONCE == 0:
                await asyncio.sleep(0)
        return JSONResponse({"frames": frames.made * EACH[load]})

    stream: Callable[[Scope, Receive, Send], Awaitable[None]] = plain if load == "plain" else accounts

    async def spent(_request: Request) -> Response:
        return JSONResponse({"seconds": process_time()})

    routes = [Route("/flood", flood, methods=["POST"]), Route("/spent", spent), WebSocketRoute("/ws", stream)]
    app = Starlette(routes=routes)
    with bind(LOOPBACK, 0, "none is needed") as listener:
        Listeners(
            [Listener(app, listener)],
            drain_seconds=1,
            connections_max=10_000,
            listening=lambda: print(url(listener), flush=True),
            draining=lambda: None,
        ).run(nullcontext())


# --- The following process ---


class Follower(asyncio.Protocol):
    """One socket, which counts its frames; ``begun`` when the first has come, the answer to its subscription."""

    frames = 0
    wanted = 0
    done: "asyncio.Future[None]"

    def __init__(self, account: str) -> None:
        self.begun: Final[asyncio.Future[None]] = asyncio.get_running_loop().create_future()
        self._account: Final = account
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._upgraded = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(HANDSHAKE)

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        if not self._upgraded:
            _, end, data = data.partition(b"\r\n\r\n")
            self._upgraded = bool(end)
            assert self._transport is not None
            self._transport.write(_masked(SUBSCRIBE % self._account.encode()))
        at, size = 0, len(data)
        while size - at >= 4:
            length = data[at + 1]
            head = 2
            if length == 126:
                length, head = int.from_bytes(data[at + 2 : at + 4]), 4
            if size - at < head + length:
                break
            at += head + length
            self._count()
        self._rest = data[at:]

    def _count(self) -> None:
        if not self.begun.done():
            self.begun.set_result(None)
            return
        Follower.frames += 1
        if Follower.frames == Follower.wanted:
            Follower.done.set_result(None)


HANDSHAKE: Final = (
    b"GET /ws HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
SUBSCRIBE: Final = b'{"method":"Subscribe","authToken":"%%b","dataStreams":%b}' % msgspec.json.encode(STREAMS)


def _masked(text: bytes) -> bytes:
    """A client's frame, under the mask 0."""
    return b"\x81\xfe" + len(text).to_bytes(2) + bytes(4) + text


async def follow(port: int, load: str) -> dict[str, float]:
    """Connect all, let it begin, and count until all has come."""
    loop = asyncio.get_running_loop()
    Follower.done = loop.create_future()
    for at in range(SOCKETS):
        account = f"trader {at // EACH[load]}"
        _, follower = await loop.create_connection(lambda account=account: Follower(account), "127.0.0.1", port)  # type: ignore[misc]
        await asyncio.wait_for(follower.begun, 10)
    began = (await _ask(port, b"GET /spent"))["seconds"]
    Follower.wanted = int((await _ask(port, b"POST /flood"))["frames"])
    if Follower.frames < Follower.wanted:
        await asyncio.wait_for(Follower.done, 60)
    seconds = (await _ask(port, b"GET /spent"))["seconds"] - began
    return {"rate": Follower.frames / seconds, "frames": Follower.frames}


async def _ask(port: int, what: bytes) -> dict[str, float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(what + b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
    text = await asyncio.wait_for(reader.read(), 100)
    writer.close()
    answer: dict[str, float] = json.loads(text.partition(b"\r\n\r\n")[2])
    return answer


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2], int(sys.argv[3]))
    else:
        asked = json.loads(sys.argv[1])
        with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
            print(json.dumps(runner.run(follow(asked["port"], asked["load"]))))
