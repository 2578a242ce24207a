"""What follows where a venue says how much of an order is filled, and not, or only later, by which trades.

Two sums are believed: the most that was ever said to be filled, which only grows, and what was newest said to be filled
and pending together, which may shrink. Fills that have names are taken off both; what is left is filled, or pending,
without a name. So it is the same in whatever order things were said, and a fill that gets its name counts once. How it
was told, piece by piece, is for ``announce`` alone (specs of venues that say sums: a chain's, a row for each order).
"""

from tallystick.core.amounts import FLOOR, rescale
from tallystick.facts.codes import UNITS
from tallystick.tracker.draft import Draft
from tallystick.tracker.observations import Observation, OrderReport
from tallystick.tracker.order import TrackedOrder
from tallystick.tracker.sums import Sums


def infer(draft: Draft, order: TrackedOrder, observation: Observation) -> None:
    """Join what the observation says in sums with what is known, and let follow from it what does."""
    sums = order.sums or Sums()
    told_notional, matched_at, matched = sums.told_notional, sums.matched_at, sums.matched
    if isinstance(observation, OrderReport):
        told_notional = max(told_notional, observation.notional)
        if observation.consumed >= 0 and observation.pending >= 0:
            said = (observation.as_of, observation.consumed + observation.pending)
            matched_at, matched = max((matched_at, matched), said)
    amounts = _without_names(draft, order, sums, told_notional, matched)
    before = (sums.consumed, sums.quantity, sums.notional, sums.pending)
    if amounts != before or (told_notional, matched_at, matched) != (
        sums.told_notional,
        sums.matched_at,
        sums.matched,
    ):
        draft.infer(order, told_notional, matched_at, matched, amounts)


def _without_names(
    draft: Draft, order: TrackedOrder, sums: Sums, told_notional: int, matched: int
) -> tuple[int, int, int, int]:
    """(consumed, quantity, notional, pending) of fills that no trade is known of; never more than the order has room
    for."""
    consumed = order.consumed - sums.consumed
    quantity = order.quantity - sums.quantity
    is_units = order.terms.kind == UNITS
    told = max(order.told_consumed, order.told_quantity) if is_units else order.told_consumed
    filled = max(0, min(told, order.room) - consumed)
    units = filled if is_units else max(0, order.told_quantity - quantity) if filled else 0
    cash = 0
    if filled:
        if told_notional:
            cash = max(0, told_notional - (order.notional - sums.notional))
        else:
            cash = _worth(draft, order, units)
    pending = max(0, min(matched, order.room) - consumed - filled - (order.pending - sums.pending))
    return filled, units, cash, pending


def _worth(draft: Draft, order: TrackedOrder, units: int) -> int:
    """What so many units come to at the order's limit, 0 if it has none."""
    market = draft.state.markets[order.terms.market]
    return rescale(units * order.price, market.unit_scale + market.price_scale, market.cash_scale, FLOOR)
