"""Whether a Bluefin venue takes an order at all (specs/bluefin.md §3, §9): each refusal is a fact, told as an event.

The door has seen to schema, token and signature. What is left is looked at in one order, cheapest first: the terms by
themselves, then the account's affairs, then the book.
"""

from collections.abc import Callable
from typing import Final

from tallystick.core.amounts import HALF_EVEN, divide
from tallystick.core.keys import Number
from tallystick.core.order import Order
from tallystick.dialects.bluefin.policy import Policy
from tallystick.dialects.bluefin.reasons import (
    ACCOUNT_DEAUTHORIZED,
    INSUFFICIENT_LIQUIDITY,
    INVALID_INPUT,
    INVALID_LEVERAGE,
    MARGIN_CALL,
    MARKET_NOT_TRADING,
    ORDER_EXPIRED,
    POST_ONLY_WOULD_TRADE,
    PRICE_OUT_OF_BOUND,
    PRICE_OUT_OF_TICK_SIZE,
    QUANTITY_OUT_OF_BOUND,
    QUANTITY_OUT_OF_STEP_SIZE,
    REDUCE_ONLY_WOULD_OPEN,
    SELF_TRADE_PREVENTION,
    SIGNED_AT_TOO_OLD,
    TOO_MANY_MATCHES,
    TOO_MANY_OPEN_ORDERS_ON_MARKET,
)
from tallystick.facts.codes import (
    ACTIVE,
    AT_OR_ABOVE,
    AT_OR_BELOW,
    BUY,
    BUY_ONLY,
    BUY_SELL,
    CANCEL_BOTH,
    CANCEL_MAKER,
    CANCEL_TAKER,
    FILL_OR_KILL,
    GOOD_TILL_TIME,
    LIMIT_ORDER,
    MARKET_ORDER,
    POST_ONLY,
    REDUCE_ONLY,
    SELL,
    SELL_ONLY,
    UNITS,
)
from tallystick.facts.common import values
from tallystick.facts.venue import Instructions, OrderPlaced
from tallystick.venue.ambient import Ambient
from tallystick.venue.draft import Draft
from tallystick.venue.matching import cost_of_taking, crosses, crossing_level, opposite
from tallystick.venue.positions import (
    PARTS,
    closable,
    fee_of,
    free_collateral,
    lacking,
    leverage_of,
    margin_at,
    mark_price,
    position,
    worth_of,
)
from tallystick.venue.state import Account, Market, State

HOLDS: Final = ""
MATCHES_MAX: Final = 170  # with three events for each they fit what an order may take (steps.TAKING_MAX)
ROUNDING: Final = 16  # what the parts of a margin, each rounded up, may come to beyond the whole


class Ticket:
    """What an order asks for, at hand: its terms and its instructions (facts.venue.Instructions)."""

    __slots__ = (
        "expires",
        "flags",
        "kind",
        "leverage",
        "order_type",
        "price",
        "self_trade",
        "side",
        "signed",
        "size",
        "time_in_force",
        "trigger",
        "trigger_when",
    )

    def __init__(self, side: int, order_type: int, kind: int, size: int, instructions: Instructions) -> None:
        price, time_in_force, flags, self_trade, expires, trigger, when, leverage, signed, _ = _instructed(instructions)
        self.side: Final = side
        self.order_type: Final = order_type
        self.kind: Final = kind
        self.size: Final = size
        self.price: Final = price
        self.time_in_force: Final = time_in_force
        self.flags: Final = flags
        self.self_trade: Final = self_trade
        self.expires: Final = expires
        self.trigger: Final = trigger
        self.trigger_when: Final = when
        self.leverage: Final = leverage
        self.signed: Final = signed


def ticket_of(order: Order) -> Ticket:
    """The ticket that the order was placed with."""
    terms: OrderPlaced = order.terms
    with_ = terms.instructions
    assert with_ is not None
    return Ticket(terms.side, terms.order_type, terms.kind, order.size, with_)


def terms_refused(policy: Policy, with_: Ticket, market: Market, now: int) -> str:
    """What is wrong with the order by itself; "" for nothing."""
    if not takes(market, with_.side):
        return MARKET_NOT_TRADING
    if with_.signed and not now - policy.signed_within_us <= with_.signed <= now + policy.ahead_us:
        return SIGNED_AT_TOO_OLD
    if with_.expires and with_.expires <= now:
        return ORDER_EXPIRED
    if not _is_formed(with_):
        return INVALID_INPUT
    if with_.leverage < PARTS or with_.leverage > market.leverage_max:
        return INVALID_LEVERAGE
    if with_.order_type == LIMIT_ORDER:
        if not market.price_min <= with_.price <= market.price_max:
            return PRICE_OUT_OF_BOUND
        if with_.price % market.tick:
            return PRICE_OUT_OF_TICK_SIZE
    if with_.trigger and not market.price_min <= with_.trigger <= market.price_max:
        return PRICE_OUT_OF_BOUND
    most = market.quantity_max if with_.order_type == LIMIT_ORDER else market.market_quantity_max
    if not market.quantity_min <= with_.size <= most:
        return QUANTITY_OUT_OF_BOUND
    if with_.size % market.increment:
        return QUANTITY_OUT_OF_STEP_SIZE
    return HOLDS


def takes(market: Market, side: int) -> bool:
    """Whether the market takes orders of that side."""
    status = market.status
    return status == BUY_SELL or status == (BUY_ONLY if side == BUY else SELL_ONLY)


def _is_formed(with_: Ticket) -> bool:
    """Whether its words go together."""
    if with_.side != BUY and with_.side != SELL:
        return False
    if not CANCEL_TAKER <= with_.self_trade <= CANCEL_BOTH or (with_.order_type == MARKET_ORDER and with_.price):
        return False
    if with_.kind != UNITS or (with_.order_type != LIMIT_ORDER and with_.order_type != MARKET_ORDER):
        return False
    if not GOOD_TILL_TIME <= with_.time_in_force <= FILL_OR_KILL:
        return False
    has_side = with_.trigger_when == AT_OR_ABOVE or with_.trigger_when == AT_OR_BELOW
    if (with_.trigger != 0) != has_side:
        return False
    stays = with_.order_type == LIMIT_ORDER and with_.time_in_force == GOOD_TILL_TIME
    return stays or not with_.flags & POST_ONLY


def affairs_refused(policy: Policy, with_: Ticket, account: Account, market: Market) -> str:
    """What of the account's affairs is against the order; "" for nothing."""
    contract = market.contract
    assert contract is not None
    working = account.working.get(market.number)
    if with_.leverage != leverage_of(account, market, contract) and (working or position(account, market)):
        return INVALID_LEVERAGE
    stays = with_.trigger or rests(with_)
    if stays and working is not None and working.counted(with_.side) >= policy.orders_max:
        return TOO_MANY_OPEN_ORDERS_ON_MARKET
    return HOLDS


def book_refused(account: Account, market: Market, size: int, with_: Ticket) -> str:
    """What of the book, and of the position, is against working ``size`` of the order now; "" for nothing."""
    side = with_.side
    if with_.flags & REDUCE_ONLY and size > closable(account, market, side):
        return REDUCE_ONLY_WOULD_OPEN
    if with_.flags & POST_ONLY:
        return POST_ONLY_WOULD_TRADE if crossing_level(market.book, side, with_.price) is not None else HOLDS
    if rests(with_) or crossing_level(market.book, side, with_.price) is not None:
        return HOLDS
    return INSUFFICIENT_LIQUIDITY


def rests(with_: Ticket) -> bool:
    """Whether what is left of it stays in the book: a limit order that is good till its time."""
    return with_.price != 0 and with_.time_in_force == GOOD_TILL_TIME


def margin_needed(state: State, account: Account, market: Market, size: int, with_: Ticket, exact: int = 0) -> int:
    """What the order binds: the margin and the fee of the part that it may open. What closes a position needs none.

    The account's other orders on the same side may close the same position, so only what they leave of it counts.
    ``exact`` is what its quantity x price will be, where that is known.
    """
    if with_.flags & REDUCE_ONLY:
        return 0
    closes = closable(account, market, with_.side)
    if closes:
        working = account.working.get(market.number)
        if working is not None:
            closes = max(0, closes - working.resting(with_.side))
    opens = size - min(size, closes)
    if opens == 0:
        return 0
    notional = _notional(state, account, market, size, with_, exact)
    fee = fee_of(notional, max(market.taker_fee, market.maker_fee, 0))
    return margin_at(notional if opens == size else -(-notional * opens // size), with_.leverage) + fee


def is_affordable(state: State, ambient: Ambient, account: Account, currency: Number, needed: int) -> bool:
    return needed == 0 or needed <= free_collateral(state, ambient, account, currency)


def _notional(state: State, account: Account, market: Market, size: int, with_: Ticket, exact: int) -> int:
    """The most that the order can be worth: a buyer's at its limit, or at what rests; a seller's at the best bid."""
    price = with_.price
    if with_.side == SELL:
        level = crossing_level(market.book, SELL, price)
        return worth_of(market, size, price if level is None else level.price)
    if price:
        return worth_of(market, size, price)
    _, worth = (size, exact) if exact else cost_of_taking(state, market, account, BUY, 0, size)
    return divide(worth, market.parity, HALF_EVEN)


def trigger_price(market: Market, ambient: Ambient, policy: Policy) -> int:
    """The price that triggers are compared with; 0 for none."""
    return mark_price(market, ambient) if policy.trigger_by_mark else market.traded


def is_reached(trigger: int, when: int, low: int, high: int) -> bool:
    """Whether a market that was at these prices has reached the trigger price; 0 is no price."""
    return high >= trigger if when == AT_OR_ABOVE else 0 < low <= trigger


class Plan:
    """How an order would be filled whole: why it cannot be, what it is worth (quantity x price), and which orders are
    in its way, with the reason for which each ends."""

    __slots__ = ("hindering", "refused", "worth")

    def __init__(self) -> None:
        self.refused = ""
        self.worth = 0
        self.hindering: Final[list[tuple[Order, str]]] = []


def plan_whole(draft: Draft, account: Account, market: Market, size: int, with_: Ticket) -> Plan:
    """Whether all of it can be filled at once, by what may trade now; and what is in the way of that."""
    state = draft.state
    plan = Plan()
    side, left, met = with_.side, size, 0
    closes: dict[int, int] = {}  # by account, what its orders in the plan leave of its position
    for level in market.book.side(opposite(side)).levels():
        if not crosses(side, with_.price, level.price):
            break
        for resting in level.resting():
            maker = state.orders[resting.number]
            met += 1
            if met > MATCHES_MAX:
                plan.refused = TOO_MANY_MATCHES
                return plan
            if maker.account == account.number:
                if with_.self_trade != CANCEL_MAKER:
                    plan.refused = SELF_TRADE_PREVENTION
                    return plan
                continue
            of = state.accounts[maker.account]
            closing = closes.get(of.number, -1)
            if closing < 0:
                closing = closable(of, market, opposite(side))
            quantity = min(left, offered(maker, closing))
            reason = hindrance(draft, maker, of, market, opposite(side), quantity, level.price)
            if reason:
                plan.hindering.append((maker, reason))
                continue
            closes[of.number] = max(0, closing - quantity)
            plan.worth += quantity * level.price
            left -= quantity
            if left == 0:
                return plan
    plan.refused = INSUFFICIENT_LIQUIDITY
    return plan


def hindrance(draft: Draft, maker: Order, of: Account, market: Market, side: int, quantity: int, price: int) -> str:
    """Why what rests cannot be traded with after all; "" if it can."""
    if 0 < maker.due <= draft.started:
        return ORDER_EXPIRED
    if of.status != ACTIVE:  # its orders are being ended
        return ACCOUNT_DEAUTHORIZED
    if quantity == 0:
        return REDUCE_ONLY_WOULD_OPEN
    return MARGIN_CALL if lacks_margin(draft, maker, of, market, side, market.maker_fee, quantity, price) else HOLDS


def lacks_margin(
    draft: Draft, order: Order, of: Account, market: Market, side: int, fee_rate: int, quantity: int, price: int
) -> bool:
    """Whether the account cannot margin what the fill would open, with what the order holds for it."""
    worth = worth_of(market, quantity, price)
    fee = fee_of(worth, fee_rate) if fee_rate > 0 else 0
    needed = lacking(of, market, side, quantity, worth, fee, share_of_reservation(order, quantity))
    if needed == 0:
        return False
    return free_collateral(draft.state, draft.ambient, of, market.currency.number) + ROUNDING < needed


def offered(maker: Order, closing: int) -> int:
    """How much of what rests may trade: of an order that only reduces, no more than its account can close."""
    with_: Instructions = maker.terms.instructions
    return min(maker.leaves, closing) if with_.flags & REDUCE_ONLY else maker.leaves


def share_of_reservation(order: Order, quantity: int) -> int:
    """What a fill of ``quantity`` takes of the order's reservation: its share, rounded up, and in the end the rest."""
    leaves = order.leaves
    return order.reserved if quantity == leaves else -(-order.reserved * quantity // leaves)


_instructed: Final[Callable[[Instructions], tuple[int, int, int, int, int, int, int, int, int, tuple[str, ...]]]] = (
    values
)
