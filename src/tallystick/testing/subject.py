"""What the conformance kit tries: a connector, and a venue that does what it is told to."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Final

from tallystick.connect.events import OrderType
from tallystick.connect.port import Connector
from tallystick.facts.codes import BUY
from tallystick.testing.controls import Controls


class Subject:
    """``connect`` makes a connector to the venue that ``controls`` control; once more for each restart of the client.

    Cases place orders of ``amount`` in ``market``, on ``side``, limit orders at ``price``. They are market orders where
    those are taken, unless another ``order_type`` is given. ``units`` is what such an order comes to when it is filled,
    where that is not the amount.
    """

    def __init__(
        self,
        connect: Callable[[], Connector],
        controls: Controls,
        *,
        market: str,
        amount: Decimal,
        side: int = BUY,
        price: Decimal | None = None,
        units: Decimal | None = None,
        order_type: OrderType | None = None,
    ) -> None:
        self.connect: Final = connect
        self.controls: Final = controls
        self.market: Final = market
        self.amount: Final = amount
        self.side: Final = side
        self.price: Final = price
        self.order_type: Final = order_type
        self.units: Final = amount if units is None else units


Factory = Callable[[], "Subject | AbstractAsyncContextManager[Subject]"]
"""Called for each case: a new venue every time."""
