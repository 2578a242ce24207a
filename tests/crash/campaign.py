"""A campaign of crashes on one data folder: load, kill -9, audit what is left, start again, audit what is told.

python -m tests.crash.campaign --kills 200 --seed 7 --named 0.5
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random
from signal import SIGTERM
from typing import Final

from tallystick.journal.faultpoint import VARIABLE
from tests.crash.auditor import Auditor, ids
from tests.crash.books import Fault, judge_money, judge_rest, require
from tests.crash.client import Reader, press
from tests.crash.journal_audit import audit_journal, stages
from tests.crash.startup import LISTENS, LOCKED, Starting, writes
from tests.running import RunningServer

LIVELY: Final = ("--pace", "0.05")
STOPPED_CLOCK: Final = ("--pace", "1000")
FEW: Final = range(1, 30)
MANY: Final = range(100, 700)
NAMED: Final = 0.3
POINTS_UNDER_LOAD: Final = ("commit.before", "commit.after", "release.before", "release.middle")
POINTS_AT_START: Final = ("start.after_lock", "start.after_recover")
PASSES: Final = range(25, 100)  # the first few are passed before it listens


class Figures:
    """What a campaign went through. ``stages`` counts the orders that stood at each stage when a kill came."""

    def __init__(self) -> None:
        self.kills = 0
        self.kills_at_points = 0
        self.kills_while_starting = 0
        self.acknowledged = 0
        self.unknown = 0
        self.unknown_recorded = 0
        self.refused = 0
        self.seen = 0
        self.orders = 0
        self.stages: Final[Counter[str]] = Counter()

    def __str__(self) -> str:
        standing = ", ".join(f"{count} {stage}" for stage, count in sorted(self.stages.items()))
        return (
            f"{self.kills} kills under load, {self.kills_at_points} of them at named points, and "
            f"{self.kills_while_starting} while starting: {self.orders} orders, "
            f"{self.acknowledged} acknowledged, {self.unknown} unknown of which {self.unknown_recorded} were recorded, "
            f"{self.refused} refused, {self.seen} sights; at the kills stood {standing}"
        )


class Campaign:
    """``folder`` keeps the data folder ``data`` and, after a fault, the copy ``crashed`` that was being audited.

    ``named`` is the share of kills that are at a named fault point; the others are at an acknowledgement.
    """

    def __init__(self, folder: Path, seed: int, named: float = NAMED) -> None:
        self.figures: Final = Figures()
        self._data: Final = folder / "data"
        self._crashed: Final = folder / "crashed"
        self._seed: Final = seed
        self._named: Final = named
        self._random: Final = Random(seed)
        self._auditor: Final = Auditor()

    def crash(self) -> None:
        """One life of the server, from its start to its kill, and the audit of what it leaves behind."""
        figures = self.figures
        kill_after = self._random.choice(self._random.choice((FEW, MANY, MANY)))
        environment: dict[str, str] = {}
        if self._random.random() < self._named:
            kill_after = MANY.stop
            environment[VARIABLE] = f"{self._random.choice(POINTS_UNDER_LOAD)}:{self._random.choice(PASSES)}"
        with RunningServer(self._data, *LIVELY, environment=environment) as server:
            heard = press(server, f"{self._seed}/{figures.kills}", kill_after)
            server.kill()
        if len(heard.acknowledged) < kill_after:
            require(VARIABLE in environment, "the server ended by itself", server.log)
            figures.kills_at_points += 1
        self._auditor.hear(heard)
        figures.kills += 1
        figures.acknowledged += len(heard.acknowledged)
        figures.unknown += len(heard.unknown)
        figures.refused += heard.refused
        figures.seen += len(heard.seen)
        found = self._audit_copy()
        self._stumble()
        self._audit_restart(found)

    def end(self) -> None:
        """The quiet-down: every order comes to rest, and the journal of a server that was stopped says the same."""
        with RunningServer(self._data, *LIVELY) as server:
            with Reader(server) as reader:
                report = reader.at_rest()
            self._auditor.check(report.orders)
            judge_money(report)
            judge_rest(report)
            require(server.stop() in (0, -SIGTERM), "it did not stop cleanly", server.log)
            require("Traceback" not in server.log, "something failed on the way", server.log)
        state = audit_journal(self._data)
        told = Counter(order["status"] for order in report.orders)
        require(stages(state) == told, "the journal and the API differ", stages(state), told)

    def _audit_copy(self) -> set[str]:
        """Audit a copy of what the kill left: its journal, then money, which is only still when the clock is.

        Gives the ids of its orders. The folder itself stays as the kill left it.
        """
        shutil.copytree(self._data, self._crashed)
        self.figures.stages.update(stages(audit_journal(self._crashed)))
        with RunningServer(self._crashed, *STOPPED_CLOCK) as server, Reader(server) as reader:
            report = reader.still()
        self._auditor.check(report.orders)
        judge_money(report)
        shutil.rmtree(self._crashed)
        return ids(report.orders)

    def _stumble(self) -> None:
        """Now and then the next starts are killed as well, before, while and after they take up what was due."""
        for moment in self._random.sample((LOCKED, writes(1), writes(3), LISTENS), self._random.choice((0, 0, 1, 2))):
            Starting(self._data, *LIVELY).kill_when(moment)
            self.figures.kills_while_starting += 1
        if self._random.random() < self._named:
            Starting(self._data, *LIVELY, crash_at=f"{self._random.choice(POINTS_AT_START)}:1").dies()
            self.figures.kills_while_starting += 1

    def _audit_restart(self, found: set[str]) -> None:
        """The folder itself starts again, with the very orders its copy had, each at least as far as it was seen."""
        with RunningServer(self._data, *LIVELY) as server, Reader(server) as reader:
            orders = reader.orders()
            require(ids(orders) == found, "two starts from one crash differ", ids(orders) ^ found)
            self._auditor.check(orders)
            self.figures.unknown_recorded += self._auditor.learn(orders)
            self.figures.orders = len(orders)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--kills", type=int, default=50)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--named", type=float, default=NAMED, help="share of kills at named fault points")
    given = arguments.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="tallystick-crash-"))
    campaign = Campaign(folder, given.seed, given.named)
    started = time.monotonic()
    try:
        for _ in range(given.kills):
            campaign.crash()
            print(f"{time.monotonic() - started:6.1f} s  {campaign.figures}", flush=True)
        campaign.end()
    except (Fault, TimeoutError) as fault:
        print(f"FAULT with --seed {given.seed} after {campaign.figures.kills} kills, kept in {folder}\n{fault}")
        return 1
    shutil.rmtree(folder)
    print("Everything acknowledged was there, once, and all money was accounted for.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
