"""Times as text, in one form wherever they are shown: to clients, to operators, in events."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def instant(time_us: int) -> str:
    """Microseconds since the epoch as ``2026-03-12T14:30:05.000001Z``: as many digits each time, so that it sorts."""
    second, us = divmod(time_us, 1_000_000)
    return f"{_second(second)}.{us:06d}Z"


@lru_cache(maxsize=4096)
def _second(second: int) -> str:
    return (_EPOCH + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S")
