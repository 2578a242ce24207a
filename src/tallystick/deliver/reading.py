"""What one consumer reads: the port between the encoders of streams and their events; and what is read of one feed."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Final, NamedTuple, Protocol, Self, TypeVar

import msgspec

from tallystick.deliver.feed import Happening
from tallystick.deliver.hub import Hub
from tallystick.deliver.stream_query import Wanted, read_query
from tallystick.deliver.topic import Cursor

Viewer = TypeVar("Viewer", contravariant=True)


class Asked(NamedTuple):
    """A request for events: its query, the position it goes on from by a header, and what its path names."""

    query: bytes
    last_event_id: str
    params: Mapping[str, str]


class Shown(NamedTuple):
    """An event as it is shown; a stream that broke right after it goes on from its ``id``."""

    id: str
    name: str
    body: bytes


class Reading(Protocol):
    """One consumer's way through its events. What is new is kept for it while it is entered."""

    @property
    def position(self) -> str:
        """Everything up to here has been looked at; what is asked for from here comes after it."""

    @property
    def place(self) -> dict[str, Any]:
        """What a page says beside its events: its ``position`` at least."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def page(self) -> Sequence[Shown]:
        """One bounded look, for as many as were asked for; maybe none, and more."""

    async def next(self, limit: int) -> Sequence[Shown]:
        """Up to ``limit`` of the next; waits until there is something to look at, which may come to none."""


class Source(Protocol[Viewer]):
    """Where events come from."""

    def reading(self, asked: Asked, viewer: Viewer) -> Reading:
        """What is asked for, as far as the viewer may see it. Raises BadQuery."""


class Envelope(msgspec.Struct, frozen=True):
    """An event with all that a sender of another process must know of it; for those who may see everything."""

    position: int
    event_id: str
    name: str
    resource: str
    group: str
    owner: str
    time: int
    body: msgspec.Raw


class HubSource:
    """The events of one feed, for an owner by its name, for None all; ``is_enveloped`` shows them as Envelopes."""

    def __init__(self, hub: Hub, *, is_enveloped: bool = False) -> None:
        self._hub: Final = hub
        self._is_enveloped: Final = is_enveloped

    def reading(self, asked: Asked, viewer: str | None) -> "HubReading":
        wanted = read_query(asked.query, asked.last_event_id, viewer, self._hub.feed)
        return HubReading(self._hub, wanted, self._is_enveloped)


class HubReading:
    """A Reading of one feed."""

    def __init__(self, hub: Hub, wanted: Wanted, is_enveloped: bool) -> None:
        self._hub: Final = hub
        self._wanted: Final = wanted
        self._is_enveloped: Final = is_enveloped
        self._after = wanted.after
        self._cursor: Cursor | None = None

    @property
    def position(self) -> str:
        return self._hub.feed.text(self._number)

    @property
    def place(self) -> dict[str, Any]:
        return {"position": self.position} | ({"through": self._number} if self._is_enveloped else {})

    def __enter__(self) -> Self:
        self._cursor = self._hub.cursor(self._wanted.owner, self._after)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._cursor is not None:
            self._cursor.close()

    async def page(self) -> Sequence[Shown]:
        page = await self._hub.feed.page(self._wanted.owner, self._after, self._wanted.limit)
        self._after = page.through
        return self._shown(page.happenings)

    async def next(self, limit: int) -> Sequence[Shown]:
        assert self._cursor is not None, "it was not entered"
        return self._shown(await self._cursor.next(limit))

    @property
    def _number(self) -> int:
        return self._after if self._cursor is None else self._cursor.position

    def _shown(self, happenings: Sequence[Happening]) -> list[Shown]:
        return [Shown(each.event_id, each.name, self._body(each)) for each in happenings if self._wanted.includes(each)]

    def _body(self, happening: Happening) -> bytes:
        if not self._is_enveloped:
            return happening.body
        return msgspec.json.encode(Envelope(*happening[:7], msgspec.Raw(happening.body)))
