"""Draws docs/lifecycle.md from the lifecycle's tables, so that the picture cannot differ from the program.

``python tools/draw_lifecycle.py`` writes it; ``--check`` only says whether the file on disk is the one it would write.
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tallystick.core import lifecycle as life

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "lifecycle.md"
FOOTNOTES: Final = "⁰¹²³⁴⁵⁶⁷⁸⁹"

HEAD: Final = """\
# The lifecycle

Drawn by `make docs` from `src/tallystick/core/lifecycle.py`; a change belongs there. Both halves use the same table:
the venue to decide, the client to believe."""

VENUE: Final = """\
## The venue's: an order

What must hold besides the status stands in brackets. A refused cancel is no event here: it never touches a status."""

TRADE: Final = """\
## The venue's: a trade

A trade moves as a whole, with all its legs; a fill is a leg. A venue that needs nobody's confirmation begins at
EXECUTED. An order is settled when it is closed and each of its fills is SETTLED or REVERTED."""

CANCEL: Final = """\
## A cancel request, for each order it names"""

CLIENT: Final = """\
## The client's: what is announced

For each order and listener: Created (unless refused), then any number of fills, then one terminal event, each said once
and never taken back. A fill is announced when it is executed, never while it is pending; one that comes after the
terminal event is still announced, marked late. A step that announces nothing else is an `OrderUpdatedEvent`. A timeout
announces no end: an order whose fate is unknown stays where it was until there is evidence."""

TABLE: Final = """\
## The table

The status after each event; – means that it cannot happen."""


def mermaid(lines: Iterable[str]) -> str:
    """A fenced state diagram, one line for each arrow or name."""
    return "\n".join(["```mermaid", "stateDiagram-v2", *(f"    {line}" for line in lines), "```"])


def arrows(edges: Iterable[tuple[str, str, str]]) -> list[str]:
    """One arrow for each pair (from, to), in order of first appearance; its labels share it, a line each."""
    labels: dict[tuple[str, str], list[str]] = {}
    for before, after, label in edges:
        shared = labels.setdefault((before, after), [])
        if label not in shared:
            shared.append(label)
    return [f"{before} --> {after}: {'<br/>'.join(texts)}" for (before, after), texts in labels.items()]


def guard_text(guard: int) -> str:
    """The guard in words, in typography that a diagram does not take for markup."""
    return life.GUARD_TEXTS[guard].replace("<=", "≤")


def order_edges() -> list[tuple[str, str, str]]:
    """(status, status after, label) for the order's diagram; events that share an arrow and a guard share a label."""
    events: dict[tuple[int, int, int], list[str]] = {}
    for status, event, after, guard in life.ORDER_RULES:
        events.setdefault((status, after, guard), []).append(life.ORDER_EVENT_NAMES[event])
    edges = [("[*]", life.ORDER_STATUS_NAMES[life.SUBMITTED], "sent")]
    for (status, after, guard), names in events.items():
        bracket = f" [{guard_text(guard)}]" if guard != life.ALWAYS else ""
        edges.append((life.ORDER_STATUS_NAMES[status], life.ORDER_STATUS_NAMES[after], ", ".join(names) + bracket))
    return edges


def trade_edges() -> list[tuple[str, str, str]]:
    """(status, status after, event) for the trade's diagram."""
    names = life.TRADE_STATUS_NAMES
    begin = life.ORDER_EVENT_NAMES[life.TRADE]
    edges = [("[*]", names[life.TRADE_PENDING], begin), ("[*]", names[life.TRADE_EXECUTED], begin)]
    edges += [(names[before], names[after], life.ORDER_EVENT_NAMES[event]) for before, event, after in life.TRADE_RULES]
    return edges


def cancel_lines() -> list[str]:
    """The cancel request ends in one of its other outcomes."""
    requested = life.CANCEL_OUTCOME_NAMES[life.REQUESTED]
    ends = [name for name in life.CANCEL_OUTCOME_NAMES if name != requested]
    return [f"[*] --> {requested}", *(f"{requested} --> {name}" for name in ends)]


def client_lines() -> list[str]:
    """The order's diagram folded: statuses with one announcement are one state, and an arrow says what is announced."""
    announced = dict(life.ANNOUNCEMENTS)
    groups: dict[str, list[str]] = {}
    for status, name in enumerate(life.ORDER_STATUS_NAMES):
        groups.setdefault(announced.get(status, ""), []).append(name)
    state = {name: names[0] for names in groups.values() for name in names}
    edges: list[tuple[str, str, str]] = []
    for status, event, after, _guard in life.ORDER_RULES:
        before_state, after_state = state[life.ORDER_STATUS_NAMES[status]], state[life.ORDER_STATUS_NAMES[after]]
        if before_state != after_state:
            edges.append((before_state, after_state, announced[after]))
        elif event in (life.TRADE, life.CONFIRM):
            late = ", marked late" if life.is_closed(status) else ""
            edges.append((before_state, after_state, f"OrderFilledEvent{late}"))
    titles = [f'state "{" · ".join(names)}" as {names[0]}' for names in groups.values() if len(names) > 1]
    return [*titles, f"[*] --> {state['SUBMITTED']}: tracked, then sent", *arrows(edges)]


def table_lines() -> list[str]:
    """Every pair (status, event), with the guards as footnotes."""
    guards = {(status, event): guard for status, event, _after, guard in life.ORDER_RULES}
    rows = ["| | " + " | ".join(life.ORDER_EVENT_NAMES) + " |", "|---" * (len(life.ORDER_EVENT_NAMES) + 1) + "|"]
    for status, name in enumerate(life.ORDER_STATUS_NAMES):
        cells = [f"**{name}**"]
        for event in range(len(life.ORDER_EVENT_NAMES)):
            after = life.order_after(status, event)
            guard = guards.get((status, event), life.ALWAYS)
            mark = FOOTNOTES[guard] if guard != life.ALWAYS else ""
            cells.append("–" if after == life.FORBIDDEN else life.ORDER_STATUS_NAMES[after] + mark)
        rows.append("| " + " | ".join(cells) + " |")
    notes = [f"{FOOTNOTES[guard]} {guard_text(guard)}" for guard in range(1, len(life.GUARD_TEXTS))]
    return [*rows, "", "; ".join(notes) + "."]


def page() -> str:
    """The whole of docs/lifecycle.md."""
    closed = [name for status, name in enumerate(life.ORDER_STATUS_NAMES) if life.is_closed(status)]
    order = [*arrows(order_edges()), *(f"{name} --> [*]" for name in closed)]
    parts = [
        HEAD,
        VENUE,
        mermaid(order),
        TRADE,
        mermaid(arrows(trade_edges())),
        CANCEL,
        mermaid(cancel_lines()),
        CLIENT,
        mermaid([*client_lines(), *(f"{name} --> [*]" for name in closed)]),
        TABLE,
        "\n".join(table_lines()),
    ]
    return "\n\n".join(parts) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the page, or with --check compare it with the file; 1 if that differs."""
    parser = argparse.ArgumentParser(description="Draw docs/lifecycle.md from the lifecycle's tables.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the file is not current")
    parser.add_argument("--out", type=Path, default=PAGE, help="the file (default: docs/lifecycle.md)")
    chosen = parser.parse_args(arguments)
    out: Path = chosen.out
    drawn = page()
    if chosen.check:
        if out.exists() and out.read_text(encoding="utf-8") == drawn:
            return 0
        print(f"{out.name} differs from the tables in core/lifecycle.py; run: make docs")
        return 1
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(drawn, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
