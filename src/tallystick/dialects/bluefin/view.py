"""A venue's state in the exchange's words: orders, trades, positions, an account's figures, markets, a book.

Everything is made from the readers' state, which is durable. Amounts are at nine decimals within and on the wire, so
they are shown as they are; times are microseconds within and milliseconds on the wire.
"""

from collections.abc import Callable
from typing import Final

from msgspec import UNSET

from tallystick.core.amounts import HALF_EVEN, divide
from tallystick.core.lifecycle import CANCELLED, EXPIRED, FILLED, OPEN, PENDING
from tallystick.core.order import Order
from tallystick.dialects.bluefin.account_wire import (
    Account as ShownAccount,
)
from tallystick.dialects.bluefin.account_wire import (
    AccountUpdate,
    ActiveOrderUpdate,
    Asset,
    Position,
    PositionUpdate,
    TradingFees,
)
from tallystick.dialects.bluefin.naming import names_placed
from tallystick.dialects.bluefin.trade_wire import OpenOrder
from tallystick.dialects.bluefin.wire import Trade as ShownTrade
from tallystick.dialects.bluefin.words import (
    SELF_TRADE_PREVENTIONS,
    SIDES,
    TIMES_IN_FORCE,
    OrderStatus,
)
from tallystick.facts.codes import ACTIVE, BUY, MAKER, POST_ONLY, REDUCE_ONLY, SELL
from tallystick.facts.venue import Leg, OrderPlaced, TradeMade
from tallystick.venue.ambient import Ambient
from tallystick.venue.positions import (
    PARTS,
    cost,
    free_collateral,
    leverage_of,
    margin_of,
    mark_price,
    position,
)
from tallystick.venue.state import Account, Market, State
from tallystick.venue.state import Asset as Currency

US_PER_MS: Final = 1000
ZERO: Final = "0"
_NO_CURRENCY: Final = Currency(0, "", 0)


def millis(time: int) -> int:
    return time // US_PER_MS


def status_of(order: Order) -> OrderStatus:
    """What an order update calls it, but for one that ends when it is created (specs/bluefin.md §9)."""
    filled = order.progress.quantity > 0
    if order.status == PENDING:
        return "STANDBY"
    if order.status == OPEN:
        return "PARTIALLY_FILLED_OPEN" if filled else "OPEN"
    if order.status == FILLED:
        return "FILLED"
    if order.status == CANCELLED:
        return "PARTIALLY_FILLED_CANCELED" if filled else "CANCELLED"
    if order.status == EXPIRED:
        return "PARTIALLY_FILLED_EXPIRED" if filled else "EXPIRED"
    return "UNSPECIFIED"


class View:
    """Of one venue; ``ambient`` gives the prices that are quoted."""

    def __init__(self, ambient: Callable[[], Ambient]) -> None:
        self._prices: Final = ambient

    @property
    def _ambient(self) -> Ambient:
        return self._prices()

    # --- Orders ---

    def open_order(self, state: State, order: Order) -> OpenOrder:
        terms: OrderPlaced = order.terms
        with_, names = terms.instructions, names_placed(terms)
        assert with_ is not None
        return OpenOrder(
            order_hash=terms.client_key,
            symbol=state.markets[order.market].name,
            account_address=state.accounts[order.account].name,
            signer_address=names.signer,
            price_e9=str(with_.price),
            quantity_e9=str(order.size),
            filled_quantity_e9=str(order.progress.quantity),
            side=SIDES[terms.side],
            leverage_e9=str(with_.leverage),
            is_isolated=names.is_isolated,
            salt=names.salt,
            expires_at_millis=millis(with_.expires),
            signed_at_millis=int(names.signed_at_millis),
            type=names.type,
            reduce_only=bool(with_.flags & REDUCE_ONLY),
            post_only=bool(with_.flags & POST_ONLY),
            time_in_force=TIMES_IN_FORCE[with_.time_in_force],
            status=status_of(order),
            self_trade_prevention_type=SELF_TRADE_PREVENTIONS[with_.self_trade],
            order_time_at_millis=millis(order.placed),
            updated_at_millis=millis(order.updated),
            client_order_id=names.client_order_id or UNSET,
            trigger_price_e9=str(with_.trigger) if with_.trigger else UNSET,
        )

    def order_update(self, state: State, order: Order, status: OrderStatus) -> ActiveOrderUpdate:
        shown = self.open_order(state, order)
        return ActiveOrderUpdate(
            order_hash=shown.order_hash,
            symbol=shown.symbol,
            account_address=shown.account_address,
            price_e9=shown.price_e9,
            quantity_e9=shown.quantity_e9,
            filled_quantity_e9=shown.filled_quantity_e9,
            side=shown.side,
            leverage_e9=shown.leverage_e9,
            is_isolated=shown.is_isolated,
            salt=shown.salt,
            expires_at_millis=shown.expires_at_millis,
            signed_at_millis=shown.signed_at_millis,
            signer_address=shown.signer_address,
            type=shown.type,
            reduce_only=shown.reduce_only,
            post_only=shown.post_only,
            time_in_force=shown.time_in_force,
            status=status,
            self_trade_prevention_type=shown.self_trade_prevention_type,
            created_at_millis=shown.order_time_at_millis,
            updated_at_millis=shown.updated_at_millis,
            client_order_id=shown.client_order_id,
            trigger_price_e9=shown.trigger_price_e9,
        )

    # --- Trades ---

    def trade(self, state: State, terms: TradeMade, made: int, leg: Leg, order: Order) -> ShownTrade:
        """One leg of a trade, as the owner of its order sees it. A fee that was paid is negative."""
        market = state.markets[terms.market]
        names = names_placed(order.terms)
        closes = leg.realised != 0
        side = order.terms.side
        held = side if not closes else (SELL if side == BUY else BUY)
        return ShownTrade(
            id=trade_id(terms),
            symbol=market.name,
            side=SIDES[side],
            price_e9=str(terms.price),
            quantity_e9=str(leg.quantity),
            quote_quantity_e9=str(leg.notional),
            executed_at_millis=millis(made),
            client_order_id=names.client_order_id or UNSET,
            order_hash=order.terms.client_key,
            order_type=names.type,
            trade_type="ORDER",
            is_maker=leg.liquidity == MAKER,
            realized_pnl_e9=str(leg.realised),
            position_side=SIDES[held],
            trading_fee_e9=str(-leg.fee),
            trading_fee_asset=market.currency.name,
            gas_fee_e9=ZERO,
            gas_fee_asset=market.currency.name,
        )

    def public_trade(self, state: State, terms: TradeMade, made: int) -> ShownTrade:
        """What everybody may know of it: not who traded. Its side is the taker's."""
        market, taker = state.markets[terms.market], terms.legs[0]
        buyer = next(each.payee for each in terms.obligations if each.asset == market.unit.number)
        return ShownTrade(
            id=trade_id(terms),
            symbol=market.name,
            side=SIDES[BUY if buyer == taker.account else SELL],
            price_e9=str(terms.price),
            quantity_e9=str(taker.quantity),
            quote_quantity_e9=str(taker.notional),
            executed_at_millis=millis(made),
            trade_type="ORDER",
        )

    # --- Accounts ---

    def position_update(self, state: State, account: Account, market: Market) -> PositionUpdate:
        contract = market.contract
        assert contract is not None
        held, paid = position(account, market), cost(account, market, contract.basis)
        mark = mark_price(market, self._ambient)
        leverage = leverage_of(account, market, contract)
        worth = divide(abs(held) * mark, market.parity, HALF_EVEN)
        return PositionUpdate(
            symbol=market.name,
            avg_entry_price_e9=str(divide(paid * market.parity, held, HALF_EVEN)) if held else ZERO,
            client_set_leverage_e9=str(leverage),
            liquidation_price_e9=ZERO,
            mark_price_e9=str(mark),
            notional_value_e9=str(worth),
            size_e9=str(abs(held)),
            unrealized_pnl_e9=str(self._unrealised(account, market)),
            side=SIDES[BUY] if held > 0 else SIDES[SELL] if held < 0 else "UNSPECIFIED",
            margin_required_e9=str(margin_of(abs(paid), leverage, contract) if held else 0),
            maintenance_margin_e9=str(divide(worth * contract.maintenance_margin, PARTS, HALF_EVEN)),
            is_isolated=False,
            isolated_margin_e9=ZERO,
            updated_at_millis=millis(state.time),
        )

    def account_update(self, state: State, account: Account) -> AccountUpdate:
        """Its figures in the currency of the exchange, of which there is one; all zero before there is a market."""
        markets = [market for market in state.markets.values() if market.contract is not None]
        currency = markets[0].currency if markets else _NO_CURRENCY
        balance = account.book.look(currency.number)
        held = [market for market in markets if position(account, market)]
        shown = [self.position_update(state, account, market) for market in held]
        unrealised = sum(int(each.unrealized_pnl_e9) for each in shown)
        maintenance = sum(int(each.maintenance_margin_e9) for each in shown)
        required = sum(int(each.margin_required_e9) for each in shown)
        value = balance.settled + unrealised
        notional = sum(int(each.notional_value_e9) for each in shown)
        free = max(0, free_collateral(state, self._ambient, account, currency.number))
        active = account.status == ACTIVE
        updated = millis(state.time)
        return AccountUpdate(
            trading_fees=TradingFees(maker_fee_e9=ZERO, taker_fee_e9=ZERO, is_applied=False),
            can_trade=active,
            can_deposit=active,
            can_withdraw=False,
            cross_effective_balance_e9=str(balance.settled),
            cross_margin_required_e9=str(required),
            total_order_margin_required_e9=str(balance.reserved),
            margin_available_e9=str(free),
            cross_maintenance_margin_required_e9=str(maintenance),
            cross_maintenance_margin_available_e9=str(value - maintenance),
            cross_maintenance_margin_ratio_e9=str(divide(maintenance * PARTS, value, HALF_EVEN) if value > 0 else 0),
            cross_leverage_e9=str(divide(notional * PARTS, value, HALF_EVEN) if value > 0 else 0),
            cross_unrealized_pnl_e9=str(unrealised),
            total_unrealized_pnl_e9=str(unrealised),
            cross_unrealized_loss_e9=str(sum(max(0, -int(each.unrealized_pnl_e9)) for each in shown)),
            cross_account_value_e9=str(value),
            total_account_value_e9=str(value),
            updated_at_millis=updated,
            assets=[
                Asset(
                    symbol=currency.name,
                    quantity_e9=str(balance.settled),
                    effective_balance_e9=str(balance.settled),
                    max_withdraw_quantity_e9=ZERO,
                    updated_at_millis=updated,
                )
            ]
            if markets
            else [],
            authorized_accounts=[],
            authorized_wallets=[],
        )

    def account(self, state: State, account: Account) -> ShownAccount:
        """All of it, with its positions."""
        update = self.account_update(state, account)
        positions = []
        for market in state.markets.values():
            if market.contract is not None and position(account, market):
                shown = self.position_update(state, account, market)
                fields = {name: getattr(shown, name) for name in shown.__struct_fields__}
                positions.append(
                    Position(
                        **fields,
                        funding_rate_payment_all_time_e9=ZERO,
                        funding_rate_payment_since_change_e9=ZERO,
                        funding_rate_payment_since_opened_e9=ZERO,
                    )
                )
        fields = {name: getattr(update, name) for name in update.__struct_fields__}
        return ShownAccount(**fields, account_address=account.name, positions=positions)

    def _unrealised(self, account: Account, market: Market) -> int:
        """What the position would bring at the mark price, 0 while there is none."""
        contract, mark = market.contract, mark_price(market, self._ambient)
        assert contract is not None
        if not mark:
            return 0
        worth = divide(position(account, market) * mark, market.parity, HALF_EVEN)
        return worth - cost(account, market, contract.basis)


def trade_id(terms: TradeMade) -> str:
    """Trades are numbered, as everybody sees all of them."""
    return str(terms.trade)
