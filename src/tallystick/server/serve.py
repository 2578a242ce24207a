"""Serving: uvicorn over the application, bound to loopback, saying how to begin once it listens."""

import gc
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from shlex import quote
from socket import socket
from typing import Final, NamedTuple

import uvicorn

from tallystick.dialects.sophic.sandbox import (
    DEMO_ACCOUNT,
    INSTRUMENTS,
    fixed_prices,
    replayed_prices,
    sandbox_policy,
    walking_prices,
)
from tallystick.server.app import make_app
from tallystick.server.host import SOPHIC, Host
from tallystick.server.http import BoundedHttp
from tallystick.venue.prices import PriceSource

LOOPBACK: Final = "127.0.0.1"
SWITCH_SECONDS: Final = 0.0005  # the committer gets the interpreter back sooner, so acknowledgements are not late
DRAIN_SECONDS: Final = 10


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, listening: Callable[[int], None]) -> None:
        super().__init__(config)
        self._listening: Final = listening

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._listening(self.servers[0].sockets[0].getsockname()[1])


class BadSettings(Exception):
    """Settings that cannot be meant; the sentence says which and why."""


class Settings(NamedTuple):
    """``port`` 0 takes a free one; ``prices`` is walk, fixed, or a folder of CSV files named after instruments."""

    port: int
    data: Path
    token: str
    pace: float
    prices: str


def serve(settings: Settings) -> bool:
    """Serve until SIGINT or SIGTERM; False if it could not listen. Raises what Host raises, and BadSettings."""
    if not settings.token or not all("!" <= each <= "~" for each in settings.token):
        raise BadSettings("--token is one or more printable ASCII characters without spaces.")
    prices = price_sources(settings.prices)
    sys.setswitchinterval(SWITCH_SECONDS)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    host = Host(settings.data, sandbox_policy(settings.pace), prices)
    config = uvicorn.Config(
        make_app(host, settings.token),
        host=LOOPBACK,
        port=settings.port,
        loop="uvloop",
        http=BoundedHttp,
        ws="websockets-sansio",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        log_level="warning",
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    spare_the_collector()
    server = _Server(config, lambda port: print(welcome(port, settings.data, settings.token), flush=True))
    try:
        server.run()
    finally:
        host.close()
    return server.started


def spare_the_collector() -> None:
    """What was recovered is here to stay, so the collector need not look at it again, nor often at what is young.

    Records do not refer to each other in cycles; full collections of a million of them would only cause pauses.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 1000)


def _leave(_signal: int, _frame: object) -> None:
    """Being asked to stop is no failure; uvicorn raises the signal again here once it has drained."""
    raise SystemExit(0)


def price_sources(prices: str) -> dict[str, PriceSource]:
    """The sources that ``--prices`` names; raises BadSettings for a folder that is not there or holds what is wrong."""
    if prices == "walk":
        return walking_prices()
    if prices == "fixed":
        return fixed_prices()
    folder = Path(prices)
    if not folder.is_dir():
        raise BadSettings(f"--prices is walk, fixed or a folder of CSV files; there is no folder {prices}")
    recordings: dict[str, str] = {}
    for file in sorted(folder.glob("*.csv")):
        try:
            recordings[file.stem] = file.read_text("utf-8")
        except UnicodeDecodeError:
            raise BadSettings(f"--prices: {file} is not UTF-8 text") from None
    try:
        return replayed_prices(recordings)
    except ValueError as error:
        raise BadSettings(f"--prices: {folder}/{error}") from None


def welcome(port: int, data: Path, token: str) -> str:
    """The first lines that a user sees: where it is, and what to try."""
    base = f"http://{LOOPBACK}:{port}/{SOPHIC}/accounts/{DEMO_ACCOUNT}"
    header = f"-H {quote(f'Authorization: Bearer {token}')}"
    instrument = INSTRUMENTS[0].id
    buy = f'{{"instrument":"{instrument}","order_type":"market","side":"buy","cash_amount":"100.00"}}'
    sell = f'{{"instrument":"{instrument}","order_type":"market","side":"sell","quantity":"0.5"}}'
    return f"""Tallystick serves http://{LOOPBACK}:{port} from {data} (sandbox; Ctrl-C stops it).

Try:
  curl -s {header} {base}/cash-balances
  curl -s {header} {base}/orders -d '{buy}'
  curl -s {header} {base}/orders -d '{sell}'
  curl -s {header} {base}/orders
  curl -s {header} {base}/positions

An order is placed, executing after a second, filled after another, settled five seconds later."""
