"""What whoever serves this protocol provides: who may connect and listen, and where publications are read again."""

from collections.abc import Hashable, Sequence
from typing import Final, Generic, Literal, NamedTuple, Protocol, TypeVar

Principal = TypeVar("Principal", bound=Hashable)

Permission = Literal[0, 1, 2]
ALLOWED: Final = 0
UNKNOWN: Final = 1
"""There is no such channel."""
DENIED: Final = 2


class TokenRefused(Exception):
    """``expired``: it was good once, and the client may fetch another."""

    def __init__(self, *, expired: bool) -> None:
        super().__init__("expired" if expired else "invalid")
        self.expired: Final = expired


class Visitor(NamedTuple, Generic[Principal]):
    """Who showed a token, and for how many seconds it is still good (None: for ever)."""

    principal: Principal
    ttl: int | None = None


class Door(Protocol[Principal]):
    """Neither method waits. A token never appears in an error."""

    def admit(self, token: str) -> Visitor[Principal]:
        """Whose token it is. Raises TokenRefused."""

    def may_subscribe(self, principal: Principal, channel: str) -> Permission:
        """Whether the channel may be listened to, and its history be asked for."""


class Bounds(NamedTuple):
    """What is kept of a channel: so many publications, for so many seconds. With none it has no positions.

    Where data are arrays without spaces around what is in them, a publication may wait ``delay_seconds`` for others to
    be joined to it: 0.1 at most.
    """

    size: int
    seconds: int
    delay_seconds: float = 0.0


class Published(NamedTuple):
    """``data`` is JSON in one line; ``time`` is in microseconds since the epoch."""

    offset: int
    data: bytes
    time: int


class Recent(NamedTuple):
    """The newest publications of a channel, oldest first: all that there are after the offset ``since``.

    ``top`` is not less than any of their offsets, and less than that of whatever is published later; it is a position
    that clients are given, so a later one is never less. The end of the journal serves.
    """

    publications: Sequence[Published]
    since: int
    top: int


class Source(Protocol):
    """Where publications come from, and are found again after a restart: under the same offsets, in the same epoch."""

    @property
    def epoch(self) -> str:
        """What the offsets belong to, as a journal's identity."""

    def bounds(self, channel: str) -> Bounds:
        """What is kept of the channel."""

    async def recent(self, channel: str, count: int, not_before: int) -> Recent:
        """Up to ``count`` publications, none from before ``not_before`` (microseconds).

        ``since`` is then the offset of the newest that was left out, 0 if none was. What is published while this is
        running may be among them or not.
        """
