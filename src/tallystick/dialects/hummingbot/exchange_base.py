"""What a Hummingbot connector is to its listeners: a clock that others set, and events (specs/hummingbot.md §3)."""

import logging
import time

from tallystick.dialects.hummingbot.pubsub import PubSub


class ConnectorBase(PubSub):
    """``name`` is that of the class unless it is overridden."""

    def __init__(self) -> None:
        super().__init__()
        self._current_timestamp: float | None = None

    @classmethod
    def logger(cls) -> logging.Logger:
        return logging.getLogger(cls.__module__)

    @property
    def name(self) -> str:
        return type(self).__name__

    @property
    def current_timestamp(self) -> float:
        """Seconds since the epoch: as set last, and the machine's until somebody sets it."""
        return time.time() if self._current_timestamp is None else self._current_timestamp

    def _set_current_timestamp(self, timestamp: float) -> None:
        self._current_timestamp = timestamp


class ExchangeBase(ConnectorBase):
    """A connector to an exchange; what it trades is said by those that are made from it."""
