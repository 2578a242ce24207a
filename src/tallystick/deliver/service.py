"""Sending put together: the file, the thread that records, the connections, and the sender over them."""

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from tallystick.core.ids import IdCodec
from tallystick.deliver.book import Book
from tallystick.deliver.clock import Clock, WallClock
from tallystick.deliver.courier import Carrier, Means, Policy
from tallystick.deliver.endpoints import Endpoints
from tallystick.deliver.feed import Happening
from tallystick.deliver.hub import Hub
from tallystick.deliver.post import Poster
from tallystick.deliver.recorder import Recorder
from tallystick.deliver.records import Endpoint
from tallystick.deliver.resolve import SystemLookup
from tallystick.deliver.sealing import Sealer
from tallystick.deliver.sender import Sender

DELIVERY_IDS: Final = "webhooks"
STOP_SECONDS: Final = 5.0

_log = logging.getLogger(__name__)

Notice = Callable[[Endpoint, str, int], Happening]


def deliveries_file(venue: str) -> str:
    """The name of the file with a venue's webhooks."""
    return f"{venue}.deliveries.db"


def delivery_ids(secret: bytes) -> IdCodec:
    """The ids of deliveries, made from the folder's secret."""
    return IdCodec(secret, DELIVERY_IDS, "whd")


class Service:
    """Sends from the file at ``path``, from ``start`` to ``stop``. Raises BookError.

    ``carrier`` and ``clock`` are a test's; otherwise they are the network and the wall's.
    """

    def __init__(
        self,
        path: Path,
        hub: Hub,
        secret: bytes,
        notice: Notice,
        policy: Policy,
        sealer: Sealer,
        carrier: Carrier | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._path: Final = path
        self._hub: Final = hub
        self._ids: Final = delivery_ids(secret)
        self._notice: Final = notice
        self._policy: Final = policy
        self._endpoints: Final = Endpoints(sealer)
        self._carrier: Final = carrier
        self._clock: Final = clock or WallClock()
        self._changed: Final = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._book: Final = Book(path)

    def changed(self) -> None:
        """Endpoints were changed by this process: look now rather than soon."""
        self._changed.set()

    def start(self) -> None:
        """Begin to send. Raises SealError."""
        self._book.read(self._endpoints.active)
        self._running = asyncio.get_running_loop().create_task(self._run())
        self._running.add_done_callback(_say_if_it_failed)

    async def stop(self) -> None:
        """Attempts may end for STOP_SECONDS; what came of them is on record when this returns."""
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running
            self._running = None
        self._book.close()

    async def _run(self) -> None:
        lookup = SystemLookup()
        poster = None if self._carrier is not None else Poster(self._policy.reach, lookup)
        recorded = Book(self._path)
        recorder = Recorder(recorded)
        sender = Sender(self._book, self._means(self._carrier or poster, recorder), self._changed)
        try:
            await sender.run()
        finally:
            await sender.end(STOP_SECONDS)
            await asyncio.to_thread(recorder.close)
            await asyncio.sleep(0)  # what it handed over last is taken in
            for each in (recorded, lookup, poster):
                if each is not None:
                    each.close()

    def _means(self, carrier: Carrier | None, recorder: Recorder) -> Means:
        assert carrier is not None
        return Means(
            self._hub,
            self._endpoints,
            recorder,
            carrier,
            self._clock,
            self._ids,
            self._policy,
            self._notice,
            random.random,
            self.changed,
        )


def _say_if_it_failed(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and task.exception() is not None:
        _log.error("no webhooks are sent any more: restart", exc_info=task.exception())
