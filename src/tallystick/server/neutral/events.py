"""Which events a journal's entry gives, in neutral words: what each kind of fact says stands in one table.

What is shown is never more than the entry and the orders' terms say, so it is the same for ever. Reference data and
transfers are not events of orders: a door for operators has them.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import msgspec

from tallystick.core.ids import IdCodec
from tallystick.core.lifecycle import (
    CANCELLED,
    EXPIRED,
    FILLED,
    OPEN,
    PENDING,
    PLACED,
    REJECTED,
    TRADE_EXECUTED,
    TRADE_REVERTED,
    TRADE_SETTLED,
)
from tallystick.deliver.feed import Happening
from tallystick.facts import venue
from tallystick.facts.codes import ORDER_TYPE_NAMES, SCOPE_NAMES, VERDICT_NAMES
from tallystick.facts.venue import Entry, TradeMade, event_number
from tallystick.server.neutral.port import Venue
from tallystick.server.neutral.positions import Positions
from tallystick.server.neutral.sight import Viewer
from tallystick.server.neutral.view import ORDER_STATUSES, SIDES, SIZE_KINDS, View, instructions, waits
from tallystick.server.neutral.wire import Cancel, Event, EventKind, Terms, instant
from tallystick.venue.state import Waiting

KINDS: Final[dict[type, EventKind]] = {
    venue.OrderPlaced: "order_placed",
    venue.OrderWaiting: "order_waiting",
    venue.PrerequisiteCleared: "prerequisite_cleared",
    venue.OrderTriggered: "order_triggered",
    venue.OrderOpened: "order_opened",
    venue.OrderRested: "order_rested",
    venue.ExecutionFailed: "execution_failed",
    venue.OrderFilled: "order_filled",
    venue.OrderCancelled: "order_cancelled",
    venue.OrderExpired: "order_expired",
    venue.OrderSettled: "order_settled",
    venue.OrderRefused: "order_refused",
    venue.TradeMade: "trade_made",
    venue.TradeConfirmed: "trade_confirmed",
    venue.TradeReverted: "trade_reverted",
    venue.TradeSettled: "trade_settled",
    venue.SettlementFailed: "settlement_failed",
    venue.CancelRequested: "cancel_requested",
    venue.CancelRefused: "cancel_refused",
    venue.CancelFinished: "cancel_finished",
}

_STATUSES: Final[dict[type, int]] = {
    venue.OrderPlaced: PLACED,
    venue.OrderWaiting: PENDING,
    venue.PrerequisiteCleared: PENDING,
    venue.OrderTriggered: OPEN,
    venue.OrderOpened: OPEN,
    venue.OrderRested: OPEN,
    venue.ExecutionFailed: OPEN,
    venue.OrderFilled: FILLED,
    venue.OrderCancelled: CANCELLED,
    venue.OrderExpired: EXPIRED,
    venue.OrderRefused: REJECTED,
}


class Wanted(NamedTuple):
    """What of a venue's events is wanted: by ``viewer``, of the account and about the order of these numbers (0: any),
    of these kinds (none: of any)."""

    viewer: Viewer
    account: int = 0
    order: int = 0
    kinds: frozenset[str] = frozenset()


class Events:
    """Renders one venue's entries; ``secret`` is what ids of events and cancel requests are made from."""

    def __init__(self, venue_: Venue, positions: Positions, secret: bytes) -> None:
        self._venue: Final = venue_
        self._view: Final = View(venue_)
        self._positions: Final = positions
        self._event_ids: Final = IdCodec(secret, venue_.name, "evt")
        self._request_ids: Final = IdCodec(secret, venue_.name, "can")

    def of(self, entry: Entry, wanted: Wanted) -> Iterator[Happening]:
        """What is wanted of the entry, oldest first."""
        for at, event in enumerate(entry.events):
            kind = KINDS.get(type(event))
            if kind is None or (wanted.kinds and kind not in wanted.kinds) or not self._is_wanted(event, wanted):
                continue
            number, time = event_number(entry.sequence, at), entry.time + at
            order = self._venue.order_ids.text(event.order) if event.order else ""
            shown = self._event(event, kind, number, time, wanted.viewer)
            owner = wanted.viewer.client or ""
            yield Happening(number, shown.id, kind, order, order, owner, time, _encode(shown))

    def _is_wanted(self, event: Any, wanted: Wanted) -> bool:
        state, viewer = self._venue.readers.state, wanted.viewer
        if wanted.order and wanted.order != event.order and wanted.order not in self._orders(event):
            return False
        if wanted.account and wanted.account not in self._accounts(event):
            return False
        return viewer.client is None or any(viewer.sees(state, account) for account in self._accounts(event))

    def _orders(self, event: Any) -> tuple[int, ...]:
        """The orders that it is about beside the one that its keys name."""
        if isinstance(event, venue.CancelRequested):
            return event.orders
        trade = self._trade(event)
        return () if trade is None else tuple(leg.order for leg in trade.legs)

    def _accounts(self, event: Any) -> set[int]:
        """Those that it is about."""
        return {event.account, *(self._view.placed(order).account for order in self._orders(event))}

    def _trade(self, event: Any) -> TradeMade | None:
        """The terms of the trade that it is about."""
        if isinstance(event, TradeMade):
            return event
        number = getattr(event, "trade", 0)
        found = self._venue.readers.trade(number) if number else None
        terms: TradeMade | None = None if found is None else found.terms
        return terms

    def _event(self, event: Any, kind: EventKind, number: int, time: int, viewer: Viewer) -> Event:
        # A trade's own keys name the leg that took, which may be another's.
        state = self._venue.readers.state
        is_seen = viewer.sees(state, event.account)
        fields: dict[str, Any] = {}
        if type(event) in _SAYS:
            fields = _SAYS[type(event)](self, event, viewer)
        status = _STATUSES.get(type(event))
        if isinstance(event, venue.OrderSettled):
            status = self._closed_as(event.order)
        return Event(
            id=self._event_ids.text(number),
            venue=self._venue.name,
            position=self._positions.text({self._venue.name: number}),
            kind=kind,
            time=instant(time),
            account=state.accounts[event.account].name if event.account and is_seen else None,
            order=self._venue.order_ids.text(event.order) if event.order and is_seen else None,
            market=state.markets[event.market].name if event.market else None,
            status=None if status is None else ORDER_STATUSES[status],
            **fields,
        )

    def _closed_as(self, number: int) -> int:
        found = self._venue.readers.order(number)
        assert found is not None, f"order {number} is nowhere"
        return int(found[0].status)

    # --- What kinds of facts say beside their keys ---

    def _placed(self, event: venue.OrderPlaced, viewer: Viewer) -> dict[str, Any]:
        return {
            "terms": Terms(
                self._venue.wire_id(event),
                SIDES[event.side],
                ORDER_TYPE_NAMES[event.order_type],
                SIZE_KINDS[event.kind],
                self._view.in_size(event.size, event),
                instructions(event, self._venue.readers.state.markets[event.market]),
            )
        }

    def _waiting(self, event: venue.OrderWaiting, viewer: Viewer) -> dict[str, Any]:
        return {"waits_for": waits(Waiting(event.prerequisite, event.deadline))}

    def _cleared(self, event: venue.PrerequisiteCleared, viewer: Viewer) -> dict[str, Any]:
        return {"waits_for": waits(Waiting(event.then, event.deadline))}

    def _failed(self, event: venue.ExecutionFailed, viewer: Viewer) -> dict[str, Any]:
        return {"reason": event.reason, "retry_at": instant(event.due) if event.due else None}

    def _closed(self, event: Any, viewer: Viewer) -> dict[str, Any]:
        says: dict[str, Any] = {"released": self._view.in_size(event.released, self._view.placed(event.order))}
        if isinstance(event, venue.OrderFilled):
            says["verdict"] = VERDICT_NAMES[event.verdict]
        if isinstance(event, venue.OrderFilled | venue.OrderCancelled):
            says["reason"] = event.reason or None
            if event.request:
                says["cancel"] = Cancel(self._request_ids.text(event.request), "done")
        return says

    def _refused(self, event: venue.OrderRefused, viewer: Viewer) -> dict[str, Any]:
        return {"reason": event.code, "detail": event.detail}

    def _of_trade(self, event: Any, viewer: Viewer) -> dict[str, Any]:
        terms = self._trade(event)
        assert terms is not None, f"trade {event.trade} is nowhere"
        status = _TRADE_STATUSES.get(type(event), terms.status)
        says: dict[str, Any] = {"trade": self._view.event_trade(terms, status, viewer)}
        if isinstance(event, venue.SettlementFailed):
            says |= {"reason": event.reason, "retry_at": instant(event.due) if event.due else None}
        return says

    def _cancel_requested(self, event: venue.CancelRequested, viewer: Viewer) -> dict[str, Any]:
        state, ids = self._venue.readers.state, self._venue.order_ids
        seen = [ids.text(order) for order in event.orders if viewer.sees(state, self._view.placed(order).account)]
        cancel = Cancel(self._request_ids.text(event.request), "requested", _SCOPES[event.scope], seen)
        return {"cancel": cancel, "reason": event.reason or None}

    def _cancel_refused(self, event: venue.CancelRefused, viewer: Viewer) -> dict[str, Any]:
        return {"cancel": Cancel(self._request_ids.text(event.request), "refused"), "reason": event.reason}

    def _cancel_finished(self, event: venue.CancelFinished, viewer: Viewer) -> dict[str, Any]:
        return {"cancel": Cancel(self._request_ids.text(event.request), "done")}


_SCOPES: Final[tuple[Any, ...]] = SCOPE_NAMES
_TRADE_STATUSES: Final[dict[type, int]] = {
    venue.TradeConfirmed: TRADE_EXECUTED,
    venue.TradeReverted: TRADE_REVERTED,
    venue.TradeSettled: TRADE_SETTLED,
    venue.SettlementFailed: TRADE_EXECUTED,
}
_SAYS: Final[dict[type, Callable[[Events, Any, Viewer], dict[str, Any]]]] = {
    venue.OrderPlaced: Events._placed,
    venue.OrderWaiting: Events._waiting,
    venue.PrerequisiteCleared: Events._cleared,
    venue.ExecutionFailed: Events._failed,
    venue.OrderFilled: Events._closed,
    venue.OrderCancelled: Events._closed,
    venue.OrderExpired: Events._closed,
    venue.OrderRefused: Events._refused,
    venue.TradeMade: Events._of_trade,
    venue.TradeConfirmed: Events._of_trade,
    venue.TradeReverted: Events._of_trade,
    venue.TradeSettled: Events._of_trade,
    venue.SettlementFailed: Events._of_trade,
    venue.CancelRequested: Events._cancel_requested,
    venue.CancelRefused: Events._cancel_refused,
    venue.CancelFinished: Events._cancel_finished,
}
_encode: Final = msgspec.json.Encoder().encode
