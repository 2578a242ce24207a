"""What goes out by itself, of every venue that sends: webhooks and streams, begun and ended with the server."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from starlette.routing import BaseRoute

from tallystick.deliver.addresses import Reach
from tallystick.deliver.courier import Policy
from tallystick.deliver.schedule import Schedule
from tallystick.deliver.sealing import read_key
from tallystick.dialects.sophic.delivery import SophicDelivery
from tallystick.server.admission import Admission
from tallystick.server.config import Webhooks
from tallystick.server.exchange import Exchange
from tallystick.server.host import SOPHIC, Host
from tallystick.server.neutral.api import NeutralApi
from tallystick.server.neutral.callers import Clients
from tallystick.server.neutral.callers import Operators as AllSeeing
from tallystick.server.neutral.mount import venues
from tallystick.server.operators import Operators

DAY_US: Final = 86_400_000_000


class Delivery(Protocol):
    """What a server asks of a venue's delivery, whatever it sends and how."""

    def start(self) -> None:
        """Begin to send: the venue runs."""

    def drain(self) -> None:
        """End what is followed, and say where: the server is asked to stop."""

    async def stop(self) -> None:
        """Put on record what was sent: the venue stops after this."""


class Deliveries:
    """Over ``host``, a file for each venue in its folder ``data``. Raises BookError; ``start`` raises SealError."""

    def __init__(
        self,
        host: Host,
        admission: Admission,
        data: Path,
        webhooks: Webhooks,
        *,
        is_sandbox: bool,
        exchange: Exchange | None = None,
    ) -> None:
        self.sophic: Final = SophicDelivery(
            data,
            SOPHIC,
            host.secret,
            host.sophic,
            host.index(SOPHIC),
            admission,
            policy_of(webhooks, everywhere=is_sandbox),
            read_key(webhooks.key),
            sends=webhooks.sends,
            may_receive=admission.may_receive,
        )
        self._neutral: Final = NeutralApi(venues(host), host.secret)
        self._clients: Final = Clients(admission)
        self._exchange: Final = exchange
        self._all: Final[Sequence[Delivery]] = (self.sophic,) if exchange is None else (self.sophic, exchange)

    def routes(self) -> list[BaseRoute]:
        """The streams that clients follow, to stand before the venues."""
        exchange = [] if self._exchange is None else self._exchange.routes()
        neutral = self._neutral.routes("/v1", self._clients)
        return [*self.sophic.stream.routes(f"/{SOPHIC}/stream"), *exchange, *neutral]

    def operators_routes(self, operators: Operators) -> list[BaseRoute]:
        """The streams of everything, to stand before the operators' door."""

        def admit(authorization: str | None) -> None:
            operators.operator(authorization)

        stream = self.sophic.operators_stream(admit)
        neutral = self._neutral.routes("/ops/v1", AllSeeing(operators))
        return [*stream.routes(f"/ops/venues/{SOPHIC}/stream"), *neutral]

    def status(self) -> dict[str, dict[str, str | int]]:
        """Of each venue's webhooks: whether they are sent (SophicDelivery.status), and how many are held back."""
        return {SOPHIC: {"status": self.sophic.status, "held_back": self.sophic.held_back}}

    def start(self) -> None:
        for each in self._all:
            each.start()

    def drain(self) -> None:
        self._neutral.drain()
        for each in self._all:
            each.drain()

    async def stop(self) -> None:
        for each in self._all:
            await each.stop()


def policy_of(webhooks: Webhooks, *, everywhere: bool) -> Policy:
    """How webhooks are sent; ``everywhere``: over http and to this machine too."""
    patience_us, keep_us = int(webhooks.disable_after_days * DAY_US), int(webhooks.keep_days * DAY_US)
    schedule = Schedule(scale=webhooks.retry_scale, patience_us=patience_us)
    return Policy(schedule, Reach(everywhere), keep_us=keep_us)
