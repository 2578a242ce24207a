"""One case's stage: a client, a faulty link, a connector and its venue, and what a case does with them again and again.

Where nothing waits for a socket all of it lives on a virtual clock; elsewhere times are short and real.
"""

import asyncio
import copy
from collections.abc import Callable
from contextlib import AsyncExitStack
from decimal import Decimal
from random import Random
from typing import Any, Final, NamedTuple, TypeVar

from tallystick.connect.client import Client, Venue, shell_patience
from tallystick.connect.events import (
    TERMINAL,
    OrderCreatedEvent,
    OrderEvent,
    OrderFilledEvent,
    OrderType,
    OrderUpdatedEvent,
)
from tallystick.connect.history import told_since
from tallystick.connect.store import Storage
from tallystick.facts.codes import BUY, LIMIT_ORDER, MARKET_ORDER
from tallystick.journal.memory import MemoryJournal, MemoryStorage
from tallystick.testing.controls import NotOffered, VenueOrder
from tallystick.testing.halves import differences, sentences
from tallystick.testing.link import Link
from tallystick.testing.stories import grammar_faults, text
from tallystick.testing.subject import Subject
from tallystick.tracker.agenda import Patience

T = TypeVar("T")


class Broke(Exception):
    """What does not hold, in a sentence."""


class Pace(NamedTuple):
    """Seconds: to wait for something at most, to see that nothing more happens, between two looks; what Retry-After
    says, how long a venue is down, and how slow one is."""

    wait: float
    still: float
    look: float
    retry: float
    outage: float
    slow: float


VIRTUAL: Final = Pace(600.0, 60.0, 0.05, 5.0, 120.0, 2.0)
REAL: Final = Pace(25.0, 0.5, 0.01, 1.0, 2.5, 0.3)


def _real_patience() -> Patience:
    return Patience(500_000, 200_000, 1_000_000, 200_000, 1_000_000)


class Trial:
    """``told`` is what the client of this run was told, ``link`` what stands between it and the connector."""

    def __init__(self, subject: Subject, seed: int, *, is_virtual: bool) -> None:
        self.subject: Final = subject
        self.controls: Final = subject.controls
        self.seed: Final = seed
        self.pace: Final = VIRTUAL if is_virtual else REAL
        self.told: list[OrderEvent] = []
        self.ids: Final[list[str]] = []
        self.faults: Final[list[str]] = []
        self._is_virtual: Final = is_virtual
        # A venue that goes on from one case to the next must not see the same client ids in both.
        self._random: Final = Random(seed) if is_virtual else None
        self._disk = MemoryStorage()
        self._run = AsyncExitStack()
        self.link: Link
        self.client: Client
        self.venue: Venue

    # --- The client ---------------------------------------------------------------------------------------------------

    async def start(self, *, crash_at: str = "", ready: bool = True) -> None:
        """A process with a client, over what the last one left on disk."""
        self.told = []
        self.link = Link(self.subject.connect(), self.seed)
        self.link.crash_at = crash_at
        self.link.on_crash = self._keep_disk
        patience = shell_patience() if self._is_virtual else _real_patience()
        storage = Storage(None, MemoryJournal(self._disk))
        self.client = await self._run.enter_async_context(
            Client(storage=storage, patience=patience, random=self._random)
        )
        self.client.listen(self.told.append)
        self.venue = await self.client.add(self.link, ready_seconds=self.pace.wait if ready else 0.0)
        if ready and not self.venue.is_ready:
            raise Broke("it did not become ready: its stream gave nothing, or its open orders were not to be had")

    async def stop(self) -> None:
        """The process ends; what the link saw of its connector is kept."""
        await self._run.aclose()
        self._run = AsyncExitStack()
        if hasattr(self, "link"):
            self.faults.extend(self.link.faults)

    async def crashed(self) -> None:
        """Wait until the process has reached where it ends; from then on only what was durable there is left."""
        await self.until(self.link.crashed.is_set, f"the client reaches {self.link.crash_at}")
        kept = self._disk
        await self.stop()
        self._disk = kept

    def _keep_disk(self) -> None:
        self._disk = copy.deepcopy(self._disk)

    # --- Orders -------------------------------------------------------------------------------------------------------

    def place(self, order_type: OrderType | None = None) -> str:
        """The client order id of a new order of the subject's usual size."""
        subject = self.subject
        order_type = order_type or subject.order_type
        if order_type is None:
            types = self.link.capabilities.order_types
            order_type = OrderType.MARKET if MARKET_ORDER in types else OrderType.LIMIT
        price = subject.price if order_type is OrderType.LIMIT else None
        if order_type.value == LIMIT_ORDER and price is None:
            raise NotOffered("the subject names no price for limit orders")
        send = self.venue.buy if subject.side == BUY else self.venue.sell
        order_id = send(subject.market, subject.amount, order_type, price)
        self.ids.append(order_id)
        return order_id

    async def place_open(self, order_type: OrderType | None = None) -> tuple[str, str]:
        """A new order that stays open until something is done: its client order id and the venue's id."""
        if self.controls.fills_by_itself:
            raise NotOffered("it fills every order at once, by itself")
        order_id = self.place(order_type)
        await self.told_created(order_id)
        return order_id, await self.venue_id(order_id)

    async def venue_id(self, order_id: str) -> str:
        """The venue's id, once the client knows it."""
        found = await self.until(lambda: self._id_of(order_id), "the client knows the venue's id")
        if found not in {order.id for order in self.controls.truth()}:
            raise Broke(f"the client takes {found!r} for the venue's id, and the venue has no such order")
        return found

    def _id_of(self, order_id: str) -> str:
        return next((event.exchange_order_id for event in self.story(order_id) if event.exchange_order_id), "")

    def at_venue(self) -> VenueOrder:
        """The newest order that the venue has."""
        truth = self.controls.truth()
        if not truth:
            raise Broke("the order did not reach the venue")
        return truth[-1]

    def fill(self, venue_id: str, share: Decimal = Decimal(1)) -> None:
        self.controls.fill(venue_id, self.subject.units * share)

    def complete(self, venue_id: str) -> None:
        """Fill what is left of it, unless the venue does so by itself."""
        if not self.controls.fills_by_itself:
            (order,) = [each for each in self.controls.truth() if each.id == venue_id]
            self.controls.fill(venue_id, self.subject.units - order.filled)

    # --- What is told -------------------------------------------------------------------------------------------------

    def story(self, order_id: str) -> list[OrderEvent]:
        return [event for event in self.told if event.order_id == order_id]

    def texts(self, order_id: str) -> str:
        return ", ".join(text(event) for event in self.story(order_id)) or "nothing"

    async def until(self, look: Callable[[], T], what: str, seconds: float = 0.0) -> T:
        """What ``look`` gives as soon as that is true. Raises Broke."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (seconds or self.pace.wait)
        while not (found := look()):
            if loop.time() >= deadline:
                told = "; ".join(f"{each} was told {self.texts(each)}" for each in self.ids)
                raise Broke(f"in {seconds or self.pace.wait:g} s it did not come to this: {what}. {told}")
            await asyncio.sleep(self.pace.look)
        return found

    async def told_created(self, order_id: str) -> None:
        await self._told(order_id, OrderCreatedEvent, "Created")

    async def told_filled(self, order_id: str, times: int = 1) -> None:
        await self._told(order_id, OrderFilledEvent, f"{times} Filled", times)

    async def told_end(self, order_id: str, kind: type[OrderEvent]) -> None:
        """It ends, and as this."""
        await self._told(order_id, TERMINAL, kind.__name__)
        if not any(isinstance(event, kind) for event in self.story(order_id)):
            raise Broke(f"it should end with {kind.__name__}, and was told {self.texts(order_id)}")

    async def _told(self, order_id: str, kind: Any, what: str, times: int = 1) -> None:
        await self.until(
            lambda: sum(isinstance(each, kind) for each in self.story(order_id)) >= times, f"it tells {what}"
        )

    async def quiet(self) -> None:
        """Let some time pass."""
        await asyncio.sleep(self.pace.still)

    # --- The end ------------------------------------------------------------------------------------------------------

    async def settle(self, shown: str = "") -> None:
        """The faults stop; then the halves match, stay so, and every story keeps the grammar; the client has set
        nothing aside, but what names ``shown``. Raises Broke."""
        self.controls.calm()
        self.link.calm()
        await self.match()
        await self.quiet()
        await self.match()
        await self._check_stories(shown)

    async def match(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.pace.wait
        while found := self._differences():
            if loop.time() >= deadline:
                raise Broke(f"the halves do not match: {found}")
            await asyncio.sleep(self.pace.look * 10)

    def _differences(self) -> str:
        if not self.venue.is_ready:
            return "the client did not become ready again"
        return sentences(differences(self.client, self.venue, self.controls.truth()))

    async def _check_stories(self, shown: str) -> None:
        store = self.client.store
        told = [each[2] async for each in told_since(store.storage.journal, "", store.state.sequence)]
        faults = grammar_faults(told)
        problems = {event.order_id: event.problems for event in told if isinstance(event, OrderUpdatedEvent)}
        for order_id, sentences_of in problems.items():
            faults += [f"{order_id}: {each}" for each in sentences_of if not shown or shown not in each]
        if faults:
            raise Broke("; ".join(faults))

    def check_connector(self) -> None:
        """Raises Broke if the connector did what no connector may."""
        if self.faults:
            raise Broke("; ".join(dict.fromkeys(self.faults)))
