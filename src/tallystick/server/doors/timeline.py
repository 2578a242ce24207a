"""Entries in neutral words: what each kind of fact says stands in one table, how its values are shown in another."""

import re
from collections.abc import Callable
from typing import Any, Final

from tallystick.core.amounts import render
from tallystick.core.lifecycle import TRADE_STATUS_NAMES
from tallystick.facts import codes, venue
from tallystick.facts.common import Cause
from tallystick.facts.venue import Entry, OrderCancelled, OrderExpired, OrderFilled, OrderPlaced
from tallystick.server.doors import wire
from tallystick.server.doors.contracts import RATE_SCALE
from tallystick.server.doors.desk import Desk
from tallystick.server.doors.view import flag_names
from tallystick.server.doors.wire import instant
from tallystick.venue.calendar import date_text
from tallystick.venue.state import Market

# How a value is shown.
AS_IT_IS: Final = 0
TIME: Final = 1
DATE: Final = 2
ACCOUNT_NAME: Final = 3
ASSET_NAME: Final = 4
TRADE_ID: Final = 5
IN_ASSET: Final = 6  # an amount of the event's own asset
IN_SIZE: Final = 7  # an amount of what its order is sized in
IN_RESERVE: Final = 8  # an amount of what its order reserves
PRICE: Final = 9
LEGS: Final = 10
ORDER_IDS: Final = 11
SIDE: Final = 12
KIND: Final = 13
ROLE: Final = 14
FLAGS: Final = 15
ACCOUNT_STATUS: Final = 16
TRADING_STATUS: Final = 17
TRADE_STATUS: Final = 18
PREREQUISITE: Final = 19
VERDICT: Final = 20
SCOPE: Final = 21
LEVERAGE: Final = 22

_NAMES: Final[dict[int, tuple[str, ...]]] = {
    SIDE: codes.SIDE_NAMES,
    KIND: codes.SIZE_KIND_NAMES,
    ROLE: codes.ROLE_NAMES,
    ACCOUNT_STATUS: codes.ACCOUNT_STATUS_NAMES,
    TRADING_STATUS: codes.TRADING_STATUS_NAMES,
    TRADE_STATUS: tuple(name.lower() for name in TRADE_STATUS_NAMES),
    PREREQUISITE: codes.PREREQUISITE_NAMES,
    VERDICT: codes.VERDICT_NAMES,
    SCOPE: codes.SCOPE_NAMES,
}

_SHOWN: Final[dict[type, dict[str, int]]] = {
    venue.AssetDefined: {"name": AS_IT_IS, "scale": AS_IT_IS},
    venue.MarketDefined: {"symbol": AS_IT_IS, "title": AS_IT_IS, "status": TRADING_STATUS},
    venue.VenueOpened: {"name": AS_IT_IS},
    venue.MarketChanged: {"status": TRADING_STATUS},
    venue.AccountOpened: {"role": ROLE, "owner": AS_IT_IS, "flags": FLAGS},
    venue.Transferred: {
        "payer": ACCOUNT_NAME,
        "payee": ACCOUNT_NAME,
        "asset": ASSET_NAME,
        "amount": IN_ASSET,
        "reference": AS_IT_IS,
    },
    venue.AccountChanged: {"status": ACCOUNT_STATUS, "flags": FLAGS, "owner": AS_IT_IS},
    venue.LeverageChanged: {"leverage": LEVERAGE},
    venue.OrderPlaced: {"side": SIDE, "kind": KIND, "size": IN_SIZE, "reserved": IN_RESERVE, "due": TIME},
    venue.OrderWaiting: {"prerequisite": PREREQUISITE, "deadline": TIME},
    venue.OrderOpened: {"due": TIME},
    venue.ExecutionFailed: {"reason": AS_IT_IS, "due": TIME},
    venue.OrderFilled: {
        "verdict": VERDICT,
        "released": IN_SIZE,
        "voided": IN_RESERVE,
        "reason": AS_IT_IS,
        "request": AS_IT_IS,
    },
    venue.OrderCancelled: {"reason": AS_IT_IS, "released": IN_SIZE, "voided": IN_RESERVE, "request": AS_IT_IS},
    venue.OrderExpired: {"released": IN_SIZE, "voided": IN_RESERVE},
    venue.OrderRefused: {"code": AS_IT_IS, "detail": AS_IT_IS, "names": AS_IT_IS},
    venue.OrderSettled: {},
    venue.PrerequisiteCleared: {"prerequisite": PREREQUISITE, "then": PREREQUISITE, "deadline": TIME},
    venue.OrderTriggered: {"price": PRICE, "reserved": IN_RESERVE},
    venue.OrderRested: {"due": TIME},
    venue.OrdersReached: {"price": PRICE, "orders": ORDER_IDS, "due": TIME},
    venue.TradeMade: {
        "trade": TRADE_ID,
        "status": TRADE_STATUS,
        "price": PRICE,
        "legs": LEGS,
        "value_date": DATE,
        "due": TIME,
    },
    venue.TradeConfirmed: {"trade": TRADE_ID, "due": TIME},
    venue.TradeReverted: {"trade": TRADE_ID},
    venue.TradeSettled: {"trade": TRADE_ID},
    venue.SettlementFailed: {"trade": TRADE_ID, "reason": AS_IT_IS, "due": TIME},
    venue.CancelRequested: {"request": AS_IT_IS, "scope": SCOPE, "orders": ORDER_IDS, "reason": AS_IT_IS},
    venue.CancelRefused: {"request": AS_IT_IS, "reason": AS_IT_IS, "name": AS_IT_IS},
    venue.CancelFinished: {"request": AS_IT_IS},
}

_EVENT_NAMES: Final = {kind: re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower() for kind in _SHOWN}


class Timeline:
    """Renders one venue's entries."""

    def __init__(self, desk: Desk) -> None:
        self._desk: Final = desk
        self._show: Final[dict[int, Callable[[Any, Any], Any]]] = {
            AS_IT_IS: lambda value, event: value,
            TIME: lambda value, event: instant(value),
            DATE: lambda value, event: date_text(value),
            ACCOUNT_NAME: lambda value, event: desk.state.accounts[value].name,
            ASSET_NAME: lambda value, event: desk.state.assets[value].name,
            TRADE_ID: lambda value, event: desk.trade_ids.text(value),
            IN_ASSET: lambda value, event: render(value, desk.state.assets[event.asset].scale),
            IN_SIZE: self._in_size,
            IN_RESERVE: self._in_reserve,
            PRICE: lambda value, event: render(value, self._market(event).price_scale),
            LEGS: self._legs,
            ORDER_IDS: lambda value, event: [desk.order_ids.text(number) for number in value],
            FLAGS: lambda value, event: flag_names(value),
            LEVERAGE: lambda value, event: render(value, RATE_SCALE),
        }

    def entry(self, entry: Entry, order: int = 0) -> wire.Entry:
        """What happened by it; of an ``order`` alone, when its number is given.

        What carries out a request made before says ``by`` whom that was and in what ``words``, as long as it is known.
        """
        cause = entry.cause
        asked = {} if cause.by else self._asked(entry)
        return wire.Entry(
            sequence=entry.sequence,
            time=instant(entry.time),
            cause=cause.kind,
            by=cause.by,
            reason=cause.reason,
            events=[
                self._event(event, entry.time + at) | (asked if getattr(event, "request", 0) else {})
                for at, event in enumerate(entry.events)
                if not order or _is_about(event, order)
            ],
        )

    def ending(self, entry: Entry, order: int) -> wire.Ending | None:
        """How the order ended, if it did by this entry."""
        for at, event in enumerate(entry.events):
            if event.order == order and isinstance(event, OrderFilled | OrderCancelled | OrderExpired):
                verdict = codes.VERDICT_NAMES[event.verdict] if isinstance(event, OrderFilled) else None
                status = _EVENT_NAMES[type(event)].removeprefix("order_")
                reason: str = getattr(event, "reason", "")
                request: int = getattr(event, "request", 0)
                return wire.Ending(status, verdict, reason or None, request or None, instant(entry.time + at))
        return None

    def cause_at(self, time: int) -> Cause:
        """The cause of the entry in which something happened at ``time``."""
        index = self._desk.index
        return index.entry(index.since(time + 1) - 1).cause

    def _asked(self, entry: Entry) -> dict[str, str]:
        """By which operator the request was made that is carried out here; an entry carries out one at most."""
        number = max((getattr(event, "request", 0) for event in entry.events), default=0)
        request = self._desk.state.requests.get(number)
        if request is None:
            return {}
        cause = self.cause_at(request.made)
        return {"by": cause.by, "words": cause.reason} if cause.by else {}

    def _event(self, event: Any, time: int) -> dict[str, Any]:
        state = self._desk.state
        shown: dict[str, Any] = {"event": _EVENT_NAMES[type(event)], "time": instant(time)}
        if event.account:
            shown["account"] = state.accounts[event.account].name
        if event.order:
            shown["order"] = self._desk.order_ids.text(event.order)
        if event.market:
            shown["market"] = state.markets[event.market].name
        for name, kind in _SHOWN[type(event)].items():
            value = getattr(event, name)
            if value not in (0, "", ()) or kind in (FLAGS, IN_SIZE, IN_RESERVE, TRADE_STATUS):
                shown[name] = _NAMES[kind][value] if kind in _NAMES else self._show[kind](value, event)
        return shown

    def _market(self, event: Any) -> Market:
        return self._desk.state.markets[event.market]

    def _placed(self, event: Any) -> OrderPlaced:
        """The terms of the event's order."""
        if isinstance(event, OrderPlaced):
            return event
        found = self._desk.find(event.order)
        assert found is not None, f"order {event.order} is nowhere"
        terms: OrderPlaced = found.order.terms
        return terms

    def _in_size(self, value: int, event: Any) -> str:
        market = self._market(event)
        in_cash = self._placed(event).kind == codes.CASH
        return render(value, market.currency.scale if in_cash else market.unit.scale)

    def _in_reserve(self, value: int, event: Any) -> str:
        return render(value, self._desk.state.assets[self._placed(event).reserve_asset].scale)

    def _legs(self, legs: tuple[venue.Leg, ...], event: Any) -> list[wire.Leg]:
        market = self._market(event)
        cash = market.currency.scale
        return [
            wire.Leg(
                order=self._desk.order_ids.text(leg.order),
                account=self._desk.state.accounts[leg.account].name,
                quantity=render(leg.quantity, market.unit.scale),
                notional=render(leg.notional, cash),
                fee=render(leg.fee, cash),
            )
            for leg in legs
        ]


def _is_about(event: Any, order: int) -> bool:
    """Also one that has the order among others: a trade's leg, a cancel request's scope."""
    if event.order == order:
        return True
    if isinstance(event, venue.CancelRequested | venue.OrdersReached):
        return order in event.orders
    return isinstance(event, venue.TradeMade) and any(leg.order == order for leg in event.legs)
