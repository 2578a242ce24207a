"""Which accounts of fills count, and which are in quarantine: decided over all of them, whatever order they came in.

An account of less than something is impossible. Of several accounts of one trade the oldest counts, the others
contradict it. Of the trades that are left, oldest first, those count that fit the order's size and tolerance; the rest
are in excess. Most fills never come here: they are new, they fit, and nothing is in quarantine (``evidence.py``).
"""

from typing import Final

from tallystick.core.lifecycle import TRADE_REVERTED
from tallystick.facts.client_codes import CONTRADICTS, EXCESS, IMPOSSIBLE
from tallystick.tracker.draft import Draft
from tallystick.tracker.fill import Account, Fill, strongest, was_executed
from tallystick.tracker.order import TrackedOrder

ASIDE_MAX: Final = 128
"""Accounts in quarantine, of one order. One piece of evidence may move all of them, and tell them, in one entry."""


def joined(fill: Fill, other: Fill) -> Fill:
    """Two accounts of a fill that are the same, as one: what only one of them knows counts for both."""
    if (fill.fee_asset, fill.fee_scale, fill.fee) < (other.fee_asset, other.fee_scale, other.fee):
        paid = other
    else:
        paid = fill
    return Fill(
        fill.trade,
        fill.states | other.states,
        fill.consumed,
        fill.quantity,
        fill.notional,
        fill.price,
        paid.fee,
        paid.fee_asset,
        paid.fee_scale,
        max(fill.liquidity, other.liquidity),
        min(fill.as_of, other.as_of),
        fill.told or other.told,
    )


def is_same(fill: Fill, other: Fill) -> bool:
    """Neither knows anything that the other does not."""
    return (
        fill.states == other.states
        and fill.as_of == other.as_of
        and fill.liquidity == other.liquidity
        and fill.fee == other.fee
        and fill.fee_asset == other.fee_asset
        and fill.fee_scale == other.fee_scale
        and fill.account == other.account
    )


def resolve(draft: Draft, order: TrackedOrder, fill: Fill | None, heard: int) -> bool:
    """Weigh ``fill`` together with all that came before it, or that alone; the order is to be judged afterwards.

    False, and everything stays as it is, if that put more aside than there is room for.
    """
    claims: dict[Account, Fill] = {each.account: each for each in (order.fills or {}).values()}
    aside = order.seldom.aside if order.seldom is not None else {}
    for account in aside:
        claims[account] = aside[account].fill
    if fill is not None:
        before = claims.get(fill.account)
        claims[fill.account] = fill if before is None else joined(before, fill)
    counted, quarantined = _weigh(order, list(claims.values()))
    if len(quarantined) > ASIDE_MAX:
        return False
    for reason, each in quarantined:
        kept = aside.get(each.account)
        if kept is None or kept.reason != reason or not is_same(kept.fill, each):
            draft.set_aside(order, reason, each)
    for each in counted:
        present = None if order.fills is None else order.fills.get(each.trade)
        if present is None or not is_same(present, each):
            is_news = was_executed(each.states) and not each.told
            draft.count(order, _in_states(each, each.states, each.told or is_news), heard, is_news)
    return True


def _weigh(order: TrackedOrder, claims: list[Fill]) -> tuple[list[Fill], list[tuple[int, Fill]]]:
    """(those that count, those in quarantine and why)."""
    best: dict[str, Fill] = {}
    quarantined: list[tuple[int, Fill]] = []
    states: dict[str, int] = {}
    told: set[str] = set()
    for claim in claims:
        states[claim.trade] = states.get(claim.trade, 0) | claim.states
        if claim.told:
            told.add(claim.trade)
    for claim in sorted(claims, key=_age):
        each = _in_states(claim, states[claim.trade], claim.trade in told)
        if each.consumed <= 0 or each.quantity <= 0 or each.price < 0 or each.notional < 0:
            quarantined.append((IMPOSSIBLE, each))
        elif each.trade in best:
            quarantined.append((CONTRADICTS, each))
        else:
            best[each.trade] = each
    counted: list[Fill] = []
    room = order.room
    for each in best.values():
        needed = 0 if strongest(each.states) == TRADE_REVERTED else each.consumed
        if needed > room:
            quarantined.append((EXCESS, each))
        else:
            room -= needed
            counted.append(each)
    return counted, quarantined


def _age(fill: Fill) -> tuple[int, Account]:
    return fill.as_of, fill.account


def _in_states(fill: Fill, states: int, told: bool) -> Fill:
    """The fill with all that is known of its trade."""
    if fill.states == states and fill.told == told:
        return fill
    return Fill(
        fill.trade,
        states,
        fill.consumed,
        fill.quantity,
        fill.notional,
        fill.price,
        fill.fee,
        fill.fee_asset,
        fill.fee_scale,
        fill.liquidity,
        fill.as_of,
        told,
    )
