"""What settings must be together, each of them right by itself."""

from collections import Counter
from collections.abc import Container, Iterator
from typing import Final
from zoneinfo import ZoneInfo

from tallystick.server.config import Config, Ops, Settlement, Sophic
from tallystick.server.config_faults import Fault
from tallystick.server.exposure import exposed_without_keys
from tallystick.server.price_sources import BadPrices, price_sources

CALENDAR: Final = ("days", "weekend", "holidays", "time_zone", "cut_off", "settle_at")


def judge(config: Config, given: Container[str]) -> Iterator[Fault]:
    """The faults; ``given`` are the paths that somebody has set."""
    yield from _amounts(config.sophic)
    yield from _settlement(config.sophic.settlement, given)
    yield from _operators(config.ops)
    yield from exposed_without_keys(config)
    if config.limits.requests_per_second and config.limits.burst < 1:
        yield Fault("limits.burst", "must be 1 or more, or no request would ever be taken")
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


def _operators(ops: Ops) -> Iterator[Fault]:
    for name, count in Counter(operator.name for operator in ops.operators).items():
        if count > 1:
            yield Fault("ops.operators", f"names {name} {count} times; each operator has a name of their own")
