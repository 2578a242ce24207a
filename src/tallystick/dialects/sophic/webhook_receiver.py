"""The receiver of a venue's webhooks, for the connector: a genuine one says "look", and is answered when that is done.

    delivery ─▶ signature, timestamp ─▶ waits ─▶ the connector looks: /events from its position, each order retrieved
                                          │       ─▶ observations and the new position, durable in the client's journal
    204 ◀─────────────────────────────────┘

What a look that begins now does not show was dealt with before. So deliveries that come twice, late, in any order, or
replayed by somebody, do no harm, and none is acknowledged whose event is not durable here. Events that never come as a
delivery are found by the next look. One that cannot be dealt with in time is answered 503, and comes again.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from tallystick.deliver.verifying import NotGenuine, verify

BODY_BYTES_MAX: Final = 64 * 1024
ANSWER_SECONDS: Final = 10.0
"""A sender waits for 15."""
WAITING_MAX: Final = 1000
POLL_SECONDS: Final = 0.5
POLL_BESIDE_WEBHOOKS_SECONDS: Final = 15.0
"""How often is looked when nobody says so."""
RETRY_AFTER: Final = {"retry-after": "5"}

_log = logging.getLogger(__name__)


class Nudges:
    """Who waits for the next look; also where there is no receiver, and so nobody."""

    def __init__(self) -> None:
        self._waiting: Final[dict[asyncio.Future[None], None]] = {}
        self._arrived: Final = asyncio.Event()

    def begin(self) -> list["asyncio.Future[None]"]:
        """A look begins: those for whom it is."""
        self._arrived.clear()
        return list(self._waiting)

    async def done(self, served: Sequence["asyncio.Future[None]"], durable: Callable[[], Awaitable[None]]) -> None:
        """That look has shown everything: tell them when it is ``durable``."""
        if served:
            await durable()
        for each in served:
            if not each.done():
                each.set_result(None)

    async def wait(self, seconds: float) -> None:
        """Until somebody waits, or for so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._arrived.wait()

    @property
    def is_full(self) -> bool:
        return len(self._waiting) >= WAITING_MAX

    async def looked(self, seconds: float) -> bool:
        """Whether a look that began after this was called has been done within so long."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[future] = None
        self._arrived.set()
        try:
            async with asyncio.timeout(seconds):
                await future
        except TimeoutError:
            return False
        finally:
            del self._waiting[future]
        return True


class WebhookReceiver:
    """Listens at ``host`` and ``port`` for what is sent to ``url``, which leads there; ``secrets`` may be several.

    No secret is in its repr. ``now`` tells seconds since the epoch.
    """

    def __init__(self, host: str, port: int, url: str, nudges: Nudges, now: Callable[[], float] = time.time) -> None:
        self.url: Final = url
        self.secrets: Sequence[bytes] = ()
        self._host: Final = host
        self._port: Final = port
        self._nudges: Final = nudges
        self._now: Final = now
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen. Raises OSError."""
        if self._runner is not None:
            return
        app = web.Application(client_max_size=BODY_BYTES_MAX)
        app.router.add_post(urlsplit(self.url).path or "/", self._receive)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner

    async def close(self) -> None:
        """Listen no more. Closing twice is harmless."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _receive(self, request: web.Request) -> web.Response:
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return web.Response(status=413)
        try:
            verify(
                self.secrets,
                request.headers.get("webhook-id", ""),
                request.headers.get("webhook-timestamp", ""),
                request.headers.get("webhook-signature", ""),
                body,
                self._now(),
            )
        except NotGenuine as error:
            _log.warning("a webhook was refused: %s", error)
            return web.Response(status=401)
        if self._nudges.is_full or not await self._nudges.looked(ANSWER_SECONDS):
            return web.Response(status=503, headers=RETRY_AFTER)
        return web.Response(status=204)
