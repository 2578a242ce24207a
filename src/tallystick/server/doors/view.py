"""A venue's state in neutral words. Reads only; whatever it shows is durable, for the state is the readers'."""

from typing import Any, Final

from tallystick.core.amounts import render
from tallystick.core.cancel import CancelRequest
from tallystick.core.lifecycle import CANCEL_OUTCOME_NAMES, ORDER_STATUS_NAMES, TRADE_STATUS_NAMES
from tallystick.core.trade import Trade
from tallystick.facts.codes import (
    ACCOUNT_FLAG_NAMES,
    ACCOUNT_STATUS_NAMES,
    ASSET_KIND_NAMES,
    CASH,
    ORDER_TYPE_NAMES,
    PREREQUISITE_NAMES,
    ROLE_NAMES,
    SCOPE_ACCOUNT,
    SCOPE_MARKET,
    SCOPE_NAMES,
    SIDE_NAMES,
    SIZE_KIND_NAMES,
    TRADING_STATUS_NAMES,
)
from tallystick.facts.common import Cause
from tallystick.server.doors import wire
from tallystick.server.doors.contracts import contract_view
from tallystick.server.doors.desk import Desk, Found
from tallystick.server.doors.wire import instant, instant_or_none
from tallystick.venue.calendar import date_text
from tallystick.venue.ledger import Balance
from tallystick.venue.state import Account, Asset, Market, Retry, State


class View:
    """Renders one venue's records."""

    def __init__(self, desk: Desk) -> None:
        self._desk: Final = desk

    @property
    def _state(self) -> State:
        return self._desk.state

    def account(self, account: Account) -> wire.Account:
        balances = account.book.balances
        return wire.Account(
            id=account.name,
            role=ROLE_NAMES[account.role],
            owner=account.owner,
            status=ACCOUNT_STATUS_NAMES[account.status],
            flags=flag_names(account.flags),
            balances=[_balance(self._state.assets[asset], balances[asset]) for asset in sorted(balances)],
            cancel_request=self._sweep(SCOPE_ACCOUNT, account.number),
        )

    def market(self, market: Market) -> wire.Market:
        terms, units, cash = market.terms, market.unit.scale, market.currency.scale
        return wire.Market(
            id=market.name,
            symbol=market.symbol,
            title=market.title,
            status=TRADING_STATUS_NAMES[market.status],
            unit=market.unit.name,
            currency=market.currency.name,
            price_scale=market.price_scale,
            increment=render(market.increment, units),
            professionals_only=terms.pros_only,
            quantity_min=render(terms.quantity_min, units),
            cash_min=render(terms.cash_min, cash),
            cash_increment=render(terms.cash_increment, cash),
            traits=dict(terms.traits),
            cancel_request=self._sweep(SCOPE_MARKET, market.number),
            contract=contract_view(self._state, market),
        )

    def order(self, found: Found) -> wire.Order:
        order, progress = found.order, found.order.progress
        terms = order.terms
        market = self._state.markets[order.market]
        cash = market.currency.scale
        asset = self._state.assets[terms.reserve_asset]
        waiting = self._state.waiting.get(order.number)
        return wire.Order(
            id=self._desk.order_ids.text(order.number),
            client_key=terms.client_key,
            account=self._state.accounts[order.account].name,
            market=market.name,
            side=SIDE_NAMES[terms.side],
            type=ORDER_TYPE_NAMES[terms.order_type],
            status=ORDER_STATUS_NAMES[order.status].lower(),
            final=order.is_settled(),
            size=_size(found, market),
            quantity=render(progress.quantity, market.unit.scale),
            notional=render(progress.notional, cash),
            fees=render(progress.fees, cash),
            reserved=render(order.reserved, asset.scale),
            reserved_asset=asset.name,
            executed=progress.executed,
            waits_for=None
            if waiting is None or not waiting.prerequisite
            else wire.Waits(PREREQUISITE_NAMES[waiting.prerequisite], instant_or_none(waiting.deadline)),
            retry=_retry(self._state.order_retries.get(order.number), order.due),
            placed_at=instant(order.placed),
            updated_at=instant(order.updated),
            trades=[self.trade(trade) for trade in found.trades],
        )

    def trade(self, trade: Trade) -> wire.Trade:
        terms = trade.terms
        market = self._state.markets[terms.market]
        cash = market.currency.scale
        return wire.Trade(
            id=self._desk.trade_ids.text(trade.number),
            status=TRADE_STATUS_NAMES[trade.status].lower(),
            market=market.name,
            price=render(terms.price, market.price_scale),
            legs=[
                wire.Leg(
                    order=self._desk.order_ids.text(leg.order),
                    account=self._state.accounts[leg.account].name,
                    quantity=render(leg.quantity, market.unit.scale),
                    notional=render(leg.notional, cash),
                    fee=render(leg.fee, cash),
                )
                for leg in terms.legs
            ],
            value_date=date_text(terms.value_date),
            executed_at=instant(trade.made),
            due_at=instant_or_none(trade.due),
            settled_at=instant_or_none(trade.settled),
            retry=_retry(self._state.trade_retries.get(trade.number), trade.due),
        )

    def cancel_request(self, request: CancelRequest, cause: Cause) -> wire.CancelRequest:
        """``cause`` is that of the entry in which it was made."""
        return wire.CancelRequest(
            number=request.number,
            scope=SCOPE_NAMES[request.scope],
            subject=self._subject(request),
            finished=request.finished,
            done=request.done,
            reason=request.reason,
            by=cause.by,
            words=cause.reason,
            made_at=instant(request.made),
            orders={
                self._desk.order_ids.text(number): request.reasons.get(number, CANCEL_OUTCOME_NAMES[outcome].lower())
                for number, outcome in request.outcomes.items()
            },
        )

    def _subject(self, request: CancelRequest) -> str | None:
        if not request.subject:
            return None
        subjects: Any = self._state.accounts if request.scope == SCOPE_ACCOUNT else self._state.markets
        return str(subjects[request.subject].name)

    def _sweep(self, scope: int, subject: int) -> int | None:
        """The newest request that is still ending the subject's orders."""
        sweeps = self._state.sweeps.values()
        return max((each.number for each in sweeps if (each.scope, each.subject) == (scope, subject)), default=None)


def flag_names(flags: int) -> list[str]:
    return [name for at, name in enumerate(ACCOUNT_FLAG_NAMES) if flags >> at & 1]


def flag_bits(names: tuple[str, ...]) -> int:
    """The inverse of ``flag_names``; ValueError for a name that there is not."""
    bits = 0
    for name in names:
        bits |= 1 << ACCOUNT_FLAG_NAMES.index(name)
    return bits


def asset_view(asset: Asset) -> wire.Asset:
    return wire.Asset(asset.name, asset.scale, ASSET_KIND_NAMES[asset.kind])


def _balance(asset: Asset, balance: Balance) -> wire.Balance:
    scale = asset.scale
    return wire.Balance(
        asset=asset.name,
        settled=render(balance.settled, scale),
        receivable=render(balance.receivable, scale),
        payable=render(-balance.payable, scale),
        reserved=render(balance.reserved, scale),
        available=render(balance.available, scale),
        withdrawable=render(balance.available_settled, scale),
    )


def _size(found: Found, market: Market) -> wire.Size:
    order, progress = found.order, found.order.progress
    scale = market.currency.scale if order.terms.kind == CASH else market.unit.scale
    return wire.Size(
        kind=SIZE_KIND_NAMES[order.terms.kind],
        amount=render(order.size, scale),
        consumed=render(progress.consumed, scale),
        pending=render(progress.pending, scale),
        leaves=render(order.leaves, scale),
        released=render(progress.released, scale),
    )


def _retry(retry: Retry | None, due: int) -> wire.Retry | None:
    return None if retry is None else wire.Retry(retry.attempts, retry.reason, instant_or_none(due))
