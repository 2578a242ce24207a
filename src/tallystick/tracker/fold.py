"""Applying the client half's events to a state: one small function for each kind of event, found in one table.

It only assigns, adds and indexes: what is believed, and what is told, is in the event. An event that does not fit
(KeyError) is a fault of the program or of the journal: the state is then of no further use.
"""

from collections.abc import Callable
from typing import Any, Final

from tallystick.facts.client import (
    Announced,
    CancelBelieved,
    Entry,
    FillBelieved,
    FillSetAside,
    FillsListed,
    IdDisputed,
    IdLearned,
    OrderMissed,
    OrderRecalled,
    OrdersConfirmed,
    OrdersLeft,
    PlacingKilled,
    PlacingReleased,
    SnapshotTaken,
    StatusBelieved,
    StreamBroken,
    StreamPositioned,
    SubmitDoubted,
    SubmitRefused,
    SumsBelieved,
    TermsBelieved,
    WordSetAside,
)
from tallystick.facts.client_terms import MarketListed, OrderIntended, VenueJoined
from tallystick.tracker.fill import Fill, was_executed
from tallystick.tracker.order import terms_order
from tallystick.tracker.snapshot import order_of
from tallystick.tracker.state import OutOfSequence, State


def fold(state: State, entry: Entry) -> None:
    """Apply one whole entry; raises OutOfSequence unless it is the next one."""
    sequence: int = entry.sequence
    time: int = entry.time
    if sequence != state.sequence + 1:
        raise OutOfSequence(f"entry {sequence} does not follow {state.sequence}")
    for event in entry.events:
        apply(state, event, time)
    orders = state.orders
    for key in entry.links[::2]:
        order = orders[key >> 2]
        order.last = sequence
        order.updated = time
    state.sequence = sequence
    state.time = time


def apply(state: State, event: Any, time: int) -> None:
    """Apply one event that happened at ``time``."""
    _FOLDS[type(event)](state, event, time)


def _venue_joined(state: State, event: VenueJoined, time: int) -> None:
    state.join_venue(event)


def _market_listed(state: State, event: MarketListed, time: int) -> None:
    state.markets[event.market] = event


def _order_intended(state: State, event: OrderIntended, time: int) -> None:
    venue = state.venues[event.venue]
    state.start(venue, terms_order(event, venue.profile, time))


def _status_believed(state: State, event: StatusBelieved, time: int) -> None:
    order = state.orders[event.order]
    order.status = event.status
    order.certainty = event.certainty
    order.word = event.word
    order.word_at = event.word_at
    order.ends = event.ends
    order.told_consumed = event.told_consumed
    order.told_quantity = event.told_quantity
    order.hear(event.heard)


def _fill_believed(state: State, event: FillBelieved, time: int) -> None:
    order = state.orders[event.order]
    trade: str = event.trade
    order.count(_fill(event, trade, was_executed(event.states)))
    state.venues[order.venue].index_trade(trade, order)
    order.status = event.status
    order.certainty = event.certainty
    order.hear(event.heard)


def _fill_set_aside(state: State, event: FillSetAside, time: int) -> None:
    order = state.orders[event.order]
    trade: str = event.trade
    order.set_aside(event.reason, _fill(event, trade, event.told))
    state.venues[order.venue].index_trade(trade, order)


def _fill(event: Any, trade: str, told: bool) -> Fill:
    return Fill(
        trade,
        event.states,
        event.consumed,
        event.quantity,
        event.notional,
        event.price,
        event.fee,
        event.fee_asset,
        event.fee_scale,
        event.liquidity,
        event.as_of,
        told,
    )


def _word_set_aside(state: State, event: WordSetAside, time: int) -> None:
    word: str = event.word
    state.orders[event.order].rarely().words[word] = (event.as_of, event.count)


def _id_learned(state: State, event: IdLearned, time: int) -> None:
    order = state.orders[event.order]
    venue_id: str = event.venue_id
    order.learn(venue_id)
    state.venues[order.venue].by_id[venue_id] = order


def _id_disputed(state: State, event: IdDisputed, time: int) -> None:
    state.orders[event.order].rarely().disputed.append(event.venue_id)


def _submit_doubted(state: State, event: SubmitDoubted, time: int) -> None:
    state.orders[event.order].rarely().doubt = (event.as_of, event.reason)


def _submit_refused(state: State, event: SubmitRefused, time: int) -> None:
    state.orders[event.order].rarely().refusal = (event.as_of, event.code, event.detail)


def _cancel_believed(state: State, event: CancelBelieved, time: int) -> None:
    state.orders[event.order].rarely().cancel = (event.as_of, event.outcome, event.reason)


def _order_missed(state: State, event: OrderMissed, time: int) -> None:
    seldom = state.orders[event.order].rarely()
    seldom.misses = event.misses
    seldom.absences = event.absences


def _orders_confirmed(state: State, event: OrdersConfirmed, time: int) -> None:
    as_of: int = event.as_of
    for number in event.orders:
        order = state.orders[number]
        order.word_at = as_of
        order.updated = time
        order.hear(as_of)


def _order_recalled(state: State, event: OrderRecalled, time: int) -> None:
    state.add_order(order_of(event.record, state.venues[event.venue].profile))


def _fills_listed(state: State, event: FillsListed, time: int) -> None:
    state.orders[event.order].rarely().fills_at = event.as_of


def _terms_believed(state: State, event: TermsBelieved, time: int) -> None:
    state.orders[event.order].amend(event.as_of, event.size, event.price)


def _sums_believed(state: State, event: SumsBelieved, time: int) -> None:
    amounts = (event.consumed, event.quantity, event.notional, event.pending)
    state.orders[event.order].infer(event.told_notional, event.matched_at, event.matched, amounts)


def _announced(state: State, event: Announced, time: int) -> None:
    what: int = event.what
    order = state.orders[event.order]
    order.told |= 1 << what
    consumed: int = event.consumed
    if consumed:
        order.summed().say(event.trade, consumed, event.quantity, event.notional)


def _stream_broken(state: State, event: StreamBroken, time: int) -> None:
    state.venues[event.venue].broken_at = event.as_of


def _snapshot_taken(state: State, event: SnapshotTaken, time: int) -> None:
    state.venues[event.venue].snapshot_at = event.as_of


def _stream_positioned(state: State, event: StreamPositioned, time: int) -> None:
    state.venues[event.venue].positions[event.stream] = event.position


def _orders_left(state: State, event: OrdersLeft, time: int) -> None:
    for number in event.orders:
        state.let_go(number)
    state.left_at = state.sequence + 1


def _placing_killed(state: State, event: PlacingKilled, time: int) -> None:
    state.venues[event.venue].killed = (time, event.reason)


def _placing_released(state: State, event: PlacingReleased, time: int) -> None:
    state.venues[event.venue].killed = (0, "")


_FOLDS: Final[dict[type, Callable[[State, Any, int], None]]] = {
    VenueJoined: _venue_joined,
    MarketListed: _market_listed,
    OrderIntended: _order_intended,
    StatusBelieved: _status_believed,
    FillBelieved: _fill_believed,
    FillSetAside: _fill_set_aside,
    WordSetAside: _word_set_aside,
    IdLearned: _id_learned,
    IdDisputed: _id_disputed,
    SubmitDoubted: _submit_doubted,
    SubmitRefused: _submit_refused,
    CancelBelieved: _cancel_believed,
    OrderMissed: _order_missed,
    OrdersConfirmed: _orders_confirmed,
    OrderRecalled: _order_recalled,
    FillsListed: _fills_listed,
    TermsBelieved: _terms_believed,
    SumsBelieved: _sums_believed,
    Announced: _announced,
    StreamBroken: _stream_broken,
    SnapshotTaken: _snapshot_taken,
    StreamPositioned: _stream_positioned,
    OrdersLeft: _orders_left,
    PlacingKilled: _placing_killed,
    PlacingReleased: _placing_released,
}
