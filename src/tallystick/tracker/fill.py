"""One fill of an order, as an account of it that somebody gave, and what the states of its trade come to."""

from typing import Final

from mypy_extensions import mypyc_attr

from tallystick.core.lifecycle import TRADE_EXECUTED, TRADE_PENDING, TRADE_REVERTED, TRADE_SETTLED

EXECUTED: Final = 1 << TRADE_EXECUTED | 1 << TRADE_SETTLED
REVERTED: Final = 1 << TRADE_REVERTED

Account = tuple[str, int, int, int, int]
"""What makes two accounts of a fill the same: trade, consumed, quantity, notional, price."""


@mypyc_attr(acyclic=True)
class Fill:
    """One account of a fill. ``states`` are the states of its trade that were heard, as bits; ``as_of`` is the first
    time it was spoken of; ``told`` says that listeners know of its trade. A fill is never changed, only replaced."""

    __slots__ = (
        "as_of",
        "consumed",
        "fee",
        "fee_asset",
        "fee_scale",
        "liquidity",
        "notional",
        "price",
        "quantity",
        "states",
        "told",
        "trade",
    )

    def __init__(
        self,
        trade: str,
        states: int,
        consumed: int,
        quantity: int,
        notional: int,
        price: int,
        fee: int,
        fee_asset: str,
        fee_scale: int,
        liquidity: int,
        as_of: int,
        told: bool,
    ) -> None:
        self.trade: Final = trade
        self.states: Final = states
        self.consumed: Final = consumed
        self.quantity: Final = quantity
        self.notional: Final = notional
        self.price: Final = price
        self.fee: Final = fee
        self.fee_asset: Final = fee_asset
        self.fee_scale: Final = fee_scale
        self.liquidity: Final = liquidity
        self.as_of: Final = as_of
        self.told: Final = told

    @property
    def state(self) -> int:
        """The strongest of its states: settled, executed, reverted, pending."""
        return strongest(self.states)

    @property
    def account(self) -> Account:
        return (self.trade, self.consumed, self.quantity, self.notional, self.price)


def was_executed(states: int) -> bool:
    """Such a trade is told to listeners, in the entry in which it comes to count."""
    return states & EXECUTED != 0


def strongest(states: int) -> int:
    """The strongest of a trade's states: what is executed was executed, whoever else says it was reverted."""
    if states & 1 << TRADE_SETTLED:
        return TRADE_SETTLED
    if states & 1 << TRADE_EXECUTED:
        return TRADE_EXECUTED
    return TRADE_REVERTED if states & REVERTED else TRADE_PENDING


class Aside:
    """A fill in quarantine, and why."""

    __slots__ = ("fill", "reason")

    def __init__(self, reason: int, fill: Fill) -> None:
        self.reason: Final = reason
        self.fill: Final = fill
