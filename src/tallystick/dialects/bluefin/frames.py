"""What an entry says to each account: the frames of its stream, in order (seeds/002, specs/bluefin.md §3, §9).

An order has one update for an entry, with its status after it: so one that is created and filled at once shows FILLED
and nothing before. A trade comes before the update of its order, always. What happened while nobody listened is not
made again, and what nobody wants is not made.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET, Struct

from tallystick.core.lifecycle import CANCELLED, EXPIRED
from tallystick.core.order import Order
from tallystick.dialects.bluefin.account_wire import (
    AccountFrame,
    CommandFailureUpdate,
    OrderCancellationUpdate,
    TradeUpdate,
    TransactionUpdate,
)
from tallystick.dialects.bluefin.naming import names_placed, names_refused
from tallystick.dialects.bluefin.reasons import (
    ORDER_EXPIRED,
    USER_CANCELLED_ALL_ON_MARKET,
    USER_CANCELLED_ALL_STANDBY_ON_MARKET,
    on_the_wire,
)
from tallystick.dialects.bluefin.view import View, millis, status_of
from tallystick.dialects.bluefin.wire import Trade as ShownTrade
from tallystick.dialects.bluefin.words import AccountEventReason, AccountStream, OrderStatus
from tallystick.facts.codes import WORLD
from tallystick.facts.venue import (
    CancelRefused,
    Entry,
    LeverageChanged,
    OrderCancelled,
    OrderPlaced,
    OrderRefused,
    OrderTriggered,
    PrerequisiteCleared,
    TradeMade,
    Transferred,
)
from tallystick.venue.state import State

ORDERS: Final = "AccountOrderUpdate"
Wants = Callable[[int, AccountStream], bool]
"""Whether anybody follows this stream of the account with that number."""

_ALL_OF_A_MARKET: Final = (USER_CANCELLED_ALL_ON_MARKET, USER_CANCELLED_ALL_STANDBY_ON_MARKET)
_CHANGES_NOTHING: Final = (CancelRefused, PrerequisiteCleared)
"""What is about an order, and changes nothing of it that its owner could see."""

_encode: Final = msgspec.json.Encoder().encode


class Frame(NamedTuple):
    """One message for whoever follows ``stream`` of the account (by its number)."""

    account: int
    stream: AccountStream
    body: bytes


class Spelling(Struct, frozen=True):
    """Where the seed, the released clients and the live venue differ, which is served (specs/bluefin.md §9).

    ``failed_cancel_reason`` is what a failed cancel has for a reason: null as the seed says, or UNSPECIFIED, which
    strict clients can read. ``ioc_partial_status`` has one L as clients read it, or two as the seed writes it. With
    ``first_only``, a cancel of all on a market is told by its first order alone.
    """

    failed_cancel_reason: str | None = None
    ioc_partial_status: OrderStatus = "PARTIALLY_FILLED_CANCELED"
    first_only: bool = False


class Frames:
    """Makes them; pure."""

    def __init__(self, view: View, spelling: Spelling) -> None:
        self._view: Final = view
        self._spelling: Final = spelling

    def of(self, entry: Entry, state: State, wants: Wants) -> list[Frame]:
        """The entry's frames that are wanted, from the state after it."""
        return list(_Telling(self._view, self._spelling, entry, state, wants).frames())

    def unknown_account(
        self, address: str, symbol: str, order_hash: str, quantity: str, time: int, *, is_cancel: bool
    ) -> bytes:
        """What somebody is told who logged in and has no account: there is nowhere to put that on record."""
        stream: AccountStream = ORDERS
        body = OrderCancellationUpdate(
            order_hash=order_hash,
            symbol=symbol,
            account_address=address,
            created_at_millis=millis(time),
            cancellation_reason=self._spelling.failed_cancel_reason if is_cancel else "ACCOUNT_NOT_FOUND",  # type: ignore[arg-type]
            failure_to_cancel_reason="ACCOUNT_NOT_FOUND" if is_cancel else None,
            remaining_quantity_e9=quantity,
        )
        return _encode(AccountFrame(event=stream, reason="OrderCancelled", payload=body))


class _Telling:
    def __init__(self, view: View, spelling: Spelling, entry: Entry, state: State, wants: Wants) -> None:
        self._view: Final = view
        self._spelling: Final = spelling
        self._begins: Final = entry.time
        self._events: Final[tuple[Any, ...]] = entry.events
        self._asked_for: Final = entry.cause.reason  # a cancel names here the market that is none
        self._state: Final = state
        self._wants: Final = wants
        self._begun: Final[set[int]] = set()  # orders that are new, or as good as new
        self._matched: Final[set[int]] = set()
        self._traded: Final[dict[int, list[ShownTrade]]] = {}
        self._positions: Final[dict[tuple[int, int], AccountEventReason]] = {}
        self._accounts: Final[dict[int, AccountEventReason]] = {}
        self._bulk: Final[set[int]] = set()

    def frames(self) -> Iterator[Frame]:
        last = self._last_events()
        for place, event in enumerate(self._events):
            time = self._begins + place
            yield from self._told(event, time)
            for number in last.get(place, ()):
                yield from self._order(self._state.orders[number], event, time)
        for (number, market), reason in self._positions.items():
            if self._wants(number, "AccountPositionUpdate"):
                account = self._state.accounts[number]
                update = self._view.position_update(self._state, account, self._state.markets[market])
                yield self._frame(number, "AccountPositionUpdate", reason, update)
        for number, reason in self._accounts.items():
            if self._wants(number, "AccountUpdate"):
                figures = self._view.account_update(self._state, self._state.accounts[number])
                yield self._frame(number, "AccountUpdate", reason, figures)

    def _last_events(self) -> dict[int, list[int]]:
        """The places of events that are the last of orders, and of which."""
        last: dict[int, int] = {}
        for place, event in enumerate(self._events):
            kind = type(event)
            if kind is TradeMade:
                last.update((leg.order, place) for leg in event.legs)
            elif event.order and kind not in _CHANGES_NOTHING:
                last[event.order] = place
            if kind is OrderPlaced or kind is OrderTriggered:
                self._begun.add(event.order)
        found: dict[int, list[int]] = {}
        for number, place in last.items():
            found.setdefault(place, []).append(number)
        return found

    def _told(self, event: Any, time: int) -> Iterator[Frame]:
        """What the event says by itself."""
        kind = type(event)
        if kind is TradeMade:
            yield from self._trade(event, time)
        elif kind is OrderRefused:
            yield from self._refused(event, time)
        elif kind is CancelRefused and not event.order:  # else it is an operator's, and no answer to the owner
            if self._wants(event.account, ORDERS):
                yield self._failed(event, time)
        elif kind is LeverageChanged:
            self._positions[event.account, event.market] = "LeverageUpdated"
            self._accounts[event.account] = "LeverageUpdated"
        elif kind is Transferred:
            yield from self._transferred(event, time)

    def _trade(self, event: TradeMade, time: int) -> Iterator[Frame]:
        for leg in event.legs:
            number = leg.account
            self._positions[number, event.market] = "OrderMatched"
            self._accounts[number] = "OrderMatched"
            wanted = self._wants(number, "AccountTradeUpdate")
            if wanted or self._wants(number, "AccountAggregatedTradeUpdate"):
                shown = self._view.trade(self._state, event, time, leg, self._state.orders[leg.order])
                self._traded.setdefault(leg.order, []).append(shown)
                if wanted:
                    yield self._frame(number, "AccountTradeUpdate", "OrderMatched", TradeUpdate(trade=shown))
            self._matched.add(leg.order)

    def _order(self, order: Order, event: Any, time: int) -> Iterator[Frame]:
        """The order's one update, after the last thing that happened to it."""
        number, traded = order.account, self._traded.get(order.number)
        if traded and self._wants(number, "AccountAggregatedTradeUpdate"):
            together = TradeUpdate(trade=_together(traded))
            yield self._frame(number, "AccountAggregatedTradeUpdate", "OrderMatched", together)
        is_new = order.number in self._begun
        self._accounts.setdefault(number, "OrderCreated" if is_new else "OrderCancelled")
        if not self._wants(number, ORDERS):
            return
        ended = order.status == CANCELLED or order.status == EXPIRED
        if ended and not (is_new and order.progress.quantity):
            cancelled = self._cancelled(order, event, time)
            if cancelled is not None:
                yield cancelled
            return
        status = self._view_status(order, ended)
        reason: AccountEventReason = "OrderMatched" if order.number in self._matched else "OrderCreated"
        yield self._frame(number, ORDERS, reason, self._view.order_update(self._state, order, status))

    def _view_status(self, order: Order, ended: bool) -> OrderStatus:
        return self._spelling.ioc_partial_status if ended else status_of(order)

    def _cancelled(self, order: Order, event: Any, time: int) -> Frame | None:
        reason = event.reason if type(event) is OrderCancelled else ORDER_EXPIRED
        is_bulk = reason in _ALL_OF_A_MARKET
        if is_bulk and self._spelling.first_only:
            if event.request in self._bulk:
                return None
            self._bulk.add(event.request)
        names = names_placed(order.terms)
        body = OrderCancellationUpdate(
            order_hash=order.terms.client_key,
            symbol=self._state.markets[order.market].name,
            account_address=self._state.accounts[order.account].name,
            created_at_millis=millis(order.placed),
            cancellation_reason=on_the_wire(reason),  # type: ignore[arg-type]  # reasons are the wire's words
            remaining_quantity_e9=str(order.progress.released),
            client_order_id=names.client_order_id or UNSET,
        )
        return self._frame(order.account, ORDERS, "OrdersForMarketCancelled" if is_bulk else "OrderCancelled", body)

    def _refused(self, event: OrderRefused, time: int) -> Iterator[Frame]:
        """A refused order has this one event, and nobody's account has it if there is none."""
        if not event.account or not self._wants(event.account, ORDERS):
            return
        refused = names_refused(event)
        market = self._state.markets.get(event.market)
        yield self._frame(
            event.account,
            ORDERS,
            "OrderCancelled",
            OrderCancellationUpdate(
                order_hash=refused.order_hash,
                symbol=refused.names.symbol if market is None else market.name,
                account_address=self._state.accounts[event.account].name,
                created_at_millis=millis(time),
                cancellation_reason=on_the_wire(event.code),  # type: ignore[arg-type]
                remaining_quantity_e9=refused.quantity_e9,
                client_order_id=refused.names.client_order_id or UNSET,
            ),
        )

    def _failed(self, event: CancelRefused, time: int) -> Frame:
        market = self._state.markets.get(event.market)
        return self._frame(
            event.account,
            ORDERS,
            "OrderCancelled",
            OrderCancellationUpdate(
                order_hash=event.name,
                symbol=self._asked_for if market is None else market.name,
                account_address=self._state.accounts[event.account].name,
                created_at_millis=millis(time),
                cancellation_reason=self._spelling.failed_cancel_reason,  # type: ignore[arg-type]
                failure_to_cancel_reason=on_the_wire(event.reason),  # type: ignore[arg-type]
                remaining_quantity_e9="0",
            ),
        )

    def _transferred(self, event: Transferred, time: int) -> Iterator[Frame]:
        state = self._state
        for number, amount in ((event.payer, -event.amount), (event.payee, event.amount)):
            if state.accounts[number].role == WORLD:
                continue
            reason: AccountEventReason = "Deposit" if amount > 0 else "Withdraw"
            self._accounts[number] = reason
            if not self._wants(number, "AccountTransactionUpdate"):
                continue
            body = TransactionUpdate(
                transaction_type="DEPOSIT" if amount > 0 else "WITHDRAW",
                amount_e9=str(amount),
                executed_at_millis=millis(time),
                asset_symbol=state.assets[event.asset].name,
            )
            yield self._frame(number, "AccountTransactionUpdate", reason, body)

    def _frame(self, account: int, stream: AccountStream, reason: AccountEventReason, payload: Struct) -> Frame:
        return Frame(account, stream, _encode(AccountFrame(event=stream, reason=reason, payload=payload)))


def command_failed(account: int, failure: CommandFailureUpdate) -> Frame:
    """A change of leverage that was acknowledged and then refused; it leaves no trace but this."""
    stream: AccountStream = "AccountCommandFailureUpdate"
    return Frame(account, stream, _encode(AccountFrame(event=stream, reason="Unspecified", payload=failure)))


def _together(trades: list[ShownTrade]) -> ShownTrade:
    """An order's trades of one entry as one: their sums, at their average price."""
    if len(trades) == 1:
        return trades[0]
    quantity = sum(int(each.quantity_e9) for each in trades)
    quote = sum(int(each.quote_quantity_e9) for each in trades)
    return msgspec.structs.replace(
        trades[-1],
        price_e9=str(quote * 10**9 // quantity),
        quantity_e9=str(quantity),
        quote_quantity_e9=str(quote),
        realized_pnl_e9=str(sum(int(str(each.realized_pnl_e9)) for each in trades)),
        trading_fee_e9=str(sum(int(str(each.trading_fee_e9)) for each in trades)),
    )
