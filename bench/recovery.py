"""Entries and events per second of a recovery: decoding and both folds, and the whole of it from the journal's file."""

import tempfile
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench.options import Options
from bench.processes import SERVER_CORE, ask
from bench.report import Figure, Finding, say

FLOOR: Final = 300_000
GOAL: Final = 500_000
PARTS: Final = ("read", "decode", "fold", "folds", "whole")


def run(options: Options) -> list[Finding]:
    """Interpreted and compiled in turn; medians over the rounds. CPU time, collector on, as the server starts."""
    variants = ["interpreted"] if options.uncompiled else ["interpreted", "compiled"]
    results: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory(dir=options.folder) as place:
        path = str(Path(place) / "journal.db")
        orders = 10_000 if options.quick else 40_000
        question = {"step": "write", "path": path, "orders": orders, "whole_lives": True}
        ask("bench.recovered", question, compiled=options.uncompiled is None)
        for number in range(1 if options.quick else 3):
            for variant in variants:
                question = {"step": "recover", "path": path}
                found = ask("bench.recovered", question, core=SERVER_CORE, compiled=variant == "compiled")
                results.setdefault(variant, []).append(found)
                say(f"  round {number + 1}: {variant}: {_parts([found])}")
    return [figure for variant, runs in results.items() for figure in _figures(variant, runs)]


def _figures(variant: str, runs: list[dict[str, Any]]) -> list[Finding]:
    entries, events = runs[0]["entries"], runs[0]["events"]
    inside = _seconds(runs, "decode") + _seconds(runs, "folds")
    whole = _seconds(runs, "whole")
    beside = f"{entries / inside:,.0f} entries/s of {events / entries:.2f} events; {_parts(runs)}"
    return [
        Figure(
            f"recovery, {variant}: decode and both folds, events", events / inside, "/s", FLOOR, GOAL, beside=beside
        ),
        Figure(f"recovery, {variant}: from the file, timers included, events", events / whole, "/s", FLOOR, GOAL),
    ]


def _parts(runs: list[dict[str, Any]]) -> str:
    """Microseconds an event."""
    events = runs[0]["events"]
    each = ", ".join(f"{part} {_seconds(runs, part) / events * 1e6:.2f}" for part in PARTS)
    return f"us an event: {each}"


def _seconds(runs: list[dict[str, Any]], part: str) -> float:
    return float(median(found["seconds"][part] for found in runs))
