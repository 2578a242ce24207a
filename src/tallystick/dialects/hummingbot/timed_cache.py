"""A mapping that forgets: what is older than its time to live, and the oldest beyond its size."""

import time
from collections.abc import Iterator, MutableMapping
from typing import Final, Generic, TypeVar

Value = TypeVar("Value")


class TimedCache(MutableMapping[str, Value], Generic[Value]):
    """At most ``maxsize`` values, each for ``ttl`` seconds since it was last assigned."""

    def __init__(self, maxsize: int, ttl: float) -> None:
        self.maxsize: Final = maxsize
        self.ttl: Final = ttl
        self._kept: Final[dict[str, tuple[float, Value]]] = {}  # the oldest first

    def __setitem__(self, key: str, value: Value) -> None:
        self._expire()
        self._kept.pop(key, None)
        while len(self._kept) >= self.maxsize:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = (time.monotonic() + self.ttl, value)

    def __getitem__(self, key: str) -> Value:
        self._expire()
        return self._kept[key][1]

    def __delitem__(self, key: str) -> None:
        del self._kept[key]

    def __iter__(self) -> Iterator[str]:
        self._expire()
        return iter(list(self._kept))

    def __len__(self) -> int:
        self._expire()
        return len(self._kept)

    def _expire(self) -> None:
        now = time.monotonic()
        while self._kept:
            key, (until, _) = next(iter(self._kept.items()))
            if until > now:
                return
            del self._kept[key]
