"""Lifecycles per second of the tracker: track, open, two fills, complete; four announcements.

CPU time of one process that makes every observation, decides it, hands each announcement to a listener and lets closed
orders leave, with 0 to 100,000 other orders open. The garbage collector runs as it does in the server. Alone, and with
the journal: every entry is encoded, written to a file with JOURNAL_OPEN orders open, and folded a second time.
"""

import gc
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any, Final

from bench.options import Options
from bench.processes import SERVER_CORE, ask
from bench.report import Figure, Finding, Skipped, say
from tallystick.core.lifecycle import FILLED, OPEN
from tallystick.facts.client import Announced, Entry, encode
from tallystick.facts.client_codes import BY_BOTH, MAKER
from tallystick.facts.client_terms import VenueJoined
from tallystick.facts.codes import BUY, LIMIT_ORDER, UNITS
from tallystick.journal.port import Append
from tallystick.journal.sqlite import SqliteJournal
from tallystick.server.serve import spare_the_collector
from tallystick.tracker.agenda import Patience
from tallystick.tracker.fold import fold
from tallystick.tracker.observations import STREAM, SUBMIT, FillReport, JoinVenue, ListMarket, OrderReport, Place
from tallystick.tracker.state import State
from tallystick.tracker.tracker import Tracker

FLOORS: Final = {"interpreted": 40_000, "compiled": 100_000}
GOAL: Final = 200_000
BYTES_FLOOR: Final = 1_000
BYTES_GOAL: Final = 600
OPEN_ORDERS: Final = (0, 1_000, 10_000, 100_000)
JOURNAL_OPEN: Final = 1_000
COMMIT_ENTRIES: Final = 256  # of one commit, as a busy client makes them
UPDATES: Final = 4  # of a lifecycle: open, fill, fill, complete
ANNOUNCEMENTS: Final = 4  # of a lifecycle: created, filled, filled, completed
ORDER_EVERY_US: Final = 10
RETAIN_US: Final = 10_000  # so 1,000 closed orders stay, as many as the client it is compared with keeps
WAKE_EVERY: Final = 64
FIRST_ID: Final = 100_000_000_000_000_000
BEGIN_US: Final = 1_700_000_000_000_000


def run(options: Options) -> list[Finding]:
    """Interpreted and compiled in turn; medians over the rounds."""
    variants = ["interpreted"] if options.uncompiled else ["interpreted", "compiled"]
    results: dict[tuple[str, str], list[float]] = {}
    for number in range(1 if options.quick else 3):
        for variant in variants:
            for opened in OPEN_ORDERS:
                question = {"opened": opened, "lifecycles": 20_000 if options.quick else 50_000}
                found = ask(__name__, question, core=SERVER_CORE, compiled=variant == "compiled")
                for what, value in found.items():
                    results.setdefault((variant, f"{what} {opened:,}"), []).append(value)
                say(
                    f"  round {number + 1}: {variant}, {opened:,} open: {found['rate']:,.0f} lifecycles/s, "
                    f"{found['update_us']:.2f} us an update, {found['bytes']:,.0f} bytes an open order"
                )
            with tempfile.TemporaryDirectory(dir=options.folder) as place:
                question = {"opened": JOURNAL_OPEN, "lifecycles": 10_000, "folder": place}
                found = ask(__name__, question, core=SERVER_CORE, compiled=variant == "compiled")
            results.setdefault((variant, "journaled"), []).append(found["rate"])
            say(f"  round {number + 1}: {variant}, with the journal: {found['rate']:,.0f} lifecycles/s")
    findings: list[Finding] = []
    for variant in variants:
        journaled = median(results[variant, "journaled"])
        findings.append(Figure(f"tracker, {variant}, {JOURNAL_OPEN:,} open, with the journal", journaled, "/s"))
        for opened in OPEN_ORDERS:
            rate = median(results[variant, f"rate {opened:,}"])
            update = median(results[variant, f"update_us {opened:,}"])
            what = f"tracker, {variant}, {opened:,} open: lifecycles"
            beside = f"{update:.2f} us an update"
            findings.append(Figure(what, rate, "/s", FLOORS[variant], GOAL, beside=beside))
        held = median(results[variant, f"bytes {OPEN_ORDERS[-1]:,}"])
        what = f"tracker, {variant}: one open order"
        findings.append(Figure(what, held, "bytes", BYTES_FLOOR, BYTES_GOAL, at_most=True))
    if options.uncompiled:
        findings.append(Skipped("tracker, compiled", options.uncompiled))
    return findings


def measure(opened: int, lifecycles: int, folder: str = "") -> dict[str, float]:
    """``rate`` of lifecycles a second, ``update_us`` of each update in them, ``bytes`` of each open order."""
    desk = Journaled(Path(folder)) if folder else Desk()
    desk.live(lifecycles // 10)
    before = _resident_bytes()
    desk.open(opened)
    held = (_resident_bytes() - before) / opened if opened else 0.0
    gc.collect()
    spare_the_collector()
    told = desk.told
    begin = process_time()
    desk.live(lifecycles)
    took = process_time() - begin
    assert desk.told - told == ANNOUNCEMENTS * lifecycles, "an announcement is missing"
    return {"rate": lifecycles / took, "update_us": desk.update_us(lifecycles // 5), "bytes": held}


class Desk:
    """One venue, one market, and a listener that counts what it is ``told``."""

    def __init__(self) -> None:
        self.tracker: Final = Tracker(patience=Patience(retain_us=RETAIN_US))
        self.told = 0
        self._now = BEGIN_US
        self._made = FIRST_ID
        self.decide(JoinVenue(VenueJoined(0, 0, "venue", BY_BOTH)), self._now)
        self.decide(ListMarket(1, "ACME-USD", "ACME", "USD", 2, 3, 2), self._now)

    def decide(self, given: Any, now: int) -> Entry | None:
        """What the tracker makes of it."""
        return self.tracker.decide(given, now)

    def wake(self, now: int) -> Entry | None:
        """What the tracker does when it is due."""
        return self.tracker.wake(now)

    def open(self, count: int) -> None:
        """Orders that stay open."""
        for _ in range(count):
            client_id, venue_id = self._ids()
            self.decide(Place(1, client_id, 1, BUY, LIMIT_ORDER, UNITS, 10_000, 5_025), self._now)
            self.decide(OrderReport(1, client_id, venue_id, self._now, SUBMIT, OPEN), self._now)

    def live(self, count: int) -> None:
        """Orders that live through everything, and leave."""
        decide, listen = self._decides(), self._listen
        for number in range(count):
            client_id, venue_id = self._ids()
            now = self._now
            decide(Place(1, client_id, 1, BUY, LIMIT_ORDER, UNITS, 10_000, 5_025), now)
            for observation in _life(client_id, venue_id, now):
                entry = decide(observation, now)
                assert entry is not None
                for event in entry.events:
                    if type(event) is Announced:
                        listen(event)
            if number % WAKE_EVERY == 0:
                self._wake()

    def update_us(self, count: int) -> float:
        """CPU time of one update, its making and its delivery left out."""
        lives = []
        for _ in range(count):
            client_id, venue_id = self._ids()
            self.decide(Place(1, client_id, 1, BUY, LIMIT_ORDER, UNITS, 10_000, 5_025), self._now)
            lives.append(_life(client_id, venue_id, self._now))
        decide, now = self._decides(), self._now
        begin = process_time()
        for life in lives:
            for observation in life:
                decide(observation, now)
        return (process_time() - begin) / (UPDATES * count) * 1e6

    def _decides(self) -> Callable[[Any, int], Entry | None]:
        """``decide``, without the way around where there is no journal."""
        return self.tracker.decide

    def _ids(self) -> tuple[str, str]:
        self._made += 1
        self._now += ORDER_EVERY_US
        made = str(self._made)  # a format would be an eighth of what is measured
        return "tally-" + made, "venue-" + made

    def _listen(self, _event: Announced) -> None:
        self.told += 1

    def _wake(self) -> None:
        due = self.tracker.next_due()
        while 0 < due <= self._now and self.wake(self._now) is not None:
            due = self.tracker.next_due()


class Journaled(Desk):
    """A desk whose entries are written to a journal, and folded again when they are durable."""

    def __init__(self, folder: Path) -> None:
        self._journal: Final = SqliteJournal(folder / "journal.db")
        self._readers: Final = State()
        self._waiting: Final[list[Entry]] = []
        self._written = 0
        super().__init__()

    def decide(self, given: Any, now: int) -> Entry | None:
        entry = super().decide(given, now)
        if entry is not None:
            self._keep(entry)
        return entry

    def wake(self, now: int) -> Entry | None:
        entry = super().wake(now)
        if entry is not None:
            self._keep(entry)
        return entry

    def _decides(self) -> Callable[[Any, int], Entry | None]:
        return self.decide

    def _keep(self, entry: Entry) -> None:
        self._waiting.append(entry)
        if len(self._waiting) == COMMIT_ENTRIES:
            self._journal.append([Append("client", self._written, [encode(each) for each in self._waiting])])
            self._written += COMMIT_ENTRIES
            for each in self._waiting:
                fold(self._readers, each)
            self._waiting.clear()


def _life(client_id: str, venue_id: str, now: int) -> tuple[Any, ...]:
    first, second = venue_id + "-1", venue_id + "-2"
    return (
        OrderReport(1, client_id, venue_id, now, SUBMIT, OPEN),
        FillReport(1, client_id, venue_id, now + 1, STREAM, first, 4_000, 4_000, 201_00, 5_025, 20, "USD", 2, MAKER),
        FillReport(1, client_id, venue_id, now + 2, STREAM, second, 6_000, 6_000, 301_50, 5_025, 30, "USD", 2, MAKER),
        OrderReport(1, client_id, venue_id, now + 3, STREAM, FILLED, 10_000, 10_000),
    )


def _resident_bytes() -> int:
    """Resident memory of this process; 0 where the system does not tell."""
    pages = Path("/proc/self/statm")
    return int(pages.read_text().split()[1]) * 4096 if pages.exists() else 0


if __name__ == "__main__":
    print(json.dumps(measure(**json.loads(sys.argv[1]))))
