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

from tallystick.simulate.delivery_world import DeliveryWorld
from tallystick.simulate.exchange_halves import halves_world
from tallystick.simulate.exchange_world import ExchangeWorld
from tallystick.simulate.halves import HalvesWorld
from tallystick.simulate.process import Parts
from tallystick.simulate.violation import RULES, Violation
from tallystick.simulate.world import World

SEEDS_AT_ONCE: Final = 16
VENUE_WORLD: Final = "venue"
HALVES_WORLD: Final = "halves"
DELIVERY_WORLD: Final = "delivery"
EXCHANGE_WORLD: Final = "exchange"
WORLDS: Final[dict[str, Callable[[int, Parts, Callable[[str], None] | None], World | HalvesWorld | ExchangeWorld]]] = {
    VENUE_WORLD: World,
    HALVES_WORLD: halves_world,
    DELIVERY_WORLD: DeliveryWorld,
    EXCHANGE_WORLD: ExchangeWorld,
}
"""A venue with its customers; a client and its venue until they match; a venue and those who are told of its events."""


class Result(Struct, frozen=True):
    """What came of one seed. ``rule`` is empty when nothing was violated."""

    seed: int
    steps: int
    entries: int
    crashes: int
    rule: str
    detail: str
    digest: str


def run(
    seed: int, parts: Parts | None = None, note: Callable[[str], None] | None = None, of: str = VENUE_WORLD
) -> Result:
    """One run of one of WORLDS. The same seed always gives the same result."""
    with _quiet():
        world = WORLDS[of](seed, parts or Parts(), note)
        rule = detail = ""
        try:
            world.run()
        except Violation as violation:
            rule, detail = violation.rule, violation.detail
        except Exception as error:  # noqa: BLE001 - a seed that fails in any way is a seed to look at
            rule, detail = "unforeseen", "".join(format_exception(error))
        return Result(seed, world.steps, world.entries, world.crashes, rule, detail, world.digest)


def main(seeds: int, first_seed: int = 1, trace: bool = False, jobs: int | None = None, of: str = VENUE_WORLD) -> int:
    """Run ``seeds`` seeds from ``first_seed`` on; the exit status: 1 at the first violation, which it shows.

    ``of`` names the world. ``trace`` prints every step. ``jobs`` is the number of processes, by default one for each
    core.
    """
    console = Console(highlight=False, soft_wrap=True)
    begun = monotonic()
    done = entries = crashes = 0
    with _progress(console, seeds) as advance:
        results = _results(seeds, first_seed, of, print if trace else None, jobs or cpu_count() or 1)
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
        console.print(f"See it again: {again(result.seed, of)}")
        return 1
    rate = f"{done / elapsed:,.0f} seeds/s"
    console.print(f"{done:,} seeds, {entries:,} entries, {crashes:,} restarts, no violation; {rate}")
    return 0


def again(seed: int, of: str) -> str:
    """The command that shows a seed again."""
    return f"tallystick simulate --world {of} --first-seed {seed} --seeds 1 --trace"


def _results(seeds: int, first_seed: int, of: str, note: Callable[[str], None] | None, jobs: int) -> Generator[Result]:
    span = range(first_seed, first_seed + seeds)
    if jobs == 1 or seeds == 1 or note is not None:
        yield from map(partial(run, note=note, of=of), span)
    else:
        with ProcessPoolExecutor(jobs) as pool:
            try:
                yield from pool.map(partial(run, of=of), span, chunksize=SEEDS_AT_ONCE)
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
    """A venue that stops says so in the log; here it stops all the time. Worlds may still listen."""
    log, nobody = logging.getLogger("tallystick"), logging.NullHandler()
    before, log.propagate = log.propagate, False
    log.addHandler(nobody)
    try:
        yield
    finally:
        log.removeHandler(nobody)
        log.propagate = before
