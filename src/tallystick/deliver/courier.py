"""Everything that is sent to one endpoint: made into deliveries from its position on, attempted, and put on record."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NamedTuple, Protocol

import apsw

from tallystick.core.ids import IdCodec
from tallystick.deliver import deliveries
from tallystick.deliver.addresses import BadUrl, Reach, Target
from tallystick.deliver.book import Book
from tallystick.deliver.clock import Clock
from tallystick.deliver.endpoints import Endpoints
from tallystick.deliver.feed import Happening
from tallystick.deliver.hub import Hub
from tallystick.deliver.lane import CONCURRENCY_MAX, WINDOW, Lane
from tallystick.deliver.places import Places
from tallystick.deliver.recorder import Recorder
from tallystick.deliver.records import FAILING, GONE, PER_ORDER, Attempt, Delivery, Endpoint
from tallystick.deliver.schedule import FAILED, Outcome, Schedule, Verdict, is_given_up, judge
from tallystick.deliver.signing import signatures

BATCH: Final = 256
"""Deliveries made in one transaction."""

Headers = Sequence[tuple[str, str]]

_log = logging.getLogger(__name__)


class Carrier(Protocol):
    """What attempts are made with (post.Poster)."""

    async def post(self, target: Target, headers: Headers, body: bytes) -> Outcome:
        """One attempt; never raises but when cancelled."""


class Policy(NamedTuple):
    """``keep_us``: how long what is over can still be looked at."""

    schedule: Schedule = Schedule()
    reach: Reach = Reach()
    concurrency_max: int = CONCURRENCY_MAX
    window: int = WINDOW
    keep_us: int = 30 * 86_400 * 1_000_000


class Means(NamedTuple):
    """What all couriers share. ``notice`` makes the event that tells an endpoint's owner that it was disabled, and why;
    ``jitter`` gives numbers from 0 to 1; ``changed`` is called when endpoints were changed here."""

    hub: Hub
    endpoints: Endpoints
    recorder: Recorder
    carrier: Carrier
    clock: Clock
    ids: IdCodec
    policy: Policy
    notice: Callable[[Endpoint, str, int], Happening]
    jitter: Callable[[], float]
    changed: Callable[[], object]


class Courier:
    """``places`` are those that the endpoint's owner has for attempts; without, as many as the endpoint may make."""

    def __init__(self, endpoint: Endpoint, means: Means, places: Places | None = None) -> None:
        self.endpoint = endpoint
        self._places: Final = places or Places(means.policy.concurrency_max)
        self._means: Final = means
        policy = means.policy
        self._lane: Final = Lane(endpoint.ordering == PER_ORDER, policy.concurrency_max, policy.window)
        self._attempts: Final[set[asyncio.Task[None]]] = set()
        self._stirred: Final = asyncio.Event()
        self._freed: Final = asyncio.Event()
        self._replay_asked: Final = asyncio.Event()
        self._failing_since = endpoint.failing_since
        self._failures = endpoint.failures
        self._is_over = False
        self._target: Target | None = None
        self._bad_url = ""
        try:
            self._target = policy.reach.read(endpoint.url)
        except BadUrl as error:
            self._bad_url = str(error)

    async def run(self) -> None:
        """Until cancelled; attempts that are under way then go on (``end``)."""
        change = partial(deliveries.unfinished, endpoint=self.endpoint.number)
        for delivery in await self._means.recorder.do(change):
            self._lane.add(self._in_time(delivery))
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._follow())
                tasks.create_task(self._replay())
                tasks.create_task(self._drive())
        finally:
            self._places.leave(self._stirred)

    async def end(self, seconds: float) -> None:
        """Let attempts end for so long, then give them up; what came of them is on record, or was handed over to be."""
        if self._attempts:
            await asyncio.wait(self._attempts, timeout=seconds)
        for task in list(self._attempts):
            task.cancel()
        await asyncio.gather(*self._attempts, return_exceptions=True)

    def heed(self, endpoint: Endpoint) -> None:
        """The endpoint as it is on file now; only what its owner asked to be sent again may be new."""
        is_asked = endpoint.replay_until != self.endpoint.replay_until
        self.endpoint = endpoint
        if is_asked:
            self._replay_asked.set()

    def add(self, number: int) -> None:
        """A delivery that was asked for. It is read again in turn with what is recorded, so that nothing is old."""

        def found(done: "asyncio.Future[Delivery | None]") -> None:
            delivery = None if done.cancelled() or done.exception() else done.result()
            if delivery is not None and delivery.next_at:
                self._lane.add(self._in_time(delivery))
                self._stirred.set()

        change = partial(deliveries.get, endpoint=self.endpoint.number, number=number)
        self._means.recorder.do(change).add_done_callback(found)

    def _in_time(self, delivery: Delivery) -> Delivery:
        """What was recorded in what is the future now, by another clock or before this one was set, waits as long as it
        was to wait then, and no longer."""
        ahead = max(0, delivery.modified_at - self._means.clock.now())
        return delivery._replace(next_at=max(1, delivery.next_at - ahead))

    # --- From happenings to deliveries ---

    async def _follow(self) -> None:
        with self._means.hub.cursor(self.endpoint.owner, self.endpoint.position) as cursor:
            while True:
                found = await cursor.next(await self._room())
                reach = partial(
                    self._means.endpoints.reach,
                    number=self.endpoint.number,
                    position=cursor.position,
                    reached=found[-1].time,
                )
                await self._begin(found, reach)

    async def _replay(self) -> None:
        while True:
            self._replay_asked.clear()
            number, position, until = self.endpoint.number, self.endpoint.replay_position, self.endpoint.replay_until
            while position < until and not self._replay_asked.is_set():
                page = await self._means.hub.feed.page(self.endpoint.owner, position, await self._room())
                found = [each for each in page.happenings if each.position <= until]
                position = max(page.through, position)
                reach = partial(
                    self._means.endpoints.reach_in_replay, number=number, until=until, position=min(position, until)
                )
                await self._begin(found, reach)
            await self._replay_asked.wait()

    async def _begin(self, found: Sequence[Happening], reach: Callable[[apsw.Connection], None]) -> None:
        """Deliveries of these and the new position, both or neither."""
        number, now = self.endpoint.number, self._means.clock.now()

        def change(connection: apsw.Connection) -> list[Delivery]:
            reach(connection)
            return deliveries.begin(connection, number, found, now)

        for delivery in await self._means.recorder.do(change):
            self._lane.add(delivery)
        self._stirred.set()

    async def _room(self) -> int:
        """How many deliveries may be made, at least one; waits until it is so."""
        while not self._lane.room:
            self._freed.clear()
            await self._freed.wait()
        return min(self._lane.room, BATCH)

    # --- From deliveries to attempts ---

    async def _drive(self) -> None:
        clock, lane = self._means.clock, self._lane
        while True:
            self._stirred.clear()
            now = clock.now()
            while has_place := self._places.take(self._stirred):
                delivery = lane.take(now)
                if delivery is None:
                    self._places.give()
                    break
                task = asyncio.get_running_loop().create_task(self._attempt(delivery))
                self._attempts.add(task)
                task.add_done_callback(self._attempted)
            await clock.wait(self._stirred, lane.next_due() if has_place else 0)

    def _attempted(self, task: "asyncio.Task[None]") -> None:
        self._attempts.discard(task)
        self._places.give()
        self._stirred.set()

    async def _attempt(self, delivery: Delivery) -> None:
        at = self._means.clock.now()
        try:
            outcome = await self._post(delivery)
        except Exception:  # noqa: BLE001 - it would be neither on record nor tried again
            _log.exception("an attempt for webhook %d failed here", self.endpoint.number)
            outcome = Outcome(0, 0, "internal", "The attempt failed on this side. It was logged.")
        self._judge(delivery, at, outcome)

    async def _post(self, delivery: Delivery) -> Outcome:
        if self._target is None:
            return Outcome(0, 0, "address", self._bad_url)
        headers = self._headers(delivery, self._means.clock.wall())
        return await self._means.carrier.post(self._target, headers, delivery.body)

    def _headers(self, delivery: Delivery, at: int) -> Headers:
        """``at`` is the wall's time, for the receiver compares it with its own."""
        delivery_id, timestamp = self._means.ids.text(delivery.number), at // 1_000_000
        signed = signatures(self.endpoint.signing(self._means.clock.now()), delivery_id, timestamp, delivery.body)
        headers = [
            ("Content-Type", "application/json"),
            ("Webhook-Id", delivery_id),
            ("Webhook-Timestamp", str(timestamp)),
            ("Webhook-Signature", signed),
            ("Webhook-Attempt", str(len(delivery.attempts) + 1)),
        ]
        return [*headers, ("Event-Id", delivery.event_id)] if delivery.event_id else headers

    def _judge(self, delivery: Delivery, at: int, outcome: Outcome) -> None:
        policy, now, tries = self._means.policy, self._means.clock.now(), delivery.tries + 1
        verdict = judge(policy.schedule, outcome, tries, now, self._means.jitter())
        if self._is_over and verdict.next_at:
            verdict = Verdict(FAILED)
        attempt = Attempt(at, outcome.duration_us, outcome.status, outcome.error, outcome.detail)
        after = delivery._replace(
            status=verdict.status,
            attempts=(*delivery.attempts, attempt),
            tries=tries,
            next_at=verdict.next_at,
            modified_at=now,
            ended_at=0 if verdict.next_at else now,
        )
        self._lane.pause_until = max(self._lane.pause_until, verdict.pause_until)
        self._lane.finish(after, outcome.is_success, outcome.status > 0)
        self._record(after, self._count(outcome, at))
        if verdict.is_gone:
            self._disable(GONE)
        elif is_given_up(policy.schedule, self._failing_since, self._failures, now):
            self._disable(FAILING)

    def _count(self, outcome: Outcome, at: int) -> bool:
        """Take the outcome into account for the endpoint as a whole; whether that changed anything."""
        if outcome.is_success:
            was_failing = self._failing_since > 0
            self._failing_since = self._failures = 0
            return was_failing
        self._failing_since = self._failing_since or at
        self._failures += 1
        return True

    def _record(self, delivery: Delivery, is_counted: bool) -> None:
        endpoints, number = self._means.endpoints, self.endpoint.number
        since, failures = self._failing_since, self._failures

        def change(connection: apsw.Connection) -> None:
            deliveries.record(connection, delivery)
            if is_counted:
                endpoints.fail(connection, number, since, failures)

        def recorded(_done: object) -> None:
            self._lane.forget(delivery.number)
            self._freed.set()

        done = self._means.recorder.do(change)
        if not delivery.next_at:
            done.add_done_callback(recorded)

    def _disable(self, reason: str) -> None:
        """Send it nothing more, and tell its owner's other endpoints."""
        if self._is_over:
            return
        self._is_over = True
        self._lane.pause_until = 1 << 62
        endpoint, endpoints, now = self.endpoint, self._means.endpoints, self._means.clock.now()
        notice = self._means.notice(endpoint, reason, now)

        def change(connection: apsw.Connection) -> None:
            others = endpoints.of(connection, endpoint.owner)  # read before anything is changed: it may raise
            if not endpoints.stop(connection, endpoint.number, now, reason):
                return
            deliveries.give_up(connection, endpoint.number, now)
            for other in others:
                deliveries.begin(connection, other.number, [notice], now, asked=True)
            Book.request(connection)

        def told(_done: object) -> None:
            _log.warning("webhook %d of %s is disabled: %s", endpoint.number, endpoint.owner, _REASONS[reason])
            self._means.changed()

        self._means.recorder.do(change).add_done_callback(told)


_REASONS: Final = {GONE: "it answered 410", FAILING: "it has only failed for too long"}
