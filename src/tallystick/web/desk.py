"""A venue as a dialect sees it, whoever serves it."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from tallystick.facts.commands import Answer
from tallystick.readers.readers import Readers
from tallystick.venue.ambient import Ambient
from tallystick.venue.state import State

T = TypeVar("T")


class Desk(Protocol):
    @property
    def readers(self) -> Readers:
        """What is durable, and so may be shown."""

    @property
    def ambient(self) -> Ambient:
        """What is true now and is no fact, as prices are; to be read only."""

    def now(self) -> int:
        """Venue time in microseconds."""

    async def ask(self, command: Any, render: Callable[[Answer, State], T]) -> T:
        """Decide the command; when it is durable, render the answer from the state right after it."""
