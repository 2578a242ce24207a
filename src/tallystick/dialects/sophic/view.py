"""The venue's state in Sophic's words. Reads only; whatever it shows is durable, for the state is the readers'."""

from functools import lru_cache
from typing import Final

import msgspec

from tallystick.core import lifecycle
from tallystick.core.amounts import render
from tallystick.core.ids import IdCodec
from tallystick.core.lifecycle import TRADE_SETTLED
from tallystick.core.order import Order
from tallystick.core.trade import Trade
from tallystick.dialects.sophic import wire
from tallystick.dialects.sophic.events import PublicEvent
from tallystick.dialects.sophic.listing import Listing
from tallystick.facts.codes import BUY, BUYS_FORBIDDEN, PROFESSIONAL, SELLS_FORBIDDEN, SUSPENDED
from tallystick.venue.calendar import date_text
from tallystick.venue.state import Account, Market, State

POSITION_MARKETS: Final = 1 << 24  # a position's number is its account's times this, plus its market's

_STATUS: Final[dict[int, wire.OrderStatus]] = {
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
        self.event_ids: Final = IdCodec(secret, venue, "evt")
        self.cursors: Final = IdCodec(secret, venue, "cur")
        self._position_ids: Final = IdCodec(secret, venue, "pos")
        self.listing: Final = Listing()
        self.position_id: Final = lru_cache(maxsize=65_536)(self._make_position_id)

    def status(self, order: Order) -> wire.OrderStatus:
        """The seed's status word: settled is filled with every trade settled."""
        if order.status == lifecycle.FILLED and order.is_settled():
            return "settled"
        return _STATUS[order.status]

    def order(self, state: State, order: Order, trades: list[Trade], now: int) -> bytes:
        """The order, encoded; ``now`` is venue time."""
        terms = order.terms
        market = state.markets[terms.market]
        account = state.accounts[terms.account]
        cash, units = market.currency.scale, market.unit.scale
        buy = terms.side == BUY
        progress = order.progress
        return _encode(
            wire.Order(
                id=self.order_ids.text(terms.order),
                account=account.name,
                instrument=self.listing.json(market, now),
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
                position=self.position_id(account.number, market.number) if trades else None,
                trades=[self._trade(trade, order, market, account.name) for trade in trades],
                created_at=wire.instant(order.placed),
                modified_at=wire.instant(order.updated),
            )
        )

    def trade(self, state: State, trade: Trade, order: Order) -> bytes:
        """The order's part of the trade, encoded."""
        return _encode(self._trade(trade, order, state.markets[order.market], state.accounts[order.account].name))

    def event(self, event: PublicEvent) -> bytes:
        """The event, encoded: these are the bytes wherever it is shown or sent."""
        ids = self.order_ids if event.resource_type == "order" else self.trade_ids
        resource = wire.Resource(ids.text(event.resource), event.resource_type)
        return _encode(
            wire.Event(self.event_ids.text(event.number), event.name, resource, {}, wire.instant(event.time))
        )

    def account(self, account: Account) -> wire.Account:
        flags = account.flags
        return wire.Account(
            id=account.name,
            status="suspended" if account.status == SUSPENDED else "active",
            professional_trader=bool(flags & PROFESSIONAL),
            buy_orders_allowed=not flags & BUYS_FORBIDDEN,
            sell_orders_allowed=not flags & SELLS_FORBIDDEN,
        )

    def cash_balances(self, state: State, account: Account) -> list[wire.CashBalance]:
        """One for each currency that the account ever had: what is some market's currency, or no market's unit."""
        markets = state.markets.values()
        units = {market.unit.number for market in markets} - {market.currency.number for market in markets}
        found = []
        for number in sorted(account.book.balances.keys() - units):
            currency, balance = state.assets[number], account.book.look(number)
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

    def position_market(self, account: Account, position_id: str) -> int:
        """The number of the market that this id of a position of the account names, 0 if it is none such."""
        owner, market = divmod(self._position_ids.number(position_id), POSITION_MARKETS)
        return market if owner == account.number else 0

    def position(self, account: Account, market: Market) -> wire.Position:
        balance, scale = account.book.look(market.unit.number), market.unit.scale
        return wire.Position(
            id=self.position_id(account.number, market.number),
            account=account.name,
            instrument=market.name,
            quantity=render(balance.total, scale),
            available_for_trading=render(balance.available_settled, scale),
            reserved=render(balance.reserved, scale),
            pending_settlement=render(balance.receivable, scale),
        )

    def _make_position_id(self, account: int, market: int) -> str:
        return self._position_ids.text(account * POSITION_MARKETS + market)

    def _trade(self, trade: Trade, order: Order, market: Market, account: str) -> wire.Trade:
        terms = trade.terms
        leg = next(each for each in terms.legs if each.order == order.number)
        return wire.Trade(
            id=self.trade_ids.text(trade.number),
            account=account,
            order=self.order_ids.text(order.number),
            instrument=market.name,
            position=self.position_id(order.account, market.number),
            counterparty=None,
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


_encode: Final = msgspec.json.Encoder().encode
