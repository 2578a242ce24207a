"""A cancel request: an object of its own, with an outcome for each order in its scope (docs/design.md §2)."""

from typing import Final

from tallystick.core.lifecycle import DONE, REFUSED, REQUESTED, UNKNOWN, LifecycleError


class CancelRequest:
    """``outcomes`` maps each order's number to REQUESTED, DONE, REFUSED or UNKNOWN, ``reasons`` the refused to why.

    One for a market or an account (``subject``) covers its orders up to the number ``through``, however many they are:
    its outcomes are counted, ``done`` of them, and it is ``finished`` when each has been told.
    """

    __slots__ = ("done", "finished", "made", "number", "outcomes", "reason", "reasons", "scope", "subject", "through")

    def __init__(
        self,
        number: int,
        scope: int,
        orders: tuple[int, ...],
        time: int,
        subject: int = 0,
        through: int = 0,
        reason: str = "",
    ) -> None:
        self.number: Final = number
        self.scope: Final = scope
        self.made: Final = time
        self.subject: Final = subject
        self.through: Final = through
        self.reason: Final = reason
        self.outcomes: Final[dict[int, int]] = dict.fromkeys(orders, REQUESTED)
        self.reasons: Final[dict[int, str]] = {}
        self.done = 0
        self.finished = subject == 0

    def succeeded(self, order: int) -> None:
        """The order was ended by this request."""
        if not self.subject:
            self._conclude(order, DONE)
        elif order > self.through or self.finished:
            raise LifecycleError("ends an order that is not in the scope of the request")
        self.done += 1

    def refused(self, order: int, reason: str) -> None:
        """The order was not cancelled; its status is untouched."""
        self._conclude(order, REFUSED)
        self.reasons[order] = reason

    def unknown(self, order: int) -> None:
        """Nobody knows yet (client half); a later outcome may still come."""
        self._conclude(order, UNKNOWN)

    def finish(self) -> None:
        """Every order in its scope has been told."""
        if self.finished:
            raise LifecycleError("a cancel request finishes once")
        self.finished = True

    def _conclude(self, order: int, outcome: int) -> None:
        before = self.outcomes.get(order, REQUESTED)
        if before == DONE or before == REFUSED:
            raise LifecycleError("a cancel request has one outcome for each order")
        self.outcomes[order] = outcome
