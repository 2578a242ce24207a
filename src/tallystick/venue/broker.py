"""Execution against a price, as a broker does it: how much a price buys, what it costs, and the trade that follows.

Money is rounded so that a buyer's notional and fee never exceed what was reserved (specs/sophic.md §4): quantities
down to the increment, notional half-even, fees up on the running total, so that many trades cost what one would.
"""

from typing import Final

from tallystick.core.amounts import CEILING, FLOOR, HALF_EVEN, divide, multiply_divide
from tallystick.core.keys import Number
from tallystick.core.lifecycle import TRADE_EXECUTED
from tallystick.core.order import Order
from tallystick.facts.codes import BUY, COUNTERPARTY, FEES
from tallystick.facts.venue import Leg, Obligation, TradeMade
from tallystick.venue.draft import Draft
from tallystick.venue.state import Market

BASIS_POINTS: Final = 10_000

# Compiled, a constant of the module is at hand, and a name that it imports is looked up at each use.
_LEG: Final = Leg
_OBLIGATION: Final = Obligation
_TRADE_MADE: Final = TradeMade


def fee_inside(cash: int, fee_bps: int) -> int:
    """The part of ``cash`` that is set aside for fees, when it is to pay for both."""
    return multiply_divide(cash, fee_bps, BASIS_POINTS + fee_bps, CEILING)


def fee_until(notional: int, fee_bps: int) -> int:
    """All fees on a running total of ``notional``."""
    return multiply_divide(notional, fee_bps, BASIS_POINTS, CEILING)


def affordable(cash: int, price: int, market: Market) -> int:
    """The greatest quantity, a multiple of the increment, whose exact value at ``price`` is at most ``cash``."""
    quantity = multiply_divide(cash, market.parity, price, FLOOR)
    return quantity - quantity % market.increment


def notional_of(quantity: int, price: int, market: Market) -> int:
    """What ``quantity`` costs at ``price``, in the market's currency."""
    return divide(quantity * price, market.parity, HALF_EVEN)


def execute(
    draft: Draft,
    order: Order,
    quantity: int,
    price: int,
    notional: int,
    settles_at: int,
    value_date: int,
    order_due: int,
) -> None:
    """Trade ``quantity`` of the order, worth ``notional`` at ``price``, with the street; it is EXECUTED and owes until
    it settles."""
    state = draft.state
    terms = order.terms
    market = state.markets[order.market]
    account = order.account
    street = state.account_of_role[COUNTERPARTY].number
    house = state.account_of_role[FEES].number
    currency, unit = market.currency.number, market.unit.number
    progress = order.progress
    units: Number = quantity  # one object each, which the facts share
    worth: Number = notional
    fee: Number = fee_until(progress.notional + notional, terms.fee_bps) - progress.fees
    owed: list[Obligation] = []
    if terms.side == BUY:
        consumed: Number = worth + fee
        _owe(owed, account, street, currency, worth)
        _owe(owed, street, account, unit, units)
        _owe(owed, account, house, currency, fee)
    else:
        consumed = units
        _owe(owed, account, street, unit, units)
        _owe(owed, street, account, currency, worth - fee)
        _owe(owed, street, house, currency, fee)
    leg = _LEG(order.number, account, consumed, units, worth, fee, consumed)
    draft.emit(
        _TRADE_MADE(
            account,
            order.number,
            order.market,
            state.trades_made + 1,
            TRADE_EXECUTED,
            price,
            (leg,),
            tuple(owed),
            settles_at,
            value_date,
            order_due,
        )
    )


def _owe(owed: list[Obligation], payer: Number, payee: Number, asset: Number, amount: Number) -> None:
    if amount:
        owed.append(_OBLIGATION(payer, payee, asset, amount))
