"""Execution against a price, as a broker does it: how much a price buys, what it costs, and the trade that follows.

Money is rounded so that a buyer's notional and fee never exceed what was reserved (specs/sophic.md §4): quantities
down to the increment, notional half-even, fees up on the running total, so that many trades cost what one would.
"""

from typing import Final

from tallystick.core.amounts import CEILING, FLOOR, HALF_EVEN, divide, multiply_divide
from tallystick.core.lifecycle import TRADE_EXECUTED
from tallystick.core.order import Order
from tallystick.facts.codes import BUY, COUNTERPARTY, FEES
from tallystick.facts.venue import Leg, Obligation, TradeMade
from tallystick.venue.draft import Draft
from tallystick.venue.state import Market

BASIS_POINTS: Final = 10_000


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
    settles_at: int,
    value_date: int,
    order_due: int,
) -> None:
    """Trade ``quantity`` of the order at ``price`` with the street; it is EXECUTED and owes until it settles."""
    state = draft.state
    terms = order.terms
    market = state.markets[order.market]
    notional = notional_of(quantity, price, market)
    fee = fee_until(order.progress.notional + notional, terms.fee_bps) - order.progress.fees
    account = order.account
    street = state.account_of_role[COUNTERPARTY].number
    house = state.account_of_role[FEES].number
    currency, unit = market.currency.number, market.unit.number
    if terms.side == BUY:
        consumed = notional + fee
        owed = (
            Obligation(account, street, currency, notional),
            Obligation(street, account, unit, quantity),
            Obligation(account, house, currency, fee),
        )
    else:
        consumed = quantity
        owed = (
            Obligation(account, street, unit, quantity),
            Obligation(street, account, currency, notional - fee),
            Obligation(street, house, currency, fee),
        )
    leg = Leg(order.number, account, consumed, quantity, notional, fee, consumed)
    draft.emit(
        TradeMade(
            account,
            order.number,
            order.market,
            state.trades_made + 1,
            TRADE_EXECUTED,
            price,
            (leg,),
            tuple([obligation for obligation in owed if obligation.amount]),
            settles_at,
            value_date,
            order_due,
        )
    )
