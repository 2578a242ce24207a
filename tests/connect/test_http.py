"""A request is answered, never sent, or in doubt: over real sockets that refuse, close, hang, and talk nonsense."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from tallystick.connect.errors import (
    Ambiguous,
    NotSent,
    NotThere,
    RateLimited,
    Refused,
    Unreadable,
    VenueError,
)
from tallystick.connect.http import NO_HEADERS, Answer, HttpSession, checked

Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def answering(reply: bytes | None):
    """A server that reads a request, sends these bytes and hangs up; None: it never says anything."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            if reply is None:
                await asyncio.sleep(5)
            else:
                writer.write(reply)
                await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    session = HttpSession(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", 0.5, 0.3)
    try:
        yield session
    finally:
        await session.close()
        server.close()


REPLIES = [
    ("a refusal is an answer", b"HTTP/1.1 400 No\r\ncontent-length: 2\r\n\r\nno", 400),
    ("so is a fault of the venue", b"HTTP/1.1 503 No\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n", 503),
    ("a redirect is not followed", b"HTTP/1.1 302 No\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n", 302),
    ("hung up without a word", b"", 0),
    ("half a head", b"HTTP/1.1 200 O", 0),
    ("half a body", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", 0),
    ("no HTTP", b"SSH-2.0-nonsense\r\n\r\n", 0),
    ("never", None, 0),
]


@pytest.mark.parametrize(("reply", "status"), [each[1:] for each in REPLIES], ids=[each[0] for each in REPLIES])
def test_what_was_sent_is_answered_or_in_doubt(reply: bytes | None, status: int):
    async def scenario():
        async with answering(reply) as session:
            if status:
                answer = await session.request("POST", "/orders", body=b"{}")
                assert answer.status == status
                assert answer.retry_after == (7 if status == 503 else 0)
            else:
                with pytest.raises(Ambiguous, match=r"POST /orders: .*: no answer"):
                    await session.request("POST", "/orders?secret=1", headers={"authorization": "x"}, body=b"{}")

    asyncio.run(scenario())


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://nowhere.invalid"])
def test_what_finds_nobody_was_never_sent(url: str):
    async def scenario():
        session = HttpSession(url, 2.0, 0.3)
        try:
            with pytest.raises(NotSent, match=r"GET /x: .*: not sent"):
                await session.request("GET", "/x")
        finally:
            await session.close()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("status", "code", "detail", "error"),
    [
        (404, "not_found", "", NotThere),
        (410, "", "it is gone", NotThere),
        (400, "invalid_request", "", Refused),
        (403, "", "you may not", Refused),
        (429, "", "", RateLimited),
        (409, "in_progress", "", Ambiguous),
        (500, "", "", Ambiguous),
        (302, "", "", Ambiguous),
        (404, "", "", Unreadable),
        (400, "", "", Unreadable),
        (403, "", "", Unreadable),
    ],
)
def test_an_error_counts_as_the_venue_s_only_in_its_words(status: int, code: str, detail: str, error: type[VenueError]):
    """A page of a proxy has neither a code nor a detail: it does not say that there is no such order."""
    with pytest.raises(VenueError) as raised:
        checked(Answer(status, NO_HEADERS, b"<html>", 0.1), code, detail)
    assert type(raised.value) is error


@pytest.mark.parametrize("pause", [0.05, 0.0], ids=["it drips", "it floods"])
def test_an_answer_without_an_end_is_no_answer(pause: float):
    left = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        piece = b"[" * (1 if pause else 1 << 20)
        with suppress(ConnectionError):
            while True:
                writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                await writer.drain()
                await asyncio.sleep(pause)
        writer.transport.abort()
        left.set()

    async def scenario():
        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        session = HttpSession(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", 0.5, 0.3 if pause else 30.0)
        try:
            with pytest.raises(Ambiguous):
                await session.request("GET", "/orders")
        finally:
            await session.close()
            async with asyncio.timeout(10):
                await left.wait()
            server.close()

    asyncio.run(scenario())
