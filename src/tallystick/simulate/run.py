"""Running seeds: one, or many on all cores, with the failing one named so that it can be seen again."""

import logging
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from os import cpu_count
from time import monotonic
from traceback import format_exception
from typing import Final

from msgspec import Struct
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tallystick.simulate.process import Parts
from tallystick.simulate.violation import RULES, Violation
from tallystick.simulate.world import World

SEEDS_AT_ONCE: Final = 16


class Result(Struct, frozen=True):
    """What came of one seed. ``rule`` is empty when nothing was violated."""

    seed: int
    steps: int
    entries: int
    crashes: int
    rule: str
    detail: str
    digest: str


def run(seed: int, parts: Parts | None = None, note: Callable[[str], None] | None = None) -> Result:
    """One run. The same seed always gives the same result."""
    with _quiet():
        world = World(seed, parts or Parts(), note)
        rule = detail = ""
        try:
            world.run()
        except Violation as violation:
            rule, detail = violation.rule, violation.detail
        except Exception as error:  # noqa: BLE001 - a seed that fails in any way is a seed to look at
            rule, detail = "unforeseen", "".join(format_exception(error))
        return Result(seed, world.steps, world.entries, world.crashes, rule, detail, world.digest)


def main(seeds: int, first_seed: int = 1, trace: bool = False, jobs: int | None = None) -> int:
    """Run ``seeds`` seeds from ``first_seed`` on; the exit status: 1 at the first violation, which it shows.

    ``trace`` prints every step. ``jobs`` is the number of processes, by default one for each core.
    """
    console = Console(highlight=False, soft_wrap=True)
    begun = monotonic()
    done = entries = crashes = 0
    with _progress(console, seeds) as advance:
        results = _results(seeds, first_seed, print if trace else None, jobs or cpu_count() or 1)
        for result in results:
            done, entries, crashes = done + 1, entries + result.entries, crashes + result.crashes
            advance()
            if result.rule:
                results.close()
                break
        else:
            result = None
    elapsed = max(monotonic() - begun, 1e-9)
    if result is not None:
        console.print(f"[red]seed {result.seed} violates the rule “{result.rule}”[/red]: {RULES[result.rule]}")
        console.print(escape(result.detail))
        console.print(f"See it again: tallystick simulate --first-seed {result.seed} --seeds 1 --trace")
        return 1
    rate = f"{done / elapsed:,.0f} seeds/s"
    console.print(f"{done:,} seeds, {entries:,} entries, {crashes:,} restarts, no violation; {rate}")
    return 0


def _results(seeds: int, first_seed: int, note: Callable[[str], None] | None, jobs: int) -> Generator[Result]:
    span = range(first_seed, first_seed + seeds)
    if jobs == 1 or seeds == 1 or note is not None:
        yield from map(partial(run, note=note), span)
    else:
        with ProcessPoolExecutor(jobs) as pool:
            try:
                yield from pool.map(run, span, chunksize=SEEDS_AT_ONCE)
            finally:
                pool.shutdown(cancel_futures=True)


@contextmanager
def _progress(console: Console, seeds: int) -> Iterator[Callable[[], None]]:
    columns = (TextColumn("simulating"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=seeds)
        yield lambda: progress.advance(task)


@contextmanager
def _quiet() -> Iterator[None]:
    """A venue that stops says so in the log; here it stops all the time."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
