"""A venue in memory and its connector, for tests: it does what it is told to, right or wrong.

``script`` says what becomes of the next requests to place, one word each: accept (the default), refuse, lost (it
arrives, the answer does not), swallowed (neither arrives), late (it arrives after the answer was given up), unsent,
limited, hang, nonsense, crash.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import Any

from tallystick.connect.errors import Ambiguous, NotSent, NotThere, RateLimited, Refused, Unreadable
from tallystick.connect.port import ORDERS, Capabilities, Context, Live, Order, StreamItem
from tallystick.connect.trading_rules import TradingRule
from tallystick.core.lifecycle import CANCELLED, DONE, FILLED, OPEN
from tallystick.facts.codes import LIMIT_ORDER, MARKET_ORDER
from tallystick.tracker.observations import (
    ANSWER,
    SNAPSHOT,
    STREAM,
    SUBMIT,
    CancelReport,
    FillReport,
    Observation,
    OpenOrders,
    OrderReport,
    Position,
)

RULE = TradingRule(
    "ACME-USD",
    "acme",
    "ACME",
    "USD",
    price_scale=2,
    unit_scale=3,
    cash_scale=2,
    price_increment=5,
    unit_increment=10,
    units_min=100,
    units_max=1_000_000,
    notional_min=500,
)


class PaperOrder:
    def __init__(self, client_id: str, venue_id: str, size: int) -> None:
        self.client_id = client_id
        self.venue_id = venue_id
        self.size = size
        self.status = OPEN
        self.fills: list[tuple[str, int, int]] = []

    @property
    def filled(self) -> int:
        return sum(size for _, size, _ in self.fills)


class PaperVenue:
    """``requests`` counts what it was asked, by name. While ``is_down`` nothing is answered; while ``is_mute`` its
    stream says nothing of what happens."""

    def __init__(self) -> None:
        self.orders: dict[str, PaperOrder] = {}
        self.script: deque[str] = deque()
        self.cancels: deque[str] = deque()
        self.requests: list[str] = []
        self.is_down = False
        self.is_mute = False
        self.delay = 0.0
        self.tells_amounts = False  # whether the answer to a cancel says how much was filled
        self.said: list[tuple[PaperOrder, str]] = []
        self.followers: list[asyncio.Event] = []
        self.position = 0
        self.on_place: Any = None

    def add(self, client_id: str, size: int) -> PaperOrder:
        known = self.orders.get(client_id)
        if known is None:
            known = self.orders[client_id] = PaperOrder(client_id, f"v{len(self.orders) + 1}", size)
            self.say(known, "order")
        return known

    def fill(self, client_id: str, size: int, price: int = 1000) -> None:
        order = self.orders[client_id]
        trade = f"{order.venue_id}-{len(order.fills) + 1}"
        order.fills.append((trade, size, price))
        self.say(order, trade)
        if order.filled >= order.size and order.status == OPEN:
            order.status = FILLED
            self.say(order, "order")

    def end(self, client_id: str, status: int = CANCELLED) -> None:
        self.orders[client_id].status = status
        self.say(self.orders[client_id], "order")

    def end_if_open(self, client_id: str) -> None:
        if self.orders[client_id].status == OPEN:
            self.end(client_id)

    def say(self, order: PaperOrder, what: str) -> None:
        if self.is_mute:
            return
        self.said.append((order, what))
        self.wake()

    def break_streams(self) -> None:
        """Whoever follows is cut off, and what happened in between is not repeated."""
        self.position += 1
        self.wake()

    def wake(self) -> None:
        for follower in self.followers:
            follower.set()


class PaperConnector:
    """See Connector. ``capabilities`` may be changed by keyword."""

    def __init__(self, venue: PaperVenue, name: str = "paper", **capabilities: Any) -> None:
        self.name = name
        self.venue = venue
        self.capabilities = Capabilities(
            **{
                "order_types": (MARKET_ORDER, LIMIT_ORDER),
                "requests_per_second": 1000.0,
                "burst": 1000.0,
                "quiet_seconds": 1000.0,
                **capabilities,
            }
        )
        self.context: Context | None = None
        self.is_crashed = False  # its process is gone: nothing that it does reaches the venue any more

    async def start(self) -> None:
        await self._asked("start")

    async def close(self) -> None:
        self.venue.requests.append("close")

    async def markets(self) -> Sequence[TradingRule]:
        return [RULE]

    def enter(self, context: Context) -> None:
        self.context = context

    def identify(self, order: Order) -> str:
        return ""

    async def place(self, orders: Sequence[Order]) -> Sequence[Observation]:
        await self._asked("place")
        answers: list[Observation] = []
        for order in orders:
            answers += await self._place(order)
        return answers

    async def cancel(self, orders: Sequence[Order]) -> Sequence[Observation]:
        await self._asked("cancel")
        said: list[Observation] = []
        for order in orders:
            said.append(self._cancel(order))
            if self.venue.tells_amounts:
                said.append(self.report(self.venue.orders[order.client_id], ANSWER, self.now))
        return said

    async def fetch_order(self, order: Order) -> Sequence[Observation]:
        asked_at = self.now
        await self._asked("fetch_order")
        found = self.venue.orders.get(order.client_id)
        if found is None:
            raise NotThere("not_found")
        return [*self.fills(found, ANSWER, asked_at), self.report(found, ANSWER, asked_at)]

    async def fetch_fills(self, order: Order) -> Sequence[Observation]:
        asked_at = self.now
        await self._asked("fetch_fills")
        return self.fills(self.venue.orders[order.client_id], ANSWER, asked_at)

    async def open_orders(self) -> OpenOrders:
        asked_at = self.now
        await self._asked("open_orders")
        open_now = [order for order in self.venue.orders.values() if order.status < FILLED]
        reports = [self.report(order, SNAPSHOT, asked_at) for order in open_now]
        fills = [fill for order in open_now for fill in self.fills(order, SNAPSHOT, asked_at)]
        return OpenOrders(self.number, asked_at, reports, fills, fills_complete=False)

    async def stream(self, position: str) -> AsyncIterator[StreamItem]:
        await self._asked("stream")
        venue = self.venue
        woken = asyncio.Event()
        venue.followers.append(woken)
        begun, at = venue.position, len(venue.said)
        try:
            yield Live()
            while True:
                while at < len(venue.said):
                    order, what = venue.said[at]
                    at += 1
                    if what == "order":
                        yield self.report(order, STREAM, self.now)
                    else:
                        for fill in self.fills(order, STREAM, self.now):
                            if fill.trade == what:
                                yield fill
                    yield Position(self.number, ORDERS, str(at))
                if venue.position != begun or venue.is_down:
                    raise Ambiguous("the line is dead")
                woken.clear()
                await woken.wait()
        finally:
            venue.followers.remove(woken)

    # --- Words --------------------------------------------------------------------------------------------------------

    @property
    def number(self) -> int:
        assert self.context is not None
        return self.context.venue

    @property
    def now(self) -> int:
        assert self.context is not None
        return self.context.now()

    def report(self, order: PaperOrder, origin: int, as_of: int) -> OrderReport:
        client_id = "" if origin == STREAM else order.client_id
        return OrderReport(self.number, client_id, order.venue_id, as_of, origin, order.status, order.filled)

    def fills(self, order: PaperOrder, origin: int, as_of: int) -> list[FillReport]:
        return [
            FillReport(
                self.number,
                "",
                order.venue_id,
                as_of,
                origin,
                trade,
                size,
                size,
                size * price // 1000,
                price,
                1,
                "USD",
                2,
            )
            for trade, size, price in order.fills
        ]

    async def _asked(self, what: str) -> None:
        if self.is_crashed:
            raise Ambiguous("there is no such process")
        self.venue.requests.append(what)
        if self.venue.delay:
            await asyncio.sleep(self.venue.delay)
        if self.venue.is_down:
            raise NotSent("connection refused") if what == "start" else Ambiguous("no answer")

    async def _place(self, order: Order) -> list[Observation]:
        venue = self.venue
        word = venue.script.popleft() if venue.script else "accept"
        as_of = self.now
        if venue.on_place is not None:
            venue.on_place(order)
        if word == "late":
            asyncio.get_running_loop().call_later(20.0, venue.add, order.client_id, order.terms.size)
        if word in ("swallowed", "late"):
            raise Ambiguous("timeout")
        if word == "unsent":
            raise NotSent("connection refused")
        if word == "refuse":
            raise Refused("insufficient_funds", "there is not enough")
        if word == "limited":
            raise RateLimited("slow down", 5.0)
        if word == "crash":
            raise KeyError("a bug")
        made = venue.add(order.client_id, order.terms.size)
        if word == "lost":
            raise Unreadable("half an answer")
        if word == "hang":
            await asyncio.sleep(3000)
        if word == "nonsense":
            return [OrderReport(99, order.client_id, "v0", -5, 77, 1000), "what?"]  # type: ignore[list-item]
        return [self.report(made, SUBMIT, as_of)]

    def _cancel(self, order: Order) -> Observation:
        venue = self.venue
        word = venue.cancels.popleft() if venue.cancels else "done"
        if word == "not-there":
            raise NotThere("unknown_order")
        if word == "refuse":
            raise Refused("too_late_to_cancel")
        if word == "lost":
            raise Ambiguous("timeout")
        if word == "crash":
            raise KeyError("a bug")
        found = venue.orders.get(order.client_id)
        if found is None:
            raise NotThere("unknown_order")
        if found.status >= FILLED:
            raise Refused("order_closed")
        outcome = DONE
        if word == "request":
            outcome = 0
            asyncio.get_running_loop().call_later(1.0, venue.end_if_open, order.client_id)
        else:
            found.status = CANCELLED
        return CancelReport(self.number, order.client_id, order.venue_id, self.now, ANSWER, outcome)
