"""What the operator of a Bluefin venue may choose of its rules (specs/bluefin.md §9)."""

from typing import Final

SIGNED_WITHIN_US: Final = 60_000_000
ORDERS_MAX: Final = 40
ORDERS_MAX_MAX: Final = 500


class Policy:
    """``orders_max`` are an account's open orders on one side of a market. An order's signature is at most
    ``signed_within_us`` old when it comes, and not of the future (``ahead_us`` is what clocks may differ by).
    ``trigger_by_mark``: trigger prices are compared with the quoted price, not with that of the last trade.
    """

    __slots__ = ("ahead_us", "orders_max", "signed_within_us", "trigger_by_mark")

    def __init__(
        self,
        *,
        orders_max: int = ORDERS_MAX,
        signed_within_us: int = SIGNED_WITHIN_US,
        ahead_us: int = 0,
        trigger_by_mark: bool = False,
    ) -> None:
        if not 0 < orders_max <= ORDERS_MAX_MAX:
            raise ValueError(f"orders_max is from 1 to {ORDERS_MAX_MAX}: all of them are cancelled in one entry")
        self.orders_max: Final = orders_max
        self.signed_within_us: Final = signed_within_us
        self.ahead_us: Final = ahead_us
        self.trigger_by_mark: Final = trigger_by_mark
