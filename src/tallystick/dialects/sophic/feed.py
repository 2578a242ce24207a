"""Public events of the past, found in the journal: a page at a time, and no more than a bounded look for each.

The journal's links are walked, so what is of others is not read. Many accounts together are found by reading everything
instead, for then the links would cost more than they spare.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import merge
from itertools import chain
from typing import Final, NamedTuple

from tallystick.core.keys import EVERYTHING, account_key
from tallystick.dialects.sophic.events import PublicEvent, events_of
from tallystick.dialects.sophic.queries import Page
from tallystick.facts.venue import EVENTS_PER_ENTRY_MAX, Entry, event_number
from tallystick.readers.index import Index
from tallystick.readers.readers import Readers

CHAINS_MAX: Final = 16
ENTRIES_MAX: Final = 4096
"""How many entries one request looks at; the page is short then, and leads on from where it stopped."""
SLICE_EVENTS: Final = 128
"""After so many events the others have their turn."""

Wanted = Callable[[PublicEvent], bool]


class Found(NamedTuple):
    """Events, newest first. ``rest`` is the event number to go on from, 0 if there are no more."""

    events: list[PublicEvent]
    rest: int


class Feed:
    def __init__(self, index: Index, readers: Readers) -> None:
        self._index: Final = index
        self._readers: Final = readers

    def event(self, number: int) -> PublicEvent | None:
        """The event of this number."""
        sequence = number // EVENTS_PER_ENTRY_MAX
        if not 0 < sequence <= self._readers.state.sequence:
            return None
        found = [event for event in events_of(self._index.entry(sequence)) if event.number == number]
        return found[0] if found else None

    def number_at(self, time: int) -> int:
        """All events at ``time`` (microseconds) or later have this number or a greater one, and no other event has."""
        sequence = self._index.since(time)
        if sequence > 1:
            before = self._index.entry(sequence - 1)
            if time < before.time + len(before.events):
                return event_number(before.sequence, time - before.time)
        return event_number(sequence, 0)

    async def page(self, keys: Sequence[int], page: Page, wanted: Wanted) -> Found:
        """The page's events, of entries that touch one of ``keys``."""
        found: list[PublicEvent] = []
        events = 0
        for looked_at, entry in enumerate(await self._entries(keys, page), start=1):
            first, last = event_number(entry.sequence, 0), event_number(entry.sequence, EVENTS_PER_ENTRY_MAX - 1)
            if (first >= page.before) if page.backwards else (last <= page.after):
                break
            public = events_of(entry)
            for event in public if page.backwards else reversed(public):
                if page.after < event.number < page.before and wanted(event):
                    if len(found) == page.limit:
                        return _found(found, found[-1].number, page)
                    found.append(event)
            if looked_at == ENTRIES_MAX:
                return _found(found, last if page.backwards else first, page)
            events += len(entry.events)
            if events >= SLICE_EVENTS:
                events = 0
                await asyncio.sleep(0)
        return _found(found, 0, page)

    async def _entries(self, keys: Sequence[int], page: Page) -> Iterator[Entry]:
        """Each entry that touches one of ``keys``, from the page's beginning on, once."""
        begin = (page.after if page.backwards else page.before) // EVENTS_PER_ENTRY_MAX
        chains: list[Iterable[Entry]] = []
        for key in keys:
            if page.backwards:
                entries = self._index.entries(key, max(begin - 1, 0))
            else:
                entries = self._index.entries_before(key, begin + 1)
            # The first step of each may be long, for it seeks.
            first = next(entries, None)
            if first is not None:
                chains.append(chain((first,), entries))
            await asyncio.sleep(0)
        return _distinct(merge(*chains, key=_oldest_first if page.backwards else _newest_first))


def keys_of(accounts: Sequence[int]) -> tuple[int, ...]:
    """What to walk for all events of these accounts."""
    return (EVERYTHING,) if len(accounts) > CHAINS_MAX else tuple(map(account_key, accounts))


def _found(events: list[PublicEvent], rest: int, page: Page) -> Found:
    return Found(events[::-1] if page.backwards else events, rest)


def _oldest_first(entry: Entry) -> int:
    return entry.sequence


def _newest_first(entry: Entry) -> int:
    return -entry.sequence


def _distinct(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Entries without those that come again because they touch several of the keys."""
    last = 0
    for entry in entries:
        if entry.sequence != last:
            last = entry.sequence
            yield entry
