"""The longest pause of the garbage collector while a million orders are open and more come and go.

It is set as the server sets it (server.serve.spare_the_collector).
"""

import gc
import json
import sys
from time import perf_counter
from typing import Any, Final

from bench.options import Options
from bench.processes import ask
from bench.report import Figure, Finding, say
from bench.world import World
from tallystick.readers.readers import Readers
from tallystick.server.serve import spare_the_collector

ORDERS: Final = 1_000_000
ORDERS_QUICK: Final = 200_000
TRAFFIC: Final = 100_000
FLOOR_MS: Final = 20.0
GOAL_MS: Final = 5.0


def run(options: Options) -> list[Finding]:
    """Started empty and grown to that many open orders; interpreted and compiled."""
    orders = ORDERS_QUICK if options.quick else ORDERS
    findings: list[Finding] = []
    for variant in ["interpreted"] if options.uncompiled else ["interpreted", "compiled"]:
        found = ask("bench.collector", {"orders": orders}, compiled=variant == "compiled")
        what = f"garbage collection, {variant}, {orders:,} open orders: longest pause"
        beside = f"{found['pauses']:,} collections in {found['seconds']:,.0f} s, {found['share']:.1%} of the time"
        say(f"  {what} {found['longest'] * 1000:.1f} ms; {beside}")
        findings.append(Figure(what, found["longest"] * 1000, "ms", FLOOR_MS, GOAL_MS, at_most=True, beside=beside))
    return findings


def measure(orders: int) -> dict[str, Any]:
    """Seconds of the longest collection, after ``orders`` were opened and more were placed and came to their end."""
    pauses: list[float] = []
    began = 0.0

    def watch(phase: str, _info: dict[str, int]) -> None:
        nonlocal began
        if phase == "start":
            began = perf_counter()
        else:
            pauses.append(perf_counter() - began)

    readers = Readers()
    world = World(1000, readers.commit)
    spare_the_collector()
    gc.callbacks.append(watch)
    start = perf_counter()
    world.place(orders)
    assert len(readers.state.orders) == len(world.engine.state.orders) == orders
    world.pass_time(1_500_000_000)
    world.place(TRAFFIC)
    seconds = perf_counter() - start
    return {"longest": max(pauses), "pauses": len(pauses), "seconds": seconds, "share": sum(pauses) / seconds}


if __name__ == "__main__":
    print(json.dumps(measure(**json.loads(sys.argv[1]))))
