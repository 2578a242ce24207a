"""Orders of all venues: lists and single ones, as they are or as they were at a position."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

from tallystick.core.ids import NUMBER_MAX
from tallystick.core.lifecycle import PLACED, REJECTED, is_closed
from tallystick.deliver.feed import PositionUnknown
from tallystick.deliver.stream_query import PAGE_DEFAULT, PAGE_MAX
from tallystick.facts.venue import EVENTS_PER_ENTRY_MAX
from tallystick.readers.past import Seen, seen_at, seen_now
from tallystick.server.doors.answers import DoorError
from tallystick.server.doors.requests import bad_parameter, read_number
from tallystick.server.neutral import wire
from tallystick.server.neutral.floor import Floor, Place
from tallystick.server.neutral.sight import Viewer
from tallystick.server.neutral.view import ORDER_STATUSES

LIVE: Final = "live"
STATUSES: Final[tuple[str, ...]] = tuple(ORDER_STATUSES[PLACED:REJECTED])
CHUNK: Final = 50
LOOKS_MAX: Final = 5000
SLICE: Final = 20
"""After so many orders the others have their turn."""

_LIVE_STATUSES: Final = frozenset(name for at, name in enumerate(STATUSES, start=PLACED) if not is_closed(at))


class _AsOf(NamedTuple):
    """A position at one venue, and its time; None for now."""

    number: int | None
    time: int

    def see(self, place: Place, number: int) -> Seen | None:
        """The order as it was then."""
        if self.number is None:
            return seen_now(place.venue.readers, number)
        found = seen_now(place.venue.readers, number)
        if found is None or found.order.placed > self.time:
            return None  # not placed yet: told from its first time alone, which costs less than its whole way
        return seen_at(place.venue.index, number, self.number)


class Orders:
    """Each method gives the answer's body, or raises DoorError."""

    def __init__(self, floor: Floor) -> None:
        self._floor: Final = floor

    async def list(self, query: Mapping[str, str], venues: tuple[str, ...], viewer: Viewer) -> bytes:
        """``query`` has status, account, after, as_of and limit, each if it is given."""
        limit = read_number(query, "limit", PAGE_DEFAULT, 1, PAGE_MAX)
        statuses = _statuses(query.get("status", ""))
        begin, before = self._after(query.get("after", ""), viewer)
        shown: list[wire.Order] = []
        looks, last = 0, ""
        for place in self._floor.chosen(venues):
            if place.name < begin:
                continue
            as_of = self._as_of(query.get("as_of", ""), place)
            for number in _candidates(place, viewer, query.get("account", ""), before if place.name == begin else 0):
                if len(shown) == limit or looks == LOOKS_MAX:
                    return _page(shown, last)
                last = place.venue.order_ids.text(number)
                looks += 1
                if looks % SLICE == 0:
                    await asyncio.sleep(0)
                seen = as_of.see(place, number)
                if seen is not None and ORDER_STATUSES[seen.order.status] in statuses:
                    shown.append(place.view.order(seen, viewer))
        return _page(shown, None)

    def retrieve(self, order_id: str, as_of: str, viewer: Viewer) -> bytes:
        place, number = self._floor.order(order_id, viewer)
        seen = self._as_of(as_of, place).see(place, number)
        if seen is None:
            raise DoorError(404, "not_found", "There is no such order.")
        return msgspec.json.encode(place.view.order(seen, viewer))

    def _after(self, order_id: str, viewer: Viewer) -> tuple[str, int]:
        """Which venue a list goes on with, and below which order there."""
        if not order_id:
            return "", 0
        try:
            place, number = self._floor.order(order_id, viewer)
        except DoorError:
            raise bad_parameter("after", "There is no such order.") from None
        return place.name, number

    def _as_of(self, text: str, place: Place) -> _AsOf:
        if not text:
            return _AsOf(None, 0)
        try:
            number = self._floor.positions.read(text).get(place.name, 0)
        except PositionUnknown:
            number = -1
        if not 0 <= number <= place.feed.newest:
            raise DoorError(410, "position_unknown", "There is no such position.")
        sequence, at = divmod(number, EVENTS_PER_ENTRY_MAX)
        return _AsOf(number, place.venue.index.entry(sequence).time + at if sequence else 0)


def _statuses(text: str) -> frozenset[str]:
    if not text:
        return frozenset(STATUSES)
    if text not in (LIVE, *STATUSES):
        raise bad_parameter("status", f"It must be one of: {', '.join((LIVE, *STATUSES))}.")
    return _LIVE_STATUSES if text == LIVE else frozenset((text,))


def _candidates(place: Place, viewer: Viewer, account: str, before: int) -> Iterator[int]:
    """Numbers of the orders that the viewer may see, below ``before`` (0: from the newest on), newest first."""
    readers = place.venue.readers
    state, before = readers.state, before or NUMBER_MAX
    if account:
        numbers = place.account(account, viewer)
        accounts = [numbers] if numbers else []
    elif viewer.client is None:
        yield from range(min(before - 1, state.orders_made), 0, -1)
        return
    else:
        accounts = list(viewer.accounts(state))
    while True:
        chunks = [readers.orders_before(state.accounts[each], before, CHUNK) for each in accounts]
        found = sorted((number for chunk in chunks for number in chunk), reverse=True)[:CHUNK]
        if not found:
            return
        yield from found
        before = found[-1]


def _page(orders: list[wire.Order], last: str | None) -> bytes:
    return msgspec.json.encode(wire.Orders(orders, last))
