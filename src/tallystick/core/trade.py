"""A trade's record: its legs never change, its status moves PENDING -> EXECUTED -> SETTLED or PENDING -> REVERTED."""

from typing import Any, Final

from mypy_extensions import mypyc_attr

from tallystick.core.keys import Number
from tallystick.core.lifecycle import TRADE_SETTLED, advance_trade


@mypyc_attr(acyclic=True)
class Trade:
    """``terms`` is the fact that made it: its legs, price and obligations. ``due`` is when it settles.

    ``holders`` counts the orders it belongs to that are still kept beside it.
    """

    __slots__ = ("due", "holders", "made", "number", "settled", "status", "terms")

    def __init__(self, terms: Any, number: Number, status: int, due: int, time: int, holders: int) -> None:
        self.terms: Final = terms
        self.number: Final = number
        self.status = status
        self.due = due
        self.made: Final = time
        self.holders = holders
        self.settled = time if status == TRADE_SETTLED else 0

    def advance(self, event: int, due: int, time: int) -> None:
        """CONFIRM, REVERT or SETTLE."""
        self.status = advance_trade(self.status, event)
        self.due = due
        if self.status == TRADE_SETTLED:
            self.settled = time
