"""One venue's events for whoever reads them: routed by the keys of its entries while new, walked to by them when not.

A topic is what several readers want alike; its listener is subscribed to the keys of that alone. What a client may see
changes with its accounts, so a topic of all that is a client's follows them.
"""

import asyncio
import logging
from typing import Final

from tallystick.core.keys import EVERYTHING, account_key, order_key
from tallystick.deliver.feed import Happening, Page
from tallystick.deliver.topic import Cursor, Topic
from tallystick.facts.venue import EVENTS_PER_ENTRY_MAX, AccountChanged, AccountOpened, Entry, event_number
from tallystick.readers.walk import entries_after, keys_of
from tallystick.server.neutral.events import Events, Wanted
from tallystick.server.neutral.port import Venue
from tallystick.venue.state import State

ENTRIES_MAX: Final = 4096
"""How many entries one look sees; it leads on from where it stopped."""
SLICE_EVENTS: Final = 128
"""After so many events the others have their turn."""

_log = logging.getLogger(__name__)


class VenueFeed:
    """Everything here runs on one event loop's thread."""

    def __init__(self, venue: Venue, events: Events) -> None:
        self._venue: Final = venue
        self._events: Final = events
        self._topics: Final[dict[Wanted, _Live]] = {}
        venue.readers.dispatcher.subscribe((EVERYTHING,), self._follow_owners)

    @property
    def newest(self) -> int:
        """The number up to which every event is known; whatever comes has a greater one."""
        return event_number(self._venue.readers.state.sequence, EVENTS_PER_ENTRY_MAX - 1)

    def number_at(self, time: int) -> int:
        """All events after this number are of ``time`` (microseconds since the epoch) or later, and no others are."""
        sequence = self._venue.index.since(time)
        if sequence > 1:
            before = self._venue.index.entry(sequence - 1)
            if time < before.time + len(before.events):
                return event_number(before.sequence, time - before.time) - 1
        return event_number(sequence, 0) - 1

    def cursor(self, wanted: Wanted, after: int) -> Cursor:
        """Read what is wanted after an event's number. Close it in the end."""
        live = self._topics.get(wanted)
        if live is None:
            live = self._topics[wanted] = _Live(self._venue, self._events, wanted, self.newest)

        def leave() -> None:
            if live.topic.readers == 0:
                live.stop()
                del self._topics[wanted]

        return Cursor(live.topic, after, lambda number, limit: self.page(wanted, number, limit), leave)

    async def page(self, wanted: Wanted, after: int, limit: int) -> Page:
        """Up to ``limit`` events after the number ``after``, found with a bounded look; maybe none, and more."""
        newest = self.newest  # as of before the look: what is committed meanwhile is not promised to be in it
        begin = max(after // EVENTS_PER_ENTRY_MAX - 1, 0)
        found: list[Happening] = []
        events = 0
        keys = _keys(wanted, self._venue.readers.state)
        for looked_at, entry in enumerate(await entries_after(self._venue.index, keys, begin), start=1):
            for happening in self._events.of(entry, wanted):
                if happening.position > after:
                    if len(found) == limit:
                        return Page(found, found[-1].position)
                    found.append(happening)
            if looked_at == ENTRIES_MAX:
                return Page(found, event_number(entry.sequence, EVENTS_PER_ENTRY_MAX - 1))
            events += len(entry.events)
            if events >= SLICE_EVENTS:
                events = 0
                await asyncio.sleep(0)
        return Page(found, max(newest, found[-1].position if found else 0))

    def _follow_owners(self, entry: Entry, _state: State) -> None:
        if self._topics and any(isinstance(event, AccountOpened | AccountChanged) for event in entry.events):
            for live in self._topics.values():
                live.follow_owners(self.newest)


class _Live:
    """A topic that somebody reads, and its subscription."""

    def __init__(self, venue: Venue, events: Events, wanted: Wanted, since: int) -> None:
        self.topic: Final = Topic(since)
        self._venue: Final = venue
        self._events: Final = events
        self._wanted: Final = wanted
        self._keys = _keys(wanted, venue.readers.state)
        self._subscription = venue.readers.dispatcher.subscribe(self._keys, self._take)

    def stop(self) -> None:
        self._subscription.cancel()

    def follow_owners(self, newest: int) -> None:
        """An account has another owner: the topic begins anew if that changes what belongs to it."""
        keys = _keys(self._wanted, self._venue.readers.state)
        if keys != self._keys:
            self._subscription.cancel()
            self._keys = keys
            self._subscription = self._venue.readers.dispatcher.subscribe(keys, self._take)
            self.topic.begin_anew(newest)

    def _take(self, entry: Entry, _state: State) -> None:
        try:
            for happening in self._events.of(entry, self._wanted):
                self.topic.take(happening)
        except Exception:  # noqa: BLE001 - a listener that fails would hear no more, and its readers not know of it
            _log.exception("the events of entry %d could not be shown", entry.sequence)
            self.topic.begin_anew(event_number(entry.sequence, EVENTS_PER_ENTRY_MAX - 1))


def _keys(wanted: Wanted, state: State) -> tuple[int, ...]:
    """The keys of the entries in which there may be something that is wanted."""
    if wanted.order:
        return (order_key(wanted.order),)
    if wanted.account:
        return (account_key(wanted.account),)
    if wanted.viewer.client is None:
        return (EVERYTHING,)
    return keys_of(wanted.viewer.accounts(state))
