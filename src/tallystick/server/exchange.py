"""The Bluefin venue put together: its HTTP interface, its sockets, and what they share."""

from typing import Final

from starlette.routing import BaseRoute, Mount

from tallystick.dialects.bluefin.account_stream import AccountStream
from tallystick.dialects.bluefin.api import BluefinApi
from tallystick.dialects.bluefin.frames import Frames, Spelling
from tallystick.dialects.bluefin.login import Login
from tallystick.dialects.bluefin.market_data import MarketData
from tallystick.dialects.bluefin.market_maker import MarketMaker, walks
from tallystick.dialects.bluefin.market_stream import MarketStream
from tallystick.dialects.bluefin.placing import Placing
from tallystick.dialects.bluefin.policy import Policy
from tallystick.dialects.bluefin.sandbox import ProductionWallets, SandboxWallets
from tallystick.dialects.bluefin.tokens import Tokens
from tallystick.dialects.bluefin.view import View
from tallystick.server.config import Bluefin
from tallystick.server.host import BLUEFIN
from tallystick.server.venue import HostedVenue


class Exchange:
    """What is served below ``/bluefin``, over a venue that is running while it is served."""

    def __init__(self, venue: HostedVenue, secret: bytes, config: Bluefin, *, is_sandbox: bool) -> None:
        view = View(lambda: venue.ambient)
        wallets = SandboxWallets(venue) if is_sandbox else ProductionWallets()
        login = Login(Tokens(secret), wallets)
        self._data: Final = MarketData(venue, view)
        frames = Frames(view, spelling_of(config))
        self._accounts: Final = AccountStream(venue, login, frames)
        self._markets: Final = MarketStream(venue, self._data)
        self._maker: Final = MarketMaker(venue, walks()) if is_sandbox and config.market_maker else None
        self._api: Final = BluefinApi(venue, view, login, Placing(wallets), self._data, self._accounts, frames)

    def routes(self) -> list[BaseRoute]:
        """Its sockets before everything else that is below its path."""
        root = f"/{BLUEFIN}"
        return [
            *self._accounts.routes(f"{root}/ws/account"),
            *self._markets.routes(f"{root}/ws/market"),
            Mount(root, app=self._api),
        ]

    def start(self) -> None:
        """The venue runs."""
        self._data.start()
        if self._maker is not None:
            self._maker.start()

    def drain(self) -> None:
        """End the sockets: the server is asked to stop."""
        self._accounts.drain()
        self._markets.drain()

    async def stop(self) -> None:
        """The venue stops after this."""
        if self._maker is not None:
            await self._maker.stop()
        self._data.stop()


def exchange_policy(config: Bluefin) -> Policy | None:
    """The venue's rules; None where it is not served."""
    if not config.enabled:
        return None
    return Policy(
        orders_max=config.orders_max,
        signed_within_us=int(config.signed_within_seconds * 1_000_000),
        trigger_by_mark=config.trigger_price == "mark",
    )


def spelling_of(config: Bluefin) -> Spelling:
    """What is told where the seed, the released clients and the live venue differ."""
    return Spelling(
        failed_cancel_reason=None if config.failed_cancel_reason == "null" else config.failed_cancel_reason,
        ioc_partial_status=config.ioc_partial_status,
        first_only=config.cancel_all_events == "first_only",
    )
