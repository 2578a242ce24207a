"""The venue's state in Sophic's words. Reads only; whatever it shows is durable, for the state is the readers'."""

from functools import lru_cache
from typing import Final

from tallystick.core import lifecycle
from tallystick.core.amounts import render
from tallystick.core.ids import IdCodec
from tallystick.core.lifecycle import TRADE_SETTLED
from tallystick.core.order import Order
from tallystick.core.trade import Trade
from tallystick.dialects.sophic import wire
from tallystick.facts.codes import BUY
from tallystick.venue.calendar import date_text
from tallystick.venue.state import Account, Market, State

POSITION_MARKETS: Final = 1 << 24  # a position's number is its account's times this, plus its market's

_STATUS: Final = {
    lifecycle.PLACED: "placed",
    lifecycle.PENDING: "pending",
    lifecycle.OPEN: "executing",
    lifecycle.FILLED: "filled",
    lifecycle.CANCELLED: "cancelled",
}


class View:
    """Renders one venue's records; ``secret`` is what its public ids are made from."""

    def __init__(self, secret: bytes, venue: str) -> None:
        self.order_ids: Final = IdCodec(secret, venue, "ord")
        self.trade_ids: Final = IdCodec(secret, venue, "trd")
        self._position_ids: Final = IdCodec(secret, venue, "pos")
        self._instruments: Final[dict[int, wire.Instrument]] = {}
        self._position_id: Final = lru_cache(maxsize=65_536)(self._make_position_id)

    def status(self, order: Order) -> str:
        """The seed's status word: settled is filled with every trade settled."""
        if order.status == lifecycle.FILLED and order.is_settled():
            return "settled"
        return _STATUS[order.status]

    def order(self, state: State, order: Order, trades: list[Trade]) -> wire.Order:
        terms = order.terms
        market = state.markets[terms.market]
        account = state.accounts[terms.account]
        cash, units = market.currency.scale, market.unit.scale
        buy = terms.side == BUY
        progress = order.progress
        order_id = self.order_ids.text(terms.order)
        position = self._position_id(account.number, market.number) if trades else None
        return wire.Order(
            id=order_id,
            account=account.name,
            instrument=self._instrument(market),
            status=self.status(order),
            order_type="market",
            purpose="user_request",
            side="buy" if buy else "sell",
            cash_amount=render(order.size, cash) if buy else None,
            net_cash_amount=render(terms.tradeable, cash) if buy else None,
            quantity=None if buy else render(order.size, units),
            currency=market.currency.name,
            automatic_rollover=False,
            traded_quantity=render(progress.quantity, units),
            traded_notional=render(progress.notional, cash),
            fees=render(progress.fees, cash),
            position=position,
            trades=[self._trade(trade, order, market, account.name, order_id, position or "") for trade in trades],
            created_at=wire.instant(order.placed),
            modified_at=wire.instant(order.updated),
        )

    def _instrument(self, market: Market) -> wire.Instrument:
        """What never changes of a market is rendered once."""
        found = self._instruments.get(market.number)
        if found is None:
            found = self._instruments[market.number] = self.instrument(market)
        return found

    def instrument(self, market: Market) -> wire.Instrument:
        return wire.Instrument(
            id=market.name,
            name=market.title,
            symbol=market.symbol,
            trading_status="buy_sell",
            trading_increment=render(market.increment, market.unit.scale),
            decimal_precision=market.unit.scale,
            trading_currency=market.currency.name,
        )

    def cash_balances(self, state: State, account: Account) -> list[wire.CashBalance]:
        """One for each currency that the account ever had."""
        currencies = {market.currency.number: market.currency for market in state.markets.values()}
        found = []
        for number, currency in currencies.items():
            if number in account.book.balances:
                balance = account.book.look(number)
                found.append(
                    wire.CashBalance(
                        currency=currency.name,
                        total=render(balance.total, currency.scale),
                        available_for_trading=render(balance.available, currency.scale),
                        available_for_withdrawal=render(balance.available_settled, currency.scale),
                        reserved=render(balance.reserved, currency.scale),
                    )
                )
        return found

    def positions(self, state: State, account: Account) -> list[wire.Position]:
        """One for each instrument that the account ever had."""
        found = []
        for market in state.markets.values():
            if market.unit.number in account.book.balances:
                balance, scale = account.book.look(market.unit.number), market.unit.scale
                found.append(
                    wire.Position(
                        id=self._position_id(account.number, market.number),
                        account=account.name,
                        instrument=market.name,
                        quantity=render(balance.total, scale),
                        available_for_trading=render(balance.available_settled, scale),
                        reserved=render(balance.reserved, scale),
                        pending_settlement=render(balance.receivable, scale),
                    )
                )
        return found

    def _make_position_id(self, account: int, market: int) -> str:
        return self._position_ids.text(account * POSITION_MARKETS + market)

    def _trade(
        self, trade: Trade, order: Order, market: Market, account: str, order_id: str, position: str
    ) -> wire.Trade:
        terms = trade.terms
        leg = next(each for each in terms.legs if each.order == order.number)
        return wire.Trade(
            id=self.trade_ids.text(trade.number),
            account=account,
            order=order_id,
            instrument=market.name,
            position=position,
            side="buy" if order.terms.side == BUY else "sell",
            status="settled" if trade.status == TRADE_SETTLED else "executed",
            price=render(terms.price, market.price_scale),
            quantity=render(leg.quantity, market.unit.scale),
            quantity_currency=market.unit.name,
            notional=render(leg.notional, market.currency.scale),
            notional_currency=market.currency.name,
            fees=render(leg.fee, market.currency.scale),
            executed_at=wire.instant(trade.made),
            settlement_date=date_text(terms.value_date),
            settled_at=wire.instant(trade.settled) if trade.settled else None,
        )
