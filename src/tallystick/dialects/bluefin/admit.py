"""Whether a Bluefin venue takes an order at all (specs/bluefin.md §3, §9): each refusal is a fact, told as an event.

The door has seen to schema, token and signature. What is left is looked at in one order, cheapest first: the terms by
themselves, then the account's affairs, then the book.
"""

from typing import Final

from tallystick.core.amounts import HALF_EVEN, divide
from tallystick.core.keys import Number
from tallystick.dialects.bluefin.policy import Policy
from tallystick.dialects.bluefin.reasons import (
    DUPLICATE_ORDER,
    INSUFFICIENT_LIQUIDITY,
    INVALID_INPUT,
    INVALID_LEVERAGE,
    MARKET_NOT_TRADING,
    ORDER_EXPIRED,
    POST_ONLY_WOULD_TRADE,
    PRICE_OUT_OF_BOUND,
    PRICE_OUT_OF_TICK_SIZE,
    QUANTITY_OUT_OF_BOUND,
    QUANTITY_OUT_OF_STEP_SIZE,
    REDUCE_ONLY_WOULD_OPEN,
    SIGNED_AT_TOO_OLD,
    TOO_MANY_OPEN_ORDERS_ON_MARKET,
)
from tallystick.facts.codes import (
    AT_OR_ABOVE,
    AT_OR_BELOW,
    BUY,
    FILL_OR_KILL,
    GOOD_TILL_TIME,
    LIMIT_ORDER,
    MARKET_ORDER,
    NOT_TRADING,
    POST_ONLY,
    REDUCE_ONLY,
    SELL,
    UNITS,
)
from tallystick.facts.commands import PlaceOrder
from tallystick.facts.venue import Contract, Instructions
from tallystick.venue.ambient import Ambient
from tallystick.venue.matching import can_fill, cost_of_taking, crossing_level
from tallystick.venue.positions import (
    PARTS,
    closable,
    fee_of,
    free_collateral,
    leverage_of,
    margin_of,
    mark_price,
    position,
)
from tallystick.venue.state import Account, Market, State

HOLDS: Final = ""


def terms_refused(
    policy: Policy, command: PlaceOrder, with_: Instructions, market: Market, contract: Contract, now: int
) -> str:
    """What is wrong with the order by itself; "" for nothing."""
    if market.status == NOT_TRADING:
        return MARKET_NOT_TRADING
    if with_.signed and not now - policy.signed_within_us <= with_.signed <= now + policy.ahead_us:
        return SIGNED_AT_TOO_OLD
    if with_.expires and with_.expires <= now:
        return ORDER_EXPIRED
    if not _is_formed(command, with_):
        return INVALID_INPUT
    if with_.leverage < PARTS or with_.leverage * contract.initial_margin > PARTS * PARTS:
        return INVALID_LEVERAGE
    if command.order_type == LIMIT_ORDER:
        if not contract.price_min <= with_.price <= contract.price_max:
            return PRICE_OUT_OF_BOUND
        if with_.price % contract.tick:
            return PRICE_OUT_OF_TICK_SIZE
    if with_.trigger and not contract.price_min <= with_.trigger <= contract.price_max:
        return PRICE_OUT_OF_BOUND
    most = contract.quantity_max if command.order_type == LIMIT_ORDER else contract.market_quantity_max
    if not market.quantity_min <= command.size <= most:
        return QUANTITY_OUT_OF_BOUND
    if command.size % market.increment:
        return QUANTITY_OUT_OF_STEP_SIZE
    return HOLDS


def _is_formed(command: PlaceOrder, with_: Instructions) -> bool:
    """Whether its words go together."""
    if command.side != BUY and command.side != SELL:
        return False
    if command.kind != UNITS or command.order_type not in (MARKET_ORDER, LIMIT_ORDER):
        return False
    if not GOOD_TILL_TIME <= with_.time_in_force <= FILL_OR_KILL:
        return False
    if bool(with_.trigger) != (with_.trigger_when in (AT_OR_ABOVE, AT_OR_BELOW)):
        return False
    rests = command.order_type == LIMIT_ORDER and with_.time_in_force == GOOD_TILL_TIME
    return rests or not with_.flags & POST_ONLY


def affairs_refused(policy: Policy, command: PlaceOrder, with_: Instructions, account: Account, market: Market) -> str:
    """What of the account's affairs is against the order; "" for nothing."""
    if command.client_key in account.keys:
        return DUPLICATE_ORDER
    contract = market.contract
    assert contract is not None
    working = account.working.get(market.number)
    if with_.leverage != leverage_of(account, market, contract) and (working or position(account, market)):
        return INVALID_LEVERAGE
    if working is not None and working.counted(command.side) >= policy.orders_max:
        return TOO_MANY_OPEN_ORDERS_ON_MARKET
    return HOLDS


def book_refused(state: State, account: Account, market: Market, side: int, size: int, with_: Instructions) -> str:
    """What of the book, and of the position, is against working the order now; "" for nothing."""
    if with_.flags & REDUCE_ONLY and size > closable(account, market, side):
        return REDUCE_ONLY_WOULD_OPEN
    limit = with_.price
    level = crossing_level(market.book, side, limit)
    if with_.flags & POST_ONLY:
        return POST_ONLY_WOULD_TRADE if level is not None else HOLDS
    if rests(with_):
        return HOLDS
    if level is None:
        return INSUFFICIENT_LIQUIDITY
    if with_.time_in_force == FILL_OR_KILL and not can_fill(state, market.book, account.number, side, limit, size):
        return INSUFFICIENT_LIQUIDITY
    return HOLDS


def rests(with_: Instructions) -> bool:
    """Whether what is left of it stays in the book: a limit order that is good till its time."""
    return with_.price != 0 and with_.time_in_force == GOOD_TILL_TIME


def margin_needed(account: Account, market: Market, side: int, size: int, with_: Instructions) -> int:
    """What the order binds: the margin and the fee of the part that it may open. What closes a position needs none.

    The account's other orders on the same side may close the same position, so only what they leave of it counts.
    """
    contract = market.contract
    assert contract is not None
    if with_.flags & REDUCE_ONLY:
        return 0
    notional = _notional(market, side, size, with_)
    closes = closable(account, market, side)
    working = account.working.get(market.number)
    if closes and working is not None:
        closes -= working.resting(side)
    opens = size - max(0, min(size, closes))
    fee = fee_of(notional, max(contract.taker_fee, contract.maker_fee, 0))
    if opens == 0:
        return 0
    return margin_of(notional * opens // size, with_.leverage, contract) + fee


def is_affordable(state: State, ambient: Ambient, account: Account, currency: Number, needed: int) -> bool:
    return needed == 0 or needed <= free_collateral(state, ambient, account, currency)


def _notional(market: Market, side: int, size: int, with_: Instructions) -> int:
    """The most that the order can be worth: at its limit, or at what rests now, where a buyer's is the limit."""
    taken, worth = cost_of_taking(market.book, side, with_.price, size)
    if with_.price:
        worst = max(with_.price * size, worth + (size - taken) * with_.price)
    else:
        worst = worth
    return divide(worst, market.parity, HALF_EVEN)


def reached(market: Market, ambient: Ambient, policy: Policy, with_: Instructions) -> bool:
    """Whether the market has the order's trigger price."""
    price = mark_price(market, ambient) if policy.trigger_by_mark else market.traded
    if price == 0:
        return False
    return price >= with_.trigger if with_.trigger_when == AT_OR_ABOVE else price <= with_.trigger
