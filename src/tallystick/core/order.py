"""An order's status and amounts: the record that both folds keep, and the equations it satisfies (docs/design.md §2).

While open ``size = consumed + pending + leaves``; once closed ``size = consumed + pending + released``.
"""

from typing import Any, Final, Protocol

from mypy_extensions import mypyc_attr

from tallystick.core.keys import Number
from tallystick.core.lifecycle import (
    CONFIRM,
    FILL,
    OPEN,
    RELEASE,
    REVERT,
    SETTLE,
    SUBMITTED,
    TRADE,
    LifecycleError,
    advance_order,
    is_closed,
)


class Terms(Protocol):
    """What an order is from beginning to end. Shared by every record of it."""

    @property
    def order(self) -> int: ...
    @property
    def account(self) -> int: ...
    @property
    def market(self) -> int: ...
    @property
    def side(self) -> int: ...
    @property
    def kind(self) -> int: ...
    @property
    def size(self) -> int: ...


@mypyc_attr(acyclic=True)
class Progress:
    """How far an order has come. ``executed`` counts fills that are executed and not settled.

    ``consumed``, ``pending`` and ``released`` count in the size kind, ``quantity`` in units, ``notional`` and ``fees``
    in the currency. ``held`` is what pending fills will take from the order's reservation.
    """

    __slots__ = ("consumed", "executed", "fees", "held", "notional", "pending", "quantity", "released", "trades")

    def __init__(self) -> None:
        self.consumed = 0
        self.pending = 0
        self.released = 0
        self.quantity = 0
        self.notional = 0
        self.fees = 0
        self.executed = 0
        self.held = 0
        self.trades: tuple[int, ...] = ()


_NOTHING_YET: Final = Progress()
"""Shared by every order that has not come anywhere, which is most of those that are open."""


@mypyc_attr(acyclic=True)
class Order:
    """Everything that changes in an order's life; ``terms`` is what does not (its keys are at hand here too).

    ``reserved`` counts in the reserve asset, ``due`` is when it wants to be looked at again, ``placed`` and ``updated``
    are the times of its first and last change, ``last`` is the sequence of its last entry.
    """

    __slots__ = (
        "_progress",
        "account",
        "due",
        "last",
        "market",
        "number",
        "placed",
        "reserved",
        "size",
        "status",
        "terms",
        "updated",
    )

    def __init__(
        self, terms: Any, number: Number, account: Number, market: Number, size: int, reserved: int, due: int, time: int
    ) -> None:
        self.terms: Final = terms
        self.number: Final = number
        self.account: Final = account
        self.market: Final = market
        self.size: Final = size
        self.status = SUBMITTED
        self.reserved = reserved
        self.due = due
        self.placed: Final = time
        self.updated = time
        self.last = 0
        self._progress = _NOTHING_YET

    def restore(self, status: int, updated: int, last: int, progress: Progress | None) -> None:
        """Be again what it was when it was written down; None for no progress."""
        self.status = status
        self.updated = updated
        self.last = last
        self._progress = _NOTHING_YET if progress is None else progress

    def touch(self, sequence: int) -> int:
        """The entry ``sequence`` touches it: it is its newest now. Returns the one before it, 0 for none."""
        before = self.last
        self.last = sequence
        return before

    @property
    def progress(self) -> Progress:
        """How far it has come; to be read only."""
        return self._progress

    @property
    def leaves(self) -> int:
        """What may still be executed."""
        return 0 if is_closed(self.status) else self.size - self._progress.consumed - self._progress.pending

    def advance(self, event: int, due: int, time: int) -> None:
        """PLACE, WAIT, RELEASE or REJECT: a new status and nothing else."""
        self.status = advance_order(self.status, event)
        self.due = due
        self.updated = time

    def trigger(self, reserved: int, time: int) -> None:
        """Its price is reached: it opens, and has ``reserved`` more of its reserve asset."""
        if reserved < 0:
            raise LifecycleError(f"reserves {reserved}")
        self.advance(RELEASE, 0, time)
        self.reserved += reserved

    @property
    def voidable(self) -> int:
        """What it would no longer need of its reservation if it closed now: all but what pending fills will take."""
        return self.reserved - self._progress.held

    def add_pending(self, trade: Number, consumed: int, posted: int, time: int) -> None:
        """A fill that another party must confirm, which will then take ``posted`` from the reservation."""
        self._fits(consumed)
        if posted < 0 or posted > self.voidable:
            raise LifecycleError(f"holds {posted} of a reservation of {self.reserved}, {self._progress.held} held")
        self.status = advance_order(self.status, TRADE)
        progress = self._begun()
        progress.pending += consumed
        progress.held += posted
        progress.trades += (trade,)
        self.updated = time

    def add_executed(
        self, trade: Number, consumed: int, quantity: int, notional: int, fee: int, posted: int, time: int
    ) -> None:
        """A fill that is executed from the start."""
        self._fits(consumed)
        self.status = advance_order(self.status, TRADE)
        self._execute(consumed, quantity, notional, fee, posted, time)
        self._progress.trades += (trade,)

    def confirm(self, consumed: int, quantity: int, notional: int, fee: int, posted: int, time: int) -> None:
        """A pending fill becomes an executed one."""
        if consumed > self._progress.pending:
            raise LifecycleError(f"confirms {consumed} where {self._progress.pending} is pending")
        self.status = advance_order(self.status, CONFIRM)
        self._execute(consumed, quantity, notional, fee, posted, time)
        self._progress.pending -= consumed
        self._progress.held -= posted

    def revert(self, consumed: int, posted: int, voided: int, time: int) -> None:
        """A pending fill that would have taken ``posted`` is undone.

        A closed order then releases it, an open one may trade it again; ``voided`` is what leaves the reservation.
        """
        progress = self._progress
        if consumed > progress.pending or posted > progress.held or voided > self.reserved:
            raise LifecycleError(f"reverts {consumed} where {progress.pending} is pending")
        self.status = advance_order(self.status, REVERT)
        progress.pending -= consumed
        progress.held -= posted
        if is_closed(self.status):
            progress.released += consumed
        self.reserved -= voided
        self.updated = time

    def settle(self, time: int) -> None:
        """One executed fill settles."""
        progress = self._progress
        if progress.executed <= 0:
            raise LifecycleError("settles a fill that is not executed")
        self.status = advance_order(self.status, SETTLE)
        progress.executed -= 1
        self.updated = time

    def close(self, event: int, released: int, voided: int, time: int) -> None:
        """FILL, CANCEL or EXPIRE: it ends, and what was neither consumed nor is pending is released."""
        after = advance_order(self.status, event)
        consumed, pending = self._progress.consumed, self._progress.pending
        if not is_closed(after):
            raise LifecycleError("does not close the order")
        if event == FILL and pending:
            raise LifecycleError(f"is not filled while {pending} is pending")
        if released < 0 or consumed + pending + released != self.size:
            raise LifecycleError(
                f"size {self.size} is not consumed {consumed} + pending {pending} + released {released}"
            )
        if voided < 0 or voided > self.voidable:
            raise LifecycleError(f"voids {voided} of a reservation of {self.reserved}, {self._progress.held} held")
        self.status = after
        if released:
            self._begun().released = released
        self.reserved -= voided
        self.due = 0
        self.updated = time

    def is_settled(self) -> bool:
        """Closed, and each of its fills settled or reverted."""
        return is_closed(self.status) and self._progress.executed == 0 and self._progress.pending == 0

    def _begun(self) -> Progress:
        """Its own progress, no longer the one it shares with others."""
        if self._progress is _NOTHING_YET:
            self._progress = Progress()
        return self._progress

    def _fits(self, consumed: int) -> None:
        taken = self._progress.consumed + self._progress.pending
        if self.status != OPEN or consumed <= 0 or taken + consumed > self.size:
            raise LifecycleError(f"a fill of {consumed} does not fit: size {self.size}, of which {taken} is taken")

    def _execute(self, consumed: int, quantity: int, notional: int, fee: int, posted: int, time: int) -> None:
        if posted < 0 or posted > self.reserved:
            raise LifecycleError(f"posts {posted} of a reservation of {self.reserved}")
        progress = self._begun()
        progress.consumed += consumed
        progress.quantity += quantity
        progress.notional += notional
        progress.fees += fee
        progress.executed += 1
        self.reserved -= posted
        self.updated = time
