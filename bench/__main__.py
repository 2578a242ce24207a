"""Measures and prints one table: ``python -m bench [row ...] [--quick]``."""

import argparse
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Final

from bench import (
    bluefin,
    collector,
    deliver,
    engine,
    exchange,
    exchange_rest,
    latency,
    memory,
    recovery,
    rest,
    streams,
    tracker,
)
from bench.flush import BYTES, measure_flush, summary
from bench.options import Options
from bench.processes import ROOT, compile_package
from bench.report import Finding, machine, say, table

ROWS: Final[dict[str, Callable[[Options], list[Finding]]]] = {
    "rest": rest.run,
    "latency": latency.run,
    "engine": engine.run,
    "exchange": exchange.run,
    "memory": memory.run,
    "recovery": recovery.run,
    "collector": collector.run,
    "tracker": tracker.run,
    "deliver": deliver.run,
    "streams": streams.run,
    "bluefin": bluefin.run,
    "exchange-rest": exchange_rest.run,
}


def main() -> None:
    """Read the options, measure the rows, print the table."""
    reader = argparse.ArgumentParser(prog="python -m bench", description="Figures beside their floors and goals.")
    reader.add_argument("rows", nargs="*", metavar="row", help=f"any of {', '.join(ROWS)}; all unless given")
    reader.add_argument("--quick", action="store_true", help="rough figures in about a minute")
    reader.add_argument("--folder", type=Path, default=ROOT / "build" / "bench", help="on the disk to measure")
    reader.add_argument("--compiled-server", action="store_true", help="rest and latency with the pure rooms compiled")
    chosen = reader.parse_args()
    if unknown := [row for row in chosen.rows if row not in ROWS]:
        reader.error(f"there is no row {unknown[0]}; there are {', '.join(ROWS)}")
    began = perf_counter()
    say("Floor: what must hold. Goal: what is aimed at. Measure on a machine that does nothing else.")
    chosen.folder.mkdir(parents=True, exist_ok=True)
    say("compiling the pure rooms, unless that is done already")
    options = Options(chosen.folder, compile_package(), chosen.quick, chosen.compiled_server)
    findings: list[Finding] = []
    for row in chosen.rows or ROWS:
        say(f"{row}:")
        findings += ROWS[row](options)
    flush = summary(measure_flush(chosen.folder, 0.5))
    say(f"\n{table(findings)}\n\n{machine()}")
    say(f"disk: {BYTES} bytes appended and flushed in p50 {flush.p50:.2f} ms, p99 {flush.p99:.2f} ms")
    say(f"measured in {perf_counter() - began:,.0f} s{', roughly (--quick)' if chosen.quick else ''}")


if __name__ == "__main__":
    main()
