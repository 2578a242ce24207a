"""The connector of own_connector.py under the conformance kit (docs/testing.md).

tallystick conformance examples/try_own_connector.py:subject
"""

from collections.abc import Sequence
from decimal import Decimal

from own_connector import ToyConnector, ToyExchange

from tallystick.core.lifecycle import FILLED
from tallystick.testing import Controls, Subject, VenueOrder


class ToyControls(Controls):
    """The exchange fills whatever it is sent, and can be told to forget the next answer."""

    fills_by_itself = True

    def __init__(self, exchange: ToyExchange) -> None:
        self._exchange = exchange

    def truth(self) -> Sequence[VenueOrder]:
        orders = self._exchange.orders.values()
        return [VenueOrder(order_id, FILLED, Decimal(size).scaleb(-3)) for order_id, size in orders]

    def lose_next_answer(self) -> None:
        self._exchange.forgets = len(self._exchange.orders) + 1


def subject() -> Subject:
    exchange = ToyExchange()
    return Subject(lambda: ToyConnector(exchange), ToyControls(exchange), market="TOY-USD", amount=Decimal(5))
