"""An order's status and amounts: the record that both folds keep, and the equations it must satisfy (DESIGN §2).

While open ``size = consumed + pending + leaves``; once closed ``size = consumed + pending + released``.
"""

from typing import Any, Final, Protocol

from tallystick.core.lifecycle import (
    CONFIRM,
    FILL,
    OPEN,
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


class Order:
    """Everything that changes in an order's life; ``terms`` is what does not (its keys are at hand here too).

    Amounts count in the size kind, but for ``quantity`` (units), ``notional`` and ``fees`` (currency) and
    ``reserved`` (the reserve asset). ``executed`` counts fills that are executed and not settled, ``due`` is when it
    wants to be looked at again, ``updated`` the time of its last change, ``last`` the sequence of its last entry.
    """

    __slots__ = (
        "account",
        "consumed",
        "due",
        "executed",
        "fees",
        "last",
        "market",
        "notional",
        "number",
        "pending",
        "placed",
        "quantity",
        "released",
        "reserved",
        "size",
        "status",
        "terms",
        "trades",
        "updated",
    )

    def __init__(self, terms: Any, size: int, reserved: int, due: int, time: int) -> None:
        self.terms: Final = terms
        self.number: Final[int] = terms.order
        self.account: Final[int] = terms.account
        self.market: Final[int] = terms.market
        self.size: Final = size
        self.status = SUBMITTED
        self.consumed = 0
        self.pending = 0
        self.released = 0
        self.reserved = reserved
        self.quantity = 0
        self.notional = 0
        self.fees = 0
        self.executed = 0
        self.trades: list[int] | None = None
        self.due = due
        self.placed: Final = time
        self.updated = time
        self.last = 0

    @property
    def leaves(self) -> int:
        """What may still be executed."""
        return 0 if is_closed(self.status) else self.size - self.consumed - self.pending

    def advance(self, event: int, due: int, time: int) -> None:
        """PLACE, WAIT, RELEASE or REJECT: a new status and nothing else."""
        self.status = advance_order(self.status, event)
        self.due = due
        self.updated = time

    def add_pending(self, trade: int, consumed: int, time: int) -> None:
        """A fill that another party must confirm."""
        self._fits(consumed)
        self.status = advance_order(self.status, TRADE)
        self.pending += consumed
        self._remember(trade)
        self.updated = time

    def add_executed(
        self, trade: int, consumed: int, quantity: int, notional: int, fee: int, posted: int, time: int
    ) -> None:
        """A fill that is executed from the start."""
        self._fits(consumed)
        self.status = advance_order(self.status, TRADE)
        self._remember(trade)
        self._execute(consumed, quantity, notional, fee, posted, time)

    def confirm(self, consumed: int, quantity: int, notional: int, fee: int, posted: int, time: int) -> None:
        """A pending fill becomes an executed one."""
        if consumed > self.pending:
            raise LifecycleError(f"confirms {consumed} where {self.pending} is pending")
        self.status = advance_order(self.status, CONFIRM)
        self.pending -= consumed
        self._execute(consumed, quantity, notional, fee, posted, time)

    def revert(self, consumed: int, voided: int, time: int) -> None:
        """A pending fill is undone; a closed order then releases it, an open one may trade it again."""
        if consumed > self.pending or voided > self.reserved:
            raise LifecycleError(f"reverts {consumed} where {self.pending} is pending")
        self.status = advance_order(self.status, REVERT)
        self.pending -= consumed
        if is_closed(self.status):
            self.released += consumed
        self.reserved -= voided
        self.updated = time

    def settle(self, time: int) -> None:
        """One executed fill settles."""
        if self.executed <= 0:
            raise LifecycleError("settles a fill that is not executed")
        self.status = advance_order(self.status, SETTLE)
        self.executed -= 1
        self.updated = time

    def close(self, event: int, released: int, voided: int, time: int) -> None:
        """FILL, CANCEL or EXPIRE: it ends, and what was neither consumed nor is pending is released."""
        after = advance_order(self.status, event)
        if not is_closed(after):
            raise LifecycleError("does not close the order")
        if event == FILL and self.pending:
            raise LifecycleError(f"is not filled while {self.pending} is pending")
        if released < 0 or self.consumed + self.pending + released != self.size:
            raise LifecycleError(
                f"size {self.size} is not consumed {self.consumed} + pending {self.pending} + released {released}"
            )
        if voided < 0 or voided > self.reserved:
            raise LifecycleError(f"voids {voided} of a reservation of {self.reserved}")
        self.status = after
        self.released = released
        self.reserved -= voided
        self.due = 0
        self.updated = time

    def is_settled(self) -> bool:
        """Closed, and each of its fills settled or reverted."""
        return is_closed(self.status) and self.executed == 0 and self.pending == 0

    def _fits(self, consumed: int) -> None:
        if self.status != OPEN or consumed <= 0 or self.consumed + self.pending + consumed > self.size:
            raise LifecycleError(
                f"a fill of {consumed} does not fit: size {self.size}, consumed {self.consumed}, pending {self.pending}"
            )

    def _execute(self, consumed: int, quantity: int, notional: int, fee: int, posted: int, time: int) -> None:
        if posted < 0 or posted > self.reserved:
            raise LifecycleError(f"posts {posted} of a reservation of {self.reserved}")
        self.consumed += consumed
        self.quantity += quantity
        self.notional += notional
        self.fees += fee
        self.reserved -= posted
        self.executed += 1
        self.updated = time

    def _remember(self, trade: int) -> None:
        if self.trades is None:
            self.trades = []
        self.trades.append(trade)
