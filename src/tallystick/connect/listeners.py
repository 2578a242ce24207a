"""Who is told what happens: iterators with a queue of their own, and callbacks. One that fails does not stop others."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Final
from weakref import WeakKeyDictionary

from tallystick.connect.errors import ConnectError, CutOff
from tallystick.connect.events import Event
from tallystick.connect.narration import Told, events_of
from tallystick.facts.client import Entry
from tallystick.tracker.state import State

WAITING_MAX: Final = 10_000
"""Events that wait for one consumer. A slower one is told where to go on from; nothing is merged or dropped."""

Callback = Callable[[Event], object]

_log = logging.getLogger(__name__)


class Wanted:
    """Which events: of a venue (0: all), of one order (0: all)."""

    __slots__ = ("order", "venue")

    def __init__(self, venue: int = 0, order: int = 0) -> None:
        self.venue: Final = venue
        self.order: Final = order

    def has(self, told: Told) -> bool:
        return (not self.venue or told[0] == self.venue) and (not self.order or told[1] == self.order)


class Subscription:
    """Events from one moment on, in order. ``next`` waits for one; CutOff is raised where it stops."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted: Final = wanted
        self._waiting: Final[deque[Event]] = deque()
        self._arrived: Final = asyncio.Event()
        self._error: ConnectError | None = None
        self._is_closed = False

    def tell(self, told: Told) -> None:
        if self._error is not None or self._is_closed or not self._wanted.has(told):
            return
        if len(self._waiting) >= WAITING_MAX:
            self._error = CutOff(self._waiting[-1].position)
        else:
            self._waiting.append(told[2])
        self._arrived.set()

    def fail(self, error: ConnectError) -> None:
        """Nothing more will come; whoever waits gets the error after what is waiting."""
        self._error = self._error or error
        self._arrived.set()

    def close(self) -> None:
        """Nothing more is wanted, or will come."""
        self._is_closed = True
        self._arrived.set()

    async def next(self) -> Event | None:
        """The next event; None when it was closed. Raises what ``fail`` was given."""
        while not self._waiting:
            if self._error is not None:
                raise self._error
            if self._is_closed:
                return None
            self._arrived.clear()
            await self._arrived.wait()
        return self._waiting.popleft()


class Callbacks:
    """A callback and what it wants; it is called on the event loop, and must not block."""

    def __init__(self, wanted: Wanted, callback: Callback, name: str) -> None:
        self._wanted: Final = wanted
        self._callback: Final = callback
        self._name: Final = name
        self.is_cancelled = False

    def tell(self, told: Told) -> None:
        if self.is_cancelled or not self._wanted.has(told):
            return
        try:
            self._callback(told[2])
        except (Exception, asyncio.CancelledError):  # noqa: BLE001 - it is a listener's; the others go on, and so does it
            _log.exception("listener %s failed at %s %s", self._name, type(told[2]).__name__, told[2].position)


class Listeners:
    """Everybody who is told; ``take`` is handed each durable entry. Who dropped a subscription is told no more."""

    def __init__(self) -> None:
        self._subscriptions: Final[WeakKeyDictionary[Subscription, None]] = WeakKeyDictionary()
        self._callbacks: Final[dict[Callbacks, None]] = {}

    def subscribe(self, wanted: Wanted) -> Subscription:
        subscription = Subscription(wanted)
        self._subscriptions[subscription] = None
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        subscription.close()
        self._subscriptions.pop(subscription, None)

    def call(self, wanted: Wanted, callback: Callback) -> Callable[[], None]:
        """Call it for each event from now on; what is returned ends that. Raises TypeError for a coroutine function."""
        if iscoroutinefunction(callback):
            raise TypeError("a listener is a plain function: in a coroutine, iterate over events()")
        name = getattr(callback, "__qualname__", type(callback).__qualname__)
        listener = Callbacks(wanted, callback, name)
        self._callbacks[listener] = None

        def end() -> None:
            listener.is_cancelled = True
            self._callbacks.pop(listener, None)

        return end

    def take(self, entry: Entry, state: State) -> None:
        if not (self._subscriptions or self._callbacks):
            return
        for told in events_of(entry, state):
            for subscription in list(self._subscriptions):
                subscription.tell(told)
            for listener in list(self._callbacks):
                listener.tell(told)

    def fail(self, error: ConnectError) -> None:
        """Nothing more will come for anybody who waits."""
        for subscription in list(self._subscriptions):
            subscription.fail(error)

    def close(self) -> None:
        for subscription in list(self._subscriptions):
            subscription.close()
