"""Weighing evidence of one order: an observation is joined with what is known, and what is new is written down.

What brings nothing new leaves no trace, so a repeated or an outdated observation costs a look and no more.
"""

from typing import Final

from tallystick.core.lifecycle import (
    DONE,
    FILLED,
    PLACED,
    REFUSED,
    REJECTED,
    SUBMITTED,
    TRADE_EXECUTED,
    TRADE_REVERTED,
    TRADE_SETTLED,
)
from tallystick.facts.client_codes import (
    END_AMOUNT,
    END_CANCELLED,
    END_EXPIRED,
    END_FILLED,
    END_REJECTED,
    QUARANTINE_CHANGED,
)
from tallystick.tracker.belief import contradictions
from tallystick.tracker.draft import Draft
from tallystick.tracker.observations import (
    CANCEL_NOT_FOUND,
    SNAPSHOT,
    CancelReport,
    FillReport,
    NotFound,
    Observation,
    OrderReport,
    Refusal,
    TradeReport,
    Unanswered,
)
from tallystick.tracker.order import FINAL_WORDS, Fill, TrackedOrder, was_executed
from tallystick.tracker.quarantine import is_same, joined, resolve

MISSES_MAX: Final = 16
WORDS_MAX: Final = 32
ASIDE_MAX: Final = 1024
NOT_FOUND_REASON: Final = "not_found"
QUARANTINE_FULL: Final = "the quarantine is full"


def weigh(draft: Draft, order: TrackedOrder, observation: Observation) -> None:
    """Join the observation with what is known of its order."""
    if isinstance(observation, FillReport):
        _weigh_fill(draft, order, observation)
    elif isinstance(observation, OrderReport):
        _weigh_report(draft, order, observation)
    elif isinstance(observation, CancelReport):
        _weigh_cancel(draft, order, observation)
    elif isinstance(observation, TradeReport):
        _weigh_trade(draft, order, observation)
    elif isinstance(observation, NotFound):
        weigh_absence(draft, order, observation.as_of, fills_complete=False)
    elif isinstance(observation, Refusal):
        _weigh_refusal(draft, order, observation)
    elif isinstance(observation, Unanswered):
        _weigh_doubt(draft, order, observation)


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
        if status == FILLED and (report.consumed >= 0 or report.quantity >= 0):
            ends |= END_AMOUNT
        _weigh_end(draft, order, ends, as_of, report.consumed, report.quantity)
    elif status != SUBMITTED:
        _weigh_unknown_word(draft, order, report.word or str(status), as_of)


def _weigh_word(draft: Draft, order: TrackedOrder, report: OrderReport, status: int, as_of: int) -> None:
    """A word of an order that lives: the newest counts, of several at once the strongest."""
    is_new = as_of > order.word_at or (as_of == order.word_at and status > order.word)
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


def _weigh_unknown_word(draft: Draft, order: TrackedOrder, word: str, as_of: int) -> None:
    seldom = order.rarely()
    if (word, as_of) not in seldom.words and len(seldom.words) < WORDS_MAX:
        draft.set_word_aside(order, word, as_of)


# --- Fills ------------------------------------------------------------------------------------------------------------


def _weigh_fill(draft: Draft, order: TrackedOrder, report: FillReport) -> None:
    state = report.state
    states = 1 << state
    is_executed = state == TRADE_EXECUTED or state == TRADE_SETTLED
    trade = report.trade
    consumed = report.consumed
    fill = Fill(
        trade,
        states,
        consumed,
        report.quantity,
        report.notional,
        report.price,
        report.fee,
        report.fee_asset,
        report.fee_scale,
        report.liquidity,
        report.as_of,
        is_executed,
    )
    fills = order.fills
    seldom = order.seldom
    before = None if fills is None else fills.get(trade)
    if seldom is not None and seldom.aside:
        _resolve(draft, order, fill, report.as_of)
    elif before is not None:
        _weigh_again(draft, order, before, fill, report.as_of)
    elif (
        consumed > 0
        and fill.quantity > 0
        and fill.price >= 0
        and fill.notional >= 0
        and (state == TRADE_REVERTED or order.consumed + order.pending + consumed <= order.size + order.tolerance)
    ):
        if order.ends:
            _count(draft, order, fill, report.as_of, is_executed)
        else:
            draft.count(order, fill, report.as_of, is_executed)
    else:
        _resolve(draft, order, fill, report.as_of)


def _weigh_again(draft: Draft, order: TrackedOrder, before: Fill, fill: Fill, as_of: int) -> None:
    """Another account of a fill that counts."""
    if before.account != fill.account or before.states == 1 << TRADE_REVERTED:
        _resolve(draft, order, fill, as_of)
        return
    both = joined(before, fill)
    if not is_same(both, before):
        _count(draft, order, both, as_of, both.told and not before.told)
    elif as_of > order.heard:
        order.hear(as_of)
        draft.believe(order)


def _weigh_trade(draft: Draft, order: TrackedOrder, report: TradeReport) -> None:
    """A trade that we have a fill of has come to another state."""
    fills = order.fills
    before = None if fills is None else fills.get(report.trade)
    if before is None:
        for each in ({} if order.seldom is None else order.seldom.aside).values():
            if each.fill.trade == report.trade:
                before = each.fill
    if before is not None:
        _weigh_fill(draft, order, _restated(order, before, report))


def _restated(order: TrackedOrder, fill: Fill, report: TradeReport) -> FillReport:
    return FillReport(
        order.venue,
        order.client_id,
        "",
        max(fill.as_of, report.as_of),
        report.origin,
        fill.trade,
        fill.consumed,
        fill.quantity,
        fill.notional,
        fill.price,
        fill.fee,
        fill.fee_asset,
        fill.fee_scale,
        fill.liquidity,
        report.state,
    )


def _count(draft: Draft, order: TrackedOrder, fill: Fill, heard: int, is_news: bool) -> None:
    """The fill counts; if it is the first sign of life of an order that was refused, that is shown."""
    refused = order.ends & END_REJECTED and not (order.word or order.consumed or order.pending)
    draft.count(order, fill, heard, is_news)
    if refused:
        draft.changed |= QUARANTINE_CHANGED


def _resolve(draft: Draft, order: TrackedOrder, fill: Fill, heard: int) -> None:
    """The slow way: everything is weighed anew, and the order judged afterwards."""
    seldom = order.rarely()
    if len(seldom.aside) >= ASIDE_MAX and fill.account not in seldom.aside:
        _weigh_unknown_word(draft, order, QUARANTINE_FULL, 0)
        return
    if was_executed(fill.states):
        fill = _untold(fill)
    length = draft.length
    resolve(draft, order, fill, heard)
    if draft.length != length or heard > order.heard:
        order.hear(heard)
        draft.believe(order)


def _untold(fill: Fill) -> Fill:
    return Fill(
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
        told=False,
    )


# --- What speaks against it -------------------------------------------------------------------------------------------


def weigh_absence(draft: Draft, order: TrackedOrder, as_of: int, fills_complete: bool) -> None:
    """The venue did not have it then; ``fills_complete`` if it then had no fills that were not reported either."""
    if order.ends & FINAL_WORDS or as_of <= order.heard:
        return
    seldom = order.rarely()
    misses = seldom.misses
    if as_of not in misses:
        misses = tuple(sorted([*misses, as_of])[-MISSES_MAX:])
    absent = max(seldom.absent, as_of) if fills_complete else seldom.absent
    if misses != seldom.misses or absent != seldom.absent:
        draft.miss(order, misses, absent)
        draft.believe(order)


def _weigh_refusal(draft: Draft, order: TrackedOrder, refusal: Refusal) -> None:
    seldom = order.rarely()
    said = (refusal.as_of, refusal.code, refusal.detail)
    if said > seldom.refusal:
        draft.refuse(order, refusal.code, refusal.detail, refusal.as_of)
    _weigh_end(draft, order, END_REJECTED, refusal.as_of, -1, -1)


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
    if (as_of, outcome, reason) > order.rarely().cancel:
        draft.cancel(order, outcome, reason, as_of)
    if outcome == DONE:
        _weigh_end(draft, order, END_CANCELLED, as_of, -1, -1)
    elif report.outcome == CANCEL_NOT_FOUND:
        weigh_absence(draft, order, as_of, fills_complete=False)


# By status, from FILLED on.
_END_OF: Final = (END_FILLED, END_CANCELLED, END_EXPIRED, END_REJECTED)
