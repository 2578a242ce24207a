"""The world of what goes out, drawn from one seed: the venue's world, endpoints that fail, followers, crashes of all.

The sender lives in the venue's process and dies with it, or alone. At the end the faults stop, days pass, and every
event has arrived, or stands in sight as failed.
"""

import asyncio
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from msgspec.structs import replace

from tallystick.core.ids import IdCodec
from tallystick.deliver import deliveries
from tallystick.deliver.book import Book
from tallystick.deliver.endpoints import Endpoints
from tallystick.deliver.records import ORDERINGS, Endpoint
from tallystick.deliver.sealing import Sealer
from tallystick.deliver.service import delivery_ids
from tallystick.deliver.stream import Limits, Stream
from tallystick.dialects.sophic.outgoing import Notices, SophicFeed
from tallystick.dialects.sophic.view import View
from tallystick.facts.commands import ChangeAccount
from tallystick.facts.venue import decode
from tallystick.simulate.delivery_rules import Sent, due, owners_of, require_followed
from tallystick.simulate.endpoints import HABITS, Receipt, SimulatedCarrier, SimulatedEndpoint, patience_us
from tallystick.simulate.faults import Crash
from tallystick.simulate.followers import Follower
from tallystick.simulate.loop import VirtualLoop
from tallystick.simulate.process import VENUE, Parts, Process
from tallystick.simulate.sending import DeliveryParts, Sending, open_book, policy
from tallystick.simulate.violation import Violation, require
from tallystick.simulate.world import Note, World

SECRET: Final = bytes(32)
ENDPOINTS_MAX: Final = 5
FOLLOWERS: Final = 3
STEPS_MIN: Final = 15
STEPS_MAX: Final = 50
MOMENTS: Final = (0.0, 0.01, 1.0, 20.0)
REST_DAYS: Final = 12
FOREVER: Final = 1e7


class DeliveryWorld(World):
    """``note`` is told every step, as it happens."""

    def __init__(self, seed: int, parts: Parts, note: Note | None = None) -> None:
        self._loop: Final = VirtualLoop()
        self._folder: Final = TemporaryDirectory()
        self._book: Final[Book] = open_book(Path(self._folder.name))
        self._registered: Final = Endpoints(Sealer())
        self._view: Final = View(SECRET, VENUE)
        self._event_ids: Final = IdCodec(SECRET, VENUE, "evt")
        self._simulated: Final[list[SimulatedEndpoint]] = []
        self._since: Final[list[int]] = []
        self._receipts: Final[list[Receipt]] = []
        self._followers: Final[list[Follower]] = []
        self._sending: Sending | None = None
        self._stream: Stream[str | None] | None = None
        self._lives = 0
        self._sends: Final = parts if isinstance(parts, DeliveryParts) else DeliveryParts()
        super().__init__(seed, parts, note)
        self._policy: Final = policy(patience_us(self.random.choice((1, 5))))

    def run(self) -> None:
        """From the first command to rest; raises Violation."""
        try:
            self._set_up()
            for _ in range(self.random.randint(STEPS_MIN, STEPS_MAX)):
                self._survive(self._step)
                self._survive(self._deliver)
            self._come_to_rest()
            self._rest_of_the_days()
            self._judge_all()
        finally:
            self._kill_sender()
            self._book.close()
            self._loop.close()
            self._folder.cleanup()

    # --- The venue, its owners, and time ------------------------------------------------------------------------------

    def _set_up(self) -> None:
        super()._set_up()
        for name in self.workload.customers:
            while not (account := self._process.readers.state.account_named[name]).owner:
                self._survive(partial(self._ask, ChangeAccount(account.number, owner=f"owner of {name}")))
        owners = [f"owner of {name}" for name in self.workload.customers]
        for at in range(FOLLOWERS):
            self._followers.append(Follower(self.random.choice(owners), at % 2 == 1, self.random))
        self._begin_sending(self._process)

    def _submit(self, command: Any) -> None:
        """What was told to one client is not asked for by another: here accounts keep their owners."""
        if self._lives and isinstance(command, ChangeAccount):
            command = replace(command, owner=None)
        super()._submit(command)

    def _boot(self) -> Process:
        process = super()._boot()
        if self._lives:
            self._kill_sender()
            self._begin_sending(process)
        return process

    def _pass_time(self, duration_us: int) -> None:
        super()._pass_time(duration_us)
        if self._lives:
            self._let_pass(duration_us / 1_000_000)

    def _let_pass(self, seconds: float) -> None:
        """The sender, endpoints and followers live for so long; the venue stands still."""
        self._run(asyncio.sleep(seconds))
        while self._sending is not None and self._sending.is_changed:
            self._run(self._looked())
        for follower in self._followers:
            if (failure := follower.failure()) is not None:
                raise Violation("unforeseen", f"a stream failed: {failure!r}")

    def _run(self, work: Any) -> Any:
        return self._loop.run_until_complete(work)

    # --- The sender and those who listen ------------------------------------------------------------------------------

    def _begin_sending(self, process: Process) -> None:
        self._lives += 1
        feed = self._sends.feed(SophicFeed(process.index, process.readers, self._view), process)
        carrier = SimulatedCarrier(
            self._simulated, self._receipts, self._now_there, lambda: process.journal.last(VENUE), self._lives
        )
        self._sending = Sending(
            self._sends,
            self._book,
            self._registered,
            feed,
            carrier,
            delivery_ids(SECRET),
            self._policy,
            Notices(SECRET).disabled,
            self.random,
            self._now_there,
        )
        limits = Limits(heartbeat_seconds=FOREVER, stall_seconds=30.0, review_seconds=FOREVER)
        self._stream = Stream(self._sends.source(self._sending.hub), lambda owner: owner, limits=limits)
        self._run(self._looked())

    async def _looked(self) -> None:
        assert self._sending is not None
        self._sending.look()

    def _kill_sender(self) -> None:
        if self._sending is not None:
            self._run(self._sending.die())
            self._sending = None
        for follower in self._followers:
            self._run(follower.hang_up())

    def _now_there(self) -> int:
        return self._loop.wall_us

    def _deliver(self) -> None:
        """Something happens to endpoints, followers or the sender; then they live for a moment."""
        chance = self.random.random()
        if chance < 0.15 and len(self._simulated) < ENDPOINTS_MAX:
            self._register()
        elif chance < 0.25 and self._simulated:
            self._replay()
        elif chance < 0.32:
            self._say("the sender crashes")
            self._kill_sender()
            self._begin_sending(self._process)
        elif chance < 0.5:
            self._run(self.random.choice(self._followers).hang_up())
        elif chance < 0.53 and self._disk.faulty:
            raise Crash("while it sends")
        self._run(self._connected())
        self._let_pass(self.random.choice(MOMENTS))

    async def _connected(self) -> None:
        assert self._stream is not None
        for follower in self._followers:
            if not follower.is_connected and (follower.is_patient or self.random.random() < 0.6):
                follower.connect(self._stream)

    def _register(self) -> None:
        number, habit = len(self._simulated) + 1, self.random.choice(HABITS)
        owner = f"owner of {self.random.choice(list(self.workload.customers))}"
        ordering = self.random.choice(ORDERINGS)
        assert self._sending is not None
        since, now = self._sending.hub.feed.newest(), self._now_there()
        url = f"https://endpoint-{number}.example/"
        self._book.change(lambda each: self._registered.add(each, owner, url, "", ordering, since, now))
        self._simulated.append(SimulatedEndpoint(number, habit, self.random))
        self._since.append(since)
        self._say(f"webhook {number} of {owner}: {habit}, order {ordering}, since {since}")
        self._run(self._looked())

    def _replay(self) -> None:
        """Its owner wants everything again; one that wants order has no use for that."""
        assert self._sending is not None
        endpoint = self._endpoint(self.random.randrange(len(self._simulated)) + 1)
        if endpoint.is_active and endpoint.ordering == ORDERINGS[0]:
            since, until = self._since[endpoint.number - 1], self._sending.hub.feed.newest()
            self._book.change(lambda each: self._registered.replay(each, endpoint, since, until))
            self._say(f"webhook {endpoint.number} is sent everything after {since} again")
            self._run(self._looked())

    def _endpoint(self, number: int) -> Endpoint:
        found: list[Endpoint] = []
        for name in self.workload.customers:
            found += self._book.read(partial(self._registered.of, owner=f"owner of {name}"))
        return next(each for each in found if each.number == number)

    # --- The end ------------------------------------------------------------------------------------------------------

    def _rest_of_the_days(self) -> None:
        """Endpoints answer again, followers read on, and each schedule runs out."""
        for endpoint in self._simulated:
            endpoint.is_faulty = endpoint.habit == "deaf to the end"
        for follower in self._followers:
            follower.is_patient = True
        self._flush()
        for _ in range(REST_DAYS):
            self._run(self._connected())
            self._let_pass(86_400.0)

    def _judge_all(self) -> None:
        process = self._process
        entries = [decode(body) for _, body in process.journal.read(VENUE)]
        owed = due(entries, owners_of(process.readers.state.accounts.values()))
        self._hasher.update(f"{len(self._receipts)} {[len(each.seen) for each in self._followers]}".encode())
        for at, follower in enumerate(self._followers):
            require_followed(f"follower {at}", follower.seen, owed, follower.owner, self._event_ids)
        sent = Sent(self._receipts, owed, self._event_ids)
        for number, since in enumerate(self._since, start=1):
            rows = partial(deliveries.between, endpoint=number, after=0, before=1 << 62, limit=10**6, backwards=True)
            sent.require_delivered(self._endpoint(number), since, self._book.read(rows))
        require(self._lives > 0, "finished", "nobody ever sent")
