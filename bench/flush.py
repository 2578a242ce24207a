"""What the disk gives: the time to append some bytes to a file and flush them, one after another."""

import os
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Final, NamedTuple

BYTES: Final = 8192
"""Two pages: about what a small commit adds to the journal's write-ahead log."""

# macOS has no fdatasync.
_flush: Final = getattr(os, "fdatasync", os.fsync)


class Flush(NamedTuple):
    """Milliseconds."""

    p50: float
    p99: float


def measure_flush(folder: Path, seconds: float) -> list[float]:
    """The time of each append and flush in ms, back to back for ``seconds``."""
    latencies: list[float] = []
    page = bytes(BYTES)
    with tempfile.TemporaryFile(dir=folder) as file:
        begin = now = perf_counter()
        while now - begin < seconds:
            started = now
            os.write(file.fileno(), page)
            _flush(file.fileno())
            now = perf_counter()
            latencies.append((now - started) * 1000)
    return latencies


def summary(latencies: list[float]) -> Flush:
    return Flush(percentile(latencies, 0.5), percentile(latencies, 0.99))


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least ``share`` of them do not exceed; nan of nothing."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
