"""From an entry of the client journal to the events that strategies are told: the one place where facts become words.

The same entry with the state after it gives the same events, live and when the journal is read again.
"""

from collections.abc import Iterator
from typing import Any, Final

from tallystick.connect.events import (
    BuyOrderCompletedEvent,
    BuyOrderCreatedEvent,
    Event,
    Fee,
    MarketOrderFailureEvent,
    OrderCancelledEvent,
    OrderExpiredEvent,
    OrderFilledEvent,
    OrderType,
    OrderUpdatedEvent,
    SellOrderCompletedEvent,
    SellOrderCreatedEvent,
    TradeType,
)
from tallystick.connect.trading_rules import decimal
from tallystick.core.lifecycle import CANCEL_OUTCOME_NAMES, ORDER_STATUS_NAMES
from tallystick.facts.client import Announced, Entry
from tallystick.facts.client_codes import (
    ASIDE_NAMES,
    CANCELLED,
    CERTAINTY_NAMES,
    CHANGE_NAMES,
    COMPLETED,
    CREATED,
    EXPIRED,
    FAILED,
    FILLED,
    FROM_EVIDENCE,
    INCOMPLETE,
    INFERRED,
    LATE,
    LIQUIDITY_UNKNOWN,
)
from tallystick.facts.client_terms import MarketListed
from tallystick.facts.codes import BUY, SIZE_KIND_NAMES, UNITS
from tallystick.tracker.belief import contradictions
from tallystick.tracker.fill import EXECUTED, Fill
from tallystick.tracker.order import TrackedOrder
from tallystick.tracker.state import State

ABSENT: Final = "absent"
_ABSENT: Final = "the venue had the request, and its complete lists of orders and fills do not have the order"
REJECTED_UNSAID: Final = "rejected"
_REJECTED_UNSAID: Final = "the venue says that it was rejected, and not why"

Told = tuple[int, int, Event]
"""(venue's number, order's number, event)"""


def position_text(sequence: int, index: int) -> str:
    return f"{sequence}.{index}"


def read_position(text: str) -> tuple[int, int]:
    """(sequence, index) of a position, (0, 0) for "", the beginning. Raises ValueError for what is none."""
    if not text:
        return 0, 0
    sequence, point, index = text.partition(".")
    if not (point and text.isascii() and sequence.isdigit() and index.isdigit()):
        raise ValueError(f"{text!r} is not a position")
    return int(sequence), int(index)


def events_of(entry: Entry, state: State, only: int = 0) -> list[Told]:
    """What the entry tells, in its order; of one order if ``only`` is its number. ``state`` is the one after it.

    Several fills of an order in one entry each show the sums as they were with that fill.
    """
    found: list[Told] = []
    later: dict[int, tuple[int, int]] = {}
    events = entry.events
    for index in range(len(events) - 1, -1, -1):
        said = events[index]
        if type(said) is not Announced or (only and said.order != only):
            continue
        order = state.orders[said.order]
        quantity, notional = later.get(said.order, (0, 0))
        found.append((said.venue, said.order, _event(entry, index, said, order, state, quantity, notional)))
        if said.what == FILLED:
            fill = _fill(order, said)
            later[said.order] = (quantity + fill.quantity, notional + fill.notional)
    found.reverse()
    return found


def _event(
    entry: Entry, index: int, said: Announced, order: TrackedOrder, state: State, quantity: int, notional: int
) -> Event:
    """``quantity`` and ``notional`` came after this event, in the same entry."""
    terms = order.terms
    market = state.markets[terms.market]
    common: dict[str, Any] = {
        "timestamp": entry.time / 1_000_000,
        "order_id": terms.client_id,
        "trading_pair": market.name,
        "exchange_order_id": order.venue_id or None,
        "venue": state.venues[order.venue].name,
        "position": position_text(entry.sequence, index),
        "status": ORDER_STATUS_NAMES[order.status],
        "certainty": CERTAINTY_NAMES[order.certainty],
        "executed_amount_base": decimal(order.quantity - quantity, market.unit_scale),
        "executed_amount_quote": decimal(order.notional - notional, market.cash_scale),
        "late": bool(said.flags & LATE),
        "inferred": bool(said.flags & FROM_EVIDENCE),
    }
    what = said.what
    if what == CREATED:
        return _created(order, market, common)
    if what == FILLED:
        return _filled(order, market, _fill(order, said), common)
    if what == COMPLETED:
        return _completed(order, market, bool(said.flags & INCOMPLETE), common)
    if what == CANCELLED:
        return OrderCancelledEvent(**common)
    if what == EXPIRED:
        return OrderExpiredEvent(**common)
    if what == FAILED:
        return _failed(order, common)
    return _updated(order, said.changed, common)


def _created(order: TrackedOrder, market: MarketListed, common: dict[str, Any]) -> Event:
    terms = order.terms
    kind = BuyOrderCreatedEvent if terms.side == BUY else SellOrderCreatedEvent
    scale = market.unit_scale if terms.kind == UNITS else market.cash_scale
    return kind(
        type=OrderType(terms.order_type),
        amount=decimal(terms.size, scale),
        amount_kind=SIZE_KIND_NAMES[terms.kind],
        price=decimal(terms.price, market.price_scale) if terms.price else None,
        creation_timestamp=order.made / 1_000_000,
        **common,
    )


def _filled(order: TrackedOrder, market: MarketListed, fill: Fill, common: dict[str, Any]) -> Event:
    return OrderFilledEvent(
        trade_type=TradeType(order.terms.side),
        order_type=OrderType(order.terms.order_type),
        price=decimal(fill.price, market.price_scale),
        amount=decimal(fill.quantity, market.unit_scale),
        quote_amount=decimal(fill.notional, market.cash_scale),
        trade_fee=Fee(decimal(fill.fee, fill.fee_scale), fill.fee_asset),
        exchange_trade_id=fill.trade,
        **common,
    )


def _completed(order: TrackedOrder, market: MarketListed, incomplete: bool, common: dict[str, Any]) -> Event:
    kind = BuyOrderCompletedEvent if order.terms.side == BUY else SellOrderCompletedEvent
    return kind(
        base_asset=market.unit,
        quote_asset=market.currency,
        base_asset_amount=common["executed_amount_base"],
        quote_asset_amount=common["executed_amount_quote"],
        order_type=OrderType(order.terms.order_type),
        incomplete=incomplete,
        **common,
    )


def _failed(order: TrackedOrder, common: dict[str, Any]) -> Event:
    _, code, detail = order.seldom.refusal if order.seldom is not None else (0, "", "")
    if not code:
        code, detail = (ABSENT, _ABSENT) if order.certainty == INFERRED else (REJECTED_UNSAID, _REJECTED_UNSAID)
    return MarketOrderFailureEvent(
        order_type=OrderType(order.terms.order_type), error_message=detail or code, error_type=code, **common
    )


def _updated(order: TrackedOrder, changed: int, common: dict[str, Any]) -> Event:
    seldom = order.seldom
    as_of, outcome, reason = (0, 0, "") if seldom is None else seldom.cancel
    return OrderUpdatedEvent(
        changed=tuple(name for bit, name in enumerate(CHANGE_NAMES) if changed & 1 << bit),
        cancel_outcome=CANCEL_OUTCOME_NAMES[outcome] if as_of else "",
        cancel_reason=reason,
        problems=tuple(problems(order)),
        **common,
    )


def problems(order: TrackedOrder) -> Iterator[str]:
    """Sentences about evidence of the order that is set aside, or contradicts itself."""
    yield from contradictions(order)
    aside = order.seldom.aside if order.seldom is not None else {}
    for account in sorted(aside):
        yield f"fill {account[0]} is not counted: {ASIDE_NAMES[aside[account].reason]}"


def _fill(order: TrackedOrder, said: Announced) -> Fill:
    """The fill that was told: as the venue accounts for it, or in the amounts that followed from its sums."""
    found = (order.fills or {}).get(said.trade)
    if found is None and order.seldom is not None:  # counted, told, and set aside by the same evidence
        found = next((each.fill for each in order.seldom.aside.values() if each.fill.trade == said.trade), None)
    if found is None:
        assert said.consumed, f"fill {said.trade} was told and is nowhere"
        amounts = (said.consumed, said.quantity, said.notional, said.price)
        found = Fill(said.trade, EXECUTED, *amounts, 0, "", 0, LIQUIDITY_UNKNOWN, 0, told=True)
    return found
