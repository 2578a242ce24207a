"""Which layout of the journal to keep, measured: one file for all venues or one each; apsw or the stdlib's sqlite3.

Run ``python bench/journal_layout.py``. Every variant runs in each round, in turn. The figures are medians over the
rounds; a ratio is taken within each round, so that other work on the machine weighs on both its sides. Latency is from
when an entry was due to be put, until it was durable. A run is long enough for several checkpoints of every file: a
shorter one flatters whichever layout has not come to its first.
"""

import argparse
import os
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from threading import Event
from time import perf_counter, sleep
from typing import Final, NamedTuple

import apsw

from tallystick.journal.committer import Committer
from tallystick.journal.record import GENESIS, frames
from tallystick.journal.sqlite import SqliteJournal
from tallystick.journal.sqlite_file import CHECKPOINT_PAGES

BODY: Final = b"x" * 300
VENUES: Final = ("sophic", "bluefin")
TICK: Final = 0.001
IN_FLIGHT: Final = 64
SOFTWARE_FOLDER: Final = Path("/dev/shm")


class Figures(NamedTuple):
    """One run: records per second, commits per second, latency in ms."""

    rate: float
    commits: float
    p50: float
    p99: float


class Entry:
    """An item for the committer that knows when it was due."""

    __slots__ = ("due", "entry", "stream")

    def __init__(self, stream: str, due: float) -> None:
        self.stream = stream
        self.entry = BODY
        self.due = due


def identity(entry: object) -> bytes:
    """The bodies are made elsewhere; this bench measures the journal."""
    assert isinstance(entry, bytes)
    return entry


def refuse(error: Exception, items: Sequence[Entry]) -> None:
    """A bench on a failing disk has nothing to say."""
    raise error


class Layout:
    """The venues' committers over ``files`` journal files: venue n writes to file n modulo ``files``."""

    def __init__(self, folder: Path, files: int) -> None:
        self.latencies: list[float] = []
        self.commits = 0
        self.again: Callable[[Entry], None] | None = None
        self.journals = [SqliteJournal(folder / f"{each}.db") for each in range(files)]
        self.committers = [Committer(journal, identity, self.durable, refuse) for journal in self.journals]
        self.of = {venue: self.committers[number % files] for number, venue in enumerate(VENUES)}

    def durable(self, items: Sequence[Entry]) -> None:
        """Count the commit and, in a closed loop, put each entry again."""
        now = perf_counter()
        self.commits += 1
        self.latencies.extend([now - item.due for item in items])
        if self.again is not None:
            for item in items:
                self.again(item)

    def close(self) -> None:
        """Commit the rest and close the files."""
        for committer in self.committers:
            committer.close()
        for journal in self.journals:
            journal.close()


def open_loop(layout: Layout, rate: int, seconds: float) -> float:
    """Put ``rate`` entries a second, alternating venues, on a clock that does not wait for the journal."""
    per_tick = max(1, round(rate * TICK))
    start = perf_counter()
    for tick in range(round(seconds * rate / per_tick)):
        due = start + tick * per_tick / rate
        if (early := due - perf_counter()) > 0:
            sleep(early)
        for each in range(per_tick):
            venue = VENUES[(tick + each) % len(VENUES)]
            layout.of[venue].put(Entry(venue, due))
    return start


def closed_loop(layout: Layout, seconds: float) -> float:
    """Keep IN_FLIGHT entries of each venue in flight: as fast as the layout goes."""
    start = perf_counter()
    over = Event()

    def again(item: Entry) -> None:
        item.due = perf_counter()
        if item.due - start < seconds:
            layout.of[item.stream].put(item)
        else:
            over.set()

    layout.again = again
    for venue in VENUES:
        for _ in range(IN_FLIGHT):
            layout.of[venue].put(Entry(venue, perf_counter()))
    over.wait()
    while any(committer.pending for committer in layout.committers):
        sleep(TICK)
    return start


def run_layout(folder: Path, files: int, rate: int, seconds: float) -> Figures:
    """``rate`` 0 is the closed loop."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        layout = Layout(Path(place), files)
        start = open_loop(layout, rate, seconds) if rate else closed_loop(layout, seconds)
        for committer in layout.committers:
            committer.close()
        took = perf_counter() - start
        layout.close()
    return figures(layout.latencies, len(layout.latencies), layout.commits, took)


def figures(latencies: list[float], records: int, commits: int, took: float) -> Figures:
    """Latencies in seconds."""
    ordered = sorted(latencies)
    p50, p99 = (ordered[int(len(ordered) * share)] * 1000 for share in (0.5, 0.99))
    return Figures(records / took, commits / took, p50, p99)


_PRAGMAS: Final = ("journal_mode = WAL", "synchronous = FULL", f"wal_autocheckpoint = {CHECKPOINT_PAGES}")
_SCHEMA: Final = (
    "CREATE TABLE meta (one INTEGER PRIMARY KEY, epoch INTEGER NOT NULL)",
    "CREATE TABLE commits (id INTEGER PRIMARY KEY, length INTEGER NOT NULL, blob BLOB NOT NULL)",
    "INSERT INTO meta VALUES (1, 1)",
)


def run_client(folder: Path, client: str, batch: int, seconds: float) -> Figures:
    """One thread, one commit after another, the journal's own statements, through ``client``."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        path = str(Path(place) / "journal.db")
        connection: apsw.Connection | sqlite3.Connection
        if client == "apsw":
            connection = apsw.Connection(path)
        else:
            connection = sqlite3.connect(path, isolation_level=None)
        for statement in (*(f"PRAGMA {pragma}" for pragma in _PRAGMAS), *_SCHEMA):
            connection.execute(statement)
        latencies = commit_in_a_row(connection, batch, seconds)
        connection.close()
    return figures(latencies, len(latencies) * batch, len(latencies), sum(latencies))


def commit_in_a_row(connection: apsw.Connection | sqlite3.Connection, batch: int, seconds: float) -> list[float]:
    """The time of each commit in seconds, framing included."""
    bodies = [BODY] * batch
    latencies: list[float] = []
    first, previous = 1, GENESIS
    begin = now = perf_counter()
    while now - begin < seconds:
        started = now
        blob, previous = frames(first, 1, previous, bodies)
        cursor = connection.cursor()
        cursor.execute("BEGIN IMMEDIATE")
        cursor.execute("SELECT epoch FROM meta WHERE one = 1").fetchone()
        cursor.execute("INSERT INTO commits (id, length, blob) VALUES (?, ?, ?)", (first, batch, blob))
        cursor.execute("COMMIT")
        first += batch
        now = perf_counter()
        latencies.append(now - started)
    return latencies


def run_flush(folder: Path, seconds: float) -> Figures:
    """What the device gives: append one page and flush it."""
    with tempfile.TemporaryFile(dir=folder) as file:
        latencies: list[float] = []
        begin = now = perf_counter()
        while now - begin < seconds:
            started = now
            os.write(file.fileno(), bytes(4096))
            os.fdatasync(file.fileno())
            now = perf_counter()
            latencies.append(now - started)
    return figures(latencies, len(latencies), len(latencies), sum(latencies))


Variant = tuple[str, str, Callable[[], Figures]]


def variants(folder: Path, rates: Sequence[int], seconds: float) -> list[Variant]:
    """(case, variant, run); the first variant of a case is what the others are compared with."""
    chosen: list[Variant] = [("flush", "4 KiB + fdatasync", partial(run_flush, folder, seconds / 2))]
    for rate in (*rates, 0):
        case = f"{rate:,} entries/s" if rate else f"as fast as it goes, {IN_FLIGHT} in flight per venue"
        for files, name in ((1, "one file"), (2, "a file each")):
            chosen.append((case, name, partial(run_layout, folder, files, rate, seconds)))
    places = [(folder, "disk")] + ([(SOFTWARE_FOLDER, "memory")] if SOFTWARE_FOLDER.is_dir() else [])
    for place, kind in places:
        for batch in (1, 16, 128):
            case = f"{kind}, {batch} per commit"
            for client in ("apsw", "sqlite3"):
                run = partial(run_client, place, client, batch, seconds / 4)
                chosen.append((case, client, run))
    return chosen


def report(results: dict[tuple[str, str], list[Figures]]) -> None:
    """Print the medians, and the median over the rounds of each variant's ratios to the first of its case."""
    heading = f"{'case':<46}{'variant':<20}{'records/s':>11}{'commits/s':>11}{'p50 ms':>9}{'p99 ms':>9}"
    print(f"{heading}   ratios: rate, p50, p99 (p99 from–to)")
    base: dict[str, list[Figures]] = {}
    for (case, variant), runs in results.items():
        of = Figures(*(median(values) for values in zip(*runs, strict=True)))
        line = f"{case:<46}{variant:<20}{of.rate:>11,.0f}{of.commits:>11,.0f}{of.p50:>9.3f}{of.p99:>9.3f}"
        first = base.setdefault(case, runs)
        print(line if first is runs else f"{line}   {paired(runs, first)}")


def paired(runs: list[Figures], first: list[Figures]) -> str:
    """Ratios within each round, so that a slow minute of the disk weighs on both sides of a ratio."""
    rate, p50, p99 = (
        [getattr(one, name) / getattr(other, name) for one, other in zip(runs, first, strict=True)]
        for name in ("rate", "p50", "p99")
    )
    return f"{median(rate):.2f} {median(p50):.2f} {median(p99):.2f} ({min(p99):.2f}–{max(p99):.2f})"


def main() -> None:
    """Read the options, run the rounds, print the table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="on the disk to measure")
    options.add_argument("--rounds", type=int, default=4)
    options.add_argument("--seconds", type=float, default=8.0, help="for each variant in each round")
    options.add_argument("--rates", type=int, nargs="*", default=[1_000, 5_000, 20_000], help="entries/s, all venues")
    options.add_argument("--only", default="", help="cases whose name contains this")
    chosen = options.parse_args()
    results: dict[tuple[str, str], list[Figures]] = {}
    for _ in range(chosen.rounds):
        for case, variant, run in variants(chosen.folder, chosen.rates, chosen.seconds):
            if chosen.only and chosen.only not in case:
                continue
            results.setdefault((case, variant), []).append(run())
    print(
        f"SQLite {apsw.sqlite_lib_version()} by apsw, {sqlite3.sqlite_version} by sqlite3; bodies of {len(BODY)} bytes"
    )
    report(results)


if __name__ == "__main__":
    main()
