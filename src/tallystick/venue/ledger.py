"""The double-entry ledger: one balance for each account and asset, moved only in pairs.

Four moves exist. A *transfer* moves settled funds. An executed trade makes its parties *owe*; settlement *discharges*
what they owe. A *reservation* is held, posted (part or all) or voided, and moves nothing (TigerBeetle's two-phase
transfers). Per asset, settled + receivable + payable sums to zero over all accounts, always.
"""

from typing import Final

from mypy_extensions import mypyc_attr

from tallystick.core.keys import Number


class LedgerError(Exception):
    """A move that the books do not allow. It is a fault of the program or of a journal, never of a user."""


@mypyc_attr(acyclic=True)
class Balance:
    """What one account has of one asset. ``payable`` is what it owes, as a negative amount."""

    __slots__ = ("payable", "receivable", "reserved", "settled")

    def __init__(self) -> None:
        self.settled = 0
        self.receivable = 0
        self.payable = 0
        self.reserved = 0

    @property
    def total(self) -> int:
        """Everything: settled, not yet settled, and reserved."""
        return self.settled + self.receivable + self.payable

    @property
    def available(self) -> int:
        """What may be reserved when proceeds count at once: the total that is not reserved."""
        return self.settled + self.receivable + self.payable - self.reserved

    @property
    def available_settled(self) -> int:
        """What may be reserved or withdrawn when only what has settled counts; never below zero."""
        free = self.settled + self.payable - self.reserved
        return free if free > 0 else 0


class Book:
    """The balances of one account, by asset."""

    __slots__ = ("balances",)

    def __init__(self) -> None:
        self.balances: Final[dict[int, Balance]] = {}

    def of(self, asset: Number) -> Balance:
        """The balance of ``asset``, made when it is first asked for by a move."""
        balance = self.balances.get(asset)
        if balance is None:
            balance = Balance()
            self.balances[asset] = balance
        return balance

    def look(self, asset: Number) -> Balance:
        """The balance of ``asset`` to read; an empty one, kept nowhere, if there is none."""
        balance = self.balances.get(asset)
        return balance if balance is not None else Balance()


def transfer(payer: Balance, payee: Balance, amount: int) -> None:
    """Settled funds change hands now."""
    _positive(amount)
    payer.settled -= amount
    payee.settled += amount


def owe(payer: Balance, payee: Balance, amount: int) -> None:
    """From execution to settlement the payer owes and the payee is owed."""
    _positive(amount)
    payer.payable -= amount
    payee.receivable += amount


def discharge(payer: Balance, payee: Balance, amount: int) -> None:
    """Settlement: what was owed is paid."""
    _positive(amount)
    if payer.payable + amount > 0 or payee.receivable < amount:
        raise LedgerError(f"discharges {amount} where {-payer.payable} is payable and {payee.receivable} receivable")
    payer.payable += amount
    payer.settled -= amount
    payee.receivable -= amount
    payee.settled += amount


def reserve(balance: Balance, amount: int) -> None:
    """Hold ``amount``; the caller has seen that it is available."""
    if amount < 0:
        raise LedgerError(f"reserves {amount}")
    balance.reserved += amount


def unreserve(balance: Balance, amount: int) -> None:
    """Post or void: the hold on ``amount`` ends. What happens to the funds is the trade's affair."""
    if amount < 0 or amount > balance.reserved:
        raise LedgerError(f"ends a hold of {amount} where {balance.reserved} is reserved")
    balance.reserved -= amount


def _positive(amount: int) -> None:
    if amount <= 0:
        raise LedgerError(f"moves {amount}")
