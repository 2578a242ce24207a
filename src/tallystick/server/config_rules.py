"""What settings must be together, each of them right by itself."""

from collections import Counter
from collections.abc import Container, Iterator
from hashlib import sha256
from ipaddress import ip_address
from socket import AF_INET6
from typing import Final
from zoneinfo import ZoneInfo

from tallystick.deliver.sealing import read_key
from tallystick.server.addresses import Address, BadAddress, read_bind, resolve
from tallystick.server.config import Config, Operator, Settlement, Sophic
from tallystick.server.config_faults import Fault
from tallystick.server.exposure import exposed_without_keys
from tallystick.server.operators import SANDBOX_OPERATOR
from tallystick.server.price_sources import BadPrices, price_sources

CALENDAR: Final = ("days", "weekend", "holidays", "time_zone", "cut_off", "settle_at")


def judge(config: Config, given: Container[str]) -> Iterator[Fault]:
    """The faults; ``given`` are the paths that somebody has set."""
    yield from _amounts(config.sophic)
    yield from _settlement(config.sophic.settlement, given)
    yield from _operators(config.ops.operators)
    if config.sandbox.enabled:
        yield from _beside_the_sandbox_operator(config.ops.operators)
    yield from exposed_without_keys(config)
    yield from _addresses(config)
    if config.limits.requests_per_second and config.limits.burst < 1:
        yield Fault("limits.burst", "must be 1 or more, or no request would ever be taken")
    try:
        read_key(config.webhooks.key)
    except ValueError:
        yield Fault("webhooks.key", "must be the base64 of 32 random bytes: openssl rand -base64 32")
    if config.sandbox.enabled:
        try:
            price_sources(config.sandbox.prices)
        except BadPrices as error:
            yield Fault("sandbox.prices", str(error))


def _amounts(sophic: Sophic) -> Iterator[Fault]:
    for name, amount in (("review_over", sophic.review_over), ("trade_cash_max", sophic.trade_cash_max)):
        if amount and not amount.strip("0."):
            yield Fault(f"sophic.{name}", 'must be more than 0, or "" for none')


def _settlement(settlement: Settlement, given: Container[str]) -> Iterator[Fault]:
    if settlement.delay_seconds is not None:
        for name in CALENDAR:
            if (path := f"sophic.settlement.{name}") in given:
                yield Fault(path, "means nothing beside delay_seconds; leave one of them out")
    if len(set(settlement.weekend)) == 7:
        yield Fault("sophic.settlement.weekend", "must leave a day on which trades can settle")
    try:
        ZoneInfo(settlement.time_zone)
    except (KeyError, OSError, ValueError):
        yield Fault("sophic.settlement.time_zone", 'must be the IANA name of a zone, as in "America/New_York"')


def _operators(operators: tuple[Operator, ...]) -> Iterator[Fault]:
    for name, count in Counter(operator.name for operator in operators).items():
        if count > 1:
            yield Fault("ops.operators", f"names {name} {count} times; each operator has a name of their own")
    bearers: dict[str, list[str]] = {}
    for operator in operators:
        names = bearers.setdefault(operator.token_sha256, [])
        if operator.name not in names:
            names.append(operator.name)
    for names in bearers.values():
        if len(names) > 1:
            shown = ", ".join(names)
            yield Fault("ops.operators", f"gives the same token_sha256 to {shown}; each has a token of their own")


def _beside_the_sandbox_operator(operators: tuple[Operator, ...]) -> Iterator[Fault]:
    """In a sandbox there is one operator already, whose token all know."""
    known = sha256(SANDBOX_OPERATOR.encode()).hexdigest()
    for at, operator in enumerate(operators):
        if operator.name == SANDBOX_OPERATOR:
            yield Fault(f"ops.operators[{at}].name", f"must not be {SANDBOX_OPERATOR}: in a sandbox that is anybody")
        if operator.token_sha256 == known:
            yield Fault(f"ops.operators[{at}].token_sha256", "is of the token that all know in a sandbox; make another")


def _addresses(config: Config) -> Iterator[Fault]:
    server = config.server
    if not config.ops.bind:
        return
    try:
        clients, operators = resolve(server.host, server.port), resolve(*read_bind(config.ops.bind))
    except BadAddress:
        return  # told by exposed_without_keys
    if _overlap(clients, operators) or _overlap(operators, clients):
        yield Fault(
            "ops.bind",
            f"must be an address of its own; clients are served at {server.host} port {server.port}: "
            'choose another port, or "" to serve operators at /ops',
        )


def _overlap(one: Address, other: Address) -> bool:
    """Whether what listens on ``one`` leaves no room for ``other``; the IPv6 address of all is that of IPv4 too."""
    (host, port), (other_host, other_port) = one.address[:2], other.address[:2]
    is_all = ip_address(host.partition("%")[0]).is_unspecified and (one.family in (other.family, AF_INET6))
    return port != 0 and port == other_port and (host == other_host or is_all)
