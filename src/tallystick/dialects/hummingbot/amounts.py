"""From Hummingbot's decimals to the tracker's integers, and when an order counts as filled."""

from decimal import Context, Decimal
from typing import Any, Final

SCALE: Final = 18
UNBOUNDED: Final = 10**60
"""The size of an order whose own is no number: it is never full, and its venue's word alone ends it."""

_WIDE: Final = Context(prec=200)
_NEGLIGIBLE: Final = 5 * 10 ** (SCALE - 9)


def integer(amount: Any) -> int:
    """``amount`` at SCALE, to the nearest; 0 for what is no finite number. Signs stay: the tracker judges them."""
    if amount is None:
        return 0
    exact = amount if isinstance(amount, Decimal) else Decimal(str(amount))
    return int(_WIDE.to_integral_value(_WIDE.scaleb(exact, SCALE))) if exact.is_finite() else 0


def size_of(amount: Any) -> int:
    """The size of an order of ``amount`` units, at SCALE."""
    size = integer(amount)
    return size if size > 0 else UNBOUNDED


def tolerance_of(size: int) -> int:
    """What an order of ``size`` may lack and still be filled, or exceed it by.

    Upstream has two rules, a billionth of the amount and half of a hundred-millionth (specs/hummingbot.md §1.2); this
    is the wider of them, but never more than a thousandth of the order, or a tiny one would be filled by nothing.
    """
    return max(size // 10**9, min(_NEGLIGIBLE, size // 1000))


def is_full(amount: Any, executed: Any) -> bool:
    """Whether ``executed`` fills an order of ``amount``; one of nothing is full."""
    size = integer(amount)
    return integer(executed) >= size - tolerance_of(size)
