"""What listeners are told of an order, once and for ever: Created < Filled* < one end (docs/design.md §6).

The end is Completed, Cancelled, Expired or Failed. Created comes before anything else, unless the order failed; it is
inferred from any proof of life. Completed waits until all fills are there. A fill after the end is marked late, and
whatever else changes is an Updated, said before the end if it comes with it. An order whose end was told may turn out
otherwise: that is an Updated too.
"""

from typing import Final

from tallystick.core.lifecycle import CANCELLED, EXPIRED, FILLED, REJECTED, SUBMITTED
from tallystick.facts import client_codes
from tallystick.facts.client_codes import (
    CERTAINTY_CHANGED,
    COMPLETED,
    CREATED,
    FAILED,
    FILLS_CHANGED,
    FROM_EVIDENCE,
    IDS_CHANGED,
    INFERRED,
    LATE,
    STATUS_CHANGED,
    UPDATED,
)
from tallystick.tracker.belief import is_complete
from tallystick.tracker.draft import Draft
from tallystick.tracker.order import TOLD_CREATED, TOLD_END, TrackedOrder
from tallystick.tracker.sums import Sums

_BEGUN: Final = TOLD_CREATED | TOLD_END
_STATUS: Final = STATUS_CHANGED | CERTAINTY_CHANGED
_TOLD_FILL: Final[int] = client_codes.FILLED
_TOLD_CANCELLED: Final[int] = client_codes.CANCELLED
_TOLD_EXPIRED: Final[int] = client_codes.EXPIRED


def announce(draft: Draft, order: TrackedOrder, status_before: int, certainty_before: int) -> None:
    """Tell what has come of the order since it had that status and certainty."""
    status = order.status
    told = order.told
    changed = draft.changed
    draft.changed = 0
    if status != status_before:
        changed |= STATUS_CHANGED
    if order.certainty != certainty_before:
        changed |= CERTAINTY_CHANGED
    late = LATE if told & TOLD_END else 0
    if not told & _BEGUN:
        changed &= ~IDS_CHANGED
        if status != SUBMITTED and status != REJECTED:
            draft.tell(order, CREATED, 0 if order.word else FROM_EVIDENCE, "", 0)
            if status < FILLED:
                changed &= ~_STATUS
    if order.profile.fills:
        changed |= _tell_sums(draft, order, late)
    elif draft.executed:
        executed = draft.executed
        draft.executed = []
        for fill in executed:
            draft.tell(order, _TOLD_FILL, late, fill.trade, 0)
    end = 0 if late or status < FILLED else _end(order, status)
    if end:
        changed &= ~_STATUS
    if changed:
        draft.tell(order, UPDATED, 0, "", changed)
    if end:
        draft.tell(order, end, FROM_EVIDENCE if order.certainty == INFERRED else 0, "", 0)


def _tell_sums(draft: Draft, order: TrackedOrder, late: int) -> int:
    """Tell of fills so that they come to what is filled: by name, or without one where only sums are known.

    What was told without its name is not told again when that comes; it is a change of the fills then.
    """
    sums = order.sums or Sums()
    changed = 0
    consumed = order.consumed - sums.consumed
    quantity = order.quantity - sums.quantity
    notional = order.notional - sums.notional
    executed = draft.executed
    draft.executed = []
    for fill in executed:
        consumed -= fill.consumed
        quantity -= fill.quantity
        notional -= fill.notional
    for fill in executed:
        is_new = (order.sums or sums).said_consumed <= consumed
        consumed += fill.consumed
        quantity += fill.quantity
        notional += fill.notional
        if is_new:
            draft.tell_fill(order, late, fill.trade, fill.consumed, fill.quantity, fill.notional, fill.price)
        else:
            changed = FILLS_CHANGED
            _tell_rest(draft, order, late, consumed, quantity, notional)
    _tell_rest(draft, order, late, order.consumed, order.quantity, order.notional)
    return changed


def _tell_rest(draft: Draft, order: TrackedOrder, late: int, consumed: int, quantity: int, notional: int) -> None:
    """So much is filled: tell of what was not told yet."""
    sums = order.sums or Sums()
    rest = consumed - sums.said_consumed
    if rest > 0:
        units = max(0, quantity - sums.said_quantity)
        cash = max(0, notional - sums.said_notional)
        draft.tell_fill(order, late | FROM_EVIDENCE, sums.next_name(), rest, units, cash, order.price)


def _end(order: TrackedOrder, status: int) -> int:
    """How its end is announced; 0 while that has to wait."""
    if status == FILLED:
        return COMPLETED if is_complete(order) else 0
    if status == CANCELLED:
        return _TOLD_CANCELLED
    return _TOLD_EXPIRED if status == EXPIRED else FAILED
