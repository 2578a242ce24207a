"""A faulty link between a connector and the client: it delays, doubles, shuffles and drops what a stream tells, and
ends the client's process at named points. It watches as well: what no connector may do is in ``faults``.

The points are ``<method>.before`` and ``<method>.after`` of each call, and ``stream.item`` after an observation.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from random import Random
from typing import Any, Final, TypeVar

from tallystick.connect.errors import Ambiguous, VenueError
from tallystick.connect.port import Capabilities, Connector, Context, Order, StreamItem
from tallystick.connect.soundness import fault
from tallystick.connect.trading_rules import TradingRule
from tallystick.tracker.observations import Gap, Observation, OpenOrders, Position

T = TypeVar("T")
AFTER_ALL_SECONDS: Final = 0.001


class Call:
    """One request as the link saw it. Times are in microseconds on the client's clock."""

    __slots__ = ("answer", "answered_at", "error", "sent_at", "what")

    def __init__(self, what: str, sent_at: int) -> None:
        self.what: Final = what
        self.sent_at: Final = sent_at
        self.answered_at = 0
        self.answer: Any = None
        self.error: Exception | None = None


class Link:
    """See Connector. ``copies`` is how often each observation of the stream arrives (0: never), each ``delay`` seconds
    and up to ``spread`` more after it was told; ``answer_delay`` is for the answer to an order, or the lack
    of one.

    ``streamed`` are the items of the stream as the connector gave them, ``calls`` all requests. When the process
    reaches ``crash_at`` it ends there: ``on_crash`` is called, and nothing passes any more in either direction.
    """

    def __init__(self, connector: Connector, seed: int) -> None:
        self.name: Final = connector.name
        self.capabilities: Final[Capabilities] = connector.capabilities
        self.copies = 1
        self.delay = 0.0
        self.spread = 0.0
        self.answer_delay = 0.0
        self.crash_at = ""
        self.on_crash: Callable[[], object] = lambda: None
        self.crashed: Final = asyncio.Event()
        self.calls: Final[list[Call]] = []
        self.streamed: Final[list[StreamItem]] = []
        self.faults: Final[list[str]] = []
        self._connector: Final = connector
        self._random: Final = Random(seed)
        self._context: Context | None = None

    def calm(self) -> None:
        """It becomes a perfect link."""
        self.copies = 1
        self.delay = self.spread = self.answer_delay = 0.0

    def heard(self) -> list[Any]:
        """All that the connector gave, by its stream and as answers."""
        answers = [each for call in self.calls for each in _observations(call.answer)]
        listed = [each for taken in answers if isinstance(taken, OpenOrders) for each in (*taken.reports, *taken.fills)]
        return [*self.streamed, *answers, *listed]

    # --- The port -----------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        await self._call("start", self._connector.start)

    async def close(self) -> None:
        await self._connector.close()

    async def markets(self) -> Sequence[TradingRule]:
        return await self._call("markets", self._connector.markets)

    def enter(self, context: Context) -> None:
        self._context = context
        self._connector.enter(context)

    def identify(self, order: Order) -> str:
        return self._connector.identify(order)

    async def place(self, orders: Sequence[Order]) -> Sequence[Observation]:
        try:
            return await self._call("place", lambda: self._connector.place(orders))
        finally:
            if self.answer_delay:
                await asyncio.sleep(self.answer_delay)

    async def cancel(self, orders: Sequence[Order]) -> Sequence[Observation]:
        return await self._call("cancel", lambda: self._connector.cancel(orders))

    async def fetch_order(self, order: Order) -> Sequence[Observation]:
        return await self._call("fetch_order", lambda: self._connector.fetch_order(order))

    async def fetch_fills(self, order: Order) -> Sequence[Observation]:
        return await self._call("fetch_fills", lambda: self._connector.fetch_fills(order))

    async def open_orders(self) -> OpenOrders:
        return await self._call("open_orders", self._connector.open_orders)

    async def stream(self, position: str) -> AsyncIterator[StreamItem]:
        await self._reach("stream.before")
        arrived: asyncio.Queue[StreamItem | Exception] = asyncio.Queue()
        pump = asyncio.create_task(self._pump(position, arrived))
        try:
            while True:
                item = await arrived.get()
                if isinstance(item, Exception):
                    raise item
                yield item
                if isinstance(item, Observation):
                    await self._reach("stream.item")
        finally:
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)

    # --- The faults ---------------------------------------------------------------------------------------------------

    async def _pump(self, position: str, arrived: "asyncio.Queue[StreamItem | Exception]") -> None:
        """Hand on what the stream tells. A Position is never handed on before all that it covers."""
        loop = asyncio.get_running_loop()
        last = loop.time()
        try:
            async for item in self._connector.stream(position):
                if self.crashed.is_set():
                    break
                self.streamed.append(item)
                if isinstance(item, (Observation, Position, Gap)):
                    self._look_at("stream", item)
                if isinstance(item, Observation):
                    for _ in range(self.copies):
                        last = max(last, self._send(item, arrived))
                elif isinstance(item, Position) and last > loop.time():
                    loop.call_at(last + AFTER_ALL_SECONDS, arrived.put_nowait, item)
                else:
                    arrived.put_nowait(item)
            arrived.put_nowait(Ambiguous("the stream ended"))
        except Exception as error:  # noqa: BLE001 - whoever follows is told, as without a link
            self._judge("stream", error)
            arrived.put_nowait(error)

    def _send(self, item: StreamItem, arrived: "asyncio.Queue[StreamItem | Exception]") -> float:
        """When it will arrive."""
        loop = asyncio.get_running_loop()
        wait = self.delay + (self._random.uniform(0.0, self.spread) if self.spread else 0.0)
        if not wait:
            arrived.put_nowait(item)
            return loop.time()
        loop.call_later(wait, arrived.put_nowait, item)
        return loop.time() + wait

    async def _call(self, what: str, ask: Callable[[], Awaitable[T]]) -> T:
        await self._reach(f"{what}.before")
        call = Call(what, self._now())
        self.calls.append(call)
        try:
            call.answer = answer = await ask()
        except Exception as error:
            call.error = error
            self._judge(what, error)
            await self._reach(f"{what}.after")
            raise
        finally:
            call.answered_at = self._now()
        for each in _observations(answer):
            self._look_at(what, each)
        await self._reach(f"{what}.after")
        return answer

    async def _reach(self, point: str) -> None:
        """Go on, unless the process ended here or before."""
        if point == self.crash_at and not self.crashed.is_set():
            self.crashed.set()
            self.on_crash()
        if self.crashed.is_set():
            await asyncio.Event().wait()

    # --- What no connector may do -------------------------------------------------------------------------------------

    def _judge(self, what: str, error: Exception) -> None:
        if not isinstance(error, (VenueError, TimeoutError)):
            self.faults.append(
                f"{what} raised {type(error).__name__} ({error}): raise a VenueError that says what it means"
            )

    def _look_at(self, what: str, given: Any) -> None:
        wrong = "" if self._context is None else fault(given, self._context.venue)
        if wrong:
            self.faults.append(f"{what} gave what cannot be: {wrong}")

    def _now(self) -> int:
        return 0 if self._context is None else self._context.now()


def _observations(answer: Any) -> Sequence[Any]:
    """What of an answer the tracker is given; trading rules are none of it."""
    if isinstance(answer, OpenOrders):
        return [answer]
    return [] if answer is None else [each for each in answer if not isinstance(each, TradingRule)]
