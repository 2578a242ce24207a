"""A receiver of webhooks over a real socket, in a thread of its own: it answers as it is told, and remembers.

What it is told is a function of the request: a status, or bytes to send raw, or seconds to wait before that, or
something worse to do to the connection.
"""

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self

import msgspec
from standardwebhooks import Webhook

Answer = int | bytes | float | Callable[[asyncio.StreamWriter], Awaitable[None]]


class Received(NamedTuple):
    """One request, as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        return dict(msgspec.json.decode(self.body))

    def verify(self, *secrets: str) -> None:
        """By the stock library, with each of the secrets."""
        for secret in secrets:
            Webhook(secret).verify(self.body, self.headers)


class Receiver:
    """``answer`` says what comes back: a status; raw bytes, after which it closes; a wait in seconds, then what is next
    in the list; or what is to be done to the connection, after which it closes."""

    def __init__(
        self,
        answer: Callable[[Received], Answer | Sequence[Answer]] = lambda _received: 204,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.answer = answer
        self.received: list[Received] = []
        self.connections = 0
        self._tls = tls
        self._writers: list[asyncio.StreamWriter] = []
        self._news = threading.Condition()
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def wait(self, is_enough: Callable[[list[Received]], bool], seconds: float = 20) -> list[Received]:
        """All that was received, as soon as it is enough."""
        with self._news:
            assert self._news.wait_for(lambda: is_enough(self.received), seconds), [
                (each.event["name"], each.headers.get("webhook-attempt")) for each in self.received
            ]
            return list(self.received)

    def wait_for(self, count: int) -> list[Received]:
        return self.wait(lambda received: len(received) >= count)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self._tls)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        try:
            while await self._exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.split("\r\n")[:-2]
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        received = Received(first.split(" ")[1], headers, await reader.readexactly(int(headers["content-length"])))
        answers = self.answer(received)
        with self._news:
            self.received.append(received)
            self._news.notify_all()
        for answer in answers if isinstance(answers, list) else [answers]:
            if isinstance(answer, float):
                await asyncio.sleep(answer)
            elif isinstance(answer, bytes):
                writer.write(answer)
                await writer.drain()
                return False
            elif callable(answer):
                await answer(writer)
                return False
            else:
                body = b"" if answer == 204 else b"content-length: 2\r\n\r\nok"
                writer.write(b"HTTP/1.1 %d Status\r\n%b" % (answer, body or b"\r\n"))
                await writer.drain()
        return True
