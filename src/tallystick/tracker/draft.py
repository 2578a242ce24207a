"""An entry while it is being decided: each method lets one thing happen to the state, and writes down what it has done.

What is journaled is the outcome, never the way to it, so that folding (``fold.py``) chooses nothing. A draft is never
taken back: whatever can be refused is refused before its first event.
"""

from typing import Any, Final

from tallystick.core.keys import ORDER
from tallystick.facts.client import (
    EVENTS_PER_ENTRY_MAX,
    Announced,
    CancelBelieved,
    Entry,
    FillBelieved,
    FillSetAside,
    FillsListed,
    IdDisputed,
    IdLearned,
    OrderMissed,
    OrdersConfirmed,
    StatusBelieved,
    SubmitDoubted,
    SubmitRefused,
    SumsBelieved,
    TermsBelieved,
    WordSetAside,
)
from tallystick.facts.client_codes import CANCEL_CHANGED, FILLED, FILLS_CHANGED, IDS_CHANGED, QUARANTINE_CHANGED
from tallystick.facts.client_terms import OrderIntended
from tallystick.facts.common import Cause
from tallystick.tracker.belief import judge
from tallystick.tracker.fill import Fill
from tallystick.tracker.fold import apply
from tallystick.tracker.kept import Kept
from tallystick.tracker.observations import FillReport
from tallystick.tracker.order import TrackedOrder
from tallystick.tracker.state import State, Venue


class DraftTooLong(Exception):
    """An entry would have more than EVENTS_PER_ENTRY_MAX events: a fault of the program."""


class Draft:
    """One object for all entries of a tracker, each begun with ``begin`` and ended with ``seal``.

    ``venue`` is the one that the evidence being weighed is from. ``changed`` says what an UPDATED would be about, and
    ``executed`` are the fills that listeners do not know of yet: of the order whose evidence is being weighed, until
    it is announced.
    """

    __slots__ = (
        "_before",
        "_confirmed",
        "_confirmed_at",
        "_events",
        "_links",
        "_order",
        "changed",
        "executed",
        "now",
        "sequence",
        "state",
        "venue",
    )

    def __init__(self, state: State) -> None:
        self.state: Final = state
        self.venue: Venue | None = None
        self.now: Kept = 0
        self.sequence = 0
        self.changed = 0
        self.executed: list[Fill] = []
        self._events: list[Any] = []
        self._order: TrackedOrder | None = None  # the first that the entry is about, and nearly always the only one
        self._before = 0  # the sequence of the entry that was about it before
        self._links: Final[list[int]] = []  # of the others
        self._confirmed: Final[list[int]] = []
        self._confirmed_at = 0

    def begin(self, now: Kept) -> None:
        """A new entry, decided at ``now``; time never goes back."""
        state = self.state
        time: int = now
        if time < state.time:
            now = state.time
        self.now = now
        self.sequence = state.sequence + 1

    @property
    def length(self) -> int:
        return len(self._events)

    def emit(self, event: Any) -> None:
        """Let an event happen that is not about one order, or begins one."""
        apply(self.state, event, self.now)
        self._events.append(event)

    def touch(self, order: TrackedOrder) -> None:
        """The entry is about the order."""
        if order.last != self.sequence:
            if self._order is None:
                self._order = order
                self._before = order.last
            else:
                self._links.append(order.number * 4 + ORDER)
                self._links.append(order.last)
            order.last = self.sequence
            order.updated = self.now

    def seal(self, cause: Cause) -> Entry | None:
        """The finished entry, or None if nothing happened."""
        if self._confirmed:
            self._events.append(OrdersConfirmed(0, 0, self._confirmed_at, tuple(self._confirmed)))
            self._confirmed.clear()
        events = self._events
        if not events:
            return None
        if len(events) > EVENTS_PER_ENTRY_MAX:
            raise DraftTooLong(f"an entry has at most {EVENTS_PER_ENTRY_MAX} events, not {len(events)}")
        state = self.state
        state.sequence = self.sequence
        state.time = self.now
        self._events = []
        order = self._order
        links: tuple[int, ...] = ()
        if order is not None:
            number: int = order.number
            links = (number * 4 + ORDER, self._before)
            self._order = None
            if self._links:
                links = (*links, *self._links)
                self._links.clear()
        return _ENTRY(self.sequence, self.now, cause, links, tuple(events))

    def start(self, venue: Venue, terms: OrderIntended, order: TrackedOrder) -> None:
        """A new order, with these terms."""
        self.state.start(venue, order)
        self.touch(order)
        self._events.append(terms)

    # --- Belief -------------------------------------------------------------------------------------------------------

    def believe(self, order: TrackedOrder) -> None:
        """Its evidence has changed as it stands there now; judge it anew."""
        status, certainty = judge(order)
        order.status = status
        order.certainty = certainty
        self.touch(order)
        self._events.append(
            _STATUS_BELIEVED(
                order.venue,
                order.number,
                status,
                certainty,
                order.word,
                order.word_at,
                order.ends,
                order.heard,
                order.told_consumed,
                order.told_quantity,
            )
        )

    def confirm(self, order: TrackedOrder, as_of: int) -> bool:
        """It is as it was, as of then. False if that cannot be said together with what was confirmed before."""
        if self._confirmed and self._confirmed_at != as_of:
            return False
        self._confirmed_at = as_of
        self._confirmed.append(order.number)
        order.word_at = as_of
        order.updated = self.now
        order.hear(as_of)
        return True

    def take(self, order: TrackedOrder, report: FillReport, fill: Fill) -> None:
        """The first account of a trade counts as it came; if it is executed, listeners did not know of it."""
        heard = report.as_of
        self._add(order, fill, fill.as_of)
        if order.heard != fill.as_of:
            heard = order.heard
        self._events.append(
            _FILL_BELIEVED(
                order.venue,
                order.number,
                report.trade,
                fill.states,
                report.consumed,
                report.quantity,
                report.notional,
                report.price,
                report.fee,
                report.fee_asset,
                report.fee_scale,
                report.liquidity,
                report.as_of,
                order.status,
                order.certainty,
                heard,
            )
        )
        if fill.told:
            self.executed.append(fill)
        else:
            self.changed |= FILLS_CHANGED

    def count(self, order: TrackedOrder, fill: Fill, heard: int, is_news: bool) -> None:
        """The fill counts; ``is_news`` says that it is executed, and that listeners did not know of it before."""
        self._add(order, fill, heard)
        self._events.append(
            FillBelieved(
                order.venue,
                order.number,
                fill.trade,
                fill.states,
                fill.consumed,
                fill.quantity,
                fill.notional,
                fill.price,
                fill.fee,
                fill.fee_asset,
                fill.fee_scale,
                fill.liquidity,
                fill.as_of,
                order.status,
                order.certainty,
                order.heard,
            )
        )
        if is_news:
            self.executed.append(fill)
        else:
            self.changed |= FILLS_CHANGED

    def _add(self, order: TrackedOrder, fill: Fill, heard: int) -> None:
        order.count(fill)
        if heard > order.heard:
            order.hear(heard)
        venue = self.venue
        if venue is not None:
            venue.index_trade(fill.trade, order)
        status, certainty = judge(order)
        order.status = status
        order.certainty = certainty
        self.touch(order)

    def set_aside(self, order: TrackedOrder, reason: int, fill: Fill) -> None:
        """This account of a fill is shown, and not counted. What is believed of the order is judged afterwards."""
        order.set_aside(reason, fill)
        if self.venue is not None:
            self.venue.index_trade(fill.trade, order)
        self.touch(order)
        self._events.append(
            FillSetAside(
                order.venue,
                order.number,
                reason,
                fill.trade,
                fill.states,
                fill.consumed,
                fill.quantity,
                fill.notional,
                fill.price,
                fill.fee,
                fill.fee_asset,
                fill.fee_scale,
                fill.liquidity,
                fill.as_of,
                fill.told,
            )
        )
        self.changed |= QUARANTINE_CHANGED

    def set_word_aside(self, order: TrackedOrder, word: str, as_of: int, count: int) -> None:
        self._emit_of(order, WordSetAside(order.venue, order.number, word, as_of, count))
        if count == 1:
            self.changed |= QUARANTINE_CHANGED

    def learn(self, venue: Venue, order: TrackedOrder, venue_id: str) -> None:
        order.learn(venue_id)
        venue.by_id[venue_id] = order
        self.touch(order)
        self._events.append(_ID_LEARNED(order.venue, order.number, venue_id))
        self.changed |= IDS_CHANGED

    def dispute(self, order: TrackedOrder, venue_id: str, holder: TrackedOrder) -> None:
        self._emit_of(order, IdDisputed(order.venue, order.number, venue_id, holder.number))
        self.changed |= QUARANTINE_CHANGED

    def doubt(self, order: TrackedOrder, reason: str, as_of: int) -> None:
        self._emit_of(order, SubmitDoubted(order.venue, order.number, reason, as_of))

    def refuse(self, order: TrackedOrder, code: str, detail: str, as_of: int) -> None:
        self._emit_of(order, SubmitRefused(order.venue, order.number, code, detail, as_of))

    def cancel(self, order: TrackedOrder, outcome: int, reason: str, as_of: int) -> None:
        self._emit_of(order, CancelBelieved(order.venue, order.number, outcome, reason, as_of))
        self.changed |= CANCEL_CHANGED

    def miss(self, order: TrackedOrder, misses: tuple[int, ...], absences: tuple[int, ...]) -> None:
        self._emit_of(order, OrderMissed(order.venue, order.number, misses, absences))

    def list_fills(self, order: TrackedOrder, as_of: int) -> None:
        self._emit_of(order, FillsListed(order.venue, order.number, as_of))

    def amend(self, order: TrackedOrder, as_of: int, size: int, price: int) -> None:
        self._emit_of(order, TermsBelieved(order.venue, order.number, as_of, size, price))

    def infer(
        self, order: TrackedOrder, told_notional: int, matched_at: int, matched: int, amounts: tuple[int, int, int, int]
    ) -> None:
        """What follows from sums; what is believed of the order is judged anew where that changes it."""
        pending = order.pending
        self._emit_of(order, SumsBelieved(order.venue, order.number, told_notional, matched_at, matched, *amounts))
        if order.pending != pending:
            self.changed |= FILLS_CHANGED
        if judge(order) != (order.status, order.certainty):
            self.believe(order)

    # --- Announcements ------------------------------------------------------------------------------------------------

    def tell(self, order: TrackedOrder, what: Kept, flags: Kept, trade: str, changed: Kept) -> None:
        """Listeners are told; ``order`` was touched before."""
        bit: int = what
        order.told |= 1 << bit
        self._events.append(_ANNOUNCED(order.venue, order.number, what, flags, trade, changed))

    def tell_fill(
        self, order: TrackedOrder, flags: int, trade: str, consumed: int, quantity: int, notional: int, price: int
    ) -> None:
        """Listeners are told of a fill at a venue that says sums; it is counted what they were told of it."""
        event = Announced(order.venue, order.number, FILLED, flags, trade, 0, consumed, quantity, notional, price)
        self._emit_of(order, event)

    def _emit_of(self, order: TrackedOrder, event: Any) -> None:
        apply(self.state, event, self.now)
        self.touch(order)
        self._events.append(event)


# Compiled, a constant of the module is at hand, and a name that it imports is looked up at each use.
_ENTRY: Final = Entry
_STATUS_BELIEVED: Final = StatusBelieved
_FILL_BELIEVED: Final = FillBelieved
_ID_LEARNED: Final = IdLearned
_ANNOUNCED: Final = Announced
