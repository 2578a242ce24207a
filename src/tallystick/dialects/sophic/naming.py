"""How a Sophic venue names what its clients know (match.venue_half.Naming)."""

from typing import Final

from tallystick.core.ids import IdCodec
from tallystick.core.order import Order
from tallystick.core.trade import Trade
from tallystick.dialects.sophic.idempotency import kept_key
from tallystick.venue.state import Account, Market


class SophicNaming:
    """``secret`` is the installation's, ``venue`` the name of its journal's stream."""

    def __init__(self, secret: bytes, venue: str) -> None:
        self._orders: Final = IdCodec(secret, venue, "ord")
        self._trades: Final = IdCodec(secret, venue, "trd")

    @property
    def refuses_by_cancelling(self) -> bool:
        return False

    def order_id(self, order: Order) -> str:
        return self._orders.text(order.number)

    def trade_id(self, number: int) -> str:
        return self._trades.text(number)

    def trade_status(self, trade: Trade) -> int:
        return trade.status

    def client_key(self, account: Account, client_id: str) -> str:
        return kept_key(account.owner, "POST", f"/accounts/{account.name}/orders", client_id)

    def market(self, market: Market) -> str:
        return f"{market.symbol}-{market.currency.name}"
