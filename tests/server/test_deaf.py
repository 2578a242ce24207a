"""A peer that reads nothing is let go by the server's own protocols: its connection ends, whatever it does."""

import asyncio

import pytest
from starlette.applications import Starlette

from tallystick.deliver.hub import Hub
from tallystick.deliver.reading import HubSource
from tallystick.deliver.stream import Limits, Stream
from tallystick.server.addresses import bind
from tallystick.server.listeners import _Server, _uvicorn_config
from tests.deliver.test_slow_consumer import HAPPENINGS, WEBSOCKET, deaf, until
from tests.deliver.virtual import MemoryFeed


@pytest.mark.parametrize("more", [b"accept: text/event-stream\r\n", WEBSOCKET], ids=["server-sent", "websocket"])
def test_its_connection_is_ended(more: bytes) -> None:
    async def scene() -> None:
        feed = MemoryFeed()
        for _ in range(HAPPENINGS):
            feed.happen("demo", group="x" * 150)
        stream = Stream(HubSource(Hub(feed)), lambda _authorization: "demo", limits=Limits(stall_seconds=0.3))
        with bind("127.0.0.1", 0, "") as listener:
            server = _Server(_uvicorn_config(Starlette(routes=stream.routes("/stream")), 1, 100), lambda: None)
            serving = asyncio.ensure_future(server.serve([listener]))
            await until(lambda: server.started)
            connection = deaf(listener.getsockname()[1], more)
            await until(lambda: bool(server.server_state.connections))
            await until(lambda: not server.server_state.connections)
            connection.close()
            server.should_exit = True
            await serving

    asyncio.run(asyncio.wait_for(scene(), 60))
