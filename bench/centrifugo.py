"""Publications of one channel to a thousand subscribers: how many in a second of the server's processor time.

One by one, so that each is a frame of its own for each subscriber; and sixteen at a time, which share a frame.
"""

import asyncio
import json
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any, Final, cast

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from uvicorn.loops.auto import auto_loop_factory

from bench.options import Options
from bench.processes import CLIENT_CORE, ask, serving
from bench.report import Figure, Finding, say
from tallystick.deliver.centrifugo import (
    ALLOWED,
    Bounds,
    Centrifugo,
    Limits,
    Permission,
    Published,
    Recent,
    Streams,
    Visitor,
    offset_of,
)
from tallystick.server.addresses import LOOPBACK, bind, url
from tallystick.server.listeners import Listener, Listeners

SUBSCRIBERS: Final = 1000
PUBLICATIONS: Final = 320
BURSTS: Final = (1, 16)
DATA: Final = msgspec.json.encode([{"row": "x" * 600}])
"""About as long as an order's row."""


def run(options: Options) -> list[Finding]:
    """Both in turn; medians of three rounds."""
    rates: dict[int, list[float]] = {burst: [] for burst in BURSTS}
    for number in range(1 if options.quick else 3):
        for burst in BURSTS:
            rates[burst].append(_measure(options, burst))
            say(f"  round {number + 1}: {burst} at a time: {rates[burst][-1]:,.1f} publications/s")
    return [
        Figure(f"publications to {SUBSCRIBERS:,} subscribers, {burst} at a time", median(found), "/s")
        for burst, found in rates.items()
    ]


def _measure(options: Options, burst: int) -> float:
    publications = PUBLICATIONS // (5 if options.quick else 1)
    with (
        tempfile.TemporaryDirectory(dir=options.folder) as place,
        serving(["bench.centrifugo", "serve", str(burst), str(publications)], Path(place) / "log") as server,
    ):
        found = ask("bench.centrifugo", {"port": server.port, "publications": publications}, core=CLIENT_CORE)
        return cast(float, found["rate"])


# --- The serving process ---


class Open:
    """Anybody may listen to everything."""

    def admit(self, token: str) -> Visitor[str]:
        return Visitor(token)

    def may_subscribe(self, principal: str, channel: str) -> Permission:
        return ALLOWED


class Empty:
    """Nothing was published before."""

    epoch: Final = "bench"

    def bounds(self, channel: str) -> Bounds:
        return Bounds(5_000, 300)

    async def recent(self, channel: str, count: int, not_before: int) -> Recent:
        return Recent((), 0, 0)


def serve(burst: int, publications: int) -> None:
    """``POST /flood`` publishes; ``GET /spent`` tells the processor time."""
    streams = Streams(Empty(), lambda: 0)
    centrifugo = Centrifugo(Open(), streams, Limits(connections_max=SUBSCRIBERS))

    async def flood(_request: Request) -> Response:
        for sequence in range(1, publications + 1):
            streams.publish("news", Published(offset_of(sequence), DATA, 0))
            if sequence % burst == 0:
                await asyncio.sleep(0)
        return JSONResponse({})

    async def spent(_request: Request) -> Response:
        return JSONResponse({"seconds": process_time()})

    routes = [Route("/flood", flood, methods=["POST"]), Route("/spent", spent), *centrifugo.routes("/ws")]
    with bind(LOOPBACK, 0, "none is needed") as listener:
        Listeners(
            [Listener(Starlette(routes=routes), listener)],
            drain_seconds=1,
            connections_max=10_000,
            listening=lambda: print(url(listener), flush=True),
            draining=lambda: None,
        ).run(nullcontext())


# --- The subscribing process ---

HANDSHAKE: Final = (
    b"GET /ws HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
COMMANDS: Final = b'{"connect":{"token":"ann"},"id":1}\n{"subscribe":{"channel":"news"},"id":2}'
ANSWER: Final = b'"subscribe":'
PUBLICATION: Final = b'"offset":'


class Subscriber(asyncio.Protocol):
    """Counts what all of them are sent; ``begun`` when it is subscribed."""

    wanted = 0
    done: "asyncio.Future[None]"

    def __init__(self) -> None:
        self.begun: Final[asyncio.Future[None]] = asyncio.get_running_loop().create_future()
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(HANDSHAKE)

    def data_received(self, data: bytes) -> None:
        if data.startswith(b"HTTP/1.1 101"):
            # A client's frame, under the mask 0.
            self._transport.write(b"\x81" + bytes([0x80 | len(COMMANDS)]) + bytes(4) + COMMANDS)
        data = self._rest + data
        self._rest = data[1 - len(PUBLICATION) :]  # has no room for a whole one
        Subscriber.wanted -= data.count(PUBLICATION)
        if ANSWER in data and not self.begun.done():
            self.begun.set_result(None)
        if not Subscriber.wanted and not Subscriber.done.done():
            Subscriber.done.set_result(None)


async def subscribe(port: int, publications: int) -> dict[str, float]:
    """Connect all, let it begin, and count until all has come."""
    loop = asyncio.get_running_loop()
    Subscriber.done = loop.create_future()
    Subscriber.wanted = SUBSCRIBERS * publications
    for _ in range(SUBSCRIBERS):
        _, subscriber = await loop.create_connection(Subscriber, "127.0.0.1", port)
        await asyncio.wait_for(subscriber.begun, 10)
    began = (await _ask(port, b"GET /spent"))["seconds"]
    await _ask(port, b"POST /flood")
    await asyncio.wait_for(Subscriber.done, 150)
    return {"rate": publications / ((await _ask(port, b"GET /spent"))["seconds"] - began)}


async def _ask(port: int, what: bytes) -> dict[str, float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(what + b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
    text = await asyncio.wait_for(reader.read(), 100)
    writer.close()
    answer: dict[str, Any] = json.loads(text.partition(b"\r\n\r\n")[2])
    return answer


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(int(sys.argv[2]), int(sys.argv[3]))
    else:
        asked = json.loads(sys.argv[1])
        with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
            print(json.dumps(runner.run(subscribe(asked["port"], asked["publications"]))))
