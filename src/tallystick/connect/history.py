"""What was told before: read from the journal again, of one order by its links, or of all from a position on."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from tallystick.connect.narration import Told, events_of, read_position
from tallystick.connect.store import STREAM
from tallystick.core.keys import order_key
from tallystick.facts.client import Entry, OrderRecalled, decode
from tallystick.journal.port import Journal
from tallystick.tracker.fold import apply, fold
from tallystick.tracker.state import State

SLICE_ENTRIES: Final = 512
"""After so many the others have their turn."""


def story(journal: Journal, state: State, number: int, last: int) -> list[Told]:
    """All that was told of an order up to the entry ``last``, which is the newest about it."""
    scratch = State()
    for venue in state.venues.values():
        scratch.join_venue(venue.terms)
    scratch.markets.update(state.markets)
    found: list[Told] = []
    for entry in _about(journal, number, last):
        for event in entry.events:
            if event.order == number and not isinstance(event, OrderRecalled):
                apply(scratch, event, entry.time)
        found += events_of(entry, scratch, number)
    return found


def _about(journal: Journal, number: int, last: int) -> list[Entry]:
    """The entries about the order, oldest first."""
    key = order_key(number)
    found: list[Entry] = []
    while last:
        entry = decode(journal.body(STREAM, last))
        found.append(entry)
        at = entry.links[::2].index(key)
        last = entry.links[2 * at + 1]
    found.reverse()
    return found


async def told_since(journal: Journal, position: str, until: int) -> AsyncIterator[Told]:
    """What was told after ``position`` up to the entry ``until``, of all orders. Raises ValueError for no position.

    The journal is folded from its beginning, because an event shows the sums as they were then.
    """
    after = read_position(position)
    if after[0] > until:
        raise ValueError(f"position {position!r} is not of this journal, which ends at {until}")
    state = State()
    for sequence, body in journal.read(STREAM):
        if sequence > until:
            return
        entry = decode(body)
        fold(state, entry)
        if sequence >= after[0]:
            for each in events_of(entry, state):
                if read_position(each[2].position) > after:
                    yield each
        if sequence % SLICE_ENTRIES == 0:
            await asyncio.sleep(0)
