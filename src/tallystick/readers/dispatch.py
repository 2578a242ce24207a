"""One dispatcher reads once and routes: every entry goes to the subscriptions whose keys it touches, and to no other.

A listener is handed (entry, state after it). The state is the readers': everything in it is durable.
"""

import logging
from collections.abc import Callable
from typing import Final

from tallystick.core.keys import EVERYTHING
from tallystick.facts.venue import Entry
from tallystick.venue.state import State

Listener = Callable[[Entry, State], None]

_log = logging.getLogger(__name__)


class Subscription:
    """A listener and its keys. It is called once for an entry, however many of its keys the entry touches."""

    __slots__ = ("_dispatcher", "keys", "listener")

    def __init__(self, dispatcher: "Dispatcher", keys: tuple[int, ...], listener: Listener) -> None:
        self._dispatcher: Final = dispatcher
        self.keys: Final = keys
        self.listener: Final = listener

    def cancel(self) -> None:
        """No entry is handed over after this. Harmless when repeated."""
        self._dispatcher._remove(self)


class Dispatcher:
    def __init__(self) -> None:
        self._by_key: Final[dict[int, dict[Subscription, None]]] = {}

    def subscribe(self, keys: tuple[int, ...], listener: Listener) -> Subscription:
        """Hand ``listener`` every entry from the next one on that touches one of ``keys`` (``EVERYTHING``: each)."""
        subscription = Subscription(self, tuple(dict.fromkeys(keys)), listener)
        for key in subscription.keys:
            self._by_key.setdefault(key, {})[subscription] = None
        return subscription

    def dispatch(self, entry: Entry, state: State) -> None:
        """Route one entry. A listener that raises is reported, cancelled, and does not stop the others."""
        if not self._by_key:
            return
        reached: dict[Subscription, None] = {}
        for key in (EVERYTHING, *entry.touched()):
            reached.update(self._by_key.get(key, {}))
        for subscription in reached:
            if subscription not in self._by_key.get(subscription.keys[0], {}):
                continue  # cancelled by a listener before it
            try:
                subscription.listener(entry, state)
            except Exception:  # noqa: BLE001 - it is a listener's; the others go on
                _log.exception("a listener failed at entry %d and was cancelled", entry.sequence)
                subscription.cancel()

    def _remove(self, subscription: Subscription) -> None:
        for key in subscription.keys:
            subscriptions = self._by_key.get(key)
            if subscriptions is not None:
                subscriptions.pop(subscription, None)
                if not subscriptions:
                    del self._by_key[key]
