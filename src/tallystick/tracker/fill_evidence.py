"""Weighing evidence of fills: what is new and fits counts at once, the rest is weighed with all that came before."""

from typing import Final

from tallystick.core.lifecycle import TRADE_EXECUTED, TRADE_PENDING, TRADE_REVERTED, TRADE_SETTLED
from tallystick.facts.client_codes import END_REJECTED, QUARANTINE_CHANGED
from tallystick.tracker.draft import Draft
from tallystick.tracker.fill import Fill, was_executed
from tallystick.tracker.observations import FillReport, TradeReport
from tallystick.tracker.order import TrackedOrder
from tallystick.tracker.quarantine import is_same, joined, resolve
from tallystick.tracker.unknown_words import keep_word

QUARANTINE_FULL: Final = "the quarantine is full"


def weigh_fill(draft: Draft, order: TrackedOrder, report: FillReport) -> None:
    """One account of a fill."""
    state = report.state
    if not TRADE_PENDING <= state <= TRADE_REVERTED:
        keep_word(draft, order, f"trade {report.trade} in state {state}", report.as_of)
        return
    trade = report.trade
    fill = Fill(
        trade,
        1 << state,
        report.consumed,
        report.quantity,
        report.notional,
        report.price,
        report.fee,
        report.fee_asset,
        report.fee_scale,
        report.liquidity,
        report.as_of,
        state == TRADE_EXECUTED or state == TRADE_SETTLED,
    )
    fills = order.fills
    seldom = order.seldom
    before = None if fills is None else fills.get(trade)
    if seldom is not None and seldom.needs_weighing:
        _resolve(draft, order, fill, fill.as_of)
    elif before is not None:
        _weigh_again(draft, order, before, fill, fill.as_of)
    elif (
        fill.consumed > 0
        and fill.quantity > 0
        and fill.price >= 0
        and fill.notional >= 0
        and (state == TRADE_REVERTED or order.consumed + order.pending + fill.consumed <= order.size + order.tolerance)
    ):
        if order.ends and _is_first_sign(order):
            draft.changed |= QUARANTINE_CHANGED
        draft.take(order, report, fill)
    else:
        _resolve(draft, order, fill, fill.as_of)


def _is_first_sign(order: TrackedOrder) -> bool:
    """It was refused, and nothing but what comes now speaks against that."""
    return order.ends & END_REJECTED != 0 and not (order.word or order.consumed or order.pending)


def _weigh_again(draft: Draft, order: TrackedOrder, before: Fill, fill: Fill, as_of: int) -> None:
    """Another account of a fill that counts."""
    if before.account != fill.account or before.states == 1 << TRADE_REVERTED:
        _resolve(draft, order, fill, as_of)
        return
    both = joined(before, fill)
    if not is_same(both, before):
        if _is_first_sign(order):
            draft.changed |= QUARANTINE_CHANGED
        draft.count(order, both, as_of, both.told and not before.told)
    elif as_of > order.heard:
        order.hear(as_of)
        draft.believe(order)


def weigh_trade(draft: Draft, order: TrackedOrder, report: TradeReport) -> None:
    """A trade that we have a fill of has come to another state."""
    if not TRADE_PENDING <= report.state <= TRADE_REVERTED:
        keep_word(draft, order, f"trade {report.trade} in state {report.state}", report.as_of)
        return
    fills = order.fills
    before = None if fills is None else fills.get(report.trade)
    if before is None:
        for each in ({} if order.seldom is None else order.seldom.aside).values():
            if each.fill.trade == report.trade:
                before = each.fill
    if before is not None:
        weigh_fill(draft, order, _restated(order, before, report))


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


def _resolve(draft: Draft, order: TrackedOrder, fill: Fill, heard: int) -> None:
    """The slow way: everything is weighed anew, and the order judged afterwards."""
    if was_executed(fill.states):
        fill = _untold(fill)
    length = draft.length
    if not resolve(draft, order, fill, heard):
        keep_word(draft, order, QUARANTINE_FULL, 0)
        return
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
