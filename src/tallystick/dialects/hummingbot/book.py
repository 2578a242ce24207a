"""All orders of one connector as the tracker knows them: what Hummingbot's words come to as evidence, and back.

A Followed ties an order to its place in the tracker. Evidence goes in by ``report``, ``fill`` and ``miss``; what comes
of it is an entry, whose announcements are for the caller to tell. What is known then is shown in the order's own fields
by ``projection``. Nothing is decided here: one tracker, one lifecycle (docs/design.md §2).

Evidence counts as of when it came: connectors fill in ``update_timestamp`` from whatever clock is at hand, and the
tracker needs none of it to know what may not be undone.
"""

import time
from collections import deque
from typing import Any, Final

from tallystick.core.lifecycle import CANCELLED, EXPIRED, FILLED, OPEN, REQUESTED
from tallystick.dialects.hummingbot.amounts import SCALE, integer, size_of, tolerance_of
from tallystick.dialects.hummingbot.doubt import is_unanswered
from tallystick.dialects.hummingbot.order_update import OrderState, OrderUpdate, TradeUpdate
from tallystick.facts.client import Entry, OrdersLeft
from tallystick.facts.client_codes import BY_FILLS, COMPLETED, FAILED
from tallystick.facts.client_codes import CANCELLED as CANCELLED_TOLD
from tallystick.facts.client_terms import VenueJoined
from tallystick.facts.codes import BUY, LIMIT_ORDER, MARKET_ORDER, SELL, UNITS
from tallystick.tracker.agenda import Patience
from tallystick.tracker.observations import (
    ANSWER,
    OPERATOR,
    STREAM,
    SUBMIT,
    UNKNOWN_STATUS,
    CancelReport,
    FillReport,
    JoinVenue,
    ListMarket,
    NotFound,
    Observation,
    OrderReport,
    Place,
    Refusal,
    Unanswered,
)
from tallystick.tracker.order import TOLD_END, TrackedOrder
from tallystick.tracker.tracker import Tracker

VENUE: Final = 1
MISSES_MAX: Final = 16
UNCLAIMED_MAX: Final = 1000
RETAIN_MAX: Final = 10_000
QUESTIONS_MAX: Final = 256
LOOK_US: Final = 1_000_000
_END: Final = 4
_STRENGTH: Final = {
    OrderState.PENDING_CREATE: 0,
    OrderState.OPEN: 1,
    OrderState.PARTIALLY_FILLED: 2,
    OrderState.PENDING_CANCEL: 3,
    OrderState.CANCELED: _END,
    OrderState.FILLED: _END,
    OrderState.FAILED: _END,
}
"""Of the words for an order that lives, a weaker one counts only if it is newer."""
_ENDS: Final = {OrderState.CANCELED: CANCELLED_TOLD, OrderState.FILLED: COMPLETED, OrderState.FAILED: FAILED}
BEFORE: Final = "before"
"""The trade that stands for what a restored order had executed beyond the fills that came with it."""
NO_IDS: Final = (None, "", "None")
"""What connectors put in the place of a venue's id that they do not have."""


class Followed:
    """An order of Hummingbot's (``order``: ours or upstream's own class) and the tracker's order that stands for it.

    ``end`` is how its end was told (a code of facts.client_codes), 0 while it was not. ``said`` is the newest state
    that was said of it, with ``said_at`` in seconds. ``trades`` are its fills as they came, by trade id.
    """

    __slots__ = ("end", "order", "said", "said_at", "tracked", "trades")

    def __init__(self, order: Any, tracked: TrackedOrder) -> None:
        self.order: Final = order
        self.tracked: Final = tracked
        self.end = 0
        self.said = OrderState.PENDING_CREATE
        self.said_at = 0.0
        self.trades: Final[dict[str, TradeUpdate]] = {}


class Book:
    """``lost_misses`` denials make an order lost; it is found for ``late_seconds`` after nothing more is expected."""

    def __init__(self, lost_misses: int = 4, late_seconds: float = 300.0) -> None:
        self._late_us: Final = int(late_seconds * 1_000_000)
        self._tracker: Final = Tracker(patience=Patience(retain_us=self._late_us, retain_max=RETAIN_MAX))
        self._now = 0
        self._looked = 0
        self._made = 0
        self._markets: Final[dict[str, int]] = {}
        self._followed: Final[dict[int, Followed]] = {}
        self._by_client_id: Final[dict[str, Followed]] = {}
        self._by_exchange_id: Final[dict[str, Followed]] = {}
        self._unclaimed: Final[dict[tuple[str, str], TradeUpdate]] = {}
        self._dropped: Final[deque[tuple[int, Followed]]] = deque()
        self.set_lost_misses(lost_misses)

    def set_lost_misses(self, lost_misses: int) -> None:
        """How many denials from now on, at most MISSES_MAX."""
        terms = VenueJoined(
            0,
            0,
            "hummingbot",
            completion=BY_FILLS,
            late_us=self._late_us,
            fills_wait_us=self._late_us,
            lost_misses=min(lost_misses, MISSES_MAX),
            lost_after_us=0,
        )
        self._decide(JoinVenue(terms))

    # --- Which orders ------------------------------------------------------------------------------------------------

    def follow(self, order: Any, lives: bool = False) -> Followed:
        """A new place for the order, with what its fields say already: that was told before, and is not told again.

        ``lives``: it was told to have failed, and its venue may still have it. Another with its client id is let go of.
        """
        self.tidy()
        known = self._by_client_id.get(order.client_order_id)
        if known is not None:
            if known.order is order and not known.end:
                return known
            self.drop(known)
        self._made += 1
        key = str(self._made)
        size = size_of(order.amount)
        side = SELL if order.trade_type.name == "SELL" else BUY
        kind = MARKET_ORDER if order.order_type.name == "MARKET" else LIMIT_ORDER
        market = self._market(order.trading_pair, order.base_asset, order.quote_asset)
        price = max(0, integer(order.price))
        self._decide(Place(VENUE, key, market, side, kind, UNITS, size, price, tolerance_of(size)))
        followed = Followed(order, self._tracker.state.venues[VENUE].by_client[key])
        self._followed[followed.tracked.number] = followed
        self._by_client_id[order.client_order_id] = followed
        self._take_over(followed, lives)
        return followed

    def find(self, client_order_id: str | None, exchange_order_id: str | None) -> Followed | None:
        """The order with one of these ids."""
        found = self._by_client_id.get(client_order_id) if client_order_id else None
        if found is None and exchange_order_id not in NO_IDS:
            found = self._by_exchange_id.get(str(exchange_order_id))
        return found

    def drop(self, followed: Followed) -> None:
        """Nobody expects anything of it any more: it is found for a while yet, and then taken for cancelled."""
        self._dropped.append((self._tick() + self._late_us, followed))

    def tidy(self) -> None:
        """Let go of what has been over for long enough."""
        now = self._tick()
        while self._dropped and self._dropped[0][0] <= now:
            _, followed = self._dropped.popleft()
            if not followed.tracked.told & TOLD_END:
                self._decide(self._word(followed, CANCELLED, "", OPERATOR))
        while 0 < self._tracker.next_due() <= now:
            entry = self._tracker.wake(now)
            if entry is None:
                break
            for event in entry.events:
                if type(event) is OrdersLeft:
                    self._forget(event.orders)
        if now >= self._looked + LOOK_US:
            self._looked = now
            self._tracker.questions(now, QUESTIONS_MAX)  # connectors ask by themselves; what is over leaves the agenda

    # --- Evidence ----------------------------------------------------------------------------------------------------

    def report(self, followed: Followed, update: OrderUpdate) -> Entry | None:
        """A state was said of the order."""
        state = OrderState(update.new_state.value)
        exchange_id = self._learn(followed, update.exchange_order_id)
        if state is OrderState.PENDING_CREATE:  # that it was sent is known, and that it arrived is not said
            return None
        evidence = self._evidence(followed, state, exchange_id, update.misc_updates or {})
        strength = 0 if isinstance(evidence, Unanswered) else _STRENGTH.get(state, 0)
        before = _STRENGTH[followed.said]
        if strength > before or (strength and before < _END and not update.update_timestamp <= followed.said_at):
            followed.said = state
            followed.said_at = update.update_timestamp
        return self._decide(evidence)

    def fill(self, followed: Followed, update: TradeUpdate) -> Entry | None:
        """A fill of the order was reported; whether it counts, the tracker says."""
        trade = str(update.trade_id)
        if trade not in (followed.tracked.fills or {}):
            followed.trades[trade] = update
        amount = integer(update.fill_base_amount)
        notional, price = integer(update.fill_quote_amount), integer(update.fill_price)
        key = followed.tracked.client_id
        return self._decide(FillReport(VENUE, key, "", self._tick(), STREAM, trade, amount, amount, notional, price))

    def miss(self, followed: Followed) -> Entry | None:
        """The venue was asked for the order, and denies it."""
        return self._decide(NotFound(VENUE, followed.tracked.client_id, "", self._tick(), ANSWER))

    def hold(self, update: TradeUpdate) -> None:
        """A fill of no known order waits until an order has its exchange id; of very many the newest."""
        if update.exchange_order_id in NO_IDS:
            return
        self._unclaimed[str(update.exchange_order_id), str(update.trade_id)] = update
        if len(self._unclaimed) > UNCLAIMED_MAX:
            del self._unclaimed[next(iter(self._unclaimed))]

    def claim(self, exchange_order_id: str | None) -> list[TradeUpdate]:
        """The fills that waited for this id."""
        if not self._unclaimed or exchange_order_id in NO_IDS:
            return []
        keys = [key for key in self._unclaimed if key[0] == str(exchange_order_id)]
        return [self._unclaimed.pop(key) for key in keys]

    # --- Within ------------------------------------------------------------------------------------------------------

    def _evidence(
        self, followed: Followed, state: OrderState, exchange_id: str, misc_updates: dict[str, Any]
    ) -> Observation:
        tracked = followed.tracked
        key = tracked.client_id
        if state is OrderState.OPEN or state is OrderState.PARTIALLY_FILLED:
            return self._word(followed, OPEN, exchange_id)
        if state is OrderState.PENDING_CANCEL:
            return CancelReport(VENUE, key, exchange_id, self._tick(), STREAM, REQUESTED)
        if state is OrderState.FILLED:
            return self._word(followed, FILLED, exchange_id)
        if state is OrderState.CANCELED:
            return self._word(followed, EXPIRED if misc_updates.get("expired") else CANCELLED, exchange_id)
        if state is OrderState.FAILED:
            if tracked.word or tracked.consumed or tracked.is_closed:  # what was accepted cannot be refused: it ended
                return self._word(followed, CANCELLED, exchange_id)
            code = str(misc_updates.get("error_type") or "failed")
            detail = str(misc_updates.get("error_message") or "")
            if is_unanswered(code, detail):
                return Unanswered(VENUE, key, exchange_id, self._tick(), SUBMIT, f"{code}: {detail}")
            return Refusal(VENUE, key, exchange_id, self._tick(), SUBMIT, code, detail)
        return OrderReport(VENUE, key, exchange_id, self._tick(), STREAM, UNKNOWN_STATUS, word=state.name)

    def _take_over(self, followed: Followed, lives: bool) -> None:
        order = followed.order
        state = OrderState(order.current_state.value)
        exchange_id = self._learn(followed, order.exchange_order_id)
        if lives or state is not OrderState.PENDING_CREATE:
            self._decide(self._evidence(followed, OrderState.OPEN if lives else state, exchange_id, {}))
        if state in _STRENGTH:
            followed.said = state
            followed.said_at = order.last_update_timestamp
        followed.end = FAILED if lives else _ENDS.get(state, 0)
        for update in order.order_fills.values():
            self.fill(followed, update)
        lacking = integer(order.executed_amount_base) - followed.tracked.consumed
        if lacking > 0:
            notional = max(0, integer(order.executed_amount_quote) - followed.tracked.notional)
            key = followed.tracked.client_id
            self._decide(FillReport(VENUE, key, "", self._tick(), STREAM, BEFORE, lacking, lacking, notional, 0))

    def _word(self, followed: Followed, status: int, exchange_id: str, origin: int = STREAM) -> OrderReport:
        return OrderReport(VENUE, followed.tracked.client_id, exchange_id, self._tick(), origin, status)

    def _learn(self, followed: Followed, exchange_order_id: str | None) -> str:
        """The exchange id as evidence, "" for none."""
        if exchange_order_id in NO_IDS:
            return ""
        exchange_id = str(exchange_order_id)
        self._by_exchange_id[exchange_id] = followed
        return exchange_id

    def _market(self, trading_pair: str, base: str, quote: str) -> int:
        number = self._markets.get(trading_pair)
        if number is None:
            self._decide(ListMarket(VENUE, trading_pair, base, quote, SCALE, SCALE, SCALE))
            number = self._markets[trading_pair] = len(self._markets) + 1
        return number

    def _forget(self, numbers: tuple[int, ...]) -> None:
        for number in numbers:
            followed = self._followed.pop(number)
            if self._by_client_id.get(followed.order.client_order_id) is followed:
                del self._by_client_id[followed.order.client_order_id]
            for exchange_id in (*followed.tracked.ids(), str(followed.order.exchange_order_id)):
                if self._by_exchange_id.get(exchange_id) is followed:
                    del self._by_exchange_id[exchange_id]

    def _decide(self, given: Any) -> Entry | None:
        return self._tracker.decide(given, self._tick())

    def _tick(self) -> int:
        """Now in microseconds, and later than whatever came before."""
        self._now = max(self._now + 1, time.time_ns() // 1000)
        return self._now
