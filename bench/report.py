"""What a bench found: figures with floor and goal, the table of them, and the machine they are from."""

import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

HEADINGS: Final = ("what", "measured", "floor", "goal", "verdict")


class Figure(NamedTuple):
    """One line of the table. Without a floor and a goal (None) it stands there to compare with, and has no verdict.

    ``measured``, ``floor`` and ``goal`` are in ``unit``; ``at_most`` says that less is better; ``beside`` is a remark.
    """

    what: str
    measured: float
    unit: str
    floor: float | None = None
    goal: float | None = None
    at_most: bool = False
    beside: str = ""


class Skipped(NamedTuple):
    """A row that this machine cannot measure, and why."""

    what: str
    why: str


Finding = Figure | Skipped


def say(line: str) -> None:
    """Progress, at once."""
    print(line, flush=True)


def verdict(figure: Figure) -> str:
    """``floor met, goal missed`` and the like; empty without a floor."""
    if figure.floor is None or figure.goal is None:
        return ""
    words = [
        f"{name} {'met' if (figure.measured <= mark if figure.at_most else figure.measured >= mark) else 'missed'}"
        for name, mark in (("floor", figure.floor), ("goal", figure.goal))
    ]
    return ", ".join(words)


def table(findings: Sequence[Finding]) -> str:
    """All findings, one line each, remarks below the line they belong to."""
    rows = [_row(finding) for finding in findings]
    widths = [max(len(row[column]) for row in (HEADINGS, *rows)) for column in range(len(HEADINGS))]
    lines = [_line(HEADINGS, widths), "  ".join("-" * width for width in widths)]
    for finding, row in zip(findings, rows, strict=True):
        lines.append(_line(row, widths))
        if isinstance(finding, Figure) and finding.beside:
            lines.append(f"    {finding.beside}")
    return "\n".join(lines)


def machine() -> str:
    """CPU model, cores, interpreter."""
    return f"{_cpu_model()}, {os.cpu_count()} cores; {platform.python_implementation()} {sys.version.split()[0]}"


def amount(value: float, unit: str) -> str:
    """``value`` with as many digits as its size deserves: 84,210/s, 3.21 ms, 47.0 %."""
    digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 100 or unit == "%" else 2
    space = "" if unit.startswith("/") else " "
    return f"{value:,.{digits}f}{space}{unit}"


def _row(finding: Finding) -> tuple[str, ...]:
    if isinstance(finding, Skipped):
        return (finding.what, "skipped", "", "", finding.why)
    sign = "<= " if finding.at_most else ">= "
    marks = ["" if mark is None else sign + amount(mark, finding.unit) for mark in (finding.floor, finding.goal)]
    return (finding.what, amount(finding.measured, finding.unit), *marks, verdict(finding))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *middle, last = cells
    aligned = [cell.rjust(width) for cell, width in zip(middle, widths[1:-1], strict=True)]
    return "  ".join([first.ljust(widths[0]), *aligned, last]).rstrip()


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()
