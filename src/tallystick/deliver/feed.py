"""What is sent and streamed: happenings of one venue, in order, each with its position; and where they come from.

A dialect makes its feed from the journal, so the journal is the outbox: a happening that was committed is there for
whoever asks from an earlier position, however late. Nothing is given out that the readers' state has not folded.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Happening(NamedTuple):
    """One event as it goes out. ``body`` are the bytes, the same for ever and everywhere.

    ``position`` tells it from every other of its feed, and grows. ``resource`` is the id of what it is about, ``group``
    of what it must stay in order with (a trade's is its order's). ``owner`` is the client that may see it. ``time`` is
    in microseconds since the epoch.
    """

    position: int
    event_id: str
    name: str
    resource: str
    group: str
    owner: str
    time: int
    body: bytes


class Page(NamedTuple):
    """Happenings, oldest first. All up to the position ``through`` were looked at."""

    happenings: Sequence[Happening]
    through: int


class Sink(Protocol):
    """Who is handed happenings while they are new."""

    @property
    def is_idle(self) -> bool:
        """Whether it wants nothing at all: then nothing has to be made."""

    def wants(self, owner: str) -> bool:
        """Whether it makes sense to hand over what this client may see."""

    def take(self, happening: Happening) -> None:
        """A happening that is durable now; each once, in order."""

    def begin_anew(self, since: int) -> None:
        """Not everything up to the position ``since`` could be handed over: it is to be read."""


class PositionUnknown(Exception):
    """The text names no position of this feed."""


class Feed(Protocol):
    """The happenings of a venue. ``owner`` is a client's name, or None for everybody's."""

    def newest(self) -> int:
        """The position up to which everything is known; whatever comes has a greater one."""

    def position(self, text: str) -> int:
        """The position that ``text`` names: an event's id, or what ``text`` gave. Raises PositionUnknown."""

    def text(self, position: int) -> str:
        """The position in the open: opaque, and of this feed alone."""

    def position_at(self, time: int) -> int:
        """The position before the first happening at ``time`` (microseconds since the epoch) or later."""

    async def page(self, owner: str | None, after: int, limit: int) -> Page:
        """Up to ``limit`` happenings after the position ``after``, found with a bounded look; maybe none, and more."""

    def attach(self, sink: Sink) -> None:
        """Hand every happening from now on to ``sink``, before the feed's own users can have read of it."""
