"""Applications served side by side, each on a socket of its own, on one event loop, and ended together.

The first SIGINT or SIGTERM drains: new connections are refused and what is in flight is answered, application by
application in their order. The second ends the process at once, which costs nothing that was acknowledged.
"""

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from socket import socket
from typing import Final, NamedTuple

import uvicorn
from starlette.types import ASGIApp

from tallystick.server.http import BoundedHttp, BoundedWebSocket
from tallystick.server.request_ids import Identified

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
MESSAGE_BYTES_MAX: Final = 64 * 1024
"""Of what comes in over a WebSocket."""
PING_SECONDS: Final = 10.0
PONG_SECONDS: Final = 15.0
"""A WebSocket is pinged so often, and ended when it does not answer for so long (specs/bluefin.md §2.1)."""

_log = logging.getLogger(__name__)


class Listener(NamedTuple):
    """An application and the bound socket it is served on."""

    app: ASGIApp
    socket: socket


class Listeners:
    """``listening`` is called once all take connections, ``draining`` when they are asked to stop.

    Each answers more than ``connections_max`` connections with 503, and may take ``drain_seconds`` to drain.
    """

    def __init__(
        self,
        listeners: Sequence[Listener],
        *,
        drain_seconds: float,
        connections_max: int,
        listening: Callable[[], object],
        draining: Callable[[], object],
    ) -> None:
        self._listeners: Final = listeners
        self._listening: Final = listening
        self._draining: Final = draining
        self._to_begin = len(listeners)
        self._servers: Final = [
            _Server(_uvicorn_config(listener.app, drain_seconds, connections_max), self._began)
            for listener in listeners
        ]

    def run(self, around: AbstractAsyncContextManager[object]) -> None:
        """Serve until a signal; ``around`` is entered before anybody can connect, and left when all are drained."""
        with asyncio.Runner(loop_factory=self._servers[0].config.get_loop_factory()) as runner:
            runner.run(self._serve(around))

    async def _serve(self, around: AbstractAsyncContextManager[object]) -> None:
        stop = asyncio.Event()
        with _asked_by_signals(stop):
            async with around:
                loop = asyncio.get_running_loop()
                tasks = [
                    loop.create_task(server.serve([listener.socket]))
                    for server, listener in zip(self._servers, self._listeners, strict=True)
                ]
                for task in tasks:
                    task.add_done_callback(lambda _task: stop.set())  # one that fails ends all
                await stop.wait()
                await self._drain(tasks)
        _log.info("stopped")

    async def _drain(self, tasks: Sequence["asyncio.Task[None]"]) -> None:
        self._draining()
        _log.info("stopping: %d requests are in flight", sum(len(each.server_state.tasks) for each in self._servers))
        for server, task in zip(self._servers, tasks, strict=True):
            server.should_exit = True
            await task

    def _began(self) -> None:
        self._to_begin -= 1
        if self._to_begin == 0:
            self._listening()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, began: Callable[[], None]) -> None:
        super().__init__(config)
        self._began: Final = began

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._began()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """One of several in a process: signals are for all of them."""
        yield


def _uvicorn_config(app: ASGIApp, drain_seconds: float, connections_max: int) -> uvicorn.Config:
    return uvicorn.Config(
        Identified(app),
        interface="asgi3",
        lifespan="off",
        loop="uvloop",
        http=BoundedHttp,
        ws=BoundedWebSocket,
        ws_max_size=MESSAGE_BYTES_MAX,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PONG_SECONDS,
        # The same event goes to many, and each message would be compressed for each of them anew.
        ws_per_message_deflate=False,
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        # uvicorn declares whole seconds, and hands them to asyncio, which takes any.
        timeout_graceful_shutdown=drain_seconds,  # type: ignore[arg-type]
        limit_concurrency=connections_max,
    )


@contextmanager
def _asked_by_signals(stop: asyncio.Event) -> Iterator[None]:
    """The first signal sets ``stop``; another ends the process with the exit code that shells know it by."""
    loop = asyncio.get_running_loop()
    asked = False

    def ask(number: int, _frame: object) -> None:
        nonlocal asked
        if asked:
            os._exit(128 + number)
        asked = True
        loop.call_soon_threadsafe(stop.set)

    before = {number: signal.signal(number, ask) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
