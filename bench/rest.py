"""Durable orders per second over REST, one process, beside the same stack's empty handler and the memory journal.

Three loads. *Whole lives*: pace 0.1, so that an order settles after 0.7 s, and for each that is placed another opens,
another is filled and another settles; at a slower pace the load would swing for minutes, because orders placed in a
quiet second are work for a later one. *Placing alone*: pace 1000, so that nothing comes due. *With keys*: placing alone
with a granted token, and an Idempotency-Key for each order.

Each share is given by the clock, which is the figure, and by the server's CPU time, to go by where other work runs.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

from bench.options import Options
from bench.processes import CLIENT_CORE, ask, serving
from bench.report import Figure, Finding, say

CONNECTIONS: Final = 64
LIFE_PACE: Final = 0.1
LIFE_SECONDS: Final = 2.0
PLACING_PACE: Final = 1000.0
PLACING_SECONDS: Final = 0.75


class Contestant(NamedTuple):
    """``kind`` is sqlite, memory or empty; it is counted after ``warm`` seconds of load."""

    name: str
    kind: str
    pace: float
    warm: float
    keyed: bool = False


EMPTY: Final = Contestant("empty handler", "empty", 0, PLACING_SECONDS)
LIVES: Final = (
    Contestant("whole lives, sqlite", "sqlite", LIFE_PACE, LIFE_SECONDS),
    Contestant("whole lives, memory", "memory", LIFE_PACE, LIFE_SECONDS),
)
PLACING: Final = (
    Contestant("placing alone, sqlite", "sqlite", PLACING_PACE, PLACING_SECONDS),
    Contestant("placing alone, memory", "memory", PLACING_PACE, PLACING_SECONDS),
)
KEYED: Final = (
    Contestant("with keys, sqlite", "sqlite", PLACING_PACE, PLACING_SECONDS, keyed=True),
    Contestant("with keys, memory", "memory", PLACING_PACE, PLACING_SECONDS, keyed=True),
)
FLOORS: Final = (("sqlite / empty handler", 40.0, 60.0), ("sqlite / memory journal", 60.0, 80.0))


def server_command(kind: str, folder: Path, pace: float) -> list[str]:
    """What to run with ``python -m``."""
    if kind == "empty":
        return ["bench.servers", "empty"]
    if kind == "memory":
        return ["bench.servers", "memory", str(folder), str(pace)]
    return ["tallystick", "serve", "--port", "0", "--data", str(folder), "--pace", str(pace), "--prices", "fixed"]


def run(options: Options) -> list[Finding]:
    """Every contestant once in each round, in turn; medians over the rounds."""
    results: dict[str, list[dict[str, Any]]] = {}
    for number in range(1 if options.quick else 5):
        for contestant in (LIVES[0], EMPTY, LIVES[1], *PLACING, *KEYED):
            found = _measure(contestant, options)
            results.setdefault(contestant.name, []).append(found)
            say(f"  round {number + 1}: {contestant.name:<22} {_described(found)}")
    return [*_figures(LIVES, results), *_figures(PLACING, results), *_figures(KEYED, results)]


def _measure(contestant: Contestant, options: Options) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=options.folder) as place:
        folder = Path(place)
        command = server_command(contestant.kind, folder / "data", contestant.pace)
        with serving(command, folder / "log", compiled=options.compiled_server) as server:
            question = {
                "loop": "closed",
                "port": server.port,
                "server": server.process,
                "connections": CONNECTIONS,
                "warm": contestant.warm,
                "seconds": 1.5 if options.quick else 2.0,
                "keyed": contestant.keyed,
            }
            return ask("bench.client", question, core=CLIENT_CORE)


def _figures(pair: Sequence[Contestant], results: dict[str, list[dict[str, Any]]]) -> list[Finding]:
    """The rate on disk, and its share of each of the other two, each median of the shares within a round."""
    disk, memory, empty = (results[each.name] for each in (*pair, EMPTY))
    load = pair[0].name.partition(",")[0]
    beside = (
        f"empty handler {_rate(empty):,.0f}/s, memory journal {_rate(memory):,.0f}/s; "
        f"server CPU an order {_cpu(disk):.0f} us, memory {_cpu(memory):.0f}, empty {_cpu(empty):.0f}; "
        f"{CONNECTIONS} connections, p50 {_middle(disk, 'p50_ms'):.1f} ms, p99 {_middle(disk, 'p99_ms'):.1f} ms; "
        f"of a core: server {_middle(disk, 'server_share'):.0%}, client {_middle(disk, 'client_share'):.0%} "
        f"(with the empty handler {_middle(empty, 'client_share'):.0%}), others {_middle(disk, 'others_share'):.0%}"
    )
    figures: list[Finding] = [Figure(f"REST, {load}: durable orders", _rate(disk), "/s", beside=beside)]
    for (name, floor, goal), others in zip(FLOORS, (empty, memory), strict=True):
        for way, of in (("", _speed), (", by CPU", _speed_by_cpu)):
            shares = [100 * of(mine) / of(other) for mine, other in zip(disk, others, strict=True)]
            figures.append(Figure(f"REST, {load}: {name}{way}", median(shares), "%", floor, goal))
    refused = sum(sum(found["refusals"].values()) for found in (*disk, *memory, *empty))
    if refused:
        figures.append(Figure(f"REST, {load}: answers that were not 201", refused, ""))
    return figures


def _described(found: dict[str, Any]) -> str:
    refused = f", NOT 201: {found['refusals']}" if found["refusals"] else ""
    return (
        f"{found['rate']:>8,.0f}/s  p50 {found['p50_ms']:.2f} p99 {found['p99_ms']:.2f} ms  "
        f"server {found['server_share']:.0%} client {found['client_share']:.0%} "
        f"others {found['others_share']:.0%} of a core, "
        f"{found['answer_bytes']} bytes an answer{refused}"
    )


def _speed(found: dict[str, Any]) -> float:
    return float(found["rate"])


def _speed_by_cpu(found: dict[str, Any]) -> float:
    """Orders per second of the server's CPU time: hardly changed by other work on the machine, blind to the disk."""
    return float(found["rate"] / found["server_share"])


def _cpu(runs: list[dict[str, Any]]) -> float:
    """Microseconds of the server's CPU time for each order."""
    return 1e6 / median(_speed_by_cpu(found) for found in runs)


def _rate(runs: list[dict[str, Any]]) -> float:
    return _middle(runs, "rate")


def _middle(runs: list[dict[str, Any]], key: str) -> float:
    return float(median(found[key] for found in runs))
