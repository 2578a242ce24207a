"""Faults to plant in the client half, each in one part of it; the rest of the client is the real one.

Each takes pytest's monkeypatch. The tracker's are planted around it, for it may be compiled.
"""

import asyncio

from tallystick.connect import client as client_module
from tallystick.connect import store as store_module
from tallystick.connect.asking import Asking
from tallystick.connect.client_ids import ClientIds
from tallystick.connect.desk import VenueDesk
from tallystick.connect.history import told_since
from tallystick.connect.narration import position_text, read_position
from tallystick.connect.placing import Placing
from tallystick.connect.store import Store
from tallystick.core.lifecycle import DONE, FILLED
from tallystick.dialects.bluefin.connector_lists import Lists
from tallystick.facts.client_codes import BY_STATUS
from tallystick.tracker.agenda import ASK_OPEN_ORDERS
from tallystick.tracker.observations import (
    STREAM,
    SUBMIT,
    CancelReport,
    FillReport,
    JoinVenue,
    Observation,
    OrderReport,
    Place,
    Refusal,
    Unanswered,
)
from tallystick.tracker.tracker import Tracker


class Around:
    """A tracker, and something in its way."""

    def __init__(self, state=None, patience=None) -> None:
        self._tracker = Tracker(state, patience)

    def __getattr__(self, name):
        return getattr(self._tracker, name)


def observing(patch, change) -> None:
    """Whatever a connector observes goes through ``change``."""
    observe = VenueDesk.observe
    patch.setattr(VenueDesk, "observe", lambda self, given: observe(self, [change(each) for each in given]))


# --- What is sent -----------------------------------------------------------------------------------------------------


def sent_before_durable(patch) -> None:
    decide = Store.decide

    def early(self, given, then=None, failed=None):
        entry = decide(self, given, None, None)
        if then is not None:
            asyncio.get_running_loop().call_soon(then)
        return entry

    patch.setattr(Store, "decide", early)


def sent_again_under_another_id(patch) -> None:
    outcome = Placing._outcome

    def again(self, order, error, as_of):
        said = outcome(self, order, error, as_of)
        if isinstance(said, Unanswered):
            terms = order.terms
            size = (terms.side, terms.order_type, terms.kind, terms.size, terms.price)
            other = Place(self._desk.number, self._ids.next(), terms.market, *size, traits=terms.traits)
            self._intend(other, order.market)
        return said

    patch.setattr(Placing, "_outcome", again)


def silence_is_a_refusal(patch) -> None:
    def refused(self, order, error, as_of):
        return Refusal(self._desk.number, order.client_id, "", as_of, SUBMIT, "timeout")

    patch.setattr(Placing, "_outcome", refused)


def client_ids_used_again(patch) -> None:
    """Each run counts from one, under the same mark."""
    begin = ClientIds.__init__
    patch.setattr(ClientIds, "__init__", lambda self, *terms: begin(self, *terms[:3], 1, 1))


# --- What is believed -------------------------------------------------------------------------------------------------


def fills_known_by_their_messages(patch) -> None:
    """A fill that the stream tells is another one than the same fill in an answer."""

    def renamed(each):
        if not isinstance(each, FillReport) or each.origin != STREAM:
            return each
        amounts = (each.consumed, each.quantity, each.notional, each.price)
        fee = (each.fee, each.fee_asset, each.fee_scale, each.liquidity, each.state)
        return FillReport(
            each.venue, each.client_id, each.venue_id, each.as_of, STREAM, f"stream {each.trade}", *amounts, *fee
        )

    observing(patch, renamed)


def a_cancel_is_done_when_it_is_answered(patch) -> None:
    def done(each):
        if not isinstance(each, CancelReport):
            return each
        return CancelReport(each.venue, each.client_id, each.venue_id, each.as_of, each.origin, DONE)

    observing(patch, done)


def completed_by_the_word_alone(patch) -> None:
    """That it is filled is taken for all there is, however much of it was told."""

    def bare(each):
        if not isinstance(each, OrderReport) or each.status != FILLED:
            return each
        return OrderReport(each.venue, each.client_id, each.venue_id, each.as_of, each.origin, FILLED)

    class ByStatus(Around):
        def decide(self, given, now, known=None):
            entry = self._tracker.decide(given, now, known)
            if isinstance(given, JoinVenue):
                for venue in self._tracker.state.venues.values():
                    venue.profile.completion = BY_STATUS
            return entry

    patch.setattr(store_module, "Tracker", ByStatus)
    observing(patch, bare)


def late_evidence_is_nobodys(patch) -> None:
    """What has left the tracker's memory is not found in the archive."""

    class Forgetful(Around):
        def decide(self, given, now, known=None):
            return self._tracker.decide(given, now)

    patch.setattr(store_module, "Tracker", Forgetful)


# --- What is asked ----------------------------------------------------------------------------------------------------


def no_order_is_asked_for(patch) -> None:
    take = Asking.take
    patch.setattr(
        Asking, "take", lambda self, question: take(self, question) if question.what == ASK_OPEN_ORDERS else None
    )


def nothing_is_asked_after_a_restart(patch) -> None:
    class Calm(Around):
        def recover(self, entries, now):
            """What is not over is left to itself."""

    patch.setattr(store_module, "Tracker", Calm)


# --- What is told, and stored -----------------------------------------------------------------------------------------


def told_before_durable(patch) -> None:
    put, tell = Store._put, Store._tell

    def eager(self, entry, then, failed):
        put(self, entry, then, failed)
        if entry is not None:
            for listener in self._listeners:
                listener(entry, self.tracker.state)

    def later(self, entry):
        listeners, self._listeners[:] = list(self._listeners), []
        tell(self, entry)
        self._listeners.extend(listeners)

    patch.setattr(Store, "_put", eager)
    patch.setattr(Store, "_tell", later)


def the_last_event_is_told_again(patch) -> None:
    def from_before(journal, position, *more):
        sequence, index = read_position(position)
        return told_since(journal, position_text(sequence, max(0, index - 1)) if sequence else "", *more)

    patch.setattr(client_module, "told_since", from_before)


def no_trades_are_listed(patch) -> None:
    """What the exchange's stream did not tell of a fill, nobody tells."""

    async def none(self, *_asked):
        return []

    patch.setattr(Lists, "_trades", none)


def the_position_is_ahead(patch) -> None:
    """The stream's position is stored at once, and what came before it a while later."""
    observe = VenueDesk.observe

    def hurried(self, given):
        for each in given:
            if isinstance(each, Observation) and each.origin == STREAM:
                asyncio.get_running_loop().call_later(2.0, observe, self, [each])
            else:
                observe(self, [each])

    patch.setattr(VenueDesk, "observe", hurried)
