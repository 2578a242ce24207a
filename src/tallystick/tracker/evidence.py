"""Weighing evidence of one order: an observation is joined with what is known, and what is new is written down.

What brings nothing new leaves no trace, so a repeated or an outdated observation costs a look and no more.
"""

from typing import Final

from tallystick.core.lifecycle import (
    CANCELLED,
    DONE,
    EXPIRED,
    FILLED,
    PLACED,
    REFUSED,
    REJECTED,
    REQUESTED,
    SUBMITTED,
    UNKNOWN,
)
from tallystick.facts.client_codes import (
    END_AMOUNT,
    END_CANCELLED,
    END_EXPIRED,
    END_FILLED,
    END_OR_CANCELLED,
    END_OR_EXPIRED,
    END_REJECTED,
    END_TOLD,
    QUARANTINE_CHANGED,
    TERMS_CHANGED,
)
from tallystick.tracker.belief import contradictions, overruled
from tallystick.tracker.draft import Draft
from tallystick.tracker.fill_evidence import weigh_fill, weigh_trade
from tallystick.tracker.inference import infer
from tallystick.tracker.observations import (
    CANCEL_NOT_FOUND,
    SNAPSHOT,
    AllFills,
    Amendment,
    CancelReport,
    FillReport,
    NotFound,
    Observation,
    OrderReport,
    Refusal,
    TradeReport,
    Unanswered,
)
from tallystick.tracker.order import FINAL_WORDS, VERSIONS_MAX, TrackedOrder
from tallystick.tracker.quarantine import resolve
from tallystick.tracker.unknown_words import keep_word

MISSES_MAX: Final = 16
NOT_FOUND_REASON: Final = "not_found"


def weigh(draft: Draft, order: TrackedOrder, observation: Observation) -> None:
    """Join the observation with what is known of its order."""
    if order.seldom is not None or order.profile.fills:
        _join_with_care(draft, order, observation)
    elif isinstance(observation, FillReport):  # what every order goes through has no further call to make
        weigh_fill(draft, order, observation)
    elif isinstance(observation, OrderReport):
        _weigh_report(draft, order, observation)
    else:
        _join(draft, order, observation)


def _join_with_care(draft: Draft, order: TrackedOrder, observation: Observation) -> None:
    """What is filled may decide which terms count, and sums what is filled."""
    size, price, wrong = order.size, order.price, len(overruled(order))
    _join(draft, order, observation)
    if order.profile.fills:
        infer(draft, order, observation)
    if order.size != size or order.price != price:
        draft.changed |= TERMS_CHANGED
    if len(overruled(order)) > wrong:
        draft.changed |= QUARANTINE_CHANGED


def _join(draft: Draft, order: TrackedOrder, observation: Observation) -> None:
    if isinstance(observation, FillReport):
        weigh_fill(draft, order, observation)
    elif isinstance(observation, OrderReport):
        _weigh_report(draft, order, observation)
    elif isinstance(observation, CancelReport):
        _weigh_cancel(draft, order, observation)
    elif isinstance(observation, TradeReport):
        weigh_trade(draft, order, observation)
    elif isinstance(observation, NotFound):
        weigh_absence(draft, order, observation.as_of, observation.fills_complete)
    elif isinstance(observation, Refusal):
        _weigh_refusal(draft, order, observation)
    elif isinstance(observation, Unanswered):
        _weigh_doubt(draft, order, observation)
    elif isinstance(observation, Amendment):
        _weigh_amendment(draft, order, observation)
    elif isinstance(observation, AllFills) and observation.as_of > order.rarely().fills_at:
        draft.list_fills(order, observation.as_of)


# --- Words ------------------------------------------------------------------------------------------------------------


def _weigh_report(draft: Draft, order: TrackedOrder, report: OrderReport) -> None:
    status = report.status
    as_of = report.as_of
    if PLACED <= status < FILLED:
        if report.origin == SNAPSHOT and _is_only_newer(order, report, as_of) and draft.confirm(order, as_of):
            return
        _weigh_word(draft, order, report, status, as_of)
    elif FILLED <= status <= REJECTED:
        ends = _END_OF[status - FILLED]
        if report.consumed >= 0 or report.quantity >= 0:
            ends |= END_AMOUNT if status == FILLED else END_TOLD
        _weigh_end(draft, order, ends, as_of, report.consumed, report.quantity)
    elif status == SUBMITTED:
        _weigh_receipt(draft, order, as_of)
    else:
        keep_word(draft, order, report.word or str(status), as_of)


def _weigh_receipt(draft: Draft, order: TrackedOrder, as_of: int) -> None:
    """The venue has the request; any word of the order says more."""
    if not order.word and as_of > order.word_at:
        order.word_at = as_of
        order.hear(as_of)
        draft.believe(order)


def _weigh_word(draft: Draft, order: TrackedOrder, report: OrderReport, status: int, as_of: int) -> None:
    """A word of an order that lives: the newest counts, of several at once the strongest."""
    is_new = not order.word or as_of > order.word_at or (as_of == order.word_at and status > order.word)
    if is_new:
        refused = order.ends & END_REJECTED and not order.word
        order.word = status
        order.word_at = as_of
        if refused:
            draft.changed |= QUARANTINE_CHANGED
    if report.consumed > order.told_consumed or report.quantity > order.told_quantity:
        is_new = _raise_amounts(order, report.consumed, report.quantity)
    if is_new or as_of > order.heard:
        order.hear(as_of)
        draft.believe(order)


def _is_only_newer(order: TrackedOrder, report: OrderReport, as_of: int) -> bool:
    """It says what is known; many such can be confirmed in one event."""
    return (
        report.status == order.word
        and as_of > order.word_at
        and as_of > order.heard
        and order.seldom is None
        and report.consumed <= order.told_consumed
        and report.quantity <= order.told_quantity
    )


def _weigh_end(draft: Draft, order: TrackedOrder, ends: int, as_of: int, consumed: int, quantity: int) -> None:
    """A word of an end: it is never taken back, and the strongest counts."""
    before = order.ends
    shown = len(contradictions(order)) if before or ends & END_REJECTED else 0
    order.ends = before | ends
    is_new = _raise_amounts(order, consumed, quantity) or order.ends != before
    is_alive = ends & FINAL_WORDS != 0  # what was ended was accepted; what was refused was not
    if is_new or (is_alive and as_of > order.heard):
        if (before or ends & END_REJECTED) and len(contradictions(order)) > shown:
            draft.changed |= QUARANTINE_CHANGED
        order.hear(as_of if is_alive else 0)
        draft.believe(order)


def _raise_amounts(order: TrackedOrder, consumed: int, quantity: int) -> bool:
    """What the venue says is filled only grows."""
    is_new = False
    if consumed > order.told_consumed:
        order.told_consumed = consumed
        is_new = True
    if quantity > order.told_quantity:
        order.told_quantity = quantity
        is_new = True
    return is_new


# --- Terms ------------------------------------------------------------------------------------------------------------


def _weigh_amendment(draft: Draft, order: TrackedOrder, amendment: Amendment) -> None:
    """The venue has changed the terms; fills that were too much for the size before may count now."""
    size, price, wrong = order.size, order.price, len(overruled(order))
    seldom = order.rarely()
    as_of = amendment.as_of
    version = (as_of, amendment.size, amendment.price)
    is_kept = len(seldom.versions) < VERSIONS_MAX or version > seldom.versions[0] or amendment.size > seldom.size_max
    if version not in seldom.versions and is_kept:
        draft.amend(order, *version)
        if seldom.aside:
            resolve(draft, order, None, as_of)
    elif as_of <= order.heard:
        return
    order.hear(as_of)
    draft.believe(order)
    if order.size != size or order.price != price:
        draft.changed |= TERMS_CHANGED
    if len(overruled(order)) > wrong:
        draft.changed |= QUARANTINE_CHANGED


# --- What speaks against it -------------------------------------------------------------------------------------------


def weigh_absence(draft: Draft, order: TrackedOrder, as_of: int, fills_complete: bool) -> None:
    """The venue did not have it then; ``fills_complete`` if it then had no fills that were not reported either."""
    is_missed = as_of > order.heard
    is_absent = fills_complete and not (order.word and as_of <= order.word_at)
    if order.ends & FINAL_WORDS or not (is_missed or is_absent):
        return
    seldom = order.rarely()
    misses = _newest(seldom.misses, as_of) if is_missed else seldom.misses
    absences = _newest(seldom.absences, as_of) if is_absent else seldom.absences
    if misses != seldom.misses or absences != seldom.absences:
        draft.miss(order, misses, absences)
        draft.believe(order)


def _newest(times: tuple[int, ...], time: int) -> tuple[int, ...]:
    return times if time in times else tuple(sorted([*times, time])[-MISSES_MAX:])


def _weigh_refusal(draft: Draft, order: TrackedOrder, refusal: Refusal) -> None:
    seldom = order.rarely()
    said = (refusal.as_of, refusal.code, refusal.detail)
    if said > seldom.refusal:
        draft.refuse(order, refusal.code, refusal.detail, refusal.as_of)
    ends = END_REJECTED
    if refusal.lived == CANCELLED:
        ends = END_OR_CANCELLED
    elif refusal.lived == EXPIRED:
        ends = END_OR_EXPIRED
    _weigh_end(draft, order, ends, refusal.as_of, -1, -1)


def _weigh_doubt(draft: Draft, order: TrackedOrder, unanswered: Unanswered) -> None:
    if (unanswered.as_of, unanswered.reason) > order.rarely().doubt:
        draft.doubt(order, unanswered.reason, unanswered.as_of)
        draft.believe(order)


def _weigh_cancel(draft: Draft, order: TrackedOrder, report: CancelReport) -> None:
    """What came of a cancel request. Only DONE, the venue's word that it is cancelled, touches the status."""
    outcome = report.outcome
    reason = report.reason
    as_of = report.as_of
    if outcome == CANCEL_NOT_FOUND:
        outcome = REFUSED
        reason = reason or NOT_FOUND_REASON
    if not REQUESTED <= outcome <= UNKNOWN:
        keep_word(draft, order, f"cancel outcome {outcome}", as_of)
        return
    if (as_of, outcome, reason) > order.rarely().cancel:
        draft.cancel(order, outcome, reason, as_of)
    if outcome == DONE:
        _weigh_end(draft, order, END_CANCELLED, as_of, -1, -1)
    elif report.outcome == CANCEL_NOT_FOUND:
        weigh_absence(draft, order, as_of, fills_complete=False)


# By status, from FILLED on.
_END_OF: Final = (END_FILLED, END_CANCELLED, END_EXPIRED, END_REJECTED)
