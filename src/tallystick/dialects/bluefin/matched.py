"""How a Bluefin venue names what its clients know (match.venue_half.Naming).

An order is known by its hash, which its client made, and not by what the client calls it beside that. It is the key
that the venue keeps, so nothing here needs the installation's secret.
"""

from tallystick.core.lifecycle import TRADE_EXECUTED, TRADE_SETTLED
from tallystick.core.order import Order
from tallystick.core.trade import Trade
from tallystick.dialects.bluefin.exchange_info import base_of
from tallystick.venue.state import Account, Market


class BluefinNaming:
    """``secret`` and ``venue`` are taken because other dialects need them."""

    def __init__(self, secret: bytes, venue: str) -> None:
        pass

    @property
    def refuses_by_cancelling(self) -> bool:
        return True  # OrderCancellationUpdate is told of both (specs/bluefin.md §3)

    def order_id(self, order: Order) -> str:
        key: str = order.terms.client_key
        return key

    def trade_id(self, number: int) -> str:
        return str(number)

    def trade_status(self, trade: Trade) -> int:
        return TRADE_EXECUTED if trade.status == TRADE_SETTLED else trade.status  # of settlement nothing is told

    def client_key(self, account: Account, client_id: str) -> str:
        return ""

    def market(self, market: Market) -> str:
        return f"{base_of(market)}-{market.currency.name}"
