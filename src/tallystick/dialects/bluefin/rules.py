"""What a Bluefin venue decides: orders, cancels, leverage, and what is due (seeds/002, specs/bluefin.md).

An order is acknowledged before it is decided, so a refusal is a fact of its own, told to its owner as an event.
"""

from collections.abc import Callable
from typing import Any, Final

from tallystick.core.keys import Number
from tallystick.core.lifecycle import is_closed
from tallystick.core.order import Order
from tallystick.core.trade import Trade
from tallystick.dialects.bluefin.admit import Ticket, affairs_refused, is_reached, terms_refused, trigger_price
from tallystick.dialects.bluefin.policy import Policy
from tallystick.dialects.bluefin.reasons import (
    ACCOUNT_DEAUTHORIZED,
    ACCOUNT_NOT_FOUND,
    DUPLICATE_ORDER,
    INSUFFICIENT_MARGIN,
    INVALID_LEVERAGE,
    INVALID_SYMBOL,
    LEVERAGE_UPDATE,
    MARKET_NOT_FOUND,
    NO_OPEN_ORDERS_ON_MARKET,
    ORDER_NOT_FOUND,
    USER_CANCELLED,
    USER_CANCELLED_ALL_ON_MARKET,
    USER_CANCELLED_ALL_STANDBY_ON_MARKET,
)
from tallystick.dialects.bluefin.steps import Steps
from tallystick.facts.codes import (
    ACTIVE,
    COUNTERPARTY,
    CUSTOMER,
    FEES,
    INVALID_STATUS,
    NOT_OPERATING,
    SCOPE_ORDERS,
    TRIGGER,
    UNKNOWN_ACCOUNT,
    UNKNOWN_MARKET,
)
from tallystick.facts.commands import (
    Accepted,
    Answer,
    CancelOrders,
    ChangeLeverage,
    Exists,
    Known,
    PlaceOrder,
    Refused,
)
from tallystick.facts.common import values
from tallystick.facts.venue import (
    CancelRefused,
    CancelRequested,
    Instructions,
    LeverageChanged,
    OrderOpened,
    OrderPlaced,
    OrderRefused,
    OrderRested,
    OrderWaiting,
)
from tallystick.venue.draft import Draft
from tallystick.venue.matching import crossing_level
from tallystick.venue.operations import cancel_orders
from tallystick.venue.positions import (
    PARTS,
    chosen_leverage,
    cost,
    free_collateral,
    leverage_of,
    margin_of,
    position,
)
from tallystick.venue.state import Account, Asset, Market

_ORDER_PLACED: Final = OrderPlaced
_NO_INSTRUCTIONS: Final = Instructions(0, 0)


class BluefinRules:
    def __init__(self, policy: Policy) -> None:
        self.policy: Final = policy
        self.steps: Final = Steps(policy)
        self.roles: Final = (COUNTERPARTY, FEES)

    def place(self, draft: Draft, command: PlaceOrder, known: Known) -> Answer:
        """Take the order and work it, or refuse it on record. ``Refused`` without a record is for what is no order."""
        state = draft.state
        account_, market_, side, order_type, kind, size, key, _, _, _, instructions = _asked(command)
        if instructions is None or not key:
            return Refused(INVALID_STATUS, "An order for a book has instructions and a hash.", "instructions")
        account, market = state.accounts.get(account_), state.markets.get(market_)
        with_ = Ticket(side, order_type, kind, size, instructions)
        reason = self._refusal(draft, key, with_, account, market, known)
        if reason:
            return self._refuse(draft, command, reason)
        if COUNTERPARTY not in state.account_of_role or FEES not in state.account_of_role:
            return Refused(NOT_OPERATING, "Open accounts with the roles counterparty and fees first.")
        assert account is not None
        assert market is not None
        if with_.trigger:
            price = trigger_price(market, draft.ambient, self.policy)
            if not is_reached(with_.trigger, with_.trigger_when, price, price):
                return self._stand_by(draft, command, account, market, with_)
        reason, needed = self.steps.needs(draft, account, market, size, with_)
        if reason:
            return self._refuse(draft, command, reason)
        return self._work(draft, command, account, market, with_, needed)

    def cancel(self, draft: Draft, command: CancelOrders) -> Answer:
        """An owner's cancel by hash, or of all in a market; or an operator's by number."""
        if command.orders:
            return cancel_orders(draft, command)
        return self._cancel_named(draft, command)

    def wake_order(self, draft: Draft, order: Order) -> None:
        """The order is due."""
        self.steps.wake_order(draft, order)

    def wake_trade(self, draft: Draft, trade: Trade) -> None:
        """No trade is ever due: each is settled when it is made."""

    def stop_order(self, draft: Draft, order: Order, reason: str, request: int) -> None:
        """The order cannot go on."""
        self.steps.stop_order(draft, order, reason, request)

    def spendable(self, draft: Draft, account: Account, asset: Asset) -> int:
        """What is settled and neither reserved nor needed by positions."""
        free = free_collateral(draft.state, draft.ambient, account, asset.number)
        return min(account.book.look(asset.number).available_settled, max(0, free))

    def quoted(self, draft: Draft, market: Market) -> None:
        """Triggers may look at the quoted price."""
        if self.policy.trigger_by_mark and market.contract is not None:
            self.steps.trigger(draft, market, 0, 0)

    def operate(self, draft: Draft, command: Any) -> Answer:
        """An owner's change of leverage."""
        if type(command) is ChangeLeverage:
            return self._change_leverage(draft, command)
        return Refused(INVALID_STATUS, "An exchange has nothing of that kind to operate.")

    def _refusal(
        self, draft: Draft, key: str, with_: Ticket, account: Account | None, market: Market | None, known: Known
    ) -> str:
        """Why the order is not taken, before the book is looked at."""
        if account is None or account.role != CUSTOMER:
            return ACCOUNT_NOT_FOUND
        if known.order or key in account.keys:  # any other reason would say of the order it repeats that it has ended
            return DUPLICATE_ORDER
        if account.status != ACTIVE:
            return ACCOUNT_DEAUTHORIZED
        if market is None or market.contract is None:
            return INVALID_SYMBOL
        reason = terms_refused(self.policy, with_, market, draft.started)
        return reason or affairs_refused(self.policy, with_, account, market)

    def _refuse(self, draft: Draft, command: PlaceOrder, reason: str) -> Answer:
        """On record, under no key: the order it repeats, if it does, is not touched by it.

        Its names are its hash, its size and what its owner called it.
        """
        state = draft.state
        with_ = command.instructions or _NO_INSTRUCTIONS
        account = command.account if command.account in state.accounts else 0
        market = command.market if command.market in state.markets else 0
        draft.emit(
            OrderRefused(
                account,
                0,
                market,
                state.refusals_made + 1,
                "",
                "",
                reason,
                "",
                "",
                (command.client_key, str(command.size), *with_.names),
            )
        )
        return Accepted(0)

    def _placed(self, draft: Draft, command: PlaceOrder, market: Market, needed: int) -> Order:
        account, on, side, order_type, kind, size, key, fingerprint, _, _, instructions = _shared(command)
        number: Number = draft.state.orders_made + 1
        draft.emit(
            _ORDER_PLACED(
                account,
                number,
                on,
                side,
                order_type,
                kind,
                size,
                size,
                market.currency.number,
                needed,
                0,
                key,
                fingerprint,
                0,
                instructions,
            )
        )
        return draft.state.orders[number]

    def _stand_by(self, draft: Draft, command: PlaceOrder, account: Account, market: Market, with_: Ticket) -> Answer:
        """It waits for its price, and binds nothing."""
        self._choose_leverage(draft, account, market, with_.leverage)
        order = self._placed(draft, command, market, 0)
        draft.emit(OrderWaiting(order.account, order.number, order.market, TRIGGER, with_.expires, with_.expires))
        return Accepted(order.number)

    def _work(
        self,
        draft: Draft,
        command: PlaceOrder,
        account: Account,
        market: Market,
        with_: Ticket,
        needed: int,
    ) -> Answer:
        self._choose_leverage(draft, account, market, with_.leverage)
        order = self._placed(draft, command, market, needed)
        if crossing_level(market.book, with_.side, with_.price) is None:
            draft.emit(OrderRested(order.account, order.number, order.market, with_.expires))
            return Accepted(order.number)
        draft.emit(OrderOpened(order.account, order.number, order.market, 0))
        self.steps.work(draft, order, account, market, with_)
        self.steps.follow(draft, market, order)
        return Accepted(order.number)

    def _choose_leverage(self, draft: Draft, account: Account, market: Market, leverage: int) -> None:
        """The first order in a market brings the leverage of what follows."""
        if leverage != chosen_leverage(account, market):
            draft.emit(LeverageChanged(account.number, 0, market.number, leverage))

    def _cancel_named(self, draft: Draft, command: CancelOrders) -> Answer:
        state = draft.state
        account = state.accounts.get(command.account)
        if account is None:
            return Refused(UNKNOWN_ACCOUNT, "There is no such account.", "account")
        market = state.markets.get(command.market)
        request = state.requests_made + 1
        number = 0 if market is None else market.number
        orders = [] if market is None else self._named(draft, command, account, market)
        draft.emit(CancelRequested(account.number, 0, number, request, SCOPE_ORDERS, tuple([n for n in orders if n])))
        if market is None:
            for name in command.names or ("",):
                draft.emit(CancelRefused(account.number, 0, 0, request, MARKET_NOT_FOUND, name))
        elif not command.names and not orders:
            draft.emit(CancelRefused(account.number, 0, number, request, NO_OPEN_ORDERS_ON_MARKET))
        else:
            reason = USER_CANCELLED
            if not command.names:
                reason = USER_CANCELLED_ALL_STANDBY_ON_MARKET if command.standby else USER_CANCELLED_ALL_ON_MARKET
            self._end(draft, command, account, number, request, orders, reason)
        return Accepted(request)

    def _end(
        self,
        draft: Draft,
        command: CancelOrders,
        account: Account,
        market: Number,
        request: int,
        orders: list[int],
        reason: str,
    ) -> None:
        for position_, number in enumerate(orders):
            if number:
                self.steps.cancel(draft, draft.state.orders[number], reason, request)
            else:
                name = command.names[position_]
                draft.emit(CancelRefused(account.number, 0, market, request, ORDER_NOT_FOUND, name))

    def _named(self, draft: Draft, command: CancelOrders, account: Account, market: Market) -> list[int]:
        """The orders that are meant, 0 for a hash that names none that can be cancelled; each at most once."""
        state = draft.state
        if not command.names:
            return [
                number
                for number in account.orders_working(market.number)
                if (number in market.standby) == command.standby
            ]
        found: list[int] = []
        for name in command.names:
            number = account.keys.get(name, 0)
            order = state.orders.get(number) if number > 0 else None
            meant = order is not None and order.market == market.number and not is_closed(order.status)
            meant = meant and (not command.standby or number in market.standby)
            found.append(number if meant and number not in found else 0)
        return found

    def _change_leverage(self, draft: Draft, command: ChangeLeverage) -> Answer:
        """It holds for positions at once, and ends the market's open orders (specs/bluefin.md §1.8)."""
        state = draft.state
        account, market = state.accounts.get(command.account), state.markets.get(command.market)
        if account is None or account.role != CUSTOMER:
            return Refused(UNKNOWN_ACCOUNT, "There is no such account.", "account")
        if market is None or market.contract is None:
            return Refused(UNKNOWN_MARKET, "There is no such market.", "market")
        contract = market.contract
        if command.leverage < PARTS or command.leverage * contract.initial_margin > PARTS * PARTS:
            return Refused(INVALID_LEVERAGE, "The market does not allow that leverage.", "leverage")
        before = leverage_of(account, market, contract)
        if before == command.leverage:
            return Exists(market.number)
        if position(account, market):
            paid = abs(cost(account, market, contract.basis))
            more = margin_of(paid, command.leverage, contract) - margin_of(paid, before, contract)
            bound = sum(state.orders[number].reserved for number in account.orders_working(market.number))
            if more > 0 and more > free_collateral(state, draft.ambient, account, market.currency.number) + bound:
                return Refused(INSUFFICIENT_MARGIN, "The position needs more margin at that leverage.", "leverage")
        working = account.orders_working(market.number)
        if working:
            request = state.requests_made + 1
            draft.emit(CancelRequested(account.number, 0, market.number, request, SCOPE_ORDERS, tuple(working)))
            for number in working:
                self.steps.cancel(draft, state.orders[number], LEVERAGE_UPDATE, request)
        draft.emit(LeverageChanged(account.number, 0, market.number, command.leverage))
        return Accepted(market.number)


# All of a command's values at once; those that go on into a fact stay the objects that they came as.
_asked: Final[
    Callable[[PlaceOrder], tuple[Number, Number, int, int, int, int, str, str, str, str, Instructions | None]]
] = values
_shared: Final[
    Callable[
        [PlaceOrder], tuple[Number, Number, Number, Number, Number, Number, str, str, str, str, Instructions | None]
    ]
] = values
