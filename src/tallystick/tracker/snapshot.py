"""A state as records and back: ``load(dump(state))`` is the state again, whatever built it, compiled or not.

``belief_of`` is the part that the evidence alone decides: equal evidence gives equal bytes. ``state_hash`` tells whole
states apart. Records come in one order, and nothing that can be derived is written.
"""

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any

from tallystick.facts.client import encode
from tallystick.facts.client_records import (
    BeliefRecord,
    FillRecord,
    HeadRecord,
    MarketRecord,
    OrderRecord,
    StateRecord,
    VenueRecord,
)
from tallystick.tracker.fill import Fill, was_executed
from tallystick.tracker.order import Seldom, TrackedOrder, terms_order
from tallystick.tracker.profile import Profile
from tallystick.tracker.state import State


def dump(state: State) -> Iterator[StateRecord]:
    """The state's records: its head, venues, markets, orders."""
    yield HeadRecord(state.sequence, state.time, state.orders_made, state.left_at)
    for venue in state.venues.values():
        positions = tuple(sorted(venue.positions.items()))
        yield VenueRecord(venue.terms, venue.broken_at, venue.snapshot_at, positions, *venue.killed)
    for terms in state.markets.values():
        yield MarketRecord(terms)
    for number in sorted(state.orders):
        yield order_record(state.orders[number])


def load(source: Iterable[Any]) -> State:
    """The state that ``dump`` wrote."""
    state = State()
    for record in source:
        restore(state, record)
    return state


def restore(state: State, record: Any) -> None:
    """Add one record to a state that has those before it."""
    kind = type(record)
    if kind is OrderRecord:
        state.add_order(order_of(record, state.venues[record.belief.terms.venue].profile))
    elif kind is MarketRecord:
        state.markets[record.terms.market] = record.terms
    elif kind is VenueRecord:
        state.join_venue(record.terms)
        venue = state.venues[record.terms.venue]
        venue.broken_at = record.broken_at
        venue.snapshot_at = record.snapshot_at
        venue.positions.update(record.positions)
        venue.killed = (record.killed_at, record.killed)
    elif kind is HeadRecord:
        state.sequence = record.sequence
        state.time = record.time
        state.orders_made = record.orders_made
        state.left_at = record.left_at
    else:
        raise TypeError(f"{kind.__name__} is no record of a state")


def state_hash(state: State) -> str:
    """A digest of everything in the state."""
    digest = blake2b(digest_size=16)
    for record in dump(state):
        digest.update(encode(record))
        digest.update(b"\n")
    return digest.hexdigest()


def order_record(order: TrackedOrder) -> OrderRecord:
    """The order as a value: what is believed of it, and what was announced."""
    aside = order.seldom.aside if order.seldom is not None else {}
    told_aside = sorted({each.fill.trade for each in aside.values() if each.fill.told})
    words = order.seldom.words if order.seldom is not None else {}
    counts = tuple([words[word][1] for word in sorted(words)])
    sums = order.seldom.sums if order.seldom is not None else None
    said = () if sums is None else sums.said()
    return OrderRecord(belief_of(order), order.told, tuple(told_aside), order.updated, order.last, counts, said)


def belief_of(order: TrackedOrder) -> BeliefRecord:
    """What is believed of the order, as a value."""
    seldom = order.seldom or Seldom()
    fills = order.fills or {}
    return BeliefRecord(
        order.terms,
        order.made,
        order.status,
        order.certainty,
        order.word,
        order.word_at,
        order.ends,
        order.heard,
        order.told_consumed,
        order.told_quantity,
        tuple(order.ids()),
        tuple([_fill_record(fills[trade], 0) for trade in sorted(fills)]),
        tuple([_fill_record(seldom.aside[key].fill, seldom.aside[key].reason) for key in sorted(seldom.aside)]),
        tuple([(word, seldom.words[word][0]) for word in sorted(seldom.words)]),
        tuple(sorted(seldom.disputed)),
        seldom.misses,
        seldom.absences,
        seldom.doubt,
        seldom.refusal,
        seldom.cancel,
        seldom.fills_at,
        seldom.versions,
        seldom.size_max,
        () if seldom.sums is None else seldom.sums.believed(),
    )


def order_of(record: OrderRecord, profile: Profile) -> TrackedOrder:
    """The inverse of ``order_record``."""
    belief = record.belief
    order = terms_order(belief.terms, profile, belief.made)
    order.word = belief.word
    order.word_at = belief.word_at
    order.ends = belief.ends
    order.heard = belief.heard
    order.told_consumed = belief.told_consumed
    order.told_quantity = belief.told_quantity
    for venue_id in belief.ids:
        order.learn(venue_id)
    told = set(record.told_aside)
    for fill in belief.fills:
        order.count(_fill(fill, was_executed(fill.states)))
    for fill in belief.aside:
        order.set_aside(fill.reason, _fill(fill, fill.trade in told))
    _restore_seldom(order, record)
    order.status = belief.status
    order.certainty = belief.certainty
    order.told = record.told
    order.updated = record.updated
    order.last = record.last
    return order


def _restore_seldom(order: TrackedOrder, record: OrderRecord) -> None:
    belief = record.belief
    some = belief.words or belief.disputed or belief.misses or belief.absences or belief.versions or belief.sums
    if not (some or belief.doubt[0] or belief.refusal[0] or belief.cancel[0] or belief.fills_at):
        return
    seldom = order.rarely()
    for (word, as_of), count in zip(belief.words, record.counts, strict=True):
        seldom.words[word] = (as_of, count)
    seldom.disputed.extend(belief.disputed)
    seldom.misses = belief.misses
    seldom.absences = belief.absences
    seldom.doubt = belief.doubt
    seldom.refusal = belief.refusal
    seldom.cancel = belief.cancel
    seldom.fills_at = belief.fills_at
    if belief.sums:
        told_notional, matched_at, matched, consumed, quantity, notional, pending = belief.sums
        order.infer(told_notional, matched_at, matched, (consumed, quantity, notional, pending))
        order.summed().resay(record.said)
    for as_of, size, price in belief.versions:
        order.amend(as_of, size, price)
    seldom.size_max = belief.size_max


def _fill_record(fill: Fill, reason: int) -> FillRecord:
    return FillRecord(
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
        reason,
    )


def _fill(record: FillRecord, told: bool) -> Fill:
    return Fill(
        record.trade,
        record.states,
        record.consumed,
        record.quantity,
        record.notional,
        record.price,
        record.fee,
        record.fee_asset,
        record.fee_scale,
        record.liquidity,
        record.as_of,
        told,
    )
