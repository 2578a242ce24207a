"""Serving: what a configuration asks for, put together, from the bound sockets to the log's last line."""

import gc
import logging
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from socket import socket
from time import monotonic
from typing import Final

from starlette.routing import BaseRoute

from tallystick.readers.recovery import Progress
from tallystick.server import logs
from tallystick.server.addresses import bind, read_bind, url
from tallystick.server.admission import Admission, open_admission
from tallystick.server.app import make_app, make_ops_app, ops_door, sandbox_door
from tallystick.server.config import Config
from tallystick.server.config_faults import BadConfig
from tallystick.server.deliveries import Deliveries
from tallystick.server.exchange import Exchange, exchange_policy
from tallystick.server.exposure import exposed_without_anybody
from tallystick.server.health import Health
from tallystick.server.host import Host
from tallystick.server.listeners import SIGNALS, Listener, Listeners
from tallystick.server.operators import SANDBOX_OPERATOR, Operators
from tallystick.server.policy import policy_of
from tallystick.server.price_sources import price_sources
from tallystick.server.rates import Rate
from tallystick.server.welcome import welcome

SWITCH_SECONDS: Final = 0.0005  # the committer gets the interpreter back sooner, so acknowledgements are not late
PROGRESS_SECONDS: Final = 2

_log = logging.getLogger(__name__)


def serve(config: Config) -> None:
    """Serve until SIGINT or SIGTERM. Raises BadConfig, BadAddress, KeysError, and what Host and Deliveries raise."""
    logs.set_up(config.log.format, config.log.level)
    sys.setswitchinterval(SWITCH_SECONDS)
    for number in SIGNALS:
        signal.signal(number, _leave)
    if faults := list(exposed_without_anybody(config)):
        raise BadConfig(faults)
    with ExitStack() as stack:
        sockets = [stack.enter_context(bind(config.server.host, config.server.port, "--port N, PORT=N"))]
        if config.ops.bind:
            sockets.append(stack.enter_context(bind(*read_bind(config.ops.bind), 'ops.bind = "host:port"')))
        gc.disable()  # what recovery makes is here to stay
        host = _host(config)
        stack.callback(host.close)
        admission = _admission(config, host)
        stack.callback(admission.close)
        deliveries = _deliveries(config, host, admission)
        spare_the_collector()
        _listeners(config, host, admission, deliveries, sockets).run(_running(host, deliveries))


def spare_the_collector() -> None:
    """What was recovered is here to stay, so the collector need not look at it again.

    Records do not refer to each other in cycles: looking through a million of them would only cause a pause. So the
    young are looked at in small helpings, and the old hardly ever.
    """
    gc.freeze()
    gc.enable()
    gc.set_threshold(10_000, 2, 5000)


def _host(config: Config) -> Host:
    sandbox = config.sandbox
    return Host(
        Path(config.server.data),
        policy_of(config.sophic),
        price_sources(sandbox.prices) if sandbox.enabled else {},
        _progress(),
        disk_low_bytes=config.server.disk_low_mib << 20,
        is_sandbox=sandbox.enabled,
        bluefin=exchange_policy(config.bluefin),
    )


def _admission(config: Config, host: Host) -> Admission:
    limits = config.limits
    return open_admission(
        Path(config.server.data),
        host.secret,
        static_token=config.sandbox.token if config.sandbox.enabled else "",
        rate=Rate(limits.requests_per_second, max(limits.burst, 1)) if limits.requests_per_second else None,
    )


def _deliveries(config: Config, host: Host, admission: Admission) -> Deliveries:
    is_sandbox = config.sandbox.enabled
    exchange = None
    if host.bluefin is not None:
        exchange = Exchange(host.bluefin, host.secret, config.bluefin, is_sandbox=is_sandbox)
    return Deliveries(
        host, admission, Path(config.server.data), config.webhooks, is_sandbox=is_sandbox, exchange=exchange
    )


def _operators(config: Config, admission: Admission) -> Operators:
    configured = {each.name: each.token_sha256 for each in config.ops.operators}
    return Operators(admission, configured, sandbox_token=SANDBOX_OPERATOR if config.sandbox.enabled else "")


def _listeners(
    config: Config, host: Host, admission: Admission, deliveries: Deliveries, sockets: list[socket]
) -> Listeners:
    """Clients first: operators, and whoever asks whether it is ready, are served until the clients are."""
    health = Health(host.venues, deliveries.status)
    operators = _operators(config, admission)
    ops = [*deliveries.operators_routes(operators), ops_door(host, operators)]
    doors: list[BaseRoute] = [sandbox_door(host)] if config.sandbox.enabled else []
    if config.ops.bind:
        apps = [make_app(host, health, admission, deliveries, doors), make_ops_app(health, ops)]
    else:
        apps = [make_app(host, health, admission, deliveries, [*ops, *doors])]

    def drain() -> None:
        health.draining = True
        deliveries.drain()

    return Listeners(
        [Listener(app, listener) for app, listener in zip(apps, sockets, strict=True)],
        drain_seconds=config.server.drain_seconds,
        connections_max=config.server.connections_max,
        listening=lambda: _say_listening(config, [url(each) for each in sockets]),
        draining=drain,
    )


@asynccontextmanager
async def _running(host: Host, deliveries: Deliveries) -> AsyncIterator[None]:
    await host.start()
    try:
        deliveries.start()
        yield
    finally:
        await deliveries.stop()
        await host.stop()


def _say_listening(config: Config, urls: list[str]) -> None:
    """In the log, and on stdout for whoever started it."""
    what = "sandbox; Ctrl-C stops it" if config.sandbox.enabled else "Ctrl-C stops it"
    _log.info("listening: %s", ", ".join(urls))
    print(f"Tallystick serves {urls[0]} from {config.server.data} ({what}).", flush=True)
    for operators in urls[1:]:
        print(f"Operators are served at {operators}.", flush=True)
    if config.sandbox.enabled:
        print(welcome(config, urls[0]), flush=True)


def _progress() -> Progress:
    """A line now and then while a long journal is read; nothing when it is short."""
    told = monotonic()

    def tell(sequence: int, last: int) -> None:
        nonlocal told
        if monotonic() - told > PROGRESS_SECONDS:
            told = monotonic()
            _log.info("reading the journal: entry %d of %d", sequence, last)

    return tell


def _leave(_signal: int, _frame: object) -> None:
    """While nobody is served yet, being asked to stop is no failure, and there is nothing to drain."""
    raise SystemExit(0)
