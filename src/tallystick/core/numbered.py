"""Things that are numbered 1, 2, 3 … in the order in which they come, and of which none ever leaves."""

from collections.abc import Iterator
from typing import Final, Generic, TypeVar

T = TypeVar("T")


class Numbered(Generic[T]):
    """Found by number as in a dict, but in a list: accounts and markets are what an entry looks up most."""

    __slots__ = ("_things",)

    def __init__(self) -> None:
        self._things: Final[list[T]] = []

    def __len__(self) -> int:
        return len(self._things)

    def __contains__(self, number: int) -> bool:
        return 0 < number <= len(self._things)

    def __getitem__(self, number: int) -> T:
        """KeyError where there is none."""
        if 0 < number <= len(self._things):
            return self._things[number - 1]
        raise KeyError(number)

    def __iter__(self) -> Iterator[int]:
        """The numbers."""
        return iter(range(1, len(self._things) + 1))

    def get(self, number: int) -> T | None:
        return self._things[number - 1] if 0 < number <= len(self._things) else None

    def values(self) -> list[T]:
        """The things, by number; to be read only."""
        return self._things

    def items(self) -> Iterator[tuple[int, T]]:
        """Each number with its thing."""
        return enumerate(self._things, 1)

    def add(self, number: int, thing: T) -> None:
        """Add the next one; KeyError if ``number`` is not its number."""
        if number != len(self._things) + 1:
            raise KeyError(number)
        self._things.append(thing)
