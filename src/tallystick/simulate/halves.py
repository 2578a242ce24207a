"""The world of both halves, drawn from one seed: a client and its strategy, a faulty link, a venue, crashes of either.

The client is the real one (tallystick.connect) on a loop whose time is virtual; the venue is the simulator's process
with the real engine. At the end the faults stop, the tracker's questions are answered, and the halves must match.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from random import Random
from typing import Any, Final, Protocol

from tallystick.connect.client import Client, Venue
from tallystick.connect.errors import StoreStopped
from tallystick.connect.events import TERMINAL, OrderEvent
from tallystick.connect.history import told_since
from tallystick.connect.narration import read_position
from tallystick.connect.port import Connector
from tallystick.connect.store import STREAM, Storage
from tallystick.core.lifecycle import is_closed
from tallystick.dialects.sophic.naming import SophicNaming
from tallystick.facts.client import decode as decode_client
from tallystick.facts.codes import COMPLIANCE
from tallystick.facts.commands import ChangeAccount, ClearPrerequisite, Hold
from tallystick.facts.venue import decode as decode_venue
from tallystick.match.client_half import ClientHalf
from tallystick.match.differences import Difference, differences
from tallystick.match.venue_half import Naming, VenueHalf
from tallystick.simulate.bot import Bot
from tallystick.simulate.client_rules import Sent, require_grammar, require_told, require_true_ends
from tallystick.simulate.faults import Crash, Disk, FaultyJournal
from tallystick.simulate.halves_terms import means, open_to_all, quick_terms
from tallystick.simulate.link import Link
from tallystick.simulate.link_connector import ACCOUNT, NAME, Habits, LinkConnector
from tallystick.simulate.loop import VirtualLoop
from tallystick.simulate.process import VENUE, Parts
from tallystick.simulate.sophic_door import CASH_SCALE_MAX, CLIENT, SECRET, DoorConnector, SophicDoor
from tallystick.simulate.translation import PlainNaming
from tallystick.simulate.venue_server import Gone, VenueServer
from tallystick.simulate.violation import Violation, require
from tallystick.simulate.workload import Workload
from tallystick.tracker.snapshot import state_hash

LIVES_MAX: Final = 4
STEPS_MAX: Final = 40
STEP_SECONDS: Final = (0.0, 0.0, 0.01, 0.5, 5.0, 40.0)
READY_SECONDS: Final = 3.0
REST_ROUNDS_MAX: Final = 2000
REST_SECONDS: Final = 10.0
MATCH_ROUNDS_MAX: Final = 120
SHOWN_MAX: Final = 5

Note = Callable[[str], None]


class Mortal(Connector, Protocol):
    """A connector whose process may be gone: nothing that it does leaves it then."""

    is_dead: bool


class Life:
    """One process of the client. ``is_over`` as soon as it has crashed."""

    def __init__(self, client: Client, journal: FaultyJournal, connector: Mortal) -> None:
        self.client: Final = client
        self.journal: Final = journal
        self.connector: Final = connector
        self.is_over = False
        self.tasks: Final[list[asyncio.Task[Any]]] = []

    @property
    def venue(self) -> Venue:
        return self.client.venues[NAME]

    def end(self) -> None:
        """It is dead at this moment: nothing leaves it, nothing is written, nobody is told."""
        self.is_over = True
        self.connector.is_dead = True
        self.journal.close()
        for task in self.tasks:
            task.cancel()


class HalvesWorld:
    """``note`` is told every step, as it happens; ``digest`` covers all of them, and both journals."""

    def __init__(self, seed: int, parts: Parts, note: Note | None = None) -> None:
        self.random: Final = Random(seed)
        self.steps = 0
        self.crashes = 0
        self.entries = 0
        self._note: Final = note
        self._hasher: Final = blake2b(digest_size=16)
        self._parts: Final = parts
        self._workload: Final = Workload(self.random)
        open_to_all(self._workload)
        self._terms: Final = quick_terms(self.random, self._workload)
        self._habits: Final = Habits(self.random)
        scales = self._workload.currencies.values()
        self._speaks_sophic: Final = max(scales) <= CASH_SCALE_MAX and self.random.random() < 0.6
        self._link: Link = Link(self.random, self.random.choice((0.0, 0.05, 0.15, 0.4)))
        self._client_disk: Final = Disk(self.random, self.random.choice((0.0, 0.005, 0.02, 0.05)))
        self._venue_disk: Final = Disk(self.random, self.random.choice((0.0, 0.0, 0.01, 0.03)))
        self._sent: Final = Sent()
        self._account = ACCOUNT
        self._bot: Bot = Bot(self.random, *means(self._workload), self._say)
        self._life: Life | None = None
        self._complaints: Final[list[str]] = []

    @property
    def digest(self) -> str:
        return self._hasher.hexdigest()

    def run(self) -> None:
        """From the venue's first command until the halves match; raises Violation."""
        ear = _Ear(self._complain)
        logs = [logging.getLogger(name) for name in ("tallystick.connect", "tallystick.dialects")]
        for log in logs:
            log.addHandler(ear)
        try:
            with asyncio.Runner(loop_factory=VirtualLoop) as runner:
                runner.get_loop().set_exception_handler(self._crashed)
                runner.run(self._run())
        finally:
            for log in logs:
                log.removeHandler(ear)

    async def _run(self) -> None:
        self._say(f"terms {self._terms}")
        await self._open()
        for _ in range(self.random.randint(1, LIVES_MAX)):
            await self._live(self.random.randint(5, STEPS_MAX))
            self._judge()
        self._say("the faults stop")
        self._link.faulty = self._client_disk.faulty = self._venue_disk.faulty = False
        life = await self._begin()
        await self._come_to_rest()
        await self._match()
        await self._compare(life)
        life.end()
        await life.client.close()

    # --- The venue ----------------------------------------------------------------------------------------------------

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        faulty, self._venue_disk.faulty = self._venue_disk.faulty, False
        self._server: VenueServer = VenueServer(
            loop, self.random, self._terms, self._parts, self._venue_disk, self._workload.last_quotes(), self._say
        )
        while (command := self._workload.missing(self._server.state)) is not None:
            await self._server.ask(command)
        account = self._server.state.account_named[ACCOUNT].number
        await self._server.ask(ChangeAccount(account, owner=CLIENT))
        for quote in self._workload.last_quotes():
            self._server.tell(quote)
        self._venue_disk.faulty = faulty

    def _operate(self) -> None:
        """Something happens at the venue: a price moves, an operator does something."""
        state = self._server.state
        account = state.account_named[ACCOUNT].number
        if self.random.random() < 0.5:
            self._server.tell(self._workload.quote())
        else:
            self._server.tell(self._workload.operators.command(state, account))

    # --- The client ---------------------------------------------------------------------------------------------------

    async def _begin(self) -> Life:
        journal = self._client_disk.open()
        self._sent.journal = journal
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        storage = Storage(None, journal)
        client = Client(storage=storage, clock=lambda: loop.wall_us, random=self.random)
        connector = self._connector()
        life = self._life = Life(client, journal, connector)
        self._say(f"the client begins with {journal.last(STREAM)} entries")
        await client.__aenter__()
        life.tasks.append(loop.create_task(self._bot.follow(client)))
        with suppress(StoreStopped):
            await client.add(connector, ready_seconds=READY_SECONDS, without_trust=self.random.random() < 0.3)
        return life

    def _connector(self) -> Mortal:
        if self._speaks_sophic:
            return DoorConnector(SophicDoor(self._server), self._link, self._sent)
        return LinkConnector(self._server, self._link, self._habits, self._sent)

    async def _live(self, steps: int) -> None:
        """One process, from its start to its crash, or to its end."""
        life = await self._begin()
        for _ in range(steps):
            self.steps += 1
            if life.is_over or NAME not in life.client.venues or life.client.store.stopped is not None:
                break
            self._step(life)
            await asyncio.sleep(self.random.choice(STEP_SECONDS))
        if not life.is_over and self.random.random() < 0.3:
            self._say("the client closes")
            for task in life.tasks:
                task.cancel()
        elif not life.is_over:
            self._say("the client crashes")
            self.crashes += 1
            life.end()
        await life.client.close()
        life.end()

    def _step(self, life: Life) -> None:
        random = self.random
        chance = random.random()
        with suppress(Gone, StoreStopped):
            if chance < 0.5:
                for _ in range(random.choice((1, 1, 1, 3))):
                    self._bot.intend(life.venue)
            elif chance < 0.65:
                life.tasks.append(asyncio.get_running_loop().create_task(self._bot.cancel(life.venue)))
            elif chance < 0.97:
                self._operate()
            else:
                self._server.kill()

    def _crashed(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What nobody caught: a crash of the client's disk, or something unforeseen."""
        error = context.get("exception")
        if isinstance(error, Crash) and self._life is not None:
            self._say(f"the client crashes: {error}")
            self.crashes += 1
            self._life.end()
        elif "task" not in context and "future" not in context:
            self._complain(f"{context.get('message')}: {error!r}")

    def _complain(self, text: str) -> None:
        """What goes wrong in a process that is dead concerns nobody."""
        if self._life is None or not self._life.is_over:
            self._complaints.append(text)

    # --- The end ------------------------------------------------------------------------------------------------------

    async def _come_to_rest(self) -> None:
        """The venue has a price for everything and holds nothing, until each of its orders is over and settled."""
        for _ in range(REST_ROUNDS_MAX):
            with suppress(Gone):
                self._let_go()
                if self._is_at_rest():
                    return
            await asyncio.sleep(REST_SECONDS)
        raise Violation("finished", f"something is still open after {REST_ROUNDS_MAX} rounds")

    def _let_go(self) -> None:
        for stage, market in self._server.held:
            self._server.tell(Hold(stage, market, release=True))
        for quote in self._workload.last_quotes():
            self._server.tell(quote)
        for number, waits in list(self._server.state.waiting.items()):
            if waits.prerequisite == COMPLIANCE:
                self._server.tell(ClearPrerequisite(number, self.random.random() < 0.5))

    def _is_at_rest(self) -> bool:
        orders = self._server.state.orders.values()
        return all(is_closed(order.status) and order.is_settled() for order in orders)

    async def _match(self) -> None:
        found: list[Difference] = []
        for _ in range(MATCH_ROUNDS_MAX):
            found = self._differences()
            if not found:
                return
            await asyncio.sleep(REST_SECONDS)
        shown = "; ".join(f"{each.client_id} {each.order_id}: {each.detail}" for each in found[:SHOWN_MAX])
        raise Violation("halves", f"{len(found)} differences: {shown}")

    def _differences(self) -> list[Difference]:
        assert self._life is not None
        ours = ClientHalf(decode_client(body) for _, body in self._life.journal.read(STREAM))
        theirs = VenueHalf(map(decode_venue, self._server.bodies()), self._naming(), self._account)
        return list(differences(ours.orders(NAME), theirs, self._account))

    def _naming(self) -> Naming:
        return SophicNaming(SECRET, VENUE) if self._speaks_sophic else PlainNaming()

    async def _compare(self, life: Life) -> None:
        """Everybody was told what the journal says, and the states are what it adds up to."""
        store = life.client.store
        await asyncio.sleep(REST_SECONDS)
        until = store.state.sequence
        journaled = [told[2] async for told in told_since(life.journal, "", until)]
        require_told([each for each in self._bot.told if read_position(each.position)[0] <= until], journaled)
        require_grammar(journaled)
        await self._require_stories(life, journaled)
        await store.settled()
        bodies = [body for _, body in life.journal.read(STREAM)]
        for body in (*bodies, *self._server.bodies()):
            self._hasher.update(body)
        self.entries = len(bodies)
        half = ClientHalf(map(decode_client, bodies))
        ends = {order.client_id: order.status for order in half.orders(NAME)}
        require_true_ends(journaled, ends.__getitem__)
        replayed = state_hash(half.state)
        require(state_hash(store.state) == replayed, "client replay", "the readers' state is not what replay gives")
        writers = state_hash(store.tracker.state)
        require(writers == replayed, "client replay", "the writer's state is not what replay gives")
        self._judge()

    async def _require_stories(self, life: Life, journaled: list[OrderEvent]) -> None:
        """Each order's own events, from its beginning to its end."""
        stories: dict[str, list[OrderEvent]] = {}
        over: set[str] = set()
        for event in journaled:
            if event.order_id not in over:
                stories.setdefault(event.order_id, []).append(event)
                if isinstance(event, TERMINAL):
                    over.add(event.order_id)
        for order_id in sorted(over):
            told = [event async for event in life.venue.events(order_id)]
            require(told == stories[order_id], "told", f"the story of {order_id} is {told}, not {stories[order_id]}")

    def _judge(self) -> None:
        self._sent.judge()
        require(not self._complaints, "unforeseen", "; ".join(self._complaints[:SHOWN_MAX]))

    def _say(self, text: str) -> None:
        self._hasher.update(text.encode())
        if self._note is not None:
            self._note(text)


class _Ear(logging.Handler):
    """What either half reports of failures of its own; that the venue has died is none."""

    def __init__(self, complain: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._complain: Final = complain

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and not isinstance(record.exc_info[1], Gone):
            self._complain(f"{record.getMessage()}: {record.exc_info[1]!r}")
