"""Matched orders per second of the exchange alone: place, rest, take, with margin, fees and events, no journal.

By turns an order rests and another takes all of it, among accounts with many resting orders. CPU time of one process,
with the garbage collector as it runs in the server (server.serve.spare_the_collector).
"""

import gc
import json
import sys
from pathlib import Path
from statistics import median
from time import process_time
from typing import Final

from bench.floor import Floor
from bench.options import Options
from bench.processes import SERVER_CORE, ask
from bench.report import Figure, Finding, Skipped, say
from tallystick.facts.venue import Entry
from tallystick.server.serve import spare_the_collector
from tallystick.venue.fold import fold
from tallystick.venue.state import State

FLOOR: Final = 150_000
GOAL: Final = 300_000
BYTES_FLOOR: Final = 900
BYTES_GOAL: Final = 600
RESTING: Final = (0, 1_000, 100_000)
RESTING_INTERPRETED: Final = (0, 1_000)
RESTING_QUICK: Final = (0, 1_000)


def run(options: Options) -> list[Finding]:
    """Interpreted and compiled in turn; medians over the rounds. Then the bytes of one resting order."""
    variants = ["interpreted"] if options.uncompiled else ["interpreted", "compiled"]
    results: dict[tuple[str, int], list[float]] = {}
    events = 0.0
    for number in range(1 if options.quick else 3):
        for variant in variants:
            some = RESTING_QUICK if options.quick else RESTING
            for resting in RESTING_INTERPRETED if variant == "interpreted" else some:
                question = {"orders": 10_000 if options.quick else 40_000, "resting": resting}
                found = ask(__name__, question, core=SERVER_CORE, compiled=variant == "compiled")
                results.setdefault((variant, resting), []).append(found["rate"])
                events = found["events"]
                say(f"  round {number + 1}: {variant}, {resting:,} resting: {found['rate']:,.0f}/s")
    findings: list[Finding] = []
    for (variant, resting), rates in results.items():
        floor, goal = (FLOOR, GOAL) if variant == "compiled" else (None, None)
        what = f"exchange, {variant}, {resting:,} resting: matched orders"
        findings.append(Figure(what, median(rates), "/s", floor, goal, beside=f"{events:.1f} events an order"))
    if options.uncompiled:
        findings.append(Skipped("exchange, compiled", options.uncompiled))
    return findings + _memory(options, variants)


def _memory(options: Options, variants: list[str]) -> list[Finding]:
    if not Path("/proc/self/statm").exists():
        return [Skipped("bytes for one resting order", "this system does not tell a process its resident memory")]
    findings: list[Finding] = []
    orders = 10_000 if options.quick else 50_000
    for variant in variants:
        found = ask(__name__, {"memory": orders}, compiled=variant == "compiled")["bytes"]
        what = f"memory, {variant}: one resting order, both folds"
        findings.append(Figure(what, found, "bytes", BYTES_FLOOR, BYTES_GOAL, at_most=True))
    return findings


def measure(orders: int, resting: int) -> dict[str, float]:
    """Orders a second of CPU time, and events an order."""
    floor = Floor(resting, _drop)
    floor.place(floor.orders(orders // 10))
    waiting = floor.orders(orders)
    gc.collect()
    spare_the_collector()  # as the server has it
    floor.events = 0
    begin = process_time()
    floor.place(waiting)
    took = process_time() - begin
    state = floor.engine.state
    assert len(state.markets[1].book) == resting, "an order was left over"
    return {"rate": orders / took, "events": floor.events / orders}


def measure_memory(orders: int) -> dict[str, float]:
    """Resident bytes that one resting order adds, in the writer's state and in the readers'."""
    readers = State()

    def keep(entry: Entry) -> None:
        fold(readers, entry)  # terms are shared by both folds, as in the server

    Floor(100, _drop)
    gc.collect()
    before = _resident()
    floor = Floor(orders, keep)
    gc.collect()
    return {"bytes": (_resident() - before) / len(floor.engine.state.orders)}


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def _drop(_entry: Entry) -> None:
    """The entry goes nowhere."""


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    print(json.dumps(measure_memory(asked["memory"]) if "memory" in asked else measure(**asked)))
