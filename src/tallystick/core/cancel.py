"""A cancel request: an object of its own, with an outcome for each order it names (docs/design.md §2)."""

from typing import Final

from tallystick.core.lifecycle import DONE, REFUSED, REQUESTED, UNKNOWN, LifecycleError


class CancelRequest:
    """``outcomes`` maps each order's number to REQUESTED, DONE, REFUSED or UNKNOWN, ``reasons`` the refused to why."""

    __slots__ = ("made", "number", "outcomes", "reasons", "scope")

    def __init__(self, number: int, scope: int, orders: tuple[int, ...], time: int) -> None:
        self.number: Final = number
        self.scope: Final = scope
        self.made: Final = time
        self.outcomes: Final[dict[int, int]] = dict.fromkeys(orders, REQUESTED)
        self.reasons: Final[dict[int, str]] = {}

    def done(self, order: int) -> None:
        """The order was cancelled by this request."""
        self._conclude(order, DONE)

    def refused(self, order: int, reason: str) -> None:
        """The order was not cancelled; its status is untouched."""
        self._conclude(order, REFUSED)
        self.reasons[order] = reason

    def unknown(self, order: int) -> None:
        """Nobody knows yet (client half); a later outcome may still come."""
        self._conclude(order, UNKNOWN)

    def _conclude(self, order: int, outcome: int) -> None:
        before = self.outcomes.get(order, REQUESTED)
        if before == DONE or before == REFUSED:
            raise LifecycleError("a cancel request has one outcome for each order")
        self.outcomes[order] = outcome
