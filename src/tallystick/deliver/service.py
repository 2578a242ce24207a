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
from tallystick.deliver.clock import Clock, SteadyClock
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
AGAIN_SECONDS: Final = 1.0
FAILING: Final = "failing"
STOPPED: Final = "stopped"

_log = logging.getLogger(__name__)

Notice = Callable[[Endpoint, str, int], Happening]


def anybody(_owner: str) -> bool:
    """Every owner may receive."""
    return True


def deliveries_file(venue: str) -> str:
    """The name of the file with a venue's webhooks."""
    return f"{venue}.deliveries.db"


def delivery_ids(secret: bytes) -> IdCodec:
    """The ids of deliveries, made from the folder's secret."""
    return IdCodec(secret, DELIVERY_IDS, "whd")


class Service:
    """Sends from the file at ``path``, from ``start`` to ``stop``. Raises BookError.

    Nothing is sent to whom ``may_receive`` does not name; it waits. ``carrier`` and ``clock`` are a test's; otherwise
    they are the network and the wall's.
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
        may_receive: Callable[[str], bool] = anybody,
    ) -> None:
        self._path: Final = path
        self._hub: Final = hub
        self._ids: Final = delivery_ids(secret)
        self._notice: Final = notice
        self._policy: Final = policy
        self._endpoints: Final = Endpoints(sealer)
        self._carrier: Final = carrier
        self._clock: Final = clock or SteadyClock()
        self._may_receive: Final = may_receive
        self._sender: Sender | None = None
        self._recorder: Recorder | None = None
        self._changed: Final = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._book: Final = Book(path)

    @property
    def status(self) -> str:
        """``sending``, or why not: ``waiting`` for another sender to end, ``unreadable`` or ``unrecorded`` for what is
        wrong with the file, ``failing`` before it begins anew, ``stopped``."""
        if self._running is None or self._running.done():
            return STOPPED
        if self._sender is None or self._recorder is None:
            return FAILING
        return self._recorder.trouble or self._sender.status

    @property
    def held_back(self) -> int:
        """So many endpoints are sent nothing, because their owners may not receive."""
        return 0 if self._sender is None else self._sender.held_back

    def changed(self) -> None:
        """Endpoints were changed by this process: look now rather than soon."""
        self._changed.set()

    def start(self) -> None:
        """Begin to send. Raises SealError."""
        self._book.read(self._endpoints.active)
        self._running = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Attempts may end for STOP_SECONDS; what came of them is on record when this returns."""
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running
            self._running = None
        self._book.close()

    async def _run(self) -> None:
        """Until cancelled; what fails as a whole begins anew, for what is to be sent is on record."""
        while True:
            try:
                await self._send()
            except Exception:  # noqa: BLE001 - whatever it was, the disk or too many files: it may be over
                _log.exception("sending webhooks failed, and begins anew")
            await asyncio.sleep(AGAIN_SECONDS)

    async def _send(self) -> None:
        lookup = SystemLookup()
        poster = None if self._carrier is not None else Poster(self._policy.reach, lookup)
        recorded = Book(self._path)
        recorder = self._recorder = Recorder(recorded)
        means = self._means(self._carrier or poster, recorder)
        sender = self._sender = Sender(self._book, means, self._changed, self._may_receive)
        try:
            await sender.run()
        finally:
            self._sender = self._recorder = None
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
