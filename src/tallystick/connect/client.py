"""What a strategy holds: a Client with its journal, and in it a Venue for each connector.

    async with Client(journal="bot") as client:
        venue = await client.add(connector)
        order_id = venue.buy("ACME-USD", Decimal("100"))
        async for event in venue.events(order_id): ...

Everything here is for one event loop's thread.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from decimal import Decimal
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Final, Self

from tallystick.connect.cancelling import CancelResult
from tallystick.connect.desk import Killed
from tallystick.connect.errors import CannotStart, StoreStopped
from tallystick.connect.events import TERMINAL, Event, OrderType
from tallystick.connect.foreign import ForeignOrder
from tallystick.connect.history import story, told_since
from tallystick.connect.limits import Limits
from tallystick.connect.listeners import Callback, Listeners, Subscription, Wanted
from tallystick.connect.narration import position_text
from tallystick.connect.placing import NO_TRAITS
from tallystick.connect.port import Connector
from tallystick.connect.runtime import Runtime
from tallystick.connect.store import Clock, Storage, Store
from tallystick.connect.trading_rules import TradingRule
from tallystick.facts.client import Entry
from tallystick.facts.codes import BUY, SELL
from tallystick.tracker.agenda import Patience
from tallystick.tracker.state import State

READY_SECONDS: Final = 10.0
CANCEL_SECONDS: Final = 10.0
QUESTIONS_MAX: Final = 256
RETAIN_MAX: Final = 20_000
"""Closed orders that stay in memory at most; of earlier ones late evidence is recognised by the archive."""
LOOK_SECONDS: Final = 0.005
"""The tracker is asked for its questions no more often than this."""

_log = logging.getLogger(__name__)


def shell_patience() -> Patience:
    """How long a client waits before it asks, and asks again: at most ten seconds, for a pacer stands behind it."""
    return Patience(again_us=1_000_000, again_max_us=10_000_000, retain_max=RETAIN_MAX)


class Venue:
    """One venue of a Client, reached through one connector."""

    def __init__(self, client: "Client", runtime: Runtime) -> None:
        self._client: Final = client
        self._runtime: Final = runtime

    @property
    def name(self) -> str:
        return self._runtime.desk.name

    @property
    def is_ready(self) -> bool:
        """Its stream is connected, and all that is open there is known: orders are taken."""
        return self._runtime.desk.is_trusted

    @property
    def markets(self) -> Mapping[str, TradingRule]:
        """What it trades, by name, as it was last listed."""
        desk = self._runtime.desk
        return {name: rule for name, rule in desk.rules.items() if name not in desk.unlisted}

    def buy(
        self,
        market: str,
        amount: Decimal,
        order_type: OrderType = OrderType.MARKET,
        price: Decimal | None = None,
        *,
        size_kind: int = 0,
        traits: Mapping[str, str] = NO_TRAITS,
    ) -> str:
        """Intend an order, and return its client order id at once; what becomes of it is told by events.

        ``amount`` counts units, or cash where the venue's buys do (docs/client.md); ``traits`` are texts of one's own
        that are journaled with it. An order that cannot be sent fails with a MarketOrderFailureEvent.

        Raises NoSuchMarket, ValueError or TypeError for what is no order, and StoreStopped while the journal cannot be
        written.
        """
        return self._runtime.placing.place(BUY, market, amount, order_type, price, size_kind, traits)

    def sell(
        self,
        market: str,
        amount: Decimal,
        order_type: OrderType = OrderType.MARKET,
        price: Decimal | None = None,
        *,
        size_kind: int = 0,
        traits: Mapping[str, str] = NO_TRAITS,
    ) -> str:
        """As ``buy``."""
        return self._runtime.placing.place(SELL, market, amount, order_type, price, size_kind, traits)

    async def cancel(self, *order_ids: str, timeout: float = CANCEL_SECONDS) -> dict[str, CancelResult]:  # noqa: ASYNC109
        """Ask for these orders to be cancelled; what is known of each after at most ``timeout`` seconds."""
        return await self._runtime.cancelling.cancel(order_ids, timeout)

    async def cancel_all(
        self,
        timeout: float = CANCEL_SECONDS,  # noqa: ASYNC109
        *,
        foreign: bool = False,
    ) -> dict[str, CancelResult]:
        """Every order of ours here that is not over. Works without a trusted stream, and without a journal.

        With ``foreign`` those that were not made here too, as far as the venue can (by their exchange order ids).
        """
        return await self._runtime.cancelling.cancel_all(timeout, foreign=foreign)

    def foreign_orders(self) -> list[ForeignOrder]:
        """What is open on the account and was not made here, as of the venue's last list."""
        return self._runtime.desk.foreign.all()

    @property
    def dropped(self) -> int:
        """How much the venue said, in this run, of orders that were never sent from here and that it names by no id
        of its own: nothing can come of it."""
        return self._runtime.desk.store.tracker.dropped(self._runtime.desk.number)

    def listen_foreign(self, callback: Callable[[ForeignOrder], object]) -> Callable[[], None]:
        """Call it for each of ``foreign_orders``, now and when a new one is seen; what is returned ends that."""
        return self._runtime.desk.foreign.listen(callback)

    def open_order_ids(self) -> list[str]:
        """The client ids of all orders here that are not over, as far as is known; oldest first."""
        orders = sorted(self._runtime.desk.orders(), key=lambda order: order.number)
        return [order.client_id for order in orders]

    def events(self, order_id: str = "", *, since: str | None = None) -> AsyncGenerator[Event, None]:
        """Of one order, from its beginning to its end; or of all orders here, from this call on or ``since`` one.

        The position "" is the beginning. Raises NoSuchOrder, CutOff, and StoreStopped when nothing more can come.
        """
        if order_id:
            return self._client._story(self._runtime, order_id, self._runtime.order_number(order_id))
        return self._client._events(Wanted(self._runtime.desk.number), since)

    def listen(self, callback: Callback) -> Callable[[], None]:
        """Call it for each event from now on; what is returned ends that. One that raises is reported in the log."""
        return self._client._listeners.call(Wanted(self._runtime.desk.number), callback)

    def alive(self) -> None:
        """The strategy is there; see ``silence_seconds`` of Client.add."""
        self._runtime.alive()

    def kill(self, reason: str = "") -> None:
        """The kill switch: no order is sent any more, until ``allow``; restarts change nothing. Cancelling goes on."""
        self._runtime.desk.kill(reason)

    def allow(self) -> None:
        """Release the kill switch: orders are sent again. Raises StoreStopped while that cannot be recorded."""
        self._runtime.desk.release()

    @property
    def killed(self) -> Killed | None:
        """Why and since when no order is sent; None while they are."""
        return self._runtime.desk.killed

    async def until_ready(self, timeout: float = READY_SECONDS) -> bool:  # noqa: ASYNC109
        """Whether it is ready within so many seconds. Raises SignInRefused."""
        return await self._runtime.until_ready(timeout)


class Client:
    """``journal`` is a folder, made if need be, that this process then holds alone; None for memory, which forgets.

    To be used as an async context manager. Raises FolderInUse or JournalError when it is entered.
    """

    def __init__(
        self,
        journal: str | Path | None = None,
        *,
        patience: Patience | None = None,
        storage: Storage | None = None,
        clock: Clock | None = None,
        random: Random | None = None,
    ) -> None:
        self._random: Final = random
        self._folder: Final = None if journal is None else Path(journal)
        self._patience: Final = shell_patience() if patience is None else patience
        self._storage = storage
        self._clock: Final = clock
        self._store: Store | None = None
        self._runtimes: Final[dict[int, Runtime]] = {}
        self._listeners: Final = Listeners()
        self._kicked: Final = asyncio.Event()
        self._asker: asyncio.Task[None] | None = None
        self.venues: Final[dict[str, Venue]] = {}

    async def __aenter__(self) -> Self:
        storage = self._storage
        if storage is None:
            storage = Storage(None) if self._folder is None else await asyncio.to_thread(Storage, self._folder)
        try:
            self._store = await Store.opened(storage, self._patience, self._clock)
        except BaseException:
            storage.close()
            raise
        self._store.listen(self._take)
        self._store.watch(decided=self._kicked.set, stopped=self._stopped, resumed=self._resumed)
        self._asker = asyncio.get_running_loop().create_task(self._ask(), name="questions")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def store(self) -> Store:
        if self._store is None:
            raise CannotStart("use it as an async context manager: async with Client(...) as client")
        return self._store

    @property
    def position(self) -> str:
        """After everything that was told so far."""
        return position_text(self.store.state.sequence, 1 << 20)

    async def add(
        self,
        connector: Connector,
        *,
        limits: Limits | None = None,
        ready_seconds: float = READY_SECONDS,
        without_trust: bool = False,
        silence_seconds: float = 0.0,
    ) -> Venue:
        """Join a venue, and return when all that is open there is known, or after ``ready_seconds``: it goes on trying.

        ``without_trust`` sends orders even while that is not known. With ``silence_seconds`` everything is cancelled
        when ``Venue.alive`` was not called for so long. Raises SignInRefused, CannotStart and StoreStopped.
        """
        if connector.name in self.venues:
            raise CannotStart(f"there is a venue {connector.name!r} already")
        runtime = Runtime(
            self.store,
            connector,
            Limits() if limits is None else limits,
            without_trust=without_trust,
            silence_seconds=silence_seconds,
            random=self._random,
        )
        venue = Venue(self, runtime)
        self._runtimes[runtime.desk.number] = runtime
        self.venues[connector.name] = venue
        runtime.start()
        try:
            if not await runtime.until_ready(ready_seconds):
                _log.warning("%s is not ready after %s s; it goes on trying", connector.name, ready_seconds)
        except BaseException:
            await self.remove(venue)
            raise
        return venue

    async def remove(self, venue: Venue) -> None:
        """Let go of a venue; its orders stay in the journal, and are asked for when it is added again."""
        runtime = self._runtimes.pop(venue._runtime.desk.number, None)
        self.venues.pop(venue.name, None)
        if runtime is not None:
            await runtime.close()

    async def close(self) -> None:
        """Let go of all venues, then of the journal. Harmless when repeated."""
        await asyncio.gather(*map(self.remove, list(self.venues.values())))
        if self._asker is not None:
            self._asker.cancel()
            await asyncio.gather(self._asker, return_exceptions=True)
            self._asker = None
        if self._store is not None:
            await self._store.close()
            self._store = None
        self._listeners.close()

    def events(self, since: str | None = None) -> AsyncGenerator[Event, None]:
        """Of all orders at all venues, from this call on or ``since`` a position ("": the beginning)."""
        return self._events(Wanted(), since)

    def listen(self, callback: Callback) -> Callable[[], None]:
        """See Venue.listen."""
        return self._listeners.call(Wanted(), callback)

    def _events(self, wanted: Wanted, since: str | None) -> AsyncGenerator[Event, None]:
        """Who listens from now on is listening when this returns, however late it begins to read."""
        if since is None:
            return self._live(self._subscribed(wanted))
        return self._since(wanted, since)

    async def _live(self, subscription: Subscription) -> AsyncGenerator[Event, None]:
        try:
            while (event := await subscription.next()) is not None:
                yield event
        finally:
            self._listeners.unsubscribe(subscription)

    async def _since(self, wanted: Wanted, since: str) -> AsyncGenerator[Event, None]:
        """The journal is read until it is caught up with, at the reader's pace, and only then listened to."""
        store, storage = self.store, self.store.storage
        past = told_since(storage.journal, since, lambda: store.state.sequence, storage.snapshots)
        async with aclosing(past):
            async for told in past:
                if wanted.has(told):
                    yield told[2]
        async with aclosing(self._live(self._subscribed(wanted))) as events:
            async for event in events:
                yield event

    async def _story(self, runtime: Runtime, order_id: str, number: int) -> AsyncGenerator[Event, None]:
        store = self.store
        subscription = self._subscribed(Wanted(runtime.desk.number, number))
        past = story(store.storage.journal, store.state, number, runtime.last_entry(order_id))
        async with aclosing(past), aclosing(self._live(subscription)) as events:
            async for told in past:
                yield told[2]
                if isinstance(told[2], TERMINAL):
                    return
            async for event in events:
                yield event
                if isinstance(event, TERMINAL):
                    return

    def _subscribed(self, wanted: Wanted) -> Subscription:
        subscription = self._listeners.subscribe(wanted)
        if self.store.stopped is not None:
            subscription.fail(StoreStopped(self.store.stopped))
        return subscription

    # --- What happens -------------------------------------------------------------------------------------------------

    def _take(self, entry: Entry, state: State) -> None:
        for runtime in list(self._runtimes.values()):
            runtime.desk.take(entry, state)
        self._listeners.take(entry, state)

    def _stopped(self, error: BaseException) -> None:
        self._listeners.fail(StoreStopped(error))

    def _resumed(self) -> None:
        for runtime in list(self._runtimes.values()):
            runtime.resumed()

    async def _ask(self) -> None:
        """Hand the tracker's questions to their venues as they fall due. One venue that is slow holds up no other."""
        store = self.store
        while True:
            if store.stopped is None:
                for question in store.tracker.questions(store.now(), QUESTIONS_MAX):
                    runtime = self._runtimes.get(question.venue)
                    if runtime is not None:
                        runtime.asking.take(question)
            self._kicked.clear()
            due = store.tracker.next_question() if store.stopped is None else 0
            delay = max(LOOK_SECONDS, (due - store.now()) / 1_000_000) if due else None
            try:
                async with asyncio.timeout(delay):
                    await self._kicked.wait()
                await asyncio.sleep(LOOK_SECONDS)
            except TimeoutError:
                pass


@asynccontextmanager
async def connected(
    connector: Connector,
    *,
    journal: str | Path | None,
    limits: Limits | None,
    ready_seconds: float,
    without_trust: bool,
    silence_seconds: float,
) -> AsyncGenerator[Venue, None]:
    """A Client with one venue; see tallystick.connect."""
    async with Client(journal) as client:
        yield await client.add(
            connector,
            limits=limits,
            ready_seconds=ready_seconds,
            without_trust=without_trust,
            silence_seconds=silence_seconds,
        )
