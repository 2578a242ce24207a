"""What the API asks of whoever serves it: a venue to talk to, and somebody at the door."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from tallystick.access.principal import Grant, Principal
from tallystick.facts.commands import Answer
from tallystick.readers.readers import Readers
from tallystick.venue.state import State

T = TypeVar("T")


class Desk(Protocol):
    """The venue as a dialect sees it."""

    @property
    def readers(self) -> Readers:
        """What is durable, and so may be shown."""

    def now(self) -> int:
        """Venue time in microseconds."""

    async def ask(self, command: Any, render: Callable[[Answer, State], T]) -> T:
        """Decide the command; when it is durable, render the answer from the state right after it."""


class Admission(Protocol):
    """The door. Both methods raise Denied."""

    def admit(self, authorization: str | None) -> Principal:
        """Who shows this Authorization header."""

    def grant(self, client_id: str, client_secret: str) -> Grant:
        """A token for the client whose secret this is."""
