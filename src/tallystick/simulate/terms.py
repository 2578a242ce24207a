"""What one seed's venue is like: its policy, as plain numbers for the venue and for the auditor, and instruments."""

from random import Random
from typing import Final, NamedTuple

from tallystick.dialects.sophic.policy import REVIEW_SCALE, Policy
from tallystick.facts.codes import BUY_SELL, SELL_ONLY
from tallystick.venue.calendar import DAY_US, FixedDelay, Settlement, SettlementCalendar

BEGIN_US: Final = 1_700_000_000_000_000  # 2023-11-14, a Tuesday
SECOND_US: Final = 1_000_000
HOUR_US: Final = 3600 * SECOND_US
CENTS: Final = 10 ** (REVIEW_SCALE - 2)


class Calendar(NamedTuple):
    """See SettlementCalendar."""

    days: int
    weekend: tuple[int, ...]
    holidays: tuple[int, ...]
    settle_at_us: int
    offset_us: int
    cutoff_us: int


class Terms(NamedTuple):
    """See Policy. Without a calendar ``delay_us`` settles; ``retain_us`` is the venue's own."""

    fee_bps: int
    submit_after_us: int
    execute_after_us: int
    trade_interval_us: int
    trade_cash_max: int
    delay_us: int
    calendar: Calendar | None
    retain_us: int
    price_stale_us: int
    review_over: int
    prerequisite_us: int
    retry_us: int
    settlement_retry_us: int


class Instrument(NamedTuple):
    """``price`` is where the price begins; ``granted`` what each customer gets of its unit."""

    name: str
    unit: str
    currency: str
    unit_scale: int
    price_scale: int
    increment: int
    price: int
    granted: int
    status: int
    pros_only: bool
    quantity_min: int
    cash_min: int
    cash_increment: int


def policy_of(terms: Terms) -> Policy:
    """The venue's policy."""
    settlement: Settlement = FixedDelay(terms.delay_us)
    if terms.calendar is not None:
        settlement = SettlementCalendar(*terms.calendar)
    return Policy(
        settlement,
        terms.fee_bps,
        terms.submit_after_us,
        terms.execute_after_us,
        terms.trade_interval_us,
        terms.trade_cash_max,
        terms.price_stale_us,
        terms.review_over,
        terms.prerequisite_us,
        terms.retry_us,
        terms.settlement_retry_us,
    )


def draw_terms(random: Random, wealth: int) -> Terms:
    """``wealth`` is the cash that a customer has."""
    delays = (0, 0, 1, 1000, SECOND_US, 60 * SECOND_US)
    return Terms(
        random.choice((0, 1, 25, 100, 999)),
        random.choice(delays),
        random.choice(delays),
        random.choice((*delays, 5 * HOUR_US, DAY_US)),
        random.choice((0, wealth // random.randint(2, 8))),
        random.choice((0, 1, 5 * SECOND_US, DAY_US)),
        _draw_calendar(random) if random.random() < 0.5 else None,
        random.choice((SECOND_US, 60 * SECOND_US, 600 * SECOND_US, 2 * DAY_US)),
        random.choice((0, 0, 0, 60 * SECOND_US, HOUR_US, DAY_US)),
        random.choice((0, 0, 0, wealth // random.randint(2, 50) * CENTS)),
        random.choice((0, 0, 30 * SECOND_US, HOUR_US, DAY_US)),
        random.choice((1, 1000, SECOND_US, 60 * SECOND_US)),
        random.choice((SECOND_US, HOUR_US, DAY_US)),
    )


def draw_instrument(random: Random, at: int, currency: str, currency_scale: int, wealth: int) -> Instrument:
    """The instrument number ``at``; a customer's wealth buys 10 to 100,000 of its increments."""
    unit_scale = random.randint(0, 8)
    price_scale = max(random.randint(0, 6), currency_scale - unit_scale)
    increment = random.choice((1, 10, 10**unit_scale, 25))
    increments = 10 ** random.randint(1, 5)
    parity = 10 ** (unit_scale + price_scale - currency_scale)
    price = max(1, wealth * parity // (increments * increment))
    increments = max(1, min(increments, wealth * parity // (price * increment)))
    return Instrument(
        f"ins{at}",
        f"UNIT{at}",
        currency,
        unit_scale,
        price_scale,
        increment,
        price,
        increments * increment,
        random.choice((*[BUY_SELL] * 9, SELL_ONLY)),
        random.random() < 0.1,
        random.choice((0, 0, 0, increment * random.randint(1, max(1, increments // 20)))),
        random.choice((0, 0, 0, wealth // random.randint(10, 200))),
        random.choice((0, 0, 0, random.choice((5, 100)))),
    )


def _draw_calendar(random: Random) -> Calendar:
    return Calendar(
        random.randint(0, 3),
        random.choice(((5, 6), (4, 5), (6,), ())),
        tuple(sorted(BEGIN_US // DAY_US + random.randint(0, 12) for _ in range(random.randint(0, 4)))),
        random.randrange(DAY_US),
        random.randint(-12, 12) * HOUR_US,
        random.choice((DAY_US, random.randrange(DAY_US))),
    )
