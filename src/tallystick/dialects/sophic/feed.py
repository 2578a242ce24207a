"""Public events of the past, found in the journal: a page at a time, and no more than a bounded look for each."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from tallystick.dialects.sophic.events import PublicEvent, events_of
from tallystick.dialects.sophic.queries import Page
from tallystick.facts.venue import EVENTS_PER_ENTRY_MAX, Entry, event_number
from tallystick.readers.index import Index
from tallystick.readers.readers import Readers
from tallystick.readers.walk import entries_after, entries_before

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
        if page.backwards:
            return await entries_after(self._index, keys, max(page.after // EVENTS_PER_ENTRY_MAX - 1, 0))
        return await entries_before(self._index, keys, page.before // EVENTS_PER_ENTRY_MAX + 1)


def _found(events: list[PublicEvent], rest: int, page: Page) -> Found:
    return Found(events[::-1] if page.backwards else events, rest)
