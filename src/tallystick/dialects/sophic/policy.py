"""A Sophic venue's numbers: fees, the time between steps, how long it waits and for what."""

from typing import Final

from tallystick.core.back_off import back_off as doubled
from tallystick.venue.broker import BASIS_POINTS
from tallystick.venue.calendar import Settlement

RETRY_DOUBLINGS_MAX: Final = 10


class Policy:
    """Times are microseconds; 0 is never, or no limit.

    ``trade_cash_max`` is the most one trade moves, at the scale of its market's currency; there is no limit where it
    would not buy one increment. A price that was quoted more than ``price_stale_us`` ago is none. An order for more
    than ``review_over``, at REVIEW_SCALE, waits for a compliance check, and so does a sell whose worth is not known. A
    prerequisite is waited for ``prerequisite_us``. What failed and may be tried again is tried after ``retry_us`` (a
    settlement after ``settlement_retry_us``), and twice as long after each further failure.
    """

    def __init__(
        self,
        settlement: Settlement,
        fee_bps: int = 25,
        submit_after_us: int = 0,
        execute_after_us: int = 0,
        trade_interval_us: int = 0,
        trade_cash_max: int = 0,
        price_stale_us: int = 0,
        review_over: int = 0,
        prerequisite_us: int = 0,
        retry_us: int = 1_000_000,
        settlement_retry_us: int = 3_600_000_000,
    ) -> None:
        if not 0 <= fee_bps < BASIS_POINTS:
            raise ValueError(f"a fee is from 0 to less than {BASIS_POINTS} basis points, not {fee_bps}")
        self.settlement: Final = settlement
        self.fee_bps: Final = fee_bps
        self.submit_after_us: Final = submit_after_us
        self.execute_after_us: Final = execute_after_us
        self.trade_interval_us: Final = trade_interval_us
        self.trade_cash_max: Final = trade_cash_max
        self.price_stale_us: Final = price_stale_us
        self.review_over: Final = review_over
        self.prerequisite_us: Final = prerequisite_us
        self.retry_us: Final = retry_us
        self.settlement_retry_us: Final = settlement_retry_us


REVIEW_SCALE: Final = 8


def back_off(first_us: int, failures: int) -> int:
    """How long to wait after this many failures before the one that just happened."""
    return doubled(first_us, failures, first_us << RETRY_DOUBLINGS_MAX)
