"""One life of the sender: the real couriers, hub and file, and a recorder that dies at any moment; time is virtual."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final, cast

from tallystick.core.ids import IdCodec
from tallystick.deliver import deliveries
from tallystick.deliver.addresses import Reach
from tallystick.deliver.book import Book
from tallystick.deliver.courier import Carrier, Courier, Means, Policy
from tallystick.deliver.endpoints import Endpoints
from tallystick.deliver.feed import Feed
from tallystick.deliver.hub import Hub
from tallystick.deliver.reading import HubSource
from tallystick.deliver.recorder import Recorder
from tallystick.deliver.records import Endpoint
from tallystick.deliver.service import Notice
from tallystick.simulate.process import Parts, Process
from tallystick.simulate.violation import Violation

COMMIT_SECONDS: Final = (0.0, 0.0, 0.001, 0.2)

Change = Callable[[Any], Any]


class DeliveryParts(Parts):
    """What sending is made of beside a process. A test that plants a fault puts something else in a part's place."""

    def feed(self, feed: Feed, process: Process) -> Feed:
        return feed

    def source(self, hub: Hub) -> HubSource:
        return HubSource(hub)

    def courier(self, endpoint: Endpoint, means: Means) -> Courier:
        return Courier(endpoint, means)


class LoopClock:
    """deliver.clock.Clock by a loop whose time is virtual."""

    def __init__(self, now: Callable[[], int]) -> None:
        self.now: Final = now
        self.wall: Final = now

    async def wait(self, event: asyncio.Event, until: int) -> None:
        """See Clock.wait."""
        try:
            async with asyncio.timeout(max(0.0, (until - self.now()) / 1_000_000) if until else None):
                await event.wait()
        except TimeoutError:
            return


class MortalRecorder:
    """Changes are carried out one by one, each a transaction, after a while; some never, or without telling anybody."""

    def __init__(self, book: Book, random: Random) -> None:
        self._book: Final = book
        self._random: Final = random
        self._waiting: Final[list[tuple[Change, asyncio.Future[Any]]]] = []
        self._task: asyncio.Task[None] | None = None

    def do(self, change: Change) -> "asyncio.Future[Any]":
        """See Recorder.do."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._waiting.append((change, future))
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._commit())
        return future

    def die(self) -> None:
        """What waits is lost, but maybe for the first, of which nobody hears."""
        if self._task is not None:
            self._task.cancel()
        if self._waiting and self._random.random() < 0.5:
            self._book.change(self._waiting[0][0])
        self._waiting.clear()

    async def _commit(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._random.choice(COMMIT_SECONDS))
            change, future = self._waiting.pop(0)
            result = self._book.change(change)
            if not future.done():
                future.set_result(result)


class Sending:
    """From its making until ``die``. ``look`` after whatever is changed in the book by others."""

    def __init__(
        self,
        parts: DeliveryParts,
        book: Book,
        endpoints: Endpoints,
        feed: Feed,
        carrier: Carrier,
        ids: IdCodec,
        policy: Policy,
        notice: Notice,
        random: Random,
        now: Callable[[], int],
    ) -> None:
        self.hub: Final = Hub(feed)
        self._parts: Final = parts
        self._book: Final = book
        self._endpoints: Final = endpoints
        self._recorder: Final = MortalRecorder(book, random)
        self._couriers: Final[dict[int, tuple[Courier, asyncio.Task[None]]]] = {}
        recorder = cast(Recorder, self._recorder)
        self._means: Final = Means(
            self.hub, endpoints, recorder, carrier, LoopClock(now), ids, policy, notice, random.random, self._changed
        )
        self._is_changed = True

    def look(self) -> None:
        """A courier for each active endpoint, none for another, and what was asked for to those that there are."""
        self._is_changed = False
        active = {each.number: each for each in self._book.read(self._endpoints.active)}
        for number, (courier, task) in list(self._couriers.items()):
            if task.done() and not task.cancelled() and task.exception() is not None:
                raise Violation("unforeseen", f"sending to webhook {number} failed: {task.exception()!r}")
            if number not in active:
                task.cancel()
                del self._couriers[number]
            else:
                courier.heed(active[number])
        for number, endpoint in active.items():
            if number not in self._couriers:
                courier = self._parts.courier(endpoint, self._means)
                self._couriers[number] = courier, asyncio.get_running_loop().create_task(courier.run())
        for delivery in self._book.read(deliveries.asked_for):
            if delivery.endpoint in self._couriers:
                self._couriers[delivery.endpoint][0].add(delivery.number)

    @property
    def is_changed(self) -> bool:
        """Whether a courier changed endpoints since the last look."""
        return self._is_changed

    async def die(self) -> None:
        """At this moment: attempts under way are cut, nothing more is recorded."""
        self._recorder.die()
        for courier, task in self._couriers.values():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await courier.end(0)
        self._recorder.die()

    def _changed(self) -> None:
        self._is_changed = True


def open_book(folder: Path) -> Book:
    """A file for one run, which nobody needs after it."""
    book = Book(folder / "deliveries.db")
    book.change(lambda _connection: None)
    book.read(lambda connection: connection.execute("PRAGMA synchronous = OFF"))
    return book


def policy(patience_us: int) -> Policy:
    """The real schedule; endpoints are anywhere."""
    default = Policy()
    return default._replace(schedule=default.schedule._replace(patience_us=patience_us), reach=Reach(everywhere=True))
