"""What one seed's world of both halves is like: a venue where everything happens within minutes, open to everybody."""

from decimal import Decimal
from random import Random

from tallystick.match.half import exact
from tallystick.simulate.terms import SECOND_US, Terms
from tallystick.simulate.workload import Workload


def quick_terms(random: Random, workload: Workload) -> Terms:
    """The workload's terms without long waits, and with orders of several trades."""
    short = (0, 1000, SECOND_US, 20 * SECOND_US)
    return workload.terms._replace(
        submit_after_us=random.choice(short),
        execute_after_us=random.choice(short),
        trade_interval_us=random.choice(short),
        trade_cash_max=random.choice((0, workload.wealth // 3, workload.wealth // 20, workload.wealth // 100)),
        delay_us=random.choice((0, SECOND_US, 60 * SECOND_US, 600 * SECOND_US)),
        calendar=None,
        retain_us=random.choice((SECOND_US, 60 * SECOND_US, 600 * SECOND_US)),
        price_stale_us=0,
        prerequisite_us=random.choice((0, 0, 60 * SECOND_US)),
        retry_us=random.choice((1000, SECOND_US)),
        settlement_retry_us=SECOND_US,
    )


def open_to_all(workload: Workload) -> None:
    """Any size may be traded by anybody. (What a venue refuses for its size it keeps under no key: such a request,
    delivered twice, might be taken the second time.)"""
    for at, each in enumerate(workload.instruments):
        workload.instruments[at] = each._replace(quantity_min=0, cash_min=0, pros_only=False)


def means(workload: Workload) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """What a customer begins with: of each currency, and of each market's unit by the market's name."""
    wealth = {name: exact(workload.wealth, scale) for name, scale in workload.currencies.items()}
    units = {f"{each.unit}-{each.currency}": exact(each.granted, each.unit_scale) for each in workload.instruments}
    return wealth, units
