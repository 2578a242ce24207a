"""Journals to recover from, and the measuring of it: run by ``bench.processes.ask``, each step in a process of its own.

``write`` makes a journal, ``recover`` times its parts and the whole, ``memory`` tells what its open orders take.
"""

import gc
import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, Final

from bench.world import World
from tallystick.dialects.sophic.rules import SophicRules
from tallystick.dialects.sophic.sandbox import sandbox_policy
from tallystick.facts.venue import Entry, decode, encode
from tallystick.journal.port import Append
from tallystick.journal.sqlite import SqliteJournal
from tallystick.readers.readers import Readers
from tallystick.readers.recovery import recover as recover_venue
from tallystick.venue.fold import fold
from tallystick.venue.state import State

VENUE: Final = "sophic"
ENTRIES_A_COMMIT: Final = 64
LIFE_US: Final = 60_000_000
SUBMITTED_US: Final = 1_500_000
"""At pace 1: after the second in which an order is placed, before the one at whose end it trades."""


def write(path: str, orders: int, whole_lives: bool) -> dict[str, Any]:
    """A journal of orders that are all settled, or all open and waiting to trade."""
    journal = SqliteJournal(Path(path))
    bodies: list[bytes] = []
    written = 0

    def commit() -> None:
        nonlocal written
        journal.append([Append(VENUE, written, bodies)])
        written += len(bodies)
        bodies.clear()

    def keep(entry: Entry) -> None:
        bodies.append(encode(entry))
        if len(bodies) == ENTRIES_A_COMMIT:
            commit()

    world = World(0.001 if whole_lives else 1000, keep)
    world.place(orders)
    world.pass_time(LIFE_US if whole_lives else int(SUBMITTED_US * 1000))
    if bodies:
        commit()
    journal.close()
    return {"entries": written, "bytes": Path(path).stat().st_size}


def recover(path: str) -> dict[str, Any]:
    """CPU seconds of each part of a recovery, then of all of it as the server does it."""
    gc.disable()  # as the server has it until it serves
    journal = SqliteJournal(Path(path), writer=False)
    seconds: dict[str, float] = {}

    def timed(part: str, work: Callable[[], Any]) -> Any:
        gc.collect()
        begin = process_time()
        result = work()
        seconds[part] = process_time() - begin
        return result

    bodies = timed("read", lambda: [body for _, body in journal.read(VENUE)])
    entries = timed("decode", lambda: [decode(body) for body in bodies])
    timed("fold", lambda: _fold(State(), entries))
    timed("folds", lambda: (_fold(State(), entries), _fold(State(), entries)))
    counted = {"entries": len(entries), "events": sum(len(entry.events) for entry in entries)}
    bodies.clear()
    entries.clear()
    timed("whole", lambda: recover_venue(journal, VENUE, _rules()))
    journal.close()
    return {**counted, "seconds": seconds}


def memory(path: str, orders: int) -> dict[str, Any]:
    """Bytes of resident memory that the open orders take in both folds: recovered from ``path``, or live if empty."""
    begin = perf_counter()
    gc.collect()
    before = resident()
    if path:
        journal = SqliteJournal(Path(path), writer=False)
        before = resident()
        engine, readers, _ = recover_venue(journal, VENUE, _rules())
        journal.close()
    else:
        readers = Readers()
        world = World(1000, readers.commit)
        engine = world.engine
        before = resident()
        world.place(orders)
        world.pass_time(int(SUBMITTED_US * 1000))
    gc.collect()
    taken = resident() - before
    open_orders = sum(1 for order in readers.state.orders.values() if order.leaves and order.due)
    assert open_orders == len(engine.state.orders) == orders, f"{open_orders} open orders"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    return {"bytes": taken / orders, "peak": peak / orders, "seconds": perf_counter() - begin}


def resident() -> int:
    """Bytes of resident memory now. Linux only: elsewhere FileNotFoundError."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def _rules() -> SophicRules:
    return SophicRules(sandbox_policy(1000))


def _fold(state: State, entries: list[Entry]) -> State:
    for entry in entries:
        fold(state, entry)
    return state


if __name__ == "__main__":
    chosen: dict[str, Any] = json.loads(sys.argv[1])
    steps: dict[str, Callable[..., dict[str, Any]]] = {"write": write, "recover": recover, "memory": memory}
    step = steps[chosen.pop("step")]
    print(json.dumps(step(**chosen)))
