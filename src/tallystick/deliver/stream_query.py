"""What a request for a stream asks for: from which position, which events, how many at most."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from urllib.parse import parse_qs

from tallystick.core.ids import NUMBER_MAX
from tallystick.deliver.feed import Feed, Happening, PositionUnknown

START: Final = "start"
PAGE_DEFAULT: Final = 100
PAGE_MAX: Final = 1000

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_NAMES: Final = ("after", "since", "name", "resource", "limit", "owner", "number")
_DIGITS_MAX: Final = 19
_FOR_OPERATORS: Final = ("owner", "number")


class BadQuery(Exception):
    """``code`` and a sentence."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code: Final = code
        self.detail: Final = detail


class Wanted(NamedTuple):
    """Events after a position; of these names and about this resource, if they are given."""

    owner: str | None
    after: int
    limit: int = PAGE_DEFAULT
    names: frozenset[str] = frozenset()
    resource: str = ""

    def includes(self, happening: Happening) -> bool:
        if self.names and happening.name not in self.names:
            return False
        return not self.resource or happening.resource == self.resource


def read_query(query: bytes, last_event_id: str, owner: str | None, feed: Feed) -> Wanted:
    """``owner`` may see its own; None may see everything, and may ask for one's. Raises BadQuery.

    Who may see everything may also name a position by its ``number``. ``last_event_id`` is the header with which a
    stream goes on; it wins over where the query would begin.
    """
    values = parse_qs(query.decode("latin-1"), keep_blank_values=True)
    for name, texts in values.items():
        if name not in _NAMES or (name in _FOR_OPERATORS and owner is not None):
            raise BadQuery("invalid_request", f"There is no parameter {name[:40]!r}.")
        if len(texts) > 1 and name != "name":
            raise BadQuery("invalid_request", f"The parameter {name} is given more than once.")

    def first(name: str) -> str:
        return values.get(name, [""])[0]

    return Wanted(
        first("owner") or owner,
        _number(first("number"))
        if "number" in values
        else _after(last_event_id or first("after"), first("since"), feed),
        _limit(first("limit")),
        frozenset(values.get("name", ())),
        first("resource"),
    )


def read_instant(text: str) -> int:
    """Microseconds since the epoch. Raises ValueError."""
    try:
        return (datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND
    except (ValueError, TypeError, OverflowError):  # TypeError: it has no offset
        raise ValueError("Write a time as ISO 8601 with its offset, as in 2026-03-12T14:30:05Z.") from None


def _after(after: str, since: str, feed: Feed) -> int:
    if after == START:
        return 0
    if after:
        try:
            return feed.position(after)
        except PositionUnknown:
            raise BadQuery("position_unknown", "There is no such position: begin with after=start, or anew.") from None
    if since:
        return feed.position_at(_read(read_instant, since))
    return feed.newest()


def _number(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX and int(text) <= NUMBER_MAX:
        return int(text)
    raise BadQuery("invalid_request", "A number is a whole number of at most 63 bits.")


def _limit(text: str) -> int:
    if not text:
        return PAGE_DEFAULT
    if text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= PAGE_MAX:
        return int(text)
    raise BadQuery("invalid_request", f"A limit is a whole number from 1 to {PAGE_MAX}.")


def _read(read: Callable[[str], int], text: str) -> int:
    try:
        return read(text)
    except ValueError as error:
        raise BadQuery("invalid_request", str(error)) from None
