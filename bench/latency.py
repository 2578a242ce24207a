"""How long an acknowledgement takes at a steady rate, beside the flushes of the same disk right before and after.

The load is open: latency counts from when an order was due to be sent. The floor and the goal are in flushes, and a
flush is the median of those measured.
"""

import tempfile
from pathlib import Path
from typing import Any, Final

from bench.flush import BYTES, Flush, measure_flush, summary
from bench.options import Options
from bench.processes import CLIENT_CORE, SERVER_CORE, ask, on_core, serving
from bench.report import Figure, Finding, say
from bench.rest import CONNECTIONS, LIFE_PACE, LIFE_SECONDS, PLACING_PACE, PLACING_SECONDS, server_command

RATES: Final = (5000, 4000, 3000, 2000, 1000)
LOADS: Final = (
    ("placing alone", PLACING_PACE, PLACING_SECONDS),
    ("whole lives", LIFE_PACE, LIFE_SECONDS),
)
BACKLOG_MS: Final = 50.0
"""A rate is sustained if half are answered sooner: a queue that grows for as long as the load lasts is soon longer."""


def run(options: Options) -> list[Finding]:
    """For each load, the first rate, and the highest of the lower ones that is sustained if that is not."""
    findings: list[Finding] = []
    for load, pace, warm in LOADS:
        for rate in RATES[:1] if options.quick else RATES:
            found, flush = _measure(options, rate, pace, warm)
            say(f"  {load} at {rate:,}/s: {_described(found)}; flush p50 {flush.p50:.2f} p99 {flush.p99:.2f} ms")
            findings.append(_figure(load, rate, found, flush))
            if sustained(found):
                break
    return findings


def _measure(options: Options, rate: int, pace: float, warm: float) -> tuple[dict[str, Any], Flush]:
    with tempfile.TemporaryDirectory(dir=options.folder) as place:
        folder = Path(place)
        flushes = _flushes(folder, options)
        command = server_command("sqlite", folder / "data", pace)
        with serving(command, folder / "log", compiled=options.compiled_server) as server:
            question = {
                "loop": "open",
                "port": server.port,
                "server": server.process,
                "connections": CONNECTIONS,
                "rate": rate,
                "warm": warm,
                "seconds": 3.0 if options.quick else 6.0,
            }
            found = ask("bench.client", question, core=CLIENT_CORE)
        return found, summary(flushes + _flushes(folder, options))


def _flushes(folder: Path, options: Options) -> list[float]:
    with on_core(SERVER_CORE):
        return measure_flush(folder, 0.5 if options.quick else 1.5)


def _figure(load: str, rate: int, found: dict[str, Any], flush: Flush) -> Finding:
    what = f"acknowledgement p99 at {rate:,}/s, {load}"
    beside = (
        f"{_described(found)}; flush of {BYTES} bytes p50 {flush.p50:.2f}, p99 {flush.p99:.2f} ms; "
        f"by the p99 flush the floor would be {3 * flush.p99 + 2:.2f} ms"
    )
    return Figure(what, found["p99_ms"], "ms", 3 * flush.p50 + 2, 2 * flush.p50 + 1, at_most=True, beside=beside)


def sustained(found: dict[str, Any]) -> bool:
    """Whether the server kept up with the rate."""
    return bool(found["p50_ms"] < BACKLOG_MS and not found["refusals"])


def _described(found: dict[str, Any]) -> str:
    refused = f", NOT 201: {found['refusals']}" if found["refusals"] else ""
    return (
        f"{'sustained' if sustained(found) else 'NOT SUSTAINED'}, p50 {found['p50_ms']:.2f}, "
        f"p99 {found['p99_ms']:.2f}, worst {found['worst_ms']:.1f} ms, "
        f"sent {found['late_ms']:.2f} ms late (p99, for want of a free connection); "
        f"of a core: server {found['server_share']:.0%}, client {found['client_share']:.0%}, "
        f"others {found['others_share']:.0%}{refused}"
    )
