"""Serving: uvicorn over the application, bound to loopback, saying how to begin once it listens."""

import gc
import signal
import sys
from collections.abc import Callable
from errno import EACCES, EADDRINUSE
from pathlib import Path
from shlex import quote
from socket import SO_REUSEADDR, SOL_SOCKET, socket
from time import monotonic
from typing import Final, NamedTuple

import uvicorn
from starlette.applications import Starlette

from tallystick.dialects.sophic.sandbox import (
    DEMO_ACCOUNT,
    INSTRUMENTS,
    fixed_prices,
    replayed_prices,
    sandbox_policy,
    walking_prices,
)
from tallystick.readers.recovery import Progress
from tallystick.server.app import make_app
from tallystick.server.disk import LOW_BYTES
from tallystick.server.host import SOPHIC, Host
from tallystick.server.http import BoundedHttp
from tallystick.venue.prices import PriceSource

LOOPBACK: Final = "127.0.0.1"
SWITCH_SECONDS: Final = 0.0005  # the committer gets the interpreter back sooner, so acknowledgements are not late
DRAIN_SECONDS: Final = 10
CONNECTIONS_MAX: Final = 10_000  # what is undecided waits in connections, so their number bounds it
PROGRESS_SECONDS: Final = 2


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._listening: Final = listening

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._listening()


class BadSettings(Exception):
    """Settings that cannot be meant; the sentence says which and why."""


class Settings(NamedTuple):
    """``port`` 0 takes a free one; ``prices`` is walk, fixed, or a folder of CSV files named after instruments.

    With fewer than ``disk_low`` MiB free no new orders are taken.
    """

    port: int
    data: Path
    token: str
    pace: float
    prices: str
    disk_low: int = LOW_BYTES >> 20


def serve(settings: Settings) -> bool:
    """Serve until SIGINT or SIGTERM; False if it could not listen. Raises what Host raises, and BadSettings."""
    if not settings.token or not all("!" <= each <= "~" for each in settings.token):
        raise BadSettings("--token is one or more printable ASCII characters without spaces.")
    prices = price_sources(settings.prices)
    sys.setswitchinterval(SWITCH_SECONDS)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    with bind(settings.port) as listener:
        gc.disable()  # what recovery makes is here to stay
        low = settings.disk_low << 20
        host = Host(settings.data, sandbox_policy(settings.pace), prices, tell_progress(), disk_low_bytes=low)
        try:
            spare_the_collector()
            port = listener.getsockname()[1]
            server = make_server(make_app(host, settings.token), lambda: print(welcome(settings, port), flush=True))
            server.run([listener])
        finally:
            host.close()
    return server.started


def bind(port: int) -> socket:
    """The socket to listen on; taken before anything else is touched, so that a port in use changes nothing."""
    listener = socket()
    listener.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
    except OSError as error:
        listener.close()
        if error.errno in (EADDRINUSE, EACCES):
            raise BadSettings(f"Port {port} is in use or not allowed. Choose another: --port N, PORT=N.") from None
        raise
    return listener


def make_server(app: Starlette, listening: Callable[[], None]) -> uvicorn.Server:
    """uvicorn over ``app``; ``listening`` is called once it takes connections."""
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=BoundedHttp,
        ws="websockets-sansio",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        log_level="warning",
        timeout_graceful_shutdown=DRAIN_SECONDS,
        limit_concurrency=CONNECTIONS_MAX,
    )
    return _Server(config, listening)


def tell_progress() -> Progress:
    """A line now and then while a long journal is read; nothing when it is short."""
    told = monotonic()

    def tell(sequence: int, last: int) -> None:
        nonlocal told
        if monotonic() - told > PROGRESS_SECONDS:
            told = monotonic()
            print(f"Reading the journal: entry {sequence:,} of {last:,}.", file=sys.stderr, flush=True)

    return tell


def spare_the_collector() -> None:
    """What was recovered is here to stay, so the collector need not look at it again.

    Records do not refer to each other in cycles: looking through a million of them would only cause a pause. So the
    young are looked at in small helpings, and the old hardly ever.
    """
    gc.freeze()
    gc.enable()
    gc.set_threshold(10_000, 2, 5000)


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
    if not recordings:
        raise BadSettings(f"--prices: there is no CSV file in {folder}; name them after instruments: ins_acme.csv")
    try:
        return replayed_prices(recordings)
    except ValueError as error:
        raise BadSettings(f"--prices: {folder}/{error}") from None


def welcome(settings: Settings, port: int) -> str:
    """The first lines that a user sees: where it is, what to try, what to expect."""
    base = f"http://{LOOPBACK}:{port}/{SOPHIC}/accounts/{DEMO_ACCOUNT}"
    header = f"-H {quote(f'Authorization: Bearer {settings.token}')}"
    instrument = INSTRUMENTS[0].id
    buy = f'{{"instrument":"{instrument}","order_type":"market","side":"buy","cash_amount":"100.00"}}'
    sell = f'{{"instrument":"{instrument}","order_type":"market","side":"sell","quantity":"0.5"}}'
    steps = "An order is placed, filled and settled at once."
    if settings.pace:
        executing, filled, settled = (f"{each * settings.pace:g} s" for each in (1, 2, 7))
        steps = (
            f"An order is placed at once, executing after {executing}, filled after {filled}, settled after {settled}"
        )
        steps += ";\none of more than 5,000.00 fills in parts."
    return f"""Tallystick serves http://{LOOPBACK}:{port} from {settings.data} (sandbox; Ctrl-C stops it).

Try:
  curl -s {header} {base}/cash-balances
  curl -s {header} {base}/orders -d '{buy}'
  curl -s {header} {base}/orders -d '{sell}'
  curl -s {header} {base}/orders
  curl -s {header} {base}/positions

Instruments: {", ".join(each.id for each in INSTRUMENTS)}. Fees are 0.25 %.
{steps}"""
