"""Everything of Sophic that goes out by itself, put together: webhooks, their management, and streams of events."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tallystick.access.principal import EVENTS_READ
from tallystick.core.ids import IdCodec
from tallystick.deliver.book import Book
from tallystick.deliver.clock import SteadyClock
from tallystick.deliver.courier import Policy
from tallystick.deliver.endpoints import Endpoints
from tallystick.deliver.hub import Hub
from tallystick.deliver.reading import HubSource
from tallystick.deliver.register import Register
from tallystick.deliver.sealing import Sealer
from tallystick.deliver.service import Service, anybody, deliveries_file, delivery_ids
from tallystick.deliver.stream import Admit, Stream
from tallystick.dialects.sophic.outgoing import Notices, SophicFeed, webhook_ids
from tallystick.dialects.sophic.ports import Admission, Desk
from tallystick.dialects.sophic.view import View
from tallystick.dialects.sophic.webhook_wire import WebhookView
from tallystick.dialects.sophic.webhooks import Webhooks
from tallystick.readers.index import Index

ELSEWHERE: Final = "elsewhere"

_log = logging.getLogger(__name__)


class SophicDelivery:
    """``webhooks`` go into the API, ``stream`` is what clients follow. Raises BookError; ``start`` raises SealError.

    With ``sends`` false another process sends (``tallystick deliver``), from the same file in the folder ``data``.
    ``key`` encrypts the webhooks' secrets; b"" for no key. What is of an owner who may not receive waits.
    ``start`` once the venue runs, ``drain`` when the server is asked to stop, ``stop`` before the venue does.
    """

    def __init__(
        self,
        data: Path,
        venue: str,
        secret: bytes,
        desk: Desk,
        index: Index,
        admission: Admission,
        policy: Policy,
        key: bytes = b"",
        *,
        sends: bool = True,
        may_receive: Callable[[str], bool] = anybody,
    ) -> None:
        path = data / deliveries_file(venue)
        sealer = Sealer(key)
        feed = SophicFeed(index, desk.readers, View(secret, venue))
        self._hub: Final = Hub(feed)
        clock = self._clock = SteadyClock()
        self._service: Service | None = None
        if sends:
            notice = Notices(secret).disabled
            self._service = Service(path, self._hub, secret, notice, policy, sealer, None, clock, may_receive)
        self._book: Final = Book(path)
        changed = _nobody if self._service is None else self._service.changed
        self._endpoints: Final = Endpoints(sealer)
        register = Register(self._book, self._endpoints, feed, clock, changed)
        view = WebhookView(webhook_ids(secret), delivery_ids(secret))
        self.webhooks: Final = Webhooks(register, view, policy.reach, IdCodec(secret, "tests of webhooks", "evt"))
        self.stream: Final = Stream(HubSource(self._hub), _clients(admission))
        self._streams: Final = [self.stream]

    def operators_stream(self, admit: Admit[str | None]) -> Stream[str | None]:
        """Everybody's events, in envelopes, for a sender of another process; ``admit`` lets operators in."""
        stream = Stream(HubSource(self._hub, is_enveloped=True), admit)
        self._streams.append(stream)
        return stream

    def start(self) -> None:
        """Begin to send; whoever does, the secrets must be readable here."""
        self._book.read(self._endpoints.active)
        self._rewind()
        if self._service is not None:
            self._service.start()

    @property
    def status(self) -> str:
        """Of who sends (Service.status), or ``elsewhere``."""
        return ELSEWHERE if self._service is None else self._service.status

    @property
    def held_back(self) -> int:
        """So many webhooks are sent nothing, because their owners may not receive."""
        return 0 if self._service is None else self._service.held_back

    def drain(self) -> None:
        """End the streams, each with its position: the server is asked to stop."""
        for stream in self._streams:
            stream.stop()

    async def stop(self) -> None:
        """What was sent is on record when this returns."""
        if self._service is not None:
            await self._service.stop()
        self._book.close()

    def _rewind(self) -> None:
        """A journal that was restored ends before what was sent of it; what it goes on with is new, and is sent."""
        newest, now = self._hub.feed.newest(), self._clock.now()
        ahead = self._book.change(lambda connection: self._endpoints.rewind(connection, newest, now))
        if ahead:
            _log.warning(
                "the journal is older than its webhooks' file, as after a restored backup: %d webhooks were ahead of it"
                " and go on from its end; ids of events may be given a second time",
                ahead,
            )


def _clients(admission: Admission) -> Admit[str | None]:
    def admit(authorization: str | None) -> str | None:
        principal = admission.admit(authorization)
        principal.require(EVENTS_READ)
        return principal.client

    return admit


def _nobody() -> None:
    """The sender is another process, which looks by itself."""
