"""Orders and trades of one venue in neutral words, as much of them as a viewer may see."""

from collections.abc import Mapping
from typing import Any, Final

from tallystick.core.amounts import render
from tallystick.core.lifecycle import ORDER_STATUS_NAMES, TRADE_STATUS_NAMES
from tallystick.core.order import Order
from tallystick.core.trade import Trade
from tallystick.facts.codes import (
    CASH,
    INSTRUCTION_NAMES,
    LIQUIDITY_NAMES,
    ORDER_TYPE_NAMES,
    PREREQUISITE_NAMES,
    SIDE_NAMES,
    SIZE_KIND_NAMES,
    STAKE,
    TIME_IN_FORCE_NAMES,
)
from tallystick.facts.venue import Leg, OrderPlaced, TradeMade
from tallystick.readers.past import Seen
from tallystick.server.neutral import wire
from tallystick.server.neutral.port import Venue
from tallystick.server.neutral.sight import Viewer
from tallystick.server.neutral.wire import instant
from tallystick.venue.calendar import date_text
from tallystick.venue.state import Market, Retry, State, Waiting

ORDER_STATUSES: Final[tuple[Any, ...]] = tuple(name.lower() for name in ORDER_STATUS_NAMES)
TRADE_STATUSES: Final[tuple[Any, ...]] = tuple(name.lower() for name in TRADE_STATUS_NAMES)
SIDES: Final[tuple[Any, ...]] = SIDE_NAMES
SIZE_KINDS: Final[tuple[Any, ...]] = SIZE_KIND_NAMES
LIQUIDITIES: Final[tuple[Any, ...]] = LIQUIDITY_NAMES
TIMES_IN_FORCE: Final[tuple[Any, ...]] = TIME_IN_FORCE_NAMES
INSTRUCTIONS: Final[tuple[Any, ...]] = INSTRUCTION_NAMES


class View:
    """Renders one venue's records."""

    def __init__(self, venue: Venue) -> None:
        self._venue: Final = venue

    @property
    def _state(self) -> State:
        return self._venue.readers.state

    def order(self, seen: Seen, viewer: Viewer) -> wire.Order:
        order = seen.order
        market = self._state.markets[order.market]
        cash, progress = market.currency.scale, order.progress
        return wire.Order(
            id=self._venue.order_ids.text(order.number),
            wire_id=self._venue.wire_id(order.terms),
            venue=self._venue.name,
            account=self._state.accounts[order.account].name,
            market=market.name,
            side=SIDES[order.terms.side],
            type=ORDER_TYPE_NAMES[order.terms.order_type],
            status=ORDER_STATUSES[order.status],
            final=order.is_settled(),
            size=_size(order, market),
            quantity=render(progress.quantity, market.unit.scale),
            notional=render(progress.notional, cash),
            fees=render(progress.fees, cash),
            instructions=instructions(order.terms, market),
            waits_for=waits(seen.waiting),
            retry=_retry(seen.retry, order.due),
            trades=[self._trade(trade, market, viewer, seen.trade_retries) for trade in seen.trades],
            placed_at=instant(order.placed),
            updated_at=instant(order.updated),
        )

    def event_trade(self, terms: TradeMade, status: int, viewer: Viewer) -> wire.EventTrade:
        """The trade with this status."""
        market = self._state.markets[terms.market]
        return wire.EventTrade(
            id=self._venue.trade_ids.text(terms.trade),
            status=TRADE_STATUSES[status],
            price=render(terms.price, market.price_scale),
            legs=self._legs(terms, market, viewer),
        )

    def placed(self, number: int) -> OrderPlaced:
        """The terms of the order of this number, however long ago it was."""
        found = self._venue.readers.order(number)
        assert found is not None, f"order {number} is nowhere"
        terms: OrderPlaced = found[0].terms
        return terms

    def in_size(self, amount: int, placed: OrderPlaced) -> str:
        """An amount of what the order is sized in."""
        return render(amount, size_scale(placed.kind, self._state.markets[placed.market]))

    def _trade(self, trade: Trade, market: Market, viewer: Viewer, retries: Mapping[int, Retry]) -> wire.Trade:
        terms: TradeMade = trade.terms
        return wire.Trade(
            id=self._venue.trade_ids.text(trade.number),
            market=market.name,
            status=TRADE_STATUSES[trade.status],
            price=render(terms.price, market.price_scale),
            legs=self._legs(terms, market, viewer),
            value_date=date_text(terms.value_date) if terms.value_date else None,
            made_at=instant(trade.made),
            settled_at=instant(trade.settled) if trade.settled else None,
            retry=_retry(retries.get(trade.number), trade.due),
        )

    def _legs(self, terms: TradeMade, market: Market, viewer: Viewer) -> list[wire.Leg]:
        return [self._leg(leg, market) for leg in terms.legs if viewer.sees(self._state, leg.account)]

    def _leg(self, leg: Leg, market: Market) -> wire.Leg:
        placed, cash = self.placed(leg.order), market.currency.scale
        return wire.Leg(
            order=self._venue.order_ids.text(leg.order),
            account=self._state.accounts[leg.account].name,
            side=SIDES[placed.side],
            consumed=render(leg.consumed, size_scale(placed.kind, market)),
            quantity=render(leg.quantity, market.unit.scale),
            notional=render(leg.notional, cash),
            fee=render(leg.fee, cash),
            liquidity=LIQUIDITIES[leg.liquidity] or None,
        )


def instructions(placed: OrderPlaced, market: Market) -> wire.Instructions | None:
    """How the order is worked in a book, if it is."""
    given = placed.instructions
    if given is None:
        return None
    return wire.Instructions(
        limit_price=render(given.price, market.price_scale) if given.price else None,
        trigger_price=render(given.trigger, market.price_scale) if given.trigger else None,
        time_in_force=TIMES_IN_FORCE[given.time_in_force],
        expires_at=instant(given.expires) if given.expires else None,
        flags=[name for at, name in enumerate(INSTRUCTIONS) if given.flags >> at & 1],
    )


def waits(waiting: Waiting | None) -> wire.Waits | None:
    """What an order waits for, if it does."""
    if waiting is None or not waiting.prerequisite:
        return None
    until = instant(waiting.deadline) if waiting.deadline else None
    return wire.Waits(PREREQUISITE_NAMES[waiting.prerequisite], until)


def size_scale(kind: int, market: Market) -> int:
    """The scale of an order's size."""
    return market.currency.scale if kind in (CASH, STAKE) else market.unit.scale


def _size(order: Order, market: Market) -> wire.Size:
    progress, scale = order.progress, size_scale(order.terms.kind, market)
    return wire.Size(
        kind=SIZE_KINDS[order.terms.kind],
        amount=render(order.size, scale),
        consumed=render(progress.consumed, scale),
        pending=render(progress.pending, scale),
        leaves=render(order.leaves, scale),
        released=render(progress.released, scale),
    )


def _retry(retry: Retry | None, due: int) -> wire.Retry | None:
    return None if retry is None else wire.Retry(retry.attempts, retry.reason, instant(due) if due else None)
