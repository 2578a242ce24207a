"""Everything of Sophic that goes out by itself, put together: webhooks, their management, and streams of events."""

from pathlib import Path
from typing import Final

from tallystick.access.principal import EVENTS_READ
from tallystick.core.ids import IdCodec
from tallystick.deliver.book import Book
from tallystick.deliver.clock import WallClock
from tallystick.deliver.courier import Policy
from tallystick.deliver.endpoints import Endpoints
from tallystick.deliver.hub import Hub
from tallystick.deliver.reading import HubSource
from tallystick.deliver.register import Register
from tallystick.deliver.sealing import Sealer
from tallystick.deliver.service import Service, deliveries_file, delivery_ids
from tallystick.deliver.stream import Admit, Stream
from tallystick.dialects.sophic.outgoing import Notices, SophicFeed, webhook_ids
from tallystick.dialects.sophic.ports import Admission, Desk
from tallystick.dialects.sophic.view import View
from tallystick.dialects.sophic.webhook_wire import WebhookView
from tallystick.dialects.sophic.webhooks import Webhooks
from tallystick.readers.index import Index


class SophicDelivery:
    """``webhooks`` go into the API, ``stream`` is what clients follow. Raises BookError; ``start`` raises SealError.

    With ``sends`` false another process sends (``tallystick deliver``), from the same file in the folder ``data``.
    ``key`` encrypts the webhooks' secrets; b"" for no key. ``start`` once the venue runs, ``drain`` when the server is
    asked to stop, ``stop`` before the venue does.
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
    ) -> None:
        path = data / deliveries_file(venue)
        sealer = Sealer(key)
        feed = SophicFeed(index, desk.readers, View(secret, venue))
        self._hub: Final = Hub(feed)
        self._service: Final = (
            Service(path, self._hub, secret, Notices(secret).disabled, policy, sealer) if sends else None
        )
        self._book: Final = Book(path)
        changed = _nobody if self._service is None else self._service.changed
        self._endpoints: Final = Endpoints(sealer)
        register = Register(self._book, self._endpoints, feed, WallClock(), changed)
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
        if self._service is not None:
            self._service.start()

    def drain(self) -> None:
        """End the streams, each with its position: the server is asked to stop."""
        for stream in self._streams:
            stream.stop()

    async def stop(self) -> None:
        """What was sent is on record when this returns."""
        if self._service is not None:
            await self._service.stop()
        self._book.close()


def _clients(admission: Admission) -> Admit[str | None]:
    def admit(authorization: str | None) -> str | None:
        principal = admission.admit(authorization)
        principal.require(EVENTS_READ)
        return principal.client

    return admit


def _nobody() -> None:
    """The sender is another process, which looks by itself."""
