"""One venue's tasks: it is reached, followed, asked and sent to, by itself; whatever happens at it holds up no other.

reach (start, markets) ─▶ ┌ follow the stream
                          ├ ask the tracker's questions
                          ├ send what is intended
                          ├ list its markets anew
                          └ watch over silence
"""

import asyncio
import logging
from contextlib import suppress
from random import Random
from typing import Any, Final, cast

from tallystick.connect.asking import Asking
from tallystick.connect.backoff import Backoff
from tallystick.connect.cancelling import Cancelling
from tallystick.connect.client_ids import RANDOM_BITS, ClientIds
from tallystick.connect.desk import VenueDesk
from tallystick.connect.errors import ConnectError, NoSuchOrder, SignInRefused, StoreStopped, VenueError
from tallystick.connect.following import Following
from tallystick.connect.limits import Limits
from tallystick.connect.listing import Listing
from tallystick.connect.pacer import CANCEL, in_lane
from tallystick.connect.placing import Placing
from tallystick.connect.port import ORDERS, Connector, Heartbeat
from tallystick.connect.silence import Silence
from tallystick.connect.store import Store
from tallystick.tracker.observations import Gap

START_SECONDS: Final = 30.0
CLOSE_SECONDS: Final = 5.0
CANCEL_SECONDS: Final = 30.0

_log = logging.getLogger(__name__)


class Runtime:
    """``failed`` is why it will never be reached, once that is certain. A ``random`` of one's own makes a run again."""

    def __init__(
        self,
        store: Store,
        connector: Connector,
        limits: Limits,
        *,
        without_trust: bool = False,
        silence_seconds: float = 0.0,
        random: Random | None = None,
    ) -> None:
        self._random: Final = Random() if random is None else random
        self.desk: Final = VenueDesk(store, connector, limits)
        capabilities = connector.capabilities
        ids = ClientIds(
            capabilities.client_id_prefix,
            capabilities.client_id_max,
            capabilities.client_id_alphabet,
            store.storage.journal.epoch,
            None if random is None else random.getrandbits(RANDOM_BITS),
        )
        self.placing: Final = Placing(self.desk, ids, without_trust=without_trust)
        self.asking: Final = Asking(self.desk)
        self.cancelling: Final = Cancelling(self.desk)
        self._following: Final = Following(self.desk, Backoff(random=self._random))
        self._listing: Final = Listing(self.desk)
        self._silence_us: Final = int(silence_seconds * 1_000_000)
        self._silence: Silence | None = None
        self._heard: Final = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.failed: ConnectError | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"venue {self.desk.name}")

    async def close(self) -> None:
        """What is on its way to the venue is given a moment; what has no answer then is asked for after a restart."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + CLOSE_SECONDS
        while self.desk.under_way and self.desk.is_live and loop.time() < deadline:
            await self.desk.change(0.05)
        if self._task is not None:
            self._task.cancel()
            _, left = await asyncio.wait([self._task], timeout=CLOSE_SECONDS)
            if left:
                _log.error("%s: its connector does not let go, and is left behind", self.desk.name)
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.desk.connector.close()
        except Exception:  # noqa: BLE001 - it is closed as far as it goes
            _log.exception("%s: its connector failed at closing", self.desk.name)

    def resumed(self) -> None:
        """The journal takes writes again: what was heard in between is not in it."""
        self._following.begin_anew()
        try:
            self.desk.rejoin()
        except StoreStopped:
            return
        self.desk.unsent.clear()
        self.desk.confirm_switch()
        self.desk.observe([Gap(self.desk.number, ORDERS, self.desk.now(), "the journal could not be written")])

    async def until_ready(self, seconds: float) -> bool:
        """Whether all that is open there is known, within so many seconds. Raises SignInRefused."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while not self.desk.is_trusted:
            if self.failed is not None:
                raise self.failed
            left = deadline - loop.time()
            if left <= 0:
                return False
            await self.desk.change(min(left, 0.05))
        return True

    def order_number(self, order_id: str) -> int:
        """The order's number in the journal. Raises NoSuchOrder."""
        order = self.desk.tracked.by_client.get(order_id)
        if order is not None:
            number: int = order.number
            return number
        record = self.desk.store.storage.archive.placed_as(self.desk.number, order_id)
        if record is None:
            raise NoSuchOrder(f"{self.desk.name} has no order {order_id!r} of ours")
        return record.belief.terms.order

    def last_entry(self, order_id: str) -> int:
        """The newest durable entry about the order, 0 for none."""
        order = self.desk.store.state.venues[self.desk.number].by_client.get(order_id)
        if order is not None:
            return order.last
        record = self.desk.store.storage.archive.placed_as(self.desk.number, order_id)
        return 0 if record is None else record.last

    def alive(self) -> None:
        """The strategy is there."""
        if self._silence is not None:
            self._silence.alive(self.desk.now())
        self.placing.is_silent = False
        self._heard.set()

    async def _run(self) -> None:
        backoff = Backoff(random=self._random)
        try:
            await self._reach(backoff)
            while True:
                try:
                    async with asyncio.TaskGroup() as group:
                        self.placing.run(group)
                        self.asking.run(group)
                        group.create_task(self._following.run())
                        group.create_task(self._listing.run())
                        group.create_task(self._watch())
                except ExceptionGroup as errors:
                    _log.error("%s: its tasks failed and are begun anew", self.desk.name, exc_info=errors)
                    self.desk.is_live = False
                    await asyncio.sleep(backoff.failed())
        except (SignInRefused, StoreStopped) as error:
            self.failed = error
            self.desk.changed()
            _log.error("%s: %s", self.desk.name, error)

    async def _reach(self, backoff: Backoff) -> None:
        """Start the connector and list its markets, however long that takes."""
        desk = self.desk
        while True:
            try:
                with in_lane(CANCEL):
                    async with asyncio.timeout(START_SECONDS):
                        await desk.connector.start()
                        rules = await desk.connector.markets()
                desk.list_markets(rules)
                desk.connector.enter(desk)
                break
            except (SignInRefused, StoreStopped):
                raise
            except Exception as error:  # noqa: BLE001 - it is tried again
                if isinstance(error, (VenueError, TimeoutError)):
                    _log.warning("%s is not reached: %s", desk.name, str(error) or "no answer")
                else:
                    _log.exception("%s: its connector failed at starting", desk.name)
            await asyncio.sleep(backoff.failed())
        backoff.succeeded()
        desk.is_reached = True
        desk.changed()

    # --- Silence ------------------------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        """The dead-man switch."""
        if not self._silence_us:
            return
        desk = self.desk
        has_heartbeat = desk.connector.capabilities.has_heartbeat
        silence = self._silence = Silence(self._silence_us, desk.now(), beats=has_heartbeat)
        while True:
            self._heard.clear()
            due = silence.next_due()
            try:
                async with asyncio.timeout((due - desk.now()) / 1_000_000 if due else None):
                    await self._heard.wait()
            except TimeoutError:
                pass
            if silence.wants_cancel(desk.now()):
                self.placing.is_silent = True
                _log.error("%s: the strategy is silent: every order is cancelled", desk.name)
                await self._cancel_everything()
            elif silence.wants_beat(desk.now()):
                await self._beat()

    async def _cancel_everything(self) -> None:
        """Again and again, until nothing is open any more or the strategy is heard of: a venue may be slow, or away."""
        backoff = Backoff(first=1.0, most=CANCEL_SECONDS, random=self._random)
        while self.desk.orders() and not self._heard.is_set():
            await self.cancelling.cancel_all(CANCEL_SECONDS)
            if not self.desk.connector.capabilities.can_cancel:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(backoff.failed()):
                    await self._heard.wait()

    async def _beat(self) -> None:
        connector = cast(Any, self.desk.connector)
        heart: Heartbeat = connector
        try:
            with in_lane(CANCEL):
                await self.desk.pacer.turn()
                await heart.heartbeat(self._silence_us / 1_000_000)
        except Exception as error:  # noqa: BLE001 - the next one is soon
            _log.warning("%s: a heartbeat failed: %s", self.desk.name, str(error) or type(error).__name__)
