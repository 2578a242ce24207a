"""The connector to a paper venue. Both live in one process, so a call takes the place of a request."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import Any, Final

from tallystick.connect.errors import Ambiguous, NotSent, NotThere, RateLimited, Refused, Unreadable
from tallystick.connect.port import ORDERS, Capabilities, Context, Live, Order, StreamItem
from tallystick.connect.trading_rules import TradingRule
from tallystick.core.lifecycle import CANCELLED, DONE, FILLED, OPEN, REQUESTED
from tallystick.facts.codes import LIMIT_ORDER, MARKET_ORDER
from tallystick.testing.paper import LATE_SECONDS, RULE, PaperOrder, PaperVenue
from tallystick.testing.subject import Subject
from tallystick.tracker.observations import (
    ANSWER,
    SNAPSHOT,
    STREAM,
    SUBMIT,
    UNKNOWN_STATUS,
    CancelReport,
    FillReport,
    Observation,
    OpenOrders,
    OrderReport,
    Position,
)

HANG_SECONDS: Final = 3000.0
LATE_US: Final = 3_600_000_000
CANCEL_SECONDS: Final = 1.0


class PaperConnector:
    """See Connector. ``capabilities`` may be changed by keyword."""

    def __init__(self, venue: PaperVenue, name: str = "paper", **capabilities: Any) -> None:
        self.name: Final = name
        self.venue: Final = venue
        declared: dict[str, Any] = {
            "order_types": (MARKET_ORDER, LIMIT_ORDER),
            "requests_per_second": 1000.0,
            "burst": 1000.0,
            "quiet_seconds": 1000.0,
        }
        self.capabilities: Final = Capabilities(**declared | capabilities)
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
        sent_at = self.now
        await self._asked("place")
        answers: list[Observation] = []
        for order in orders:
            answers += await self._place(order, sent_at)
        return await self._answered(answers)

    async def cancel(self, orders: Sequence[Order]) -> Sequence[Observation]:
        sent_at = self.now
        await self._asked("cancel")
        said: list[Observation] = []
        for order in orders:
            said.append(self._cancel(order, sent_at))
            if self.venue.tells_amounts:
                said.append(self.report(self.venue.orders[order.client_id], ANSWER, sent_at))
        return await self._answered(said)

    async def fetch_order(self, order: Order) -> Sequence[Observation]:
        asked_at = self.now
        await self._asked("fetch_order")
        found = self.venue.orders.get(order.client_id)
        if found is None:
            raise NotThere("not_found")
        return await self._answered([*self.fills(found, ANSWER, asked_at), self.report(found, ANSWER, asked_at)])

    async def fetch_fills(self, order: Order) -> Sequence[Observation]:
        asked_at = self.now
        await self._asked("fetch_fills")
        return await self._answered(self.fills(self.venue.orders[order.client_id], ANSWER, asked_at))

    async def open_orders(self) -> OpenOrders:
        asked_at = self.now
        await self._asked("open_orders")
        open_now = [order for order in self.venue.orders.values() if order.status < FILLED]
        reports = [self.report(order, SNAPSHOT, asked_at) for order in open_now]
        fills = [fill for order in open_now for fill in self.fills(order, SNAPSHOT, asked_at)]
        await self._answered([])
        return OpenOrders(self.number, asked_at, reports, fills, fills_complete=False)

    async def stream(self, position: str) -> AsyncIterator[StreamItem]:
        """``position`` counts what was said; with ``resumes`` it is gone on from, else nothing is repeated."""
        await self._asked("stream")
        venue = self.venue
        woken = asyncio.Event()
        venue.followers.append(woken)
        begun = venue.position
        at = int(position) if position and self.capabilities.resumes else len(venue.said)
        try:
            yield Live()
            while True:
                woken.clear()
                while at < len(venue.said) and venue.position == begun and not venue.is_down:
                    order, what = venue.said[at]
                    at += 1
                    if venue.is_garbled:
                        venue.is_garbled = False
                        raise Unreadable("half a message")
                    for each in self.message(order, what):
                        yield each
                    yield Position(self.number, ORDERS, str(at))
                if venue.position != begun or venue.is_down:
                    raise Ambiguous("the line is dead")
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

    def message(self, order: PaperOrder, what: str) -> list[Observation]:
        """What the stream says of an order, or of one of its trades."""
        if what == "order":
            return [self.report(order, STREAM, self.now)]
        return [fill for fill in self.fills(order, STREAM, self.now) if fill.trade == what]

    def report(self, order: PaperOrder, origin: int, as_of: int) -> OrderReport:
        client_id = "" if origin == STREAM else order.client_id
        status = UNKNOWN_STATUS if order.word else order.status
        return OrderReport(self.number, client_id, order.venue_id, as_of, origin, status, order.filled, word=order.word)

    def fills(self, order: PaperOrder, origin: int, as_of: int) -> list[FillReport]:
        return [
            FillReport(
                self.number,
                "",
                order.venue_id,
                as_of,
                origin,
                fill.trade,
                fill.size,
                fill.size,
                fill.size * fill.price // 1000,
                fill.price,
                1,
                "USD",
                2,
                state=fill.state,
            )
            for fill in order.fills
        ]

    async def _asked(self, what: str) -> None:
        """The request arrives, if it does."""
        if self.is_crashed:
            raise Ambiguous("there is no such process")
        self.venue.requests.append(what)
        if self.venue.delay:
            await asyncio.sleep(self.venue.delay)
        if self.venue.is_down:
            raise NotSent("connection refused") if what == "start" else Ambiguous("no answer")

    async def _answered(self, answer: Sequence[Observation]) -> Sequence[Observation]:
        """The answer arrives, as it was when it was given."""
        if self.venue.answer_delay:
            await asyncio.sleep(self.venue.answer_delay)
        return answer

    async def _place(self, order: Order, sent_at: int) -> list[Observation]:
        venue = self.venue
        word = venue.script.popleft() if venue.script else "accept"
        if venue.on_place is not None:
            venue.on_place(order)
        self._fail_before(word, order)
        made = venue.add(order.client_id, order.terms.size, order.terms.price)
        if word == "lost":
            raise Ambiguous("timeout")
        if word == "garbled":
            raise Unreadable("half an answer")
        if word == "hang":
            await asyncio.sleep(HANG_SECONDS)
        if word == "nonsense":
            return [OrderReport(99, order.client_id, "v0", -5, 77, 1000), "what?"]  # type: ignore[list-item]
        # That it was taken is what the answer says, however much further the order is by then.
        return [OrderReport(self.number, order.client_id, made.venue_id, sent_at, SUBMIT, OPEN)]

    def _fail_before(self, word: str, order: Order) -> None:
        """Raise what keeps the order from being taken now, if the word says so."""
        if word == "late":
            terms = order.terms
            loop = asyncio.get_running_loop()
            loop.call_later(LATE_SECONDS, self.venue.add, terms.client_id, terms.size, terms.price)
        if word in ("swallowed", "late"):
            raise Ambiguous("timeout")
        if word == "unsent":
            raise NotSent("connection refused")
        if word == "refuse":
            raise Refused("insufficient_funds", "there is not enough")
        if word == "limited":
            raise RateLimited("slow down", self.venue.retry_after)
        if word == "crash":
            raise KeyError("a bug")

    def _cancel(self, order: Order, sent_at: int) -> Observation:
        venue = self.venue
        word = venue.cancels.popleft() if venue.cancels else "done"
        if word == "not-there":
            raise NotThere("unknown_order")
        if word == "refuse":
            raise Refused("too_late_to_cancel")
        if word == "swallowed":
            raise Ambiguous("timeout")
        if word == "crash":
            raise KeyError("a bug")
        found = venue.orders.get(order.client_id)
        if found is None:
            raise NotThere("unknown_order")
        if found.status >= FILLED:
            raise Refused("order_closed")
        if word == "request":
            asyncio.get_running_loop().call_later(CANCEL_SECONDS, venue.end_if_open, order.client_id)
        else:
            found.status = CANCELLED
        if word == "lost":
            raise Ambiguous("timeout")
        outcome = REQUESTED if word == "request" else DONE
        return CancelReport(self.number, order.client_id, order.venue_id, sent_at, ANSWER, outcome)


def paper() -> Subject:
    """The paper venue and its connector, with all that they can do, as a subject of the conformance kit."""
    venue = PaperVenue()

    def connect() -> PaperConnector:
        return venue.connector(resumes=True, late_us=LATE_US, place_batch_max=3, cancel_batch_max=3)

    return Subject(connect, venue, market=RULE.name, amount=Decimal(10), price=Decimal(10))
