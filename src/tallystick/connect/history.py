"""What was told before: read from the journal again, of one order by its links, or of all from a position on.

It is read in slices, so that however much there is, everything else on the event loop has its turn.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Final

from tallystick.connect.narration import Told, events_of, read_position
from tallystick.connect.recovery import STREAM, fold_next, newest_state, read_entry
from tallystick.core.keys import order_key
from tallystick.facts.client import Entry, OrderRecalled
from tallystick.journal.port import Journal
from tallystick.journal.snapshots import Snapshots
from tallystick.tracker.fold import apply
from tallystick.tracker.state import State

SLICE_EVENTS: Final = 512
"""Events folded or read over, after which the others have their turn."""


async def story(journal: Journal, state: State, number: int, last: int) -> AsyncGenerator[Told, None]:
    """All that was told of an order up to the entry ``last``, which is the newest about it."""
    scratch = State()
    for venue in state.venues.values():
        scratch.join_venue(venue.terms)
    scratch.markets.update(state.markets)
    for sequence in await _about(journal, number, last):
        entry = read_entry(journal.body(STREAM, sequence), sequence)
        for event in entry.events:
            if event.order == number and not isinstance(event, OrderRecalled):
                apply(scratch, event, entry.time)
        for told in events_of(entry, scratch, number):
            yield told


async def _about(journal: Journal, number: int, last: int) -> list[int]:
    """The sequences of the entries about the order, oldest first."""
    key = order_key(number)
    found: list[int] = []
    read = 0
    while last:
        found.append(last)
        entry = read_entry(journal.body(STREAM, last), last)
        last = entry.links[2 * entry.links[::2].index(key) + 1]
        read += len(entry.events)
        if read >= SLICE_EVENTS:
            read = 0
            await asyncio.sleep(0)
    found.reverse()
    return found


async def told_since(
    journal: Journal, position: str, until: int | Callable[[], int], snapshots: Snapshots | None = None
) -> AsyncGenerator[Told, None]:
    """What was told after ``position`` up to the entry ``until``, of all orders; where that moves on, what tells it.

    An event shows the sums as they were then, so the state is made again: from the newest snapshot before the position,
    or from the beginning. When this ends nothing up to ``until`` is missing, and nobody else has had a turn since.
    Raises ValueError for no position, and JournalError.
    """
    after = read_position(position)
    last = until if callable(until) else (lambda: until)
    if after[0] > last():
        raise ValueError(f"position {position!r} is not of this journal, which ends at {last()}")
    state = State()
    if snapshots is not None and after[0]:
        state = await asyncio.to_thread(newest_state, journal, snapshots, after[0] - 1)
    folded = 0
    while state.sequence < last():
        for sequence, body in journal.read(STREAM, state.sequence):
            if sequence > last():
                break
            entry = read_entry(body, sequence)
            fold_next(state, entry)
            if sequence >= after[0]:
                for told in _after(after, entry, state):
                    yield told
            folded += len(entry.events)
            if folded >= SLICE_EVENTS:
                folded = 0
                await asyncio.sleep(0)


def _after(position: tuple[int, int], entry: Entry, state: State) -> list[Told]:
    """What the entry tells after the position."""
    return [told for told in events_of(entry, state) if read_position(told[2].position) > position]
