"""What tests of the client half do again and again: a client over a paper venue, and what it was told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, Final

from tallystick.connect.client import Client, Venue
from tallystick.connect.events import OrderEvent
from tallystick.connect.store import Storage
from tallystick.journal.memory import MemoryJournal, MemoryStorage
from tallystick.testing.paper import RULE, PaperVenue
from tallystick.testing.stories import text

TEN: Final = Decimal(10)
ENDS: Final = ("Completed", "Cancelled", "Expired", "Failure")
_ADD: Final = ("limits", "ready_seconds", "without_trust", "silence_seconds")


class Bot:
    """``told`` are the events so far."""

    def __init__(self, client: Client, venue: Venue, paper: PaperVenue, told: list[OrderEvent]) -> None:
        self.client: Final = client
        self.venue: Final = venue
        self.paper: Final = paper
        self.told: Final = told

    def buy(self, amount: Decimal = TEN, **more: Any) -> str:
        return self.venue.buy(RULE.name, amount, **more)

    def texts(self, order_id: str = "") -> list[str]:
        """The events in short (stories.text), of one order or of all."""
        return [text(event) for event in self.told if event.order_id == order_id or not order_id]

    def ended(self, order_id: str) -> bool:
        return any(each.split()[0] in ENDS for each in self.texts(order_id))


@asynccontextmanager
async def bot(paper: PaperVenue, disk: MemoryStorage | None = None, **options: Any) -> AsyncIterator[Bot]:
    """A client with one paper venue. The same ``disk`` again is a restart. ``options`` are those of Client.add, and
    the capabilities that its connector declares."""
    add = {name: options.pop(name) for name in list(options) if name in _ADD}
    storage = Storage(None, MemoryJournal(disk))
    async with Client(storage=storage) as client:
        told: list[OrderEvent] = []
        client.listen(told.append)
        venue = await client.add(paper.connector(**options), **add)
        yield Bot(client, venue, paper, told)
