"""Everything at once, many times over: lost requests, broken streams, a venue that comes and goes, crashes of the bot.

When the faults stop the two halves match: what the venue has is what the journal says, an order that never arrived is
known to be lost or failed, and what was told was told once, in order, whatever crashed.
"""

import asyncio
import copy
import logging
from decimal import Decimal
from random import Random

import pytest

from tallystick.connect import backoff
from tallystick.connect.client import Client
from tallystick.connect.events import OrderEvent
from tallystick.connect.narration import position_text
from tallystick.connect.store import STREAM, Storage
from tallystick.core.lifecycle import FILLED, OPEN, REJECTED, SUBMITTED
from tallystick.facts.client import Announced, decode
from tallystick.facts.client_codes import LOST
from tallystick.facts.client_records import BeliefRecord
from tallystick.journal.memory import MemoryJournal, MemoryStorage
from tallystick.testing.bots import TEN
from tallystick.testing.paper import PaperVenue
from tallystick.testing.paper_connector import PaperConnector
from tallystick.testing.stories import assert_grammar
from tallystick.testing.virtual import clock, run
from tallystick.tracker.snapshot import belief_of

SEEDS = 40
RUNS = 3
STEPS = 40
WORDS = ("accept", "accept", "accept", "refuse", "lost", "swallowed", "late", "unsent", "limited", "hang", "crash")
CANCEL_WORDS = ("done", "request", "refuse", "lost", "swallowed", "not-there", "crash")


class Chaos:
    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.paper = PaperVenue()
        self.paper.tells_amounts = True
        self.disk = MemoryStorage()
        self.told: list[OrderEvent] = []
        self.options = {
            "resumes": False,
            "place_batch_max": self.random.choice((1, 3)),
            "cancel_batch_max": self.random.choice((1, 2)),
            "cancels_by_client_id": self.random.random() < 0.5,
        }

    async def live(self) -> None:
        """One process, from its start to its crash."""
        connector = PaperConnector(self.paper, **self.options)
        async with Client(storage=Storage(None, MemoryJournal(self.disk)), clock=clock) as client:
            told: list[OrderEvent] = []
            client.listen(told.append)
            venue = await client.add(connector, ready_seconds=5, without_trust=self.random.random() < 0.3)
            cancels: set[asyncio.Task[object]] = set()
            for _ in range(STEPS):
                self.step(venue, cancels)
                await asyncio.sleep(self.random.choice((0, 0, 0.001, 0.1, 3.0)))
            # The crash: what is durable is what it is now, and nothing more reaches the venue.
            self.disk = copy.deepcopy(self.disk)
            self.told += told
            connector.is_crashed = True
            for task in cancels:
                task.cancel()

    def step(self, venue, cancels: set[asyncio.Task[object]]) -> None:
        random, paper = self.random, self.paper
        open_now = [order.client_id for order in paper.orders.values() if order.status == OPEN]
        what = random.choice(("buy", "buy", "fill", "fill", "end", "cancel", "break", "down", "mute", "script", "slow"))
        if what == "buy" and venue.markets:
            venue.buy("ACME-USD", TEN)
        elif what == "fill" and open_now:
            order = paper.orders[random.choice(open_now)]
            left = order.size - order.filled
            paper.fill(order.client_id, Decimal(random.choice((left, 1 + left // 3))).scaleb(-3))
        elif what == "end" and open_now:
            paper.end(random.choice(open_now))
        elif what == "cancel" and venue.open_order_ids():
            paper.cancels.append(random.choice(CANCEL_WORDS))
            cancels.add(asyncio.create_task(venue.cancel(random.choice(venue.open_order_ids()), timeout=2)))
        elif what == "break":
            paper.cut_stream()
        elif what == "down":
            paper.is_down = random.random() < 0.5
            paper.wake()
        elif what == "mute":
            paper.is_mute = random.random() < 0.5
        elif what == "script":
            paper.script.append(random.choice(WORDS))
        elif what == "slow":
            paper.delay = random.choice((0.0, 0.0, 0.01, 2.0))

    async def calm(self) -> tuple[dict[str, BeliefRecord], list[OrderEvent]]:
        """The faults stop, and a last process has a few minutes: what it believes, and all that was ever told."""
        paper = self.paper
        paper.script.clear()
        paper.cancels.clear()
        paper.is_down = paper.is_mute = False
        paper.delay = 0.0
        async with Client(storage=Storage(None, MemoryJournal(self.disk)), clock=clock) as client:
            venue = await client.add(PaperConnector(paper, **self.options))
            await asyncio.sleep(200)
            assert venue.is_ready
            told: list[OrderEvent] = []
            stream = client.events(since="")
            last = last_position(client)
            while not told or told[-1].position != last:
                told.append(await anext(stream))
            await stream.aclose()
            beliefs = {order.client_id: belief_of(order) for order in client.store.state.orders.values()}
            for event in told:
                if event.order_id not in beliefs:
                    record = client.store.storage.archive.placed_as(1, event.order_id)
                    assert record is not None
                    beliefs[event.order_id] = record.belief
            return beliefs, told


def last_position(client: Client) -> str:
    """Of the last announcement in the journal."""
    found = ""
    for sequence, body in client.store.storage.journal.read(STREAM):
        for index, event in enumerate(decode(body).events):
            if type(event) is Announced:
                found = position_text(sequence, index)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEEDS))
def test_when_the_faults_stop_the_two_halves_match(seed: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(backoff, "Random", lambda: Random(seed))
    logging.disable(logging.CRITICAL)

    async def scenario():
        chaos = Chaos(seed)
        for _ in range(RUNS):
            await chaos.live()
        beliefs, told = await chaos.calm()
        check_match(chaos.paper, beliefs)
        assert_grammar(told)
        by_position = {event.position: event for event in told}
        for event in chaos.told:
            assert by_position[event.position] == event, "what was told before a crash is what is told after it"

    try:
        run(scenario)
    finally:
        logging.disable(logging.NOTSET)


def check_match(paper: PaperVenue, beliefs: dict[str, BeliefRecord]) -> None:
    for client_id, order in paper.orders.items():
        belief = beliefs[client_id]
        assert belief.status == order.status, (client_id, belief, vars(order))
        assert sum(fill.consumed for fill in belief.fills) == order.filled
        assert (belief.status < FILLED) == (order.status < FILLED)
    for client_id, belief in beliefs.items():
        if client_id not in paper.orders:
            assert belief.status == REJECTED or (belief.status, belief.certainty) == (SUBMITTED, LOST), belief
