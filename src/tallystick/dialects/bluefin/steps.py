"""Each step of an order in a Bluefin book: it takes what it can, rests or ends, and others follow from that.

Several steps share one entry, so the stream shows only the last status (seeds/002). What follows from a trade happens
in the same entry: orders that stood by for its price, orders that may only reduce a position which is gone, and those
whose margin is gone. Where the entry has no more room, they go on in the next.
"""

from typing import Final

from tallystick.core.lifecycle import OPEN, PENDING, TRADE_SETTLED
from tallystick.core.order import Order
from tallystick.dialects.bluefin.admit import (
    ROUNDING,
    Ticket,
    book_refused,
    hindrance,
    is_affordable,
    is_reached,
    lacks_margin,
    margin_needed,
    offered,
    plan_whole,
    rests,
    share_of_reservation,
    takes,
    ticket_of,
    trigger_price,
)
from tallystick.dialects.bluefin.policy import Policy
from tallystick.dialects.bluefin.reasons import (
    ACCOUNT_DEAUTHORIZED,
    INSUFFICIENT_LIQUIDITY,
    INSUFFICIENT_MARGIN,
    MARGIN_CALL,
    MARKET_NOT_TRADING,
    ORDER_EXPIRED,
    REDUCE_ONLY_WOULD_OPEN,
    SELF_TRADE_PREVENTION,
    TOO_MANY_MATCHES,
)
from tallystick.facts.codes import (
    ACTIVE,
    BUY,
    CANCEL_MAKER,
    CANCEL_TAKER,
    COUNTERPARTY,
    EXACT,
    FEES,
    FILL_OR_KILL,
    MAKER,
    REDUCE_ONLY,
    SELL,
    TAKER,
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
    OrdersReached,
    OrderTriggered,
    TradeMade,
)
from tallystick.venue.draft import Draft
from tallystick.venue.matching import crossing_level, opposite
from tallystick.venue.positions import (
    closable,
    fee_of,
    free_collateral,
    mark_price,
    owe_fee,
    owe_fill,
    owe_result,
    result_of,
    worth_of,
)
from tallystick.venue.state import Account, Market, State
from tallystick.venue.timers import ORDER_TIMER

TAKING_MAX: Final = 512  # an order goes on taking until it has made so many events
BEGINNING_ROOM: Final = 448  # an order that is set off is worked in an entry that has no more, or in its own
TENDING_ROOM: Final = EVENTS_PER_ENTRY_MAX - 24  # and nobody is looked after in an entry that has more

# Compiled, a constant of the module is at hand, and a name that it imports is looked up at each use.
_LEG: Final = Leg
_TRADE_MADE: Final = TradeMade
_ORDER_FILLED: Final = OrderFilled
_ORDER_RESTED: Final = OrderRested


class Steps:
    """What becomes of an order once it is open."""

    def __init__(self, policy: Policy) -> None:
        self.policy: Final = policy

    def needs(self, draft: Draft, account: Account, market: Market, size: int, with_: Ticket) -> tuple[str, int]:
        """Why the order cannot be worked now, "" if it can, and the margin that it binds then."""
        reason = book_refused(account, market, size, with_)
        if reason:
            return reason, 0
        exact = 0
        if with_.time_in_force == FILL_OR_KILL:
            plan = plan_whole(draft, account, market, size, with_)
            if plan.refused:
                return plan.refused, 0
            exact = plan.worth
        needed = margin_needed(draft.state, account, market, size, with_, exact)
        if is_affordable(draft.state, draft.ambient, account, market.currency.number, needed):
            return "", needed
        return INSUFFICIENT_MARGIN, 0

    def work(self, draft: Draft, order: Order, account: Account, market: Market, with_: Ticket) -> None:
        """The order is open: it takes what it can, then rests or ends; then those who traded are looked after."""
        traded: list[Account] = []
        ended = self._take(draft, order, account, market, with_, traded)
        if order.status == OPEN:
            if ended:
                self.cancel(draft, order, ended)
            elif order.leaves == 0:
                draft.emit(_ORDER_FILLED(order.account, order.number, order.market, 0, order.reserved, EXACT))
            elif rests(with_):
                draft.emit(_ORDER_RESTED(order.account, order.number, order.market, with_.expires))
            else:
                self.cancel(draft, order, INSUFFICIENT_LIQUIDITY)
        for each in traded:
            self._tend(draft, market, each)

    def follow(self, draft: Draft, market: Market, order: Order) -> None:
        """What follows from the trades that the order made, if it made any: others stood by for their prices."""
        if len(market.standby) and order.progress.trades:
            low, high = _span(draft.state, order)
            self.trigger(draft, market, low, high)

    def trigger(self, draft: Draft, market: Market, low: int, high: int) -> None:
        """Work what stood by for a price between those at which the market traded, oldest first, and so on."""
        state = draft.state
        if self.policy.trigger_by_mark:
            low = high = mark_price(market, draft.ambient)
        while True:
            due = self._reached(state, market, low, high)
            if not due:
                return
            for number in due:
                order = state.orders[number]
                if number not in market.standby:
                    continue  # one of those before it ended it
                if draft.length > BEGINNING_ROOM:
                    self._postpone(draft, market, [each for each in due if each in market.standby])
                    break
                self._begin(draft, market, order)
                if order.progress.trades and not self.policy.trigger_by_mark:
                    lowest, highest = _span(state, order)
                    low, high = min(low, lowest), max(high, highest)

    def cancel(self, draft: Draft, order: Order, reason: str, request: int = 0) -> None:
        draft.emit(
            OrderCancelled(order.account, order.number, order.market, order.leaves, order.voidable, reason, request)
        )

    def wake_order(self, draft: Draft, order: Order) -> None:
        """It expires; or it stood by, and its price was reached when an entry had no more room."""
        with_: Instructions = order.terms.instructions
        if with_.expires and with_.expires <= draft.started:
            self._expire(draft, order)
        elif order.status == PENDING and draft.state.waiting[order.number].prerequisite == 0:
            market = draft.state.markets[order.market]
            self._begin(draft, market, order)
            self.follow(draft, market, order)

    def stop_order(self, draft: Draft, order: Order, reason: str, request: int) -> None:
        """It cannot go on, for its market or its account."""
        self.cancel(draft, order, reason, request)

    def _expire(self, draft: Draft, order: Order) -> None:
        draft.emit(OrderExpired(order.account, order.number, order.market, order.leaves, order.voidable))

    def _drop(self, draft: Draft, maker: Order, reason: str) -> None:
        """It rests, and cannot be traded with."""
        if reason == ORDER_EXPIRED:
            self._expire(draft, maker)
        else:
            self.cancel(draft, maker, reason)

    def _take(
        self,
        draft: Draft,
        order: Order,
        account: Account,
        market: Market,
        with_: Ticket,
        traded: list[Account],
    ) -> str:
        """Trade with what rests, best first, as far as the limit goes; why it must end now, "" if it need not.

        ``traded`` gathers those who did.
        """
        state = draft.state
        side, limit, against, begun = with_.side, with_.price, opposite(with_.side), draft.length
        whole = with_.time_in_force == FILL_OR_KILL  # looked at already, and all that was counted trades
        unlimited = limit == 0 and side == BUY and not whole  # what it costs is known when it is met
        if whole:
            self._clear_way(draft, order, account, market, with_)
        while order.leaves > 0:
            level = crossing_level(market.book, side, limit)
            if level is None:
                break
            if draft.length - begun >= TAKING_MAX:
                return TOO_MANY_MATCHES
            maker = state.orders[level.first().number]
            if maker.account == account.number:
                if self._prevent(draft, maker, with_):
                    return SELF_TRADE_PREVENTION
                continue
            most = order.leaves
            if with_.flags & REDUCE_ONLY:
                most = min(most, closable(account, market, side))
                if most == 0:
                    return REDUCE_ONLY_WOULD_OPEN
            of, price = state.accounts[maker.account], level.price
            quantity = min(most, maker.leaves)
            if of.working[market.number].reducing:
                quantity = min(quantity, offered(maker, closable(of, market, against)))
            hinders = "" if whole and quantity else hindrance(draft, maker, of, market, against, quantity, price)
            if hinders:
                self._drop(draft, maker, hinders)
                continue
            if unlimited and lacks_margin(draft, order, account, market, side, market.taker_fee, quantity, price):
                return INSUFFICIENT_MARGIN
            self._trade(draft, order, maker, account, of, market, side, quantity, price)
            if not traded:
                traded.append(account)
            if of not in traded:
                traded.append(of)
        return ""

    def _prevent(self, draft: Draft, maker: Order, with_: Ticket) -> bool:
        """The order met one of its own account's; whether it is the one that ends, or both."""
        if with_.self_trade != CANCEL_TAKER:
            self.cancel(draft, maker, SELF_TRADE_PREVENTION)
        return with_.self_trade != CANCEL_MAKER

    def _clear_way(self, draft: Draft, order: Order, account: Account, market: Market, with_: Ticket) -> None:
        """End what the order would pass over."""
        plan = plan_whole(draft, account, market, order.leaves, with_)
        for maker, reason in plan.hindering:
            self._drop(draft, maker, reason)

    def _trade(
        self,
        draft: Draft,
        taker: Order,
        maker: Order,
        taking: Account,
        making: Account,
        market: Market,
        side: int,
        quantity: int,
        price: int,
    ) -> None:
        """One match, executed and settled at once, at the maker's price; who rested may be filled by it."""
        state = draft.state
        clearing, house = state.account_of_role[COUNTERPARTY].number, state.account_of_role[FEES].number
        currency, basis = market.currency.number, market.basis
        worth = worth_of(market, quantity, price)
        buyer, seller = (taker, maker) if side == BUY else (maker, taker)
        owed: list[Obligation] = []
        legs: list[Leg] = []
        owe_fill(owed, buyer.account, seller.account, market, basis, quantity, worth)
        for liquidity in (TAKER, MAKER):
            takes_ = liquidity == TAKER
            order, account = (taker, taking) if takes_ else (maker, making)
            result = result_of(account, market, basis, side if takes_ else opposite(side), quantity, worth)
            fee = fee_of(worth, market.taker_fee if takes_ else market.maker_fee)
            owe_result(owed, account.number, clearing, currency, basis, result)
            owe_fee(owed, account.number, house, currency, fee)
            posted = share_of_reservation(order, quantity)
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
        if maker.leaves == 0:
            draft.emit(_ORDER_FILLED(maker.account, maker.number, maker.market, 0, maker.reserved, EXACT))

    def _tend(self, draft: Draft, market: Market, account: Account) -> None:
        """Look after one who traded: what may only reduce what is no longer there, and what cannot be margined."""
        working = account.working.get(market.number)
        if working is None:
            return
        state = draft.state
        if working.reducing:
            for number in list(working.orders):
                order = state.orders[number]
                with_: Instructions = order.terms.instructions
                gone = closable(account, market, order.terms.side) == 0
                if gone and with_.flags & REDUCE_ONLY and number in market.book and draft.length < TENDING_ROOM:
                    self.cancel(draft, order, REDUCE_ONLY_WOULD_OPEN)
        if self._has_margin(draft, account, market):
            return
        for number in reversed(list(working.orders)):
            order = state.orders[number]
            if number in market.book and order.reserved and draft.length < TENDING_ROOM:
                self.cancel(draft, order, MARGIN_CALL)
                if self._has_margin(draft, account, market):
                    return

    def _has_margin(self, draft: Draft, account: Account, market: Market) -> bool:
        """Whether what the account's orders bind is still there, at what its positions are worth now."""
        return free_collateral(draft.state, draft.ambient, account, market.currency.number) + ROUNDING >= 0

    def _reached(self, state: State, market: Market, low: int, high: int) -> list[int]:
        """Whose price was among these, by number: they came in that order."""
        found: list[int] = []
        for side in (BUY, SELL):
            for level in market.standby.side(side).levels():
                resting = level.resting()
                with_: Instructions = state.orders[resting[0].number].terms.instructions
                if not is_reached(with_.trigger, with_.trigger_when, low, high):
                    break
                found.extend([each.number for each in resting])
        found.sort()
        return found

    def _postpone(self, draft: Draft, market: Market, numbers: list[int]) -> None:
        """Their price was reached, and may not be any more when there is room: that is noted, and each is due."""
        price = trigger_price(market, draft.ambient, self.policy)
        draft.emit(OrdersReached(0, 0, market.number, price, tuple(numbers), draft.started))
        for number in numbers:
            draft.timers.set(draft.started, ORDER_TIMER, number)

    def _begin(self, draft: Draft, market: Market, order: Order) -> None:
        """Its price is reached: it is an order as any other from now on, or cannot be one and is cancelled."""
        account = draft.state.accounts[order.account]
        with_ = ticket_of(order)
        side, size = with_.side, with_.size
        if with_.expires and with_.expires <= draft.started:
            self._expire(draft, order)
            return
        refused, needed = "", 0
        if not takes(market, side):
            refused = MARKET_NOT_TRADING
        elif account.status != ACTIVE:
            refused = ACCOUNT_DEAUTHORIZED
        else:
            if with_.flags & REDUCE_ONLY and with_.time_in_force != FILL_OR_KILL:
                size = min(size, max(1, closable(account, market, side)))  # it closes what is left of the position
            refused, needed = self.needs(draft, account, market, size, with_)
        if refused:
            self.cancel(draft, order, refused)
            return
        price = trigger_price(market, draft.ambient, self.policy)
        draft.emit(OrderTriggered(account.number, order.number, market.number, price, needed))
        self.work(draft, order, account, market, with_)


def _span(state: State, order: Order) -> tuple[int, int]:
    """The lowest and the highest price that the order traded at: from one to the next they only got worse for it."""
    trades = order.progress.trades
    first: int = state.trades[trades[0]].terms.price
    last: int = state.trades[trades[-1]].terms.price
    return min(first, last), max(first, last)
