"""Who listens to a connector, and how they are told: at once, in the order in which they came, one fault harming none.

Listeners are kept until they are removed: one that nobody else holds is called as well.
"""

import logging
from collections.abc import Callable
from enum import Enum
from typing import Any

_log = logging.getLogger(__name__)

Listener = Callable[[Any], Any]


class EventListener:
    """A listener that is told which event it is called for, and by whom."""

    def __init__(self) -> None:
        self.current_event_tag = 0
        self.current_event_caller: PubSub | None = None

    def __call__(self, message: Any) -> None:
        raise NotImplementedError


class PubSub:
    def __init__(self) -> None:
        self._listeners: dict[int, list[Listener]] = {}

    def add_listener(self, event_tag: Enum, listener: Listener) -> None:
        """Call it for each such event from now on; adding it twice changes nothing."""
        listeners = self._listeners.setdefault(event_tag.value, [])
        if not any(each is listener for each in listeners):
            listeners.append(listener)

    def remove_listener(self, event_tag: Enum, listener: Listener) -> None:
        listeners = self._listeners.get(event_tag.value, [])
        listeners[:] = [each for each in listeners if each is not listener]

    def get_listeners(self, event_tag: Enum) -> list[Listener]:
        return list(self._listeners.get(event_tag.value, ()))

    def trigger_event(self, event_tag: Enum, message: Any) -> None:
        """Tell every listener; one that raises is reported in the log."""
        for listener in self.get_listeners(event_tag):
            try:
                if isinstance(listener, EventListener):
                    listener.current_event_tag = event_tag.value
                    listener.current_event_caller = self
                listener(message)
            except Exception:  # noqa: BLE001 - it is somebody else's code
                _log.exception("a listener to event %s failed", event_tag.name)
