"""Consumers that stop reading, over real sockets: cut off, and until then they cost a bounded amount of memory."""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable

import pytest
import uvicorn
from starlette.applications import Starlette

from tallystick.deliver.hub import Hub
from tallystick.deliver.reading import HubSource
from tallystick.deliver.stream import Limits, Stream
from tests.deliver.virtual import MemoryFeed

HAPPENINGS = 60_000
"""More than all buffers between two sockets hold."""


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():  # noqa: ASYNC110 - it is about other people's buffers
        await asyncio.sleep(0.01)


def serve(scene: Callable[[Hub, int], Awaitable[None]]) -> None:
    async def run() -> None:
        feed = MemoryFeed()
        for _ in range(HAPPENINGS):
            feed.happen("demo", group="x" * 150)
        hub = Hub(feed)
        stream = Stream(HubSource(hub), lambda _authorization: "demo", limits=Limits(stall_seconds=0.3))
        config = uvicorn.Config(
            Starlette(routes=stream.routes("/stream")), port=0, log_config=None, ws="websockets-sansio", lifespan="off"
        )
        server = uvicorn.Server(config)
        serving = asyncio.ensure_future(server.serve())
        await until(lambda: server.started)
        await scene(hub, server.servers[0].sockets[0].getsockname()[1])
        server.should_exit = True
        await serving

    asyncio.run(asyncio.wait_for(run(), 60))


def deaf(port: int, more: bytes) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", port))
    connection.sendall(b"GET /stream?after=start HTTP/1.1\r\nhost: x\r\n" + more + b"\r\n")
    connection.setblocking(False)
    return connection


async def read_all(connection: socket.socket) -> bytes:
    loop = asyncio.get_running_loop()
    chunks = []
    while chunk := await loop.sock_recv(connection, 1 << 20):
        chunks.append(chunk)
    return b"".join(chunks)


WEBSOCKET = (
    b"upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n"
    b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


@pytest.mark.parametrize("more", [b"accept: text/event-stream\r\n", WEBSOCKET], ids=["server-sent", "websocket"])
def test_one_that_does_not_read_is_let_go(more: bytes) -> None:
    async def scene(hub: Hub, port: int) -> None:
        connection = deaf(port, more)
        await until(lambda: not hub.is_idle)
        await until(lambda: hub.is_idle)  # its stream is over, though it has read nothing
        connection.close()

    serve(scene)


def test_what_it_was_sent_has_no_gap_and_does_not_pretend_to_be_whole() -> None:
    """It reads in the end what was on its way, and then nothing: the last id is where it goes on."""

    async def scene(hub: Hub, port: int) -> None:
        connection = deaf(port, b"accept: text/event-stream\r\n")
        await until(lambda: not hub.is_idle)
        await until(lambda: hub.is_idle)
        text = await read_all(connection)
        numbers = [int(number) for number in re.findall(rb"id: evt_(\d+)\n", text)]
        assert numbers == list(range(1, len(numbers) + 1))
        assert 0 < len(numbers) < HAPPENINGS
        connection.close()

    serve(scene)
