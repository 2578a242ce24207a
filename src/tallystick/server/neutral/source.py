"""Events of several venues as one reading: each venue's in order, none in any order between them."""

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, NamedTuple, Self
from urllib.parse import parse_qs

from tallystick.deliver.feed import Happening, PositionUnknown
from tallystick.deliver.reading import Asked, Shown
from tallystick.deliver.stream_query import PAGE_DEFAULT, PAGE_MAX, BadQuery, read_instant
from tallystick.deliver.topic import Cursor, changed
from tallystick.server.doors.answers import DoorError
from tallystick.server.neutral.events import KINDS, Wanted
from tallystick.server.neutral.floor import Floor, Place
from tallystick.server.neutral.sight import Viewer

ORDER_PARAM: Final = "order_id"
REPEATED: Final = frozenset({"venue", "kind"})
PARAMETERS: Final = ("venue", "account", "order", "kind", "after", "since", "limit")


class Chosen(NamedTuple):
    """A venue, and what is wanted there."""

    place: Place
    wanted: Wanted


class NeutralSource:
    """deliver.reading.Source over all venues; a path may name one order."""

    def __init__(self, floor: Floor) -> None:
        self._floor: Final = floor

    def reading(self, asked: Asked, viewer: Viewer) -> "NeutralReading":
        values = _read(asked.query)
        order_id = asked.params.get(ORDER_PARAM, "")
        if order_id:
            for name in ("venue", "account", "order"):
                if name in values:
                    raise BadQuery("invalid_request", f"There is no parameter {name!r} here: the path says it.")
            chosen = [self._of_order(order_id, viewer, _kinds(values))]
        else:
            chosen = self._choose(values, viewer)
        numbers = self._begin(asked.last_event_id or _one(values, "after"), _one(values, "since"))
        return NeutralReading(self._floor, chosen, numbers, _limit(_one(values, "limit")))

    def _of_order(self, order_id: str, viewer: Viewer, kinds: frozenset[str]) -> Chosen:
        try:
            place, number = self._floor.order(order_id, viewer)
        except DoorError as error:
            raise BadQuery(error.body.code, error.body.detail) from None
        return Chosen(place, Wanted(viewer, 0, number, kinds))

    def _choose(self, values: dict[str, list[str]], viewer: Viewer) -> list[Chosen]:
        kinds = _kinds(values)
        try:
            places = self._floor.chosen(values.get("venue", ()))
        except DoorError as error:
            raise BadQuery(error.body.code, error.body.params[0].detail) from None
        found = []
        account, order = _one(values, "account"), _one(values, "order")
        for place in places:
            at = place.account(account, viewer) if account else 0
            about = place.order(order, viewer) if order else 0
            if bool(at) == bool(account) and bool(about) == bool(order):
                found.append(Chosen(place, Wanted(viewer, at, about, kinds)))
        if not found:
            raise BadQuery("invalid_request", "There is no such account or order at these venues.")
        return found

    def _begin(self, after: str, since: str) -> dict[str, int]:
        """For each venue, the event after which to begin."""
        places = self._floor.places
        newest = {each.name: each.feed.newest for each in places}
        if after:
            try:
                numbers = self._floor.positions.read(after)
            except PositionUnknown:
                numbers = {"": 0}
            if any(number > newest.get(name, -1) for name, number in numbers.items()):
                raise BadQuery("position_unknown", "There is no such position: begin with after=start, or anew.")
            return numbers
        if since:
            try:
                time = read_instant(since)
            except ValueError as error:
                raise BadQuery("invalid_request", str(error)) from None
            return {each.name: max(each.feed.number_at(time), 0) for each in places}
        return newest


class NeutralReading:
    """A deliver.reading.Reading: a cursor at each venue, looked at by turns."""

    def __init__(self, floor: Floor, chosen: Sequence[Chosen], numbers: dict[str, int], limit: int) -> None:
        self._floor: Final = floor
        self._chosen: Final = chosen
        self._numbers: Final = numbers
        self._limit: Final = limit
        self._cursors: list[Cursor] = []
        self._turn = 0

    @property
    def position(self) -> str:
        numbers = dict(self._numbers)
        for cursor, (place, _) in zip(self._cursors, self._chosen, strict=False):
            if cursor.is_up_to_date:  # whatever else is new there is not wanted
                numbers[place.name] = max(cursor.position, place.feed.newest)
        return self._floor.positions.text(numbers)

    @property
    def place(self) -> dict[str, Any]:
        return {"position": self.position}

    def __enter__(self) -> Self:
        self._cursors = [place.feed.cursor(wanted, self._after(place)) for place, wanted in self._chosen]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for cursor in self._cursors:
            cursor.close()

    async def page(self) -> Sequence[Shown]:
        found: list[Shown] = []
        for place, wanted in self._chosen:
            room = self._limit - len(found)
            if room:
                page = await place.feed.page(wanted, self._after(place), room)
                found += self._shown(place, page.happenings)
                self._numbers[place.name] = page.through
        return found

    async def next(self, limit: int) -> Sequence[Shown]:
        await changed(self._cursors)
        for _ in self._cursors:
            self._turn = (self._turn + 1) % len(self._cursors)
            cursor, place = self._cursors[self._turn], self._chosen[self._turn].place
            found = await cursor.look(limit)
            shown = self._shown(place, found)
            self._numbers[place.name] = cursor.position
            if shown:
                return shown
        return ()

    def _after(self, place: Place) -> int:
        return self._numbers.get(place.name, 0)

    def _shown(self, place: Place, happenings: Sequence[Happening]) -> list[Shown]:
        """A stream goes on from an event's own position and those that the other venues have been read up to."""
        text = self._floor.positions.text
        return [Shown(text(self._numbers | {place.name: each.position}), each.name, each.body) for each in happenings]


def _read(query: bytes) -> dict[str, list[str]]:
    values = parse_qs(query.decode("latin-1"), keep_blank_values=True)
    for name, texts in values.items():
        if name not in PARAMETERS:
            raise BadQuery("invalid_request", f"There is no parameter {name[:40]!r}.")
        if len(texts) > 1 and name not in REPEATED:
            raise BadQuery("invalid_request", f"The parameter {name} is given more than once.")
        if "" in texts:
            raise BadQuery("invalid_request", f"The parameter {name} is empty.")
    return values


def _one(values: dict[str, list[str]], name: str) -> str:
    return values.get(name, [""])[0]


def _kinds(values: dict[str, list[str]]) -> frozenset[str]:
    kinds = frozenset(values.get("kind", ()))
    for kind in kinds - set(KINDS.values()):
        raise BadQuery("invalid_request", f"There is no kind {kind[:40]!r}.")
    return kinds


def _limit(text: str) -> int:
    if not text:
        return PAGE_DEFAULT
    if text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= PAGE_MAX:
        return int(text)
    raise BadQuery("invalid_request", f"A limit is a whole number from 1 to {PAGE_MAX}.")
