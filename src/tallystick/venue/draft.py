"""An entry while it is being decided: rules look at the state through it and emit events, which apply at once.

So a decision of several steps (place, open, trade, fill) sees after each step what the step has done. Every check that
can refuse a command comes before its first event: a draft is never taken back.
"""

from typing import Any, Final

from tallystick.core.keys import account_key, market_key, order_key
from tallystick.core.lifecycle import LifecycleError
from tallystick.facts.common import Cause
from tallystick.facts.venue import EVENTS_PER_ENTRY_MAX, Entry, TradeMade, Transferred
from tallystick.venue.ambient import Ambient
from tallystick.venue.fold import apply
from tallystick.venue.state import State
from tallystick.venue.timers import Timers


class Draft:
    """``started`` is the time of the decision and of its first event, ``time`` that of its next.

    ``state`` is the writer's: rules read it and change it only by emitting.
    """

    __slots__ = ("_events", "_keys", "ambient", "started", "state", "time", "timers")

    def __init__(self, state: State, ambient: Ambient, timers: Timers, now: int) -> None:
        self.state: Final = state
        self.ambient: Final = ambient
        self.timers: Final = timers
        started = now if now > state.time else state.time + 1
        self.started: Final = started
        self.time = started
        self._events: Final[list[Any]] = []
        self._keys: Final[dict[int, None]] = {}

    @property
    def events(self) -> int:
        """How many have happened."""
        return len(self._events)

    def emit(self, event: Any) -> None:
        """Let ``event`` happen."""
        if len(self._events) == EVENTS_PER_ENTRY_MAX:
            raise LifecycleError(f"an entry has at most {EVENTS_PER_ENTRY_MAX} events")
        apply(self.state, event, self.time)
        self._events.append(event)
        self.time += 1
        self._touch(event.account, event.order, event.market)
        kind = type(event)
        if kind is TradeMade:
            for leg in event.legs:
                self._touch(leg.account, leg.order, 0)
        elif kind is Transferred:
            self._touch(event.payer, 0, 0)

    def seal(self, cause: Cause) -> Entry | None:
        """The finished entry, or None if nothing happened."""
        if not self._events:
            return None
        self.timers.follow(self.state, self._events)
        sequence = self.state.sequence + 1
        links: list[int] = []
        for key in self._keys:
            links.append(key)
            links.append(self.state.last(key))
        self.state.close_entry(sequence, self.time - 1, self._keys)
        return Entry(sequence, self.started, cause, tuple(links), tuple(self._events))

    def _touch(self, account: int, order: int, market: int) -> None:
        keys = self._keys
        if account:
            keys[account_key(account)] = None
        if order:
            keys[order_key(order)] = None
        if market:
            keys[market_key(market)] = None
