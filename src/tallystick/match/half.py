"""One order as one half has it, in words and numbers that both halves share.

Amounts are Decimals, exact, so that halves with different scales compare. Statuses, trade states and outcomes of
cancels are codes of core/lifecycle.py, certainties of facts/client_codes.py.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Protocol

from msgspec import Struct

from tallystick.core.amounts import render
from tallystick.facts.client_codes import CONFIRMED


class HalfFill(Struct, frozen=True):
    """One notch: ``consumed`` counts in the order's size kind, ``fee`` in the currency."""

    consumed: Decimal
    quantity: Decimal
    notional: Decimal
    fee: Decimal
    state: int


class HalfOrder(Struct, frozen=True):
    """``order_ids`` are the venue's ids for it, none while no id is known; ``client_id`` is "" where a half does not
    know it. ``fills`` are by trade id; the sums are of the executed ones, ``pending`` of those that are not yet.

    ``cancel`` is the outcome of the newest request to cancel it, None for no request. ``refusal`` is the code under
    which the client was refused it. ``price`` is its limit, None for none. A venue is always sure. ``may_be_refused``
    says of an order that ended with nothing filled that its client cannot tell this from a refusal.
    """

    client_id: str
    order_ids: tuple[str, ...]
    account: str
    market: str
    side: int
    kind: int
    size: Decimal
    status: int
    consumed: Decimal
    pending: Decimal
    quantity: Decimal
    notional: Decimal
    fee: Decimal
    fills: dict[str, HalfFill]
    cancel: int | None = None
    certainty: int = CONFIRMED
    refusal: str = ""
    price: Decimal | None = None
    may_be_refused: bool = False


class Half(Protocol):
    """The venue's half of one account, to be looked up and gone through."""

    def find(self, order_ids: tuple[str, ...], client_id: str) -> HalfOrder | None:
        """The order with one of these ids, else the one that was placed under the client id; of any account."""
        ...

    def orders(self) -> Iterator[HalfOrder]:
        """All orders of the account, oldest first."""
        ...


def exact(amount: int, scale: int) -> Decimal:
    """The amount as a Decimal, however many digits it has."""
    return Decimal(render(amount, scale))
