"""What tests of the client half do again and again: a client over a paper venue, and events as short texts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from tallystick.connect.client import Client, Venue
from tallystick.connect.events import (
    MarketOrderFailureEvent,
    OrderCompletedEvent,
    OrderCreatedEvent,
    OrderEvent,
    OrderFilledEvent,
    OrderUpdatedEvent,
)
from tallystick.connect.store import Storage
from tallystick.journal.memory import MemoryJournal, MemoryStorage
from tests.connect.paper import PaperConnector, PaperVenue
from tests.connect.virtual import clock

TEN = Decimal(10)


class Bot:
    """``told`` are the events so far, ``texts`` the same in short."""

    def __init__(self, client: Client, venue: Venue, paper: PaperVenue, told: list[OrderEvent]) -> None:
        self.client = client
        self.venue = venue
        self.paper = paper
        self.told = told

    def buy(self, amount: Decimal = TEN, **more: Any) -> str:
        return self.venue.buy("ACME-USD", amount, **more)

    def texts(self, order_id: str = "") -> list[str]:
        return [text(event) for event in self.told if event.order_id == order_id or not order_id]

    def ended(self, order_id: str) -> bool:
        return any(each.split()[0] in ENDS for each in self.texts(order_id))


ENDS = ("Completed", "Cancelled", "Expired", "Failure")


@asynccontextmanager
async def bot(paper: PaperVenue, disk: MemoryStorage | None = None, **options: Any) -> AsyncIterator[Bot]:
    """A client with one paper venue. The same ``disk`` again is a restart."""
    add = {name: options.pop(name) for name in list(options) if name in ADD}
    storage = Storage(None, MemoryJournal(disk))
    async with Client(storage=storage, clock=clock) as client:
        told: list[OrderEvent] = []
        client.listen(told.append)
        venue = await client.add(PaperConnector(paper, **options), **add)
        yield Bot(client, venue, paper, told)


ADD = ("limits", "ready_seconds", "without_trust", "silence_seconds")


def text(event: OrderEvent) -> str:
    """Created, Filled 4, Completed 10, Failure code, Updated status certainty: with (late) and (inferred)."""
    words = [type(event).__name__.removesuffix("Event").replace("Order", "").removeprefix("Buy").removeprefix("Sell")]
    if isinstance(event, OrderFilledEvent):
        words.append(f"{event.amount.normalize():f}")
    elif isinstance(event, OrderCompletedEvent):
        words.append(f"{event.base_asset_amount.normalize():f}")
    elif isinstance(event, MarketOrderFailureEvent):
        words = ["Failure", event.error_type]
    elif isinstance(event, OrderUpdatedEvent):
        words += event.changed
    elif isinstance(event, OrderCreatedEvent):
        words = ["Created"]
    words += ["(late)"] * event.late + ["(inferred)"] * event.inferred
    return " ".join(words)
