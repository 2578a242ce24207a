"""An order as it is, or as it was at a position: then it is folded again, from the entries that touched it alone.

The rules of an order's life are the core's; here stands only which event applies which of them.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from tallystick.core.keys import order_key
from tallystick.core.lifecycle import CANCEL, CONFIRM, EXPIRE, FILL, OPEN, PLACE, RELEASE, REVERT, SETTLE, WAIT
from tallystick.core.lifecycle import TRADE_PENDING as PENDING
from tallystick.core.lifecycle import TRADE_SETTLED as SETTLED
from tallystick.core.order import Order
from tallystick.core.trade import Trade
from tallystick.facts import venue
from tallystick.facts.venue import UNCHANGED, event_number
from tallystick.readers.index import Index
from tallystick.readers.readers import Readers
from tallystick.venue.state import Retry, Waiting


class Seen:
    """An order with its trades, what it waits for, and what of it and of its trades has failed and is tried again."""

    __slots__ = ("order", "retry", "trade_retries", "trades", "waiting")

    def __init__(
        self,
        order: Order,
        trades: list[Trade],
        waiting: Waiting | None,
        retry: Retry | None,
        trade_retries: Mapping[int, Retry],
    ) -> None:
        self.order: Final = order
        self.trades: Final = trades
        self.waiting: Final = waiting
        self.retry: Final = retry
        self.trade_retries: Final = trade_retries


def seen_now(readers: Readers, number: int) -> Seen | None:
    """The order as it is, however long ago it was; None if there is none."""
    found = readers.order(number)
    if found is None:
        return None
    state = readers.state
    return Seen(*found, state.waiting.get(number), state.order_retries.get(number), state.trade_retries)


def seen_at(index: Index, number: int, position: int) -> Seen | None:
    """The order as it was right after the event of this number; None if it was not placed yet."""
    past: _Past | None = None
    for entry in index.entries(order_key(number)):
        for at, event in enumerate(entry.events):
            if event_number(entry.sequence, at) > position:
                return None if past is None else past.seen()
            if past is not None:
                past.take(event, entry.time + at)
            elif isinstance(event, venue.OrderPlaced) and event.order == number:
                past = _Past(event, entry.time + at)
    return None if past is None else past.seen()


class _Past:
    """One order on its way through its events."""

    __slots__ = ("_order", "_retry", "_trade_retries", "_trades", "_waiting")

    def __init__(self, placed: venue.OrderPlaced, time: int) -> None:
        self._order: Final = Order(
            placed, placed.order, placed.account, placed.market, placed.size, placed.reserved, placed.due, time
        )
        self._order.advance(PLACE, placed.due, time)
        self._trades: Final[dict[int, Trade]] = {}
        self._waiting: Waiting | None = None
        self._retry: Retry | None = None
        self._trade_retries: Final[dict[int, Retry]] = {}

    def seen(self) -> Seen:
        return Seen(self._order, list(self._trades.values()), self._waiting, self._retry, self._trade_retries)

    def take(self, event: Any, time: int) -> None:
        """One event of an entry that touched the order; it may be about others alone."""
        kind = type(event)
        if kind is venue.TradeMade:
            if any(leg.order == self._order.number for leg in event.legs):
                self._made(event, time)
        elif kind in _OF_TRADES:
            if event.trade in self._trades:
                _OF_TRADES[kind](self, event, time)
        elif kind in _OF_ORDERS and event.order == self._order.number:
            _OF_ORDERS[kind](self, event, time)

    # --- Of the order ---

    def _wait(self, event: venue.OrderWaiting, time: int) -> None:
        self._order.advance(WAIT, event.due, time)
        self._waiting = Waiting(event.prerequisite, event.deadline)

    def _cleared(self, event: venue.PrerequisiteCleared, time: int) -> None:
        self._order.advance(WAIT, event.due, time)
        self._waiting = Waiting(event.then, event.deadline)

    def _opened(self, event: venue.OrderOpened, time: int) -> None:
        self._order.advance(RELEASE, event.due, time)
        self._waiting = None

    def _triggered(self, event: venue.OrderTriggered, time: int) -> None:
        self._order.trigger(event.reserved, time)
        self._waiting = None

    def _rested(self, event: venue.OrderRested, time: int) -> None:
        if self._order.status != OPEN:
            self._order.advance(RELEASE, event.due, time)
        self._order.due = event.due

    def _failed(self, event: venue.ExecutionFailed, time: int) -> None:
        self._order.due = event.due
        self._order.updated = time
        self._retry = _once_more(self._retry, event.reason)

    def _filled(self, event: venue.OrderFilled, time: int) -> None:
        self._close(FILL, event, time)

    def _cancelled(self, event: venue.OrderCancelled, time: int) -> None:
        self._close(CANCEL, event, time)

    def _expired(self, event: venue.OrderExpired, time: int) -> None:
        self._close(EXPIRE, event, time)

    def _close(self, verb: int, event: Any, time: int) -> None:
        self._order.close(verb, event.released, event.voided, time)
        self._waiting = None
        self._retry = None

    def _settled(self, event: venue.OrderSettled, time: int) -> None:
        self._order.updated = time

    # --- Of its trades ---

    def _made(self, event: venue.TradeMade, time: int) -> None:
        order = self._order
        for leg in self._legs(event):
            if event.status == PENDING:
                order.add_pending(event.trade, leg.consumed, leg.posted, time)
                continue
            order.add_executed(event.trade, leg.consumed, leg.quantity, leg.notional, leg.fee, leg.posted, time)
            if event.status == SETTLED:
                order.settle(time)
        self._trades[event.trade] = Trade(event, event.trade, event.status, event.due, time, len(event.legs))
        if event.order_due != UNCHANGED and event.order == order.number:
            order.due = event.order_due

    def _trade_confirmed(self, event: venue.TradeConfirmed, time: int) -> None:
        trade = self._trades[event.trade]
        trade.advance(CONFIRM, event.due, time)
        for leg in self._legs(trade.terms):
            self._order.confirm(leg.consumed, leg.quantity, leg.notional, leg.fee, leg.posted, time)

    def _trade_reverted(self, event: venue.TradeReverted, time: int) -> None:
        trade = self._trades[event.trade]
        trade.advance(REVERT, 0, time)
        for leg, voided in zip(trade.terms.legs, event.voided, strict=True):
            if leg.order == self._order.number:
                self._order.revert(leg.consumed, leg.posted, voided, time)

    def _trade_settled(self, event: venue.TradeSettled, time: int) -> None:
        trade = self._trades[event.trade]
        trade.advance(SETTLE, 0, time)
        self._trade_retries.pop(event.trade, None)
        for _ in self._legs(trade.terms):
            self._order.settle(time)

    def _settlement_failed(self, event: venue.SettlementFailed, time: int) -> None:
        self._trades[event.trade].due = event.due
        self._trade_retries[event.trade] = _once_more(self._trade_retries.get(event.trade), event.reason)

    def _legs(self, made: venue.TradeMade) -> list[venue.Leg]:
        return [leg for leg in made.legs if leg.order == self._order.number]


def _once_more(before: Retry | None, reason: str) -> Retry:
    return Retry(1 if before is None else before.attempts + 1, reason)


_OF_ORDERS: Final[dict[type, Callable[[_Past, Any, int], None]]] = {
    venue.OrderWaiting: _Past._wait,
    venue.PrerequisiteCleared: _Past._cleared,
    venue.OrderOpened: _Past._opened,
    venue.OrderTriggered: _Past._triggered,
    venue.OrderRested: _Past._rested,
    venue.ExecutionFailed: _Past._failed,
    venue.OrderFilled: _Past._filled,
    venue.OrderCancelled: _Past._cancelled,
    venue.OrderExpired: _Past._expired,
    venue.OrderSettled: _Past._settled,
}
_OF_TRADES: Final[dict[type, Callable[[_Past, Any, int], None]]] = {
    venue.TradeConfirmed: _Past._trade_confirmed,
    venue.TradeReverted: _Past._trade_reverted,
    venue.TradeSettled: _Past._trade_settled,
    venue.SettlementFailed: _Past._settlement_failed,
}
