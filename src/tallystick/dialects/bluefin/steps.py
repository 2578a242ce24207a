"""Each step of an order in a Bluefin book: it takes what it can, rests or ends, and others follow from that.

Several steps share one entry, so the stream shows only the last status (seeds/002). What follows from a trade happens
in the same entry: orders that stood by for its price, orders that may only reduce a position which is gone, and those
whose margin is gone. Where the entry has no more room, they go on in the next.
"""

from typing import Final

from tallystick.core.amounts import HALF_EVEN, divide
from tallystick.core.keys import Number
from tallystick.core.lifecycle import OPEN, PENDING, TRADE_SETTLED
from tallystick.core.order import Order
from tallystick.dialects.bluefin.admit import book_refused, is_affordable, margin_needed, reached, rests
from tallystick.dialects.bluefin.policy import Policy
from tallystick.dialects.bluefin.reasons import (
    ACCOUNT_DEAUTHORIZED,
    INSUFFICIENT_LIQUIDITY,
    INSUFFICIENT_MARGIN,
    MARGIN_CALL,
    MARKET_NOT_TRADING,
    REDUCE_ONLY_WOULD_OPEN,
    SELF_TRADE_PREVENTION,
    TOO_MANY_MATCHES,
)
from tallystick.facts.codes import (
    ACTIVE,
    BUY,
    CANCEL_BOTH,
    CANCEL_MAKER,
    COUNTERPARTY,
    EXACT,
    FEES,
    MAKER,
    NOT_TRADING,
    REDUCE_ONLY,
    TAKER,
    TRIGGER,
)
from tallystick.facts.venue import (
    EVENTS_PER_ENTRY_MAX,
    UNCHANGED,
    Instructions,
    Leg,
    Obligation,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderRested,
    OrderTriggered,
    PrerequisiteCleared,
    TradeMade,
)
from tallystick.venue.draft import Draft
from tallystick.venue.matching import crossing_level
from tallystick.venue.positions import (
    closable,
    fee_of,
    free_collateral,
    owe_fee,
    owe_fill,
    owe_result,
    result_of,
)
from tallystick.venue.state import Account, Market
from tallystick.venue.timers import ORDER_TIMER

TAKING_ROOM: Final = EVENTS_PER_ENTRY_MAX - 256  # with as much left, an order goes on taking
FOLLOWING_ROOM: Final = EVENTS_PER_ENTRY_MAX - 128  # and with this, another is begun

# Compiled, a constant of the module is at hand, and a name that it imports is looked up at each use.
_LEG: Final = Leg
_TRADE_MADE: Final = TradeMade
_ORDER_FILLED: Final = OrderFilled
_ORDER_RESTED: Final = OrderRested


class Steps:
    """What becomes of an order once it is open."""

    def __init__(self, policy: Policy) -> None:
        self.policy: Final = policy

    def work(self, draft: Draft, order: Order) -> None:
        """The order is open: it takes what it can, then rests or ends."""
        market = draft.state.markets[order.market]
        with_: Instructions = order.terms.instructions
        ended = self._take(draft, order, market, with_)
        if order.status != OPEN:
            return
        if ended:
            self.cancel(draft, order, ended)
        elif order.leaves == 0:
            draft.emit(_ORDER_FILLED(order.account, order.number, order.market, 0, order.reserved, EXACT))
        elif rests(with_):
            draft.emit(_ORDER_RESTED(order.account, order.number, order.market, with_.expires))
        else:
            self.cancel(draft, order, INSUFFICIENT_LIQUIDITY)

    def follow(self, draft: Draft, market: Market, taker: Order) -> None:
        """What follows from the trades that ``taker`` made, if it made any."""
        if not taker.progress.trades:
            return
        self._tend(draft, market, taker)
        self._trigger(draft, market)

    def cancel(self, draft: Draft, order: Order, reason: str, request: int = 0) -> None:
        draft.emit(
            OrderCancelled(order.account, order.number, order.market, order.leaves, order.voidable, reason, request)
        )

    def wake_order(self, draft: Draft, order: Order) -> None:
        """It expires; or it stood by, and its price was reached when an entry had no more room."""
        state = draft.state
        with_: Instructions = order.terms.instructions
        if with_.expires and with_.expires <= draft.started:
            draft.emit(OrderExpired(order.account, order.number, order.market, order.leaves, order.voidable))
        elif order.status == PENDING and state.waiting[order.number].prerequisite == 0:
            market = state.markets[order.market]
            self._begin(draft, market, order)
            self.follow(draft, market, order)

    def stop_order(self, draft: Draft, order: Order, reason: str, request: int) -> None:
        """It cannot go on, for its market or its account."""
        self.cancel(draft, order, reason, request)

    def _take(self, draft: Draft, order: Order, market: Market, with_: Instructions) -> str:
        """Trade with what rests, best first, as far as the limit goes; why it must end now, "" if it need not."""
        state = draft.state
        while order.leaves > 0:
            level = crossing_level(market.book, order.terms.side, with_.price)
            if level is None:
                break
            maker = state.orders[level.first().number]
            if draft.length > TAKING_ROOM:
                return TOO_MANY_MATCHES
            if state.accounts[maker.account].status != ACTIVE:  # it was suspended, and its orders are being ended
                self.cancel(draft, maker, ACCOUNT_DEAUTHORIZED)
                continue
            if maker.account == order.account:
                if with_.self_trade == CANCEL_MAKER or with_.self_trade == CANCEL_BOTH:
                    self.cancel(draft, maker, SELF_TRADE_PREVENTION)
                if with_.self_trade != CANCEL_MAKER:
                    return SELF_TRADE_PREVENTION
                continue
            quantity = min(order.leaves, maker.leaves)
            made_with: Instructions = maker.terms.instructions
            if made_with.flags & REDUCE_ONLY:
                quantity = min(quantity, closable(state.accounts[maker.account], market, maker.terms.side))
                if quantity == 0:
                    self.cancel(draft, maker, REDUCE_ONLY_WOULD_OPEN)
                    continue
            if maker.reserved and not self._has_margin(draft, maker.account, market):
                self.cancel(draft, maker, MARGIN_CALL)
                continue
            self._trade(draft, order, maker, market, quantity, level.price)
            if maker.leaves == 0:
                draft.emit(_ORDER_FILLED(maker.account, maker.number, maker.market, 0, maker.reserved, EXACT))
        return ""

    def _has_margin(self, draft: Draft, account: Number, market: Market) -> bool:
        """Whether what the account's orders bind is still there, at what its positions are worth now."""
        of = draft.state.accounts[account]
        return free_collateral(draft.state, draft.ambient, of, market.currency.number) >= 0

    def _trade(self, draft: Draft, taker: Order, maker: Order, market: Market, quantity: int, price: int) -> None:
        """One match, executed and settled at once, at the maker's price."""
        state = draft.state
        contract = market.contract
        assert contract is not None
        clearing, house = state.account_of_role[COUNTERPARTY].number, state.account_of_role[FEES].number
        currency, basis = market.currency.number, contract.basis
        worth = divide(quantity * price, market.parity, HALF_EVEN)
        buyer, seller = (taker, maker) if taker.terms.side == BUY else (maker, taker)
        owed: list[Obligation] = []
        legs: list[Leg] = []
        owe_fill(owed, buyer.account, seller.account, market, basis, quantity, worth)
        for order, rate, liquidity in ((taker, contract.taker_fee, TAKER), (maker, contract.maker_fee, MAKER)):
            account = state.accounts[order.account]
            result = result_of(account, market, basis, order.terms.side, quantity, worth)
            fee = fee_of(worth, rate)
            owe_result(owed, account.number, clearing, currency, basis, result)
            owe_fee(owed, account.number, house, currency, fee)
            posted = order.reserved if quantity == order.leaves else order.reserved * quantity // order.leaves
            legs.append(_LEG(order.number, account.number, quantity, quantity, worth, fee, posted, liquidity, result))
        draft.emit(
            _TRADE_MADE(
                taker.account,
                taker.number,
                market.number,
                state.trades_made + 1,
                TRADE_SETTLED,
                price,
                tuple(legs),
                tuple(owed),
                0,
                0,
                UNCHANGED,
            )
        )

    def _tend(self, draft: Draft, market: Market, taker: Order) -> None:
        """Look after those who traded: what may only reduce what they no longer have, and what they cannot margin."""
        state = draft.state
        seen: set[int] = set()
        for made in taker.progress.trades:
            for leg in state.trades[made].terms.legs:
                number: int = leg.account
                if number not in seen and draft.length < FOLLOWING_ROOM:
                    seen.add(number)
                    self._tend_account(draft, market, state.accounts[number])

    def _tend_account(self, draft: Draft, market: Market, account: Account) -> None:
        working = account.working.get(market.number)
        if working is None:
            return
        state = draft.state
        if working.reducing:
            for number in list(working.orders):
                order = state.orders[number]
                with_: Instructions = order.terms.instructions
                gone = closable(account, market, order.terms.side) == 0
                if gone and with_.flags & REDUCE_ONLY and number in market.book:
                    self.cancel(draft, order, REDUCE_ONLY_WOULD_OPEN)
        if self._has_margin(draft, account.number, market):
            return
        for number in reversed(list(working.orders)):
            order = state.orders[number]
            if number in market.book and order.reserved:
                self.cancel(draft, order, MARGIN_CALL)
                if self._has_margin(draft, account.number, market):
                    return

    def _trigger(self, draft: Draft, market: Market) -> None:
        """Work what stood by for the price that the market has now, oldest first, and what that makes of it."""
        while True:
            due = self._reached(draft, market)
            if not due:
                return
            for number in due:
                order = draft.state.orders[number]
                if order.status != PENDING:
                    continue
                if draft.length < FOLLOWING_ROOM:
                    self._begin(draft, market, order)
                    self._tend(draft, market, order)
                elif draft.length < EVENTS_PER_ENTRY_MAX:
                    # Its price was reached, and may not be any more when there is room: that is noted.
                    draft.emit(
                        PrerequisiteCleared(
                            order.account, number, order.market, TRIGGER, 0, draft.started, self._deadline(order)
                        )
                    )
                else:
                    draft.timers.set(draft.started, ORDER_TIMER, number)
                    return

    def _reached(self, draft: Draft, market: Market) -> list[int]:
        """Whose price it is, by number: they came in that order."""
        found: list[int] = []
        state = draft.state
        for side in (1, 2):
            for level in market.standby.side(side).levels():
                resting = level.resting()
                with_: Instructions = state.orders[resting[0].number].terms.instructions
                if not reached(market, draft.ambient, self.policy, with_):
                    break
                found.extend([each.number for each in resting])
        found.sort()
        return found

    def _begin(self, draft: Draft, market: Market, order: Order) -> None:
        """Its price is reached: it is an order as any other from now on, or cannot be one and is cancelled."""
        state = draft.state
        account = state.accounts[order.account]
        with_: Instructions = order.terms.instructions
        side, size = order.terms.side, order.size
        refused = ""
        if market.status == NOT_TRADING:
            refused = MARKET_NOT_TRADING
        elif account.status != ACTIVE:
            refused = ACCOUNT_DEAUTHORIZED
        else:
            refused = book_refused(state, account, market, side, size, with_)
        needed = 0
        if not refused:
            needed = margin_needed(account, market, side, size, with_)
            if not is_affordable(state, draft.ambient, account, market.currency.number, needed):
                refused = INSUFFICIENT_MARGIN
        if refused:
            self.cancel(draft, order, refused)
            return
        draft.emit(OrderTriggered(account.number, order.number, market.number, market.traded, needed))
        self.work(draft, order)

    def _deadline(self, order: Order) -> Number:
        with_: Instructions = order.terms.instructions
        return with_.expires
