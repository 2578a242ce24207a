"""A WebSocket to a venue: what it says, that it says nothing, that it has ended, and that there is none."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from tallystick.connect.errors import Ambiguous, NotSent, Refused
from tallystick.connect.http import HttpSession


async def echo(request: web.Request) -> web.StreamResponse:
    """Say everything again; at "cut" the line breaks."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        if message.data == "cut":
            assert request.transport is not None
            request.transport.abort()
        elif message.data == "in bytes":
            await socket.send_bytes(b"bytes")
        else:
            await socket.send_str(message.data)
    return socket


async def forbid(request: web.Request) -> web.StreamResponse:
    return web.Response(status=401, text=request.headers["authorization"])


@asynccontextmanager
async def session() -> AsyncIterator[HttpSession]:
    app = web.Application()
    app.router.add_get("/ws", echo)
    app.router.add_get("/forbidden", forbid)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made = HttpSession(f"http://127.0.0.1:{runner.addresses[0][1]}")
    try:
        yield made
    finally:
        await made.close()
        await runner.cleanup()


def test_texts_come_in_order_and_silence_is_not_an_end():
    async def scenario():
        async with session() as http:
            socket = await http.socket("/ws")
            assert await socket.receive(0.01) is None
            for word in ("one", "two"):
                await socket.send(word)
            assert [await socket.receive(5), await socket.receive(5)] == ["one", "two"]
            await socket.send("in bytes")
            assert await socket.receive(5) == "bytes"
            await socket.close()

    asyncio.run(scenario())


def test_a_socket_that_broke_is_said_to_have_ended_and_closing_it_is_harmless():
    async def scenario():
        async with session() as http:
            socket = await http.socket("/ws")
            await socket.send("cut")
            with pytest.raises(Ambiguous, match="ended"):
                await socket.receive(5)
            await socket.close()
            await socket.close()

    asyncio.run(scenario())


def test_a_refused_handshake_names_its_status_and_no_header():
    async def scenario():
        async with session() as http:
            with pytest.raises(Refused) as refused:
                await http.socket("/forbidden", headers={"authorization": "canary-71"})
            assert refused.value.code == "status_401"
            assert "canary" not in str(refused.value)

    asyncio.run(scenario())


def test_nobody_there_is_not_sent():
    async def scenario():
        http = HttpSession("http://127.0.0.1:9")
        try:
            with pytest.raises(NotSent):
                await http.socket("/ws")
        finally:
            await http.close()

    asyncio.run(scenario())
