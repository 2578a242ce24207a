"""What a Sophic venue chooses (seeds/004, specs/sophic.md §4, §5), put together: who may place what (``admit``), each
step of an order (``steps``), and what operators may ask of one under way (``operate``).
"""

from collections.abc import Callable
from typing import Any, Final

from tallystick.core.keys import Number
from tallystick.core.order import Order
from tallystick.core.trade import Trade
from tallystick.dialects.sophic.admit import misformed_buy, misformed_sell, refusal
from tallystick.dialects.sophic.operate import carry_out
from tallystick.dialects.sophic.policy import Policy
from tallystick.dialects.sophic.steps import Steps
from tallystick.facts.codes import (
    BUY,
    COUNTERPARTY,
    CUSTOMER,
    FEES,
    INVALID_ORDER_TYPE,
    MARKET_ORDER,
    NOT_OPERATING,
    ORDER_HAS_TRADES,
    UNKNOWN_ACCOUNT,
    UNKNOWN_MARKET,
)
from tallystick.facts.commands import Accepted, Answer, CancelOrders, Known, PlaceOrder, Refused
from tallystick.facts.common import values
from tallystick.facts.venue import OrderPlaced
from tallystick.venue.broker import fee_inside
from tallystick.venue.draft import Draft
from tallystick.venue.operations import cancel_orders, refuse, repetition
from tallystick.venue.state import Account, Asset, Market

# Compiled, a constant of the module is at hand, and a name that it imports is looked up at each use.
_ORDER_PLACED: Final = OrderPlaced
_ACCEPTED: Final = Accepted
_terms: Final[Callable[[PlaceOrder], tuple[int, int, int, int, int, int, str, str, str, str, Any]]] = values
_shared: Final[Callable[[PlaceOrder], tuple[Any, Any, Any, Any, Any, Any, Any, Any, Any, Any, Any]]] = values


class SophicRules:
    def __init__(self, policy: Policy) -> None:
        self.policy: Final = policy
        self.steps: Final = Steps(policy)
        self.roles: Final = (COUNTERPARTY, FEES)

    def place(self, draft: Draft, command: PlaceOrder, known: Known) -> Answer:
        """Accept and reserve, or refuse; the precedence of refusals is specs/sophic.md §5."""
        state = draft.state
        of, on, side, order_type, kind, size, key, _, _, _, _ = _terms(command)
        account = state.accounts.get(of)
        if account is None or account.role != CUSTOMER:
            return Refused(UNKNOWN_ACCOUNT, "There is no such account.", "account")
        if key:
            repeated = repetition(draft, command, account, known)
            if repeated is not None:
                return repeated
        if order_type != MARKET_ORDER:
            return Refused(INVALID_ORDER_TYPE, "Only market orders are taken.", "order_type")
        market = state.markets.get(on)
        if market is None:
            return refuse(draft, command, Refused(UNKNOWN_MARKET, "There is no such instrument.", "market"))
        if COUNTERPARTY not in state.account_of_role or FEES not in state.account_of_role:
            return Refused(NOT_OPERATING, "Open accounts with the roles counterparty and fees first.")
        buy = side == BUY
        tradeable = size - fee_inside(size, self.policy.fee_bps) if buy and size > 0 else size
        fault = (
            misformed_buy(kind, size, tradeable, account, market)
            if buy
            else misformed_sell(kind, size, account, market)
        )
        if fault is not None:
            return fault
        refused = refusal(buy, size, account, market)
        if refused is not None:
            return refuse(draft, command, refused)
        return self._accept(draft, command, market, tradeable)

    def cancel(self, draft: Draft, command: CancelOrders) -> Answer:
        """For operators: there is no public cancel. An order with a trade is never cancelled (§5, closed short)."""
        return cancel_orders(draft, command, ORDER_HAS_TRADES)

    def wake_order(self, draft: Draft, order: Order) -> None:
        """The order is due."""
        self.steps.wake_order(draft, order)

    def wake_trade(self, draft: Draft, trade: Trade) -> None:
        """The trade is due to settle."""
        self.steps.wake_trade(draft, trade)

    def stop_order(self, draft: Draft, order: Order, reason: str, request: int) -> None:
        """The order cannot go on."""
        self.steps.stop_order(draft, order, reason, request)

    def spendable(self, draft: Draft, account: Account, asset: Asset) -> int:
        """What is settled and free."""
        return account.book.look(asset.number).available_settled

    def quoted(self, draft: Draft, market: Market) -> None:
        """The orders that waited for a price are woken by themselves."""

    def operate(self, draft: Draft, command: Any) -> Answer:
        """What operators, or those who test, ask of an order or a trade under way."""
        return carry_out(self.steps, draft, command)

    def _accept(self, draft: Draft, command: PlaceOrder, market: Market, tradeable: int) -> Answer:
        account, on, side, order_type, kind, size, key, fingerprint, _, _, _ = _shared(command)
        number: Number = draft.state.orders_made + 1
        buy = side == BUY
        draft.emit(
            _ORDER_PLACED(
                account,
                number,
                on,
                side,
                order_type,
                kind,
                size,
                tradeable if buy else size,
                market.currency.number if buy else market.unit.number,
                size,
                draft.started + self.policy.submit_after_us,
                key,
                fingerprint,
                self.policy.fee_bps,
            )
        )
        self.steps.wake_order(draft, draft.state.orders[number])
        return _ACCEPTED(number)
