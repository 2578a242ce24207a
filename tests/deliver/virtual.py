"""Couriers in virtual time: a feed in memory, endpoints that answer as they are told, and a clock that is turned.

Nothing waits for the wall. What is recorded is recorded at once, in a real file.
"""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from tallystick.deliver import deliveries
from tallystick.deliver.addresses import Target
from tallystick.deliver.book import Book
from tallystick.deliver.courier import Courier, Means, Policy
from tallystick.deliver.endpoints import Endpoints
from tallystick.deliver.feed import Happening, Page, PositionUnknown, Sink
from tallystick.deliver.hub import Hub
from tallystick.deliver.records import Delivery, Endpoint
from tallystick.deliver.schedule import SECOND, Outcome
from tallystick.deliver.sealing import Sealer
from tallystick.deliver.service import delivery_ids

BEGIN = 1_800_000_000 * SECOND
SECRET = bytes(32)
SETTLE_TURNS = 60


class VirtualClock:
    def __init__(self) -> None:
        self._now = BEGIN
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._made = 0
        self.activity = 0

    def now(self) -> int:
        return self._now

    def wall(self) -> int:
        return self._now

    async def wait(self, event: asyncio.Event, until: int) -> None:
        reached = self._at(until) if until else asyncio.get_running_loop().create_future()
        told = asyncio.ensure_future(event.wait())
        try:
            await asyncio.wait((reached, told), return_when=asyncio.FIRST_COMPLETED)
        finally:
            reached.cancel()
            told.cancel()

    async def sleep(self, seconds: float) -> None:
        await self._at(self._now + int(seconds * SECOND))

    async def advance(self, seconds: float) -> None:
        """Let so much time pass; everything that falls due happens when it does."""
        until = self._now + int(seconds * SECOND)
        while True:
            await self.settle()
            while self._waiting and self._waiting[0][2].done():
                heapq.heappop(self._waiting)
            if not self._waiting or self._waiting[0][0] > until:
                break
            due, _, future = heapq.heappop(self._waiting)
            self._now = max(self._now, due)
            future.set_result(None)
        self._now = until
        await self.settle()

    def _at(self, until: int) -> "asyncio.Future[None]":
        self._made += 1
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (until, self._made, future))
        return future

    async def settle(self) -> None:
        """Return when nothing more happens by itself."""
        before = -1
        while before != self.activity:
            before = self.activity
            for _ in range(SETTLE_TURNS):
                await asyncio.sleep(0)


class MemoryFeed:
    """Happenings of anybody, made by the test."""

    def __init__(self) -> None:
        self.happenings: list[Happening] = []
        self._sinks: list[Sink] = []

    def happen(self, owner: str, name: str = "order.placed", group: str = "", time: int = BEGIN) -> Happening:
        number = len(self.happenings) + 1
        body = b'{"id":"evt_%d","group":"%b"}' % (number, group.encode())
        made = Happening(number, f"evt_{number}", name, group or f"ord_{number}", group, owner, time, body)
        self.happenings.append(made)
        for sink in self._sinks:
            if sink.wants(owner):
                sink.take(made)
        return made

    def newest(self) -> int:
        return len(self.happenings)

    def position(self, text: str) -> int:
        number = int(text.rpartition("_")[2]) if text.rpartition("_")[2].isdigit() else -1
        if not 0 <= number <= self.newest():
            raise PositionUnknown
        return number

    def text(self, position: int) -> str:
        return f"cur_{position}"

    def position_at(self, time: int) -> int:
        return sum(each.time < time for each in self.happenings)

    async def page(self, owner: str | None, after: int, limit: int) -> Page:
        newest = self.newest()
        behind = (self.happenings[number] for number in range(after, newest))
        found = list(islice((each for each in behind if owner in (None, each.owner)), limit))
        await asyncio.sleep(0)
        return Page(found, found[-1].position if len(found) == limit else newest)

    def attach(self, sink: Sink) -> None:
        self._sinks.append(sink)


class AtOnce:
    """A recorder without a thread."""

    def __init__(self, book: Book, clock: VirtualClock) -> None:
        self._book = book
        self._clock = clock

    def do(self, change: Callable[[Any], Any]) -> "asyncio.Future[Any]":
        self._clock.activity += 1
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        future.set_result(self._book.change(change))
        return future


class Attempted:
    """One attempt as an endpoint saw it."""

    def __init__(self, at: int, url: str, headers: dict[str, str], body: bytes) -> None:
        self.at = at
        self.url = url
        self.headers = headers
        self.body = body
        self.event = headers.get("Event-Id", "")


class World:
    """``answer`` says what an attempt comes to: a status, or an Outcome, maybe after a while."""

    def __init__(
        self,
        folder: Path,
        policy: Policy | None = None,
        answer: Callable[[Attempted], Any] = lambda _attempted: 200,
        book: str = "deliveries.db",
    ) -> None:
        self.clock = VirtualClock()
        self.feed = MemoryFeed()
        self.answer = answer
        self.attempts: list[Attempted] = []
        self.book = Book(folder / book)
        self.book._connection.execute("PRAGMA synchronous = OFF")
        self.endpoints = Endpoints(Sealer())
        self.hub = Hub(self.feed)
        self.couriers: dict[int, tuple[Courier, asyncio.Task[None]]] = {}
        self.means = Means(
            self.hub,
            self.endpoints,
            AtOnce(self.book, self.clock),  # type: ignore[arg-type]
            self,
            self.clock,
            delivery_ids(SECRET),
            policy or Policy(),
            self._notice,
            lambda: 0.0,
            lambda: None,
        )

    def endpoint(self, owner: str = "demo", ordering: str = "none", url: str = "https://example.com/") -> Endpoint:
        position, now = self.feed.newest(), self.clock.now()
        return self.book.change(lambda each: self.endpoints.add(each, owner, url, "", ordering, position, now))

    def start(self) -> None:
        """A courier for each active endpoint that has none, and what was asked for to those that have one."""
        for endpoint in self.book.read(self.endpoints.active):
            if endpoint.number in self.couriers:
                self.couriers[endpoint.number][0].heed(endpoint)
                continue
            courier = Courier(endpoint, self.means)
            self.couriers[endpoint.number] = courier, asyncio.ensure_future(courier.run())
        for delivery in self.book.read(deliveries.asked_for):
            if delivery.endpoint in self.couriers:
                self.couriers[delivery.endpoint][0].add(delivery.number)

    async def stop(self) -> None:
        """As a crash: attempts that are under way are forgotten."""
        for courier, task in self.couriers.values():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await courier.end(0)
        self.couriers.clear()

    async def post(self, target: Target, headers: Sequence[tuple[str, str]], body: bytes) -> Outcome:
        attempted = Attempted(self.clock.now(), target.host, dict(headers), body)
        self.attempts.append(attempted)
        answer = self.answer(attempted)
        if isinstance(answer, Awaitable):
            answer = await answer
        return answer if isinstance(answer, Outcome) else Outcome(answer, 1000)

    def deliveries(self, endpoint: Endpoint) -> list[Delivery]:
        return self.book.read(lambda each: deliveries.between(each, endpoint.number, 0, 1 << 62, 10**6, True))

    def now_of(self, endpoint: Endpoint) -> Endpoint:
        return self.book.read(lambda each: self.endpoints.get(each, endpoint.owner, endpoint.number))

    def _notice(self, endpoint: Endpoint, reason: str, now: int) -> Happening:
        body = b'{"name":"webhook.disabled","reason":"%b"}' % reason.encode()
        return Happening(0, f"evt_notice_{endpoint.number}", "webhook.disabled", "", "", endpoint.owner, now, body)


def run(scene: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(scene(), 60))  # type: ignore[arg-type]
