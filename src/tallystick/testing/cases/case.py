"""What a case is."""

from collections.abc import Awaitable, Callable
from typing import Final

from tallystick.testing.controls import NotOffered
from tallystick.testing.trial import Trial

Play = Callable[[Trial], Awaitable[None]]


class Case:
    """``name`` and ``claim`` (what must hold) are those of the function that plays it."""

    __slots__ = ("claim", "name", "play")

    def __init__(self, play: Play) -> None:
        self.play: Final = play
        self.name: Final[str] = getattr(play, "__name__", "").replace("_", " ")
        self.claim: Final[str] = (play.__doc__ or "").partition("\n")[0]


def need(declared: object, otherwise: str) -> None:
    """Raises NotOffered where the connector does not declare what a case is about."""
    if not declared:
        raise NotOffered(otherwise)
