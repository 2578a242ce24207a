"""Bytes of resident memory for one open order: the writer's state, its timers and the readers' state together."""

import tempfile
from pathlib import Path
from typing import Final

from bench.options import Options
from bench.processes import ask
from bench.report import Figure, Finding, Skipped, say

ORDERS: Final = 200_000
ORDERS_QUICK: Final = 50_000
FLOOR: Final = 900
GOAL: Final = 600


def run(options: Options) -> list[Finding]:
    """Orders decided live, and the same ones recovered from a journal; interpreted and compiled."""
    if not Path("/proc/self/statm").exists():
        return [Skipped("bytes for one open order", "this system does not tell a process its resident memory")]
    orders = ORDERS_QUICK if options.quick else ORDERS
    findings: list[Finding] = []
    with tempfile.TemporaryDirectory(dir=options.folder) as place:
        path = str(Path(place) / "journal.db")
        fastest = options.uncompiled is None
        ask(
            "bench.recovered", {"step": "write", "path": path, "orders": orders, "whole_lives": False}, compiled=fastest
        )
        for variant in ["interpreted"] if options.uncompiled else ["interpreted", "compiled"]:
            for source, journal in (("live", ""), ("recovered", path)):
                question = {"step": "memory", "path": journal, "orders": orders}
                found = ask("bench.recovered", question, compiled=variant == "compiled")
                beside = f"{orders:,} open orders; at the peak {found['peak']:,.0f} bytes each"
                what = f"memory, {variant}, {source}: one open order"
                say(f"  {what} {found['bytes']:,.0f} bytes; {beside}")
                findings.append(Figure(what, found["bytes"], "bytes", FLOOR, GOAL, at_most=True, beside=beside))
    return findings
