"""The venue of a client's world: a process that serves on the loop, that dies and begins again with what its disk kept.

It is the simulator's Process, with its real engine, readers and journal, and time that passes by itself.
"""

import asyncio
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final, TypeVar

from tallystick.core.order import Order
from tallystick.core.trade import Trade
from tallystick.facts.commands import Answer
from tallystick.facts.venue import Entry
from tallystick.simulate.faults import Crash, Disk
from tallystick.simulate.loop import VirtualLoop
from tallystick.simulate.process import VENUE, Parts, Process
from tallystick.simulate.terms import Terms
from tallystick.venue.state import State

DOWN_SECONDS: Final = (0.0, 0.5, 5.0, 40.0)
COMMIT_SECONDS: Final = (0.0, 0.0, 0.001, 0.02, 0.3)

Note = Callable[[str], None]
T = TypeVar("T")


class Gone(Exception):
    """The process died, or was not there: nobody knows what came of the request."""


class VenueServer:
    """``prices`` are what it quotes when it begins. While it is dead everything raises Gone."""

    def __init__(
        self,
        loop: VirtualLoop,
        random: Random,
        terms: Terms,
        parts: Parts,
        disk: Disk,
        prices: Sequence[Any],
        say: Note,
    ) -> None:
        self._loop: Final = loop
        self._random: Final = random
        self._terms: Final = terms
        self._parts: Final = parts
        self._prices: Final = prices
        self._say: Final = say
        self._waiting: Final[dict[asyncio.Future[Any], None]] = {}
        self._followers: Final[dict[asyncio.Event, None]] = {}
        self._alarm: asyncio.TimerHandle | None = None
        self._is_flushing = False
        self.disk: Final = disk
        self.crashes = 0
        self._process: Process | None = None
        self._begin()

    # --- What is asked of it ------------------------------------------------------------------------------------------

    @property
    def process(self) -> Process:
        """The one that lives. Raises Gone."""
        if self._process is None:
            raise Gone
        return self._process

    @property
    def process_or_none(self) -> Process | None:
        """The one that lives, if any does."""
        return self._process

    @property
    def state(self) -> State:
        """The readers': what is durable, and may be shown. Raises Gone."""
        state: State = self.process.readers.state
        return state

    def now(self) -> int:
        process = self.process
        return process.clock.read(self._loop.wall_us, int(self._loop.time() * 1_000_000_000))

    async def ask(self, command: Any) -> Answer:
        """Its answer, once that is durable. Raises Gone."""
        return await self.ask_for(command, lambda answer, _state: answer)

    async def ask_for(self, command: Any, render: Callable[[Answer, State], T]) -> T:
        """What ``render`` makes of the answer and the state right after it. Raises Gone, and what it raises."""
        rendered: asyncio.Future[T] = self._loop.create_future()
        self._waiting[rendered] = None

        def answered(answer: Answer, state: State) -> None:
            try:
                if not rendered.done():
                    rendered.set_result(render(answer, state))
            except Exception as error:  # noqa: BLE001 - raised again where it is awaited
                rendered.set_exception(error)

        self.tell(command, answered)
        try:
            return await rendered
        finally:
            self._waiting.pop(rendered, None)

    def tell(self, command: Any, answered: Callable[[Answer, State], object] = lambda _said, _state: None) -> None:
        """Submit it. Raises Gone."""
        process = self.process
        self._say(f"venue {command}")
        process.sequencer.submit(command, self.now(), answered, self._parts.known(process.readers, command))
        self._flush_soon()

    def order(self, number: int) -> tuple[Order, list[Trade]] | None:
        """The order and its trades, however long ago. Raises Gone."""
        found: tuple[Order, list[Trade]] | None = self.process.readers.order(number)
        return found

    def known(self, command: Any) -> Any:
        """What its client key was used for. Raises Gone."""
        return self._parts.known(self.process.readers, command)

    def entries(self, key: int, after: int) -> list[Entry]:
        """All entries that touch the key and are newer than ``after``, oldest first. Raises Gone."""
        return list(self.process.index.entries(key, after))

    @property
    def held(self) -> list[tuple[int, int]]:
        """(stage, market) of what is held. Raises Gone."""
        return list(self.process.sequencer.ambient.held)

    def bodies(self) -> list[bytes]:
        """Its journal. Raises Gone."""
        return [body for _, body in self.process.journal.read(VENUE)]

    async def change(self, seconds: float) -> None:
        """Return when something became durable, when it dies or begins, or after so many seconds."""
        woken = asyncio.Event()
        self._followers[woken] = None
        try:
            async with asyncio.timeout(seconds):
                await woken.wait()
        except TimeoutError:
            pass
        finally:
            del self._followers[woken]

    # --- Its lives ----------------------------------------------------------------------------------------------------

    def kill(self) -> None:
        """It dies, at this moment; what it has not written is lost."""
        if self._process is None:
            return
        self._say("the venue dies")
        self.crashes += 1
        self._process = None
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        for answer in list(self._waiting):
            if not answer.done():
                answer.set_exception(Gone())
        self._wake_followers()
        self._loop.call_later(self._random.choice(DOWN_SECONDS) if self.disk.faulty else 0.0, self._begin)

    def _begin(self) -> None:
        self._process = Process(self._parts, self._terms, self.disk)
        self._say(f"the venue begins with {len(self._process.bodies)} entries")
        self._is_flushing = False
        for quote in self._prices:
            if self.state.markets:
                self.tell(quote)
        self._wake_followers()
        self._set_alarm()

    def _flush_soon(self) -> None:
        if not self._is_flushing:
            self._is_flushing = True
            self._loop.call_later(self._random.choice(COMMIT_SECONDS), self._flush, self._process)

    def _flush(self, process: Process | None) -> None:
        if process is None or process is not self._process:
            return
        self._is_flushing = False
        try:
            process.flush()
        except Crash:
            self.kill()
            return
        if process.sequencer.stopped is not None:
            self.kill()
            return
        self._wake_followers()
        self._set_alarm()

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        due = self.process.sequencer.next_due()
        if due:
            delay = max(0.0, (due - self.now()) / 1_000_000) + 1e-6
            self._alarm = self._loop.call_later(delay, self._ring, self._process)

    def _ring(self, process: Process | None) -> None:
        self._alarm = None
        if process is not None and process is self._process:
            process.sequencer.wake(self.now())
            self._flush_soon()

    def _wake_followers(self) -> None:
        for woken in list(self._followers):
            woken.set()
