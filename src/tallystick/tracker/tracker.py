"""The tracker: what happened to every order at every venue, whatever the network does (docs/design.md §5).

``decide(given, now, known) -> entry`` weighs one intent or observation; the entry says what is believed from then on
and what listeners are to be told, and is to be made durable before anybody acts on it: before the request of a Place
leaves, before a listener is called. None means that nothing new was learned. ``wake`` decides what time alone decides,
and goes on with long work; ``questions`` hands out what the tracker wants to know. It has no clock and no network.

The flow of an observation: find its order by any id (``state``), join it with the evidence (``evidence``, and
``quarantine`` for fills that do not add up), judge what it comes to (``belief``), tell listeners what is new
(``announce``), note what is still wanted (``agenda``). What belongs to no order yet waits in the ``inbox``.

    shell            tracker                           shell
    intent      ─▶   decide ─▶ entry ─▶ JOURNAL  ─▶    request to the venue
    observation ─▶   decide ─▶ entry ─▶ JOURNAL  ─▶    readers' state, listeners
    time        ─▶   wake ─▶ entry · questions   ─▶    fetch order, fills, open orders
"""

from collections.abc import Iterable
from typing import Any, Final

from tallystick.core.lifecycle import REQUESTED
from tallystick.facts.client import (
    Entry,
    OrderRecalled,
    OrdersLeft,
    PlacingKilled,
    PlacingReleased,
    SnapshotTaken,
    StreamBroken,
    StreamPositioned,
)
from tallystick.facts.client_codes import COMPLETED, FROM_EVIDENCE, INCOMPLETE
from tallystick.facts.client_records import OrderRecord
from tallystick.facts.client_terms import OrderIntended
from tallystick.facts.common import Cause
from tallystick.tracker.agenda import Agenda, Patience, Question
from tallystick.tracker.announce import announce
from tallystick.tracker.draft import Draft
from tallystick.tracker.evidence import weigh, weigh_absence
from tallystick.tracker.fold import fold
from tallystick.tracker.inbox import Inbox
from tallystick.tracker.kept import Kept
from tallystick.tracker.observations import (
    ORIGIN_NAMES,
    AllFills,
    Amendment,
    Cancel,
    CancelReport,
    FillReport,
    Gap,
    JoinVenue,
    Kill,
    ListMarket,
    NotFound,
    Observation,
    OpenOrders,
    OrderReport,
    Place,
    Position,
    Refusal,
    Release,
    TradeReport,
    Unanswered,
)
from tallystick.tracker.order import TrackedOrder
from tallystick.tracker.reference import join_venue, list_market
from tallystick.tracker.state import State, Venue
from tallystick.tracker.sweep import Sweep

SLICE_EVENTS: Final = 512


class UnknownVenue(LookupError):
    """An input names a venue that has not joined."""


class UnknownMarket(LookupError):
    """An order is for a market that was not listed at its venue."""


class UnknownOrder(LookupError):
    """A cancel names an order that is not tracked."""


class ClientIdTaken(ValueError):
    """An order is to be placed under a client id that another one has."""


class Tracker:
    """The writer of one process's journal. Not to be used after an unexpected error: recover it from the journal.

    Raises UnknownVenue, UnknownMarket, UnknownOrder and ClientIdTaken before anything has changed.
    """

    def __init__(self, state: State | None = None, patience: Patience | None = None) -> None:
        self.state: Final = State() if state is None else state
        self.agenda: Final = Agenda(self.state, Patience() if patience is None else patience)
        self.inbox: Final = Inbox()
        self._sweeps: Final[list[Sweep]] = []
        self._draft: Final = Draft(self.state)

    def recover(self, entries: Iterable[Entry], now: int) -> None:
        """Fold what the journal holds beyond the state. Whatever is not over is then to be asked for at once."""
        for entry in entries:
            fold(self.state, entry)
        self.agenda.rebuild(now)

    def is_unknown(self, observation: Observation) -> bool:
        """No tracked order has one of its ids: if the shell has kept one that does, it is to be given as ``known``."""
        return self._find(self._venue(observation.venue), observation) is None

    def decide(self, given: Any, now: Kept, known: OrderRecord | None = None) -> Entry | None:
        """Decide one input at ``now`` (microseconds; before the last one's, it is taken as the last one's)."""
        draft = self._draft
        draft.begin(now)
        if isinstance(given, Observation):
            kind = type(given)
            causes = _FILLS if kind is FillReport else _REPORTS if kind is OrderReport else _CAUSES[kind]
            cause = causes[given.origin]
            self._observe(draft, given, known)
            return draft.seal(cause)
        if isinstance(given, Place):
            self._place(draft, given)
            return draft.seal(_PLACED)
        if isinstance(given, Cancel):
            self._cancel(draft, given)
        elif isinstance(given, OpenOrders):
            self._venue(given.venue)
            for each in (*given.reports, *given.fills):
                if each.venue != given.venue:
                    raise UnknownVenue(f"a list of open orders is of one venue, not of {given.venue} and {each.venue}")
            self._sweeps.append(Sweep(given))
            self._sweep(draft)
        elif isinstance(given, Gap):
            self._break(draft, given)
        elif isinstance(given, Position):
            venue = self._venue(given.venue)
            if venue.positions.get(given.stream) != given.position:
                draft.emit(StreamPositioned(given.venue, 0, given.stream, given.position))
        elif isinstance(given, ListMarket):
            list_market(draft, self._venue(given.venue), given)
        elif isinstance(given, JoinVenue):
            join_venue(draft, given.terms)
        elif isinstance(given, Kill):
            if self._venue(given.venue).killed[1] != given.reason:
                draft.emit(PlacingKilled(given.venue, 0, given.reason))
        elif isinstance(given, Release):
            if self._venue(given.venue).killed[0]:
                draft.emit(PlacingReleased(given.venue, 0))
        else:
            raise TypeError(f"{type(given).__name__} is nothing that the tracker decides")
        return draft.seal(_CAUSES[type(given)][0])

    def dropped(self, venue: int) -> int:
        """How much came from the venue, since this process began, about orders that it never sent."""
        return self.inbox.dropped.get(venue, 0)

    def next_due(self) -> int:
        """When ``wake`` wants to be called next, 0 for never."""
        return (self.state.time or 1) if self._sweeps else self.agenda.next_decision()

    def wake(self, now: int) -> Entry | None:
        """Decide the next thing that is due at ``now``; None when nothing more is."""
        draft = self._draft
        draft.begin(now)
        if self._sweeps:
            self._sweep(draft)
            return draft.seal(_CAUSES[OpenOrders][0])
        order = self.agenda.overdue(now)
        if order is not None:
            draft.touch(order)
            before = order.told
            draft.tell(order, COMPLETED, INCOMPLETE | (0 if order.ends else FROM_EVIDENCE), "", 0)
            self.agenda.changed(order, before, draft.now)
            return draft.seal(_OVERDUE)
        numbers = self.agenda.leaving(now)
        if numbers:
            draft.emit(OrdersLeft(0, 0, tuple(numbers)))
        return draft.seal(_LEAVE)

    def next_question(self) -> int:
        """When ``questions`` is worth calling next, 0 for never."""
        return self.agenda.next_question()

    def questions(self, now: int, limit: int) -> list[Question]:
        """At most about ``limit`` questions that are due. Each comes again, ever later, until its answer is there."""
        return self.agenda.questions(now, limit)

    # --- Intents ------------------------------------------------------------------------------------------------------

    def _place(self, draft: Draft, place: Place) -> None:
        state = self.state
        venue = self._venue(place.venue)
        client_id = place.client_id
        market = state.markets.get(place.market)
        if market is None or market.venue != venue.number:
            raise UnknownMarket(f"market {place.market} is not listed at {venue.name}")
        if client_id in venue.by_client:
            raise ClientIdTaken(f"client id {client_id!r} is another order's at {venue.name}")
        number = state.orders_made + 1
        terms = _ORDER_INTENDED(
            venue.number,
            number,
            client_id,
            place.market,
            place.side,
            place.order_type,
            place.kind,
            place.size,
            place.price,
            place.tolerance,
            place.traits,
        )
        order = TrackedOrder(
            terms, number, venue.number, client_id, place.size, place.tolerance, venue.profile, draft.now
        )
        draft.start(venue, terms, order)
        self.agenda.sent(order, draft.now)

    def _cancel(self, draft: Draft, cancel: Cancel) -> None:
        order = self._venue(cancel.venue).by_client.get(cancel.client_id)
        if order is None:
            raise UnknownOrder(f"no order with client id {cancel.client_id!r} is tracked")
        if (draft.now, REQUESTED, cancel.reason) > order.rarely().cancel:
            draft.cancel(order, REQUESTED, cancel.reason, draft.now)
            self._conclude(draft, order, order.status, order.certainty, order.told)

    # --- Observations -------------------------------------------------------------------------------------------------

    def _observe(self, draft: Draft, observation: Observation, known: OrderRecord | None) -> TrackedOrder | None:
        """Weigh it, and what waited for the ids that it brings; returns its order, if that is known."""
        venue = draft.venue
        if venue is None or venue.number is not observation.venue:  # an equal number takes the longer way
            venue = self._venue(observation.venue)
            draft.venue = venue
        client_id = observation.client_id
        order = venue.by_client.get(client_id) if client_id else None
        if order is None:
            order = self._find_or_recall(draft, venue, observation, known)
            if order is None:
                return None
        status = order.status
        certainty = order.certainty
        told = order.told
        venue_id = observation.venue_id
        held: list[Observation] | None = None
        if venue_id != order.venue_id and venue_id and not order.has_id(venue_id):
            held = self._learn(draft, venue, order, venue_id)
        if isinstance(observation, TradeReport) and observation.trade not in order.trades():
            self.inbox.hold((-venue.number, observation.trade), observation, draft.now)
        weigh(draft, order, observation)
        if held is not None:
            for each in held:
                weigh(draft, order, each)
        if self.inbox.held:
            self._take_trades(draft, venue, order, observation, held)
        if draft.sequence == order.last:
            announce(draft, order, status, certainty)
            self.agenda.changed(order, told, draft.now)
        return order

    def _conclude(self, draft: Draft, order: TrackedOrder, status: int, certainty: int, told: int) -> None:
        """Tell what has come of it, and note what is still wanted."""
        announce(draft, order, status, certainty)
        self.agenda.changed(order, told, draft.now)

    def _learn(self, draft: Draft, venue: Venue, order: TrackedOrder, venue_id: str) -> list[Observation] | None:
        """The order has this id, unless it is another's; returns what waited for it."""
        holder = venue.by_id.get(venue_id)
        if holder is not None:
            if venue_id not in order.rarely().disputed:
                draft.dispute(order, venue_id, holder)
            return None
        draft.learn(venue, order, venue_id)
        if order.made <= self.inbox.forgot_at:
            self.agenda.want_open_orders(venue.number, draft.now)
        return self.inbox.take((venue.number, venue_id)) if self.inbox.held else None

    def _take_trades(
        self,
        draft: Draft,
        venue: Venue,
        order: TrackedOrder,
        observation: Observation,
        held: list[Observation] | None,
    ) -> None:
        """Weigh what is known of the trades whose fills have just come."""
        for each in (observation, *(held or ())):
            if isinstance(each, FillReport):
                for report in self.inbox.take((-venue.number, each.trade)):
                    weigh(draft, order, report)

    def _hold(self, venue: Venue, observation: Observation, now: int) -> None:
        """Whose it is will be known later, or never."""
        if observation.venue_id:
            self.inbox.hold((venue.number, observation.venue_id), observation, now)
        elif isinstance(observation, TradeReport):
            self.inbox.hold((-venue.number, observation.trade), observation, now)
        else:
            self.inbox.drop(venue.number)

    def _find_or_recall(
        self, draft: Draft, venue: Venue, observation: Observation, known: OrderRecord | None
    ) -> TrackedOrder | None:
        """Its order, found by any id or back from where it was kept; without one, what it says is held."""
        order = self._find(venue, observation)
        if order is None:
            if known is None:
                self._hold(venue, observation, draft.now)
                return None
            draft.emit(OrderRecalled(venue.number, known.belief.terms.order, known))
            order = self.state.orders[known.belief.terms.order]
            self.agenda.recalled(order, draft.now)
        return order

    def _find(self, venue: Venue, observation: Observation) -> TrackedOrder | None:
        order: TrackedOrder | None = None
        if observation.client_id:
            order = venue.by_client.get(observation.client_id)
        if order is None and observation.venue_id:
            order = venue.by_id.get(observation.venue_id)
        if order is None and isinstance(observation, TradeReport):
            order = venue.by_trade.get(observation.trade)
        return order

    def _sweep(self, draft: Draft) -> None:
        """Go on with the oldest complete list of open orders: those in it, then those that are not."""
        sweep = self._sweeps[0]
        taken = sweep.taken
        while draft.length < SLICE_EVENTS and (observation := sweep.next_observation()) is not None:
            order = self._observe(draft, observation, None)
            if order is not None:
                sweep.saw(observation, order.number)
        while draft.length < SLICE_EVENTS and (number := sweep.next_absent(self.state)):
            order = self.state.orders[number]
            status, certainty, told = order.status, order.certainty, order.told
            weigh_absence(draft, order, taken.as_of, taken.fills_complete)
            if draft.sequence == order.last:
                self._conclude(draft, order, status, certainty, told)
        if sweep.is_done:
            venue = self._venue(taken.venue)
            if taken.as_of > venue.snapshot_at:
                draft.emit(SnapshotTaken(venue.number, 0, taken.as_of))
            if venue.is_trusted:
                self.agenda.have_open_orders(venue.number)
            del self._sweeps[0]

    def _break(self, draft: Draft, gap: Gap) -> None:
        venue = self._venue(gap.venue)
        if gap.as_of > venue.broken_at:
            draft.emit(StreamBroken(venue.number, 0, gap.stream, gap.reason, gap.as_of))
        if not venue.is_trusted:
            self.agenda.want_open_orders(venue.number, draft.now)

    def _venue(self, number: Kept) -> Venue:
        venue = self.state.venues.get(number)
        if venue is None:
            raise UnknownVenue(f"no venue {number} has joined")
        return venue


def _by_origin(kind: str) -> tuple[Cause, ...]:
    return tuple([Cause(kind, origin) for origin in ORIGIN_NAMES])


_CAUSES: Final[dict[type, tuple[Cause, ...]]] = {
    OrderReport: _by_origin("order report"),
    FillReport: _by_origin("fill report"),
    TradeReport: _by_origin("trade report"),
    Refusal: _by_origin("refusal"),
    Unanswered: _by_origin("unanswered"),
    CancelReport: _by_origin("cancel report"),
    NotFound: _by_origin("not found"),
    AllFills: _by_origin("all fills"),
    Amendment: _by_origin("amendment"),
    Place: _by_origin("place"),
    Cancel: _by_origin("cancel"),
    OpenOrders: _by_origin("open orders"),
    Gap: _by_origin("gap"),
    Position: _by_origin("position"),
    JoinVenue: _by_origin("join venue"),
    ListMarket: _by_origin("list market"),
    Kill: _by_origin("kill"),
    Release: _by_origin("release"),
}
_FILLS: Final = _CAUSES[FillReport]
_REPORTS: Final = _CAUSES[OrderReport]
_PLACED: Final = _CAUSES[Place][0]
# Compiled, a constant of the module is at hand, and a name that it imports is looked up at each use.
_ORDER_INTENDED: Final = OrderIntended
_OVERDUE: Final = Cause("fills overdue")
_LEAVE: Final = Cause("leave")
