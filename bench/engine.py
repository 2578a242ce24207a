"""Orders per second of the engine alone: place, open, trade, fill and settle, with ledger and events, no journal.

CPU time of one process; the garbage collector runs as it does in the server (server.serve.spare_the_collector). The
floor and goal are those of orders *with margin*; a plain matching engine (300,000 and 600,000) is not built yet.
"""

import gc
import json
import sys
from collections.abc import Callable
from statistics import median
from time import process_time
from typing import Any, Final

from bench.options import Options
from bench.processes import SERVER_CORE, ask
from bench.report import Figure, Finding, Skipped, say
from bench.world import World
from tallystick.facts.venue import Entry, encode
from tallystick.server.serve import spare_the_collector

FLOOR: Final = 150_000
GOAL: Final = 300_000
SETTLED_US: Final = 60_000_000

# name: (pace, whether each entry is encoded)
WAYS: Final = {
    "at once": (0.0, False),
    "at once, encoded": (0.0, True),
    "step by step": (0.001, False),
    "step by step, encoded": (0.001, True),
}
ABOUT: Final = {
    "at once": "2 entries and 6 events an order: what the floor and the goal are about",
    "step by step": "4 entries and 6 events an order, other orders in between, as in the server",
}


def run(options: Options) -> list[Finding]:
    """Interpreted and compiled in turn; medians over the rounds."""
    variants = ["interpreted"] if options.uncompiled else ["interpreted", "compiled"]
    results: dict[tuple[str, str], list[float]] = {}
    for number in range(1 if options.quick else 3):
        for variant in variants:
            question = {"orders": 15_000 if options.quick else 40_000}
            for way, rate in ask(__name__, question, core=SERVER_CORE, compiled=variant == "compiled").items():
                results.setdefault((variant, way), []).append(rate)
            rates = ", ".join(f"{way} {results[variant, way][-1]:,.0f}/s" for way in WAYS)
            say(f"  round {number + 1}: {variant}: {rates}")
    findings: list[Finding] = []
    for (variant, way), rates_found in results.items():
        floor, goal = (FLOOR, GOAL) if variant == "compiled" and way == "at once" else (None, None)
        what = f"engine, {variant}, {way}: orders"
        findings.append(Figure(what, median(rates_found), "/s", floor, goal, beside=ABOUT.get(way, "")))
    if options.uncompiled:
        findings.append(Skipped("engine, compiled", options.uncompiled))
    return findings


def measure(orders: int) -> dict[str, float]:
    """Orders a second of CPU time, each way in a world of its own."""
    return {way: orders / _seconds(orders, pace, encoded) for way, (pace, encoded) in WAYS.items()}


def _seconds(orders: int, pace: float, encoded: bool) -> float:
    keep: Callable[[Entry], Any] = encode if encoded else _drop
    world = World(pace, keep)
    world.place(orders // 10)
    gc.collect()
    spare_the_collector()  # as the server has it
    begin = process_time()
    world.place(orders)
    took = process_time() - begin
    world.pass_time(SETTLED_US)
    settled = sum(1 for order in world.engine.state.orders.values() if order.is_settled())
    assert settled == orders + orders // 10, f"only {settled} orders settled"
    return took


def _drop(_entry: Entry) -> None:
    """The entry goes nowhere."""


if __name__ == "__main__":
    print(json.dumps(measure(**json.loads(sys.argv[1]))))
