"""What the simulated venue's records and entries say, as the tracker's observations."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from tallystick.core.lifecycle import CANCELLED, EXPIRED, FILLED, OPEN, PENDING, PLACED, TRADE_SETTLED
from tallystick.core.numbered import Numbered
from tallystick.core.order import Order
from tallystick.core.trade import Trade
from tallystick.facts.venue import (
    Entry,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderOpened,
    OrderPlaced,
    OrderWaiting,
    TradeMade,
    TradeSettled,
)
from tallystick.tracker.observations import STREAM, UNKNOWN_AMOUNT, FillReport, Observation, OrderReport, TradeReport
from tallystick.venue.state import Account, Market

Look = Callable[[int], tuple[Order, list[Trade]]]

_STATUS_OF: Final[dict[type, int]] = {
    OrderPlaced: PLACED,
    OrderWaiting: PENDING,
    OrderOpened: OPEN,
    OrderFilled: FILLED,
    OrderCancelled: CANCELLED,
    OrderExpired: EXPIRED,
}


def order_id(number: int) -> str:
    return f"o{number}"


def order_number(text: str) -> int:
    """0 for what is no order's id."""
    return int(text[1:]) if text[:1] == "o" and text[1:].isdigit() else 0


def trade_id(number: int) -> str:
    return f"t{number}"


class Translation:
    """``markets`` are the venue's by number; ``skew_us`` is how wrong the stream's times are."""

    def __init__(self, venue: int, markets: Numbered[Market], names_client_ids: bool, skew_us: int) -> None:
        self._venue: Final = venue
        self._markets: Final = markets
        self._names: Final = names_client_ids
        self._skew_us: Final = skew_us

    def of_order(self, order: Order, trades: list[Trade], as_of: int, origin: int, client_id: str) -> list[Observation]:
        """All that there is to say of it."""
        number = order.number
        quantity = order.progress.quantity
        report = OrderReport(
            self._venue, client_id, order_id(number), as_of, origin, order.status, UNKNOWN_AMOUNT, quantity
        )
        fills = [self._fill(each, order, trade_id(each.number), each.status, as_of, origin) for each in trades]
        return [*fills, report] if order.status >= FILLED else [report, *fills]

    def of_entry(self, entry: Entry, account: int, look: Look) -> Iterator[Observation]:
        """What the stream says of the account's orders in it."""
        event: Any
        for index, event in enumerate(entry.events):
            as_of = entry.time + index + self._skew_us
            kind = type(event)
            if kind is TradeMade:
                yield from self._of_trade(event, account, look, as_of)
            elif kind is TradeSettled:
                yield TradeReport(self._venue, "", "", as_of, STREAM, trade_id(event.trade), TRADE_SETTLED)
            elif kind in _STATUS_OF and event.account == account:
                order = look(event.order)[0]
                quantity = order.progress.quantity if kind is OrderFilled else UNKNOWN_AMOUNT
                client_id = order.terms.client_key if self._names else ""
                yield OrderReport(
                    self._venue,
                    client_id,
                    order_id(event.order),
                    as_of,
                    STREAM,
                    _STATUS_OF[kind],
                    UNKNOWN_AMOUNT,
                    quantity,
                )

    def _of_trade(self, made: Any, account: int, look: Look, as_of: int) -> Iterator[Observation]:
        for leg in made.legs:
            if leg.account == account:
                order, trades = look(leg.order)
                trade = next(each for each in trades if each.number == made.trade)
                yield self._fill(trade, order, trade_id(made.trade), made.status, as_of, STREAM)

    def _fill(self, trade: Trade, order: Order, name: str, state: int, as_of: int, origin: int) -> FillReport:
        leg = next(each for each in trade.terms.legs if each.order == order.number)
        client_id = order.terms.client_key if self._names else ""
        currency = self._markets[order.market].currency
        return FillReport(
            self._venue,
            client_id,
            order_id(order.number),
            as_of,
            origin,
            name,
            leg.consumed,
            leg.quantity,
            leg.notional,
            trade.terms.price,
            leg.fee,
            currency.name,
            currency.scale,
            state=state,
        )


class PlainNaming:
    """See match.venue_half.Naming."""

    @property
    def refuses_by_cancelling(self) -> bool:
        return False

    def order_id(self, order: Order) -> str:
        return order_id(order.number)

    def trade_id(self, number: int) -> str:
        return trade_id(number)

    def trade_status(self, trade: Trade) -> int:
        return trade.status

    def client_key(self, account: Account, client_id: str) -> str:
        return client_id

    def market(self, market: Market) -> str:
        return f"{market.symbol}-{market.currency.name}"
