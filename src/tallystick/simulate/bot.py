"""The strategy of a client's world, over all the lives of its process: what it intends, and what it was told.

It stores the position of the last event with what it made of it, as a strategy should that wants each event once.
"""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from decimal import Decimal
from random import Random
from typing import Final

from tallystick.connect.client import Client, Venue
from tallystick.connect.errors import NoSuchMarket, StoreStopped
from tallystick.connect.events import OrderEvent
from tallystick.simulate.client_rules import INTENT

AGAIN_SECONDS: Final = 1.0
CANCEL_SECONDS: Final = (0.5, 5.0, 60.0)

Note = Callable[[str], None]


class Bot:
    """``told`` are the events it has dealt with, ``position`` is that of the last one. ``wealth`` is about what it has
    of each currency, and ``units`` of each market's unit, by the market's name."""

    def __init__(self, random: Random, wealth: dict[str, Decimal], units: dict[str, Decimal], say: Note) -> None:
        self.told: Final[list[OrderEvent]] = []
        self.position = ""
        self.intents = 0
        self._random: Final = random
        self._wealth: Final = wealth
        self._units: Final = units
        self._say: Final = say

    async def follow(self, client: Client) -> None:
        """Deal with what happens, from the stored position on, until it is cancelled."""
        while True:
            try:
                async with aclosing(client.events(since=self.position)) as events:
                    async for event in events:
                        self._say(f"told {event.position} {type(event).__name__} {event.order_id} {event.status}")
                        self.told.append(event)
                        self.position = event.position
            except StoreStopped:
                await asyncio.sleep(AGAIN_SECONDS)

    def intend(self, venue: Venue) -> None:
        """A new order, if the venue is known well enough. Raises StoreStopped."""
        markets = list(venue.markets)
        if not markets:
            return
        random = self._random
        name = random.choice(markets)
        self.intents += 1
        traits = {INTENT: str(self.intents)}
        share = Decimal(random.choice((1, 2, 5, 10, 100, 1000, 3000)))
        try:
            if random.random() < 0.6:
                order_id = venue.buy(name, self._wealth[venue.markets[name].currency] / share, traits=traits)
            else:
                order_id = venue.sell(name, self._units[name] / share, traits=traits)
        except NoSuchMarket:
            return
        self._say(f"intent {self.intents} is {order_id}")

    async def cancel(self, venue: Venue) -> None:
        """One order, or all of them; what comes of it is told by events."""
        random = self._random
        open_now = venue.open_order_ids()
        seconds = random.choice(CANCEL_SECONDS)
        if random.random() < 0.1:
            await venue.cancel_all(seconds)
        elif open_now:
            await venue.cancel(random.choice(open_now), timeout=seconds)
