"""Sophic's public events on their way out: the feed of them for webhooks and streams, and the notice of a webhook."""

import asyncio
import logging
from typing import Final

import msgspec

from tallystick.core.ids import NUMBER_MAX, IdCodec
from tallystick.core.keys import EVERYTHING
from tallystick.deliver.feed import Happening, Page, PositionUnknown, Sink
from tallystick.deliver.records import Endpoint
from tallystick.dialects.sophic import wire
from tallystick.dialects.sophic.events import PublicEvent, events_of
from tallystick.dialects.sophic.feed import Feed
from tallystick.dialects.sophic.queries import Page as Part
from tallystick.dialects.sophic.slices import SLICE
from tallystick.dialects.sophic.view import View
from tallystick.facts.codes import CUSTOMER
from tallystick.facts.venue import EVENTS_PER_ENTRY_MAX, Entry, event_number
from tallystick.readers.index import Index
from tallystick.readers.readers import Readers
from tallystick.readers.walk import keys_of
from tallystick.venue.state import State

_log = logging.getLogger(__name__)

DISABLED: Final = "webhook.disabled"


class SophicFeed:
    """deliver.feed.Feed over the venue's journal. An event's position is its number, in the open its id."""

    def __init__(self, index: Index, readers: Readers, view: View) -> None:
        self._feed: Final = Feed(index, readers)
        self._readers: Final = readers
        self._view: Final = view

    def newest(self) -> int:
        return event_number(self._readers.state.sequence, EVENTS_PER_ENTRY_MAX - 1)

    def position(self, text: str) -> int:
        number = self._view.event_ids.number(text) or self._view.cursors.number(text)
        if not 0 < number <= self.newest():
            raise PositionUnknown
        return number

    def text(self, position: int) -> str:
        return self._view.cursors.text(max(position, 1))

    def position_at(self, time: int) -> int:
        return max(0, self._feed.number_at(time) - 1)

    async def page(self, owner: str | None, after: int, limit: int) -> Page:
        state = self._readers.state
        newest = self.newest()  # as of before the look: what is committed meanwhile is not promised to be in it
        keys = (EVERYTHING,) if owner is None else keys_of(state.accounts_of_owner.get(owner, ()))
        part = Part(limit, after, NUMBER_MAX, backwards=True)
        found = await self._feed.page(keys, part, lambda event: owner in (None, _owner(state, event)))
        happenings: list[Happening] = []
        for event in reversed(found.events):
            happenings.append(self._happening(state, event))
            if len(happenings) % SLICE == 0:
                await asyncio.sleep(0)
        return Page(happenings, found.rest or max(newest, happenings[-1].position if happenings else 0))

    def attach(self, sink: Sink) -> None:
        def hand_over(entry: Entry, state: State) -> None:
            if sink.is_idle:
                return
            try:
                for event in events_of(entry):
                    if sink.wants(_owner(state, event)):
                        sink.take(self._happening(state, event))
            except Exception:  # noqa: BLE001 - a listener that fails would hear no more, and its readers not know of it
                _log.exception("the events of entry %d could not be handed over: they are read", entry.sequence)
                sink.begin_anew(event_number(entry.sequence, EVENTS_PER_ENTRY_MAX - 1))

        self._readers.dispatcher.subscribe((EVERYTHING,), hand_over)

    def _happening(self, state: State, event: PublicEvent) -> Happening:
        ids, order = self._view.order_ids, event.resource
        if event.resource_type == "trade":
            trade = self._readers.trade(event.resource)
            ids, order = self._view.trade_ids, 0 if trade is None else trade.terms.order
        return Happening(
            event.number,
            self._view.event_ids.text(event.number),
            event.name,
            ids.text(event.resource),
            self._view.order_ids.text(order) if order else "",
            _owner(state, event),
            event.time,
            self._view.event(event),
        )


class Notices:
    """Events that are of no journal: what a client's other webhooks are told when one of them is disabled."""

    def __init__(self, secret: bytes) -> None:
        self._event_ids: Final = IdCodec(secret, "webhooks", "evt")
        self._webhook_ids: Final = webhook_ids(secret)

    def disabled(self, endpoint: Endpoint, reason: str, now: int) -> Happening:
        """The endpoint was disabled ``now``, because it is ``gone`` or ``failing``."""
        event_id = self._event_ids.text(now)
        webhook = self._webhook_ids.text(endpoint.number)
        body = msgspec.json.encode(
            {
                "id": event_id,
                "name": DISABLED,
                "resource": {"id": webhook, "resource_type": "webhook"},
                "data": {"reason": reason},
                "created_at": wire.instant(now),
            }
        )
        return Happening(0, event_id, DISABLED, webhook, "", endpoint.owner, now, body)


def webhook_ids(secret: bytes) -> IdCodec:
    """The ids of endpoints, made from the folder's secret."""
    return IdCodec(secret, "webhooks", "whk")


def _owner(state: State, event: PublicEvent) -> str:
    """The client that may see the event, "" for nobody's."""
    account = state.accounts.get(event.account)
    return account.owner if account is not None and account.role == CUSTOMER else ""
