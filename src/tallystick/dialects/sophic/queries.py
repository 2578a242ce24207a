"""Reading a query: every parameter with its form, all faults at once; and pages, which are alike everywhere.

A page is of the newest that are older than ``starting_after``, newest first, or of those that come next after
``ending_before``, newest first too (Stripe's meaning). A Link header leads on in the same direction.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, quote, urlencode

from tallystick.core.ids import NUMBER_MAX
from tallystick.dialects.sophic.errors import invalid
from tallystick.dialects.sophic.requests import ECHO_MAX
from tallystick.dialects.sophic.wire import Param
from tallystick.web.exchange import Request

PAGE_DEFAULT: Final = 100
PAGE_MAX: Final = 1000
INSTANT_CHARACTERS_MAX: Final = 40

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Parameter(NamedTuple):
    """One that a query may have. ``read`` makes it a value, or raises ValueError with a sentence; ``schema`` is its
    form for the OpenAPI document."""

    name: str
    read: Callable[[str], Any]
    schema: dict[str, Any]
    description: str


def read_limit(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= PAGE_MAX:
        return int(text)
    raise ValueError(f"A limit is a whole number from 1 to {PAGE_MAX}.")


def read_instant(text: str) -> int:
    """Microseconds since the epoch; of what is finer than that, nothing."""
    try:
        if len(text) > INSTANT_CHARACTERS_MAX or "T" not in text.upper():
            raise ValueError
        return (datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND
    except (ValueError, TypeError, OverflowError):  # TypeError: it has no offset
        raise ValueError("Write a time as ISO 8601 with its offset, as in 2026-03-12T14:30:05Z.") from None


LIMIT: Final = Parameter(
    "limit",
    read_limit,
    {"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE_DEFAULT},
    "The most that a page has.",
)
STARTING_AFTER: Final = Parameter(
    "starting_after", str, {"type": "string"}, "An id: the page has what is older than it. Not with ending_before."
)
ENDING_BEFORE: Final = Parameter(
    "ending_before",
    str,
    {"type": "string"},
    "An id: the page has what comes next after it, newest first. Not with starting_after.",
)
PAGING: Final = (LIMIT, STARTING_AFTER, ENDING_BEFORE)


class Page(NamedTuple):
    """Which part of a list: up to ``limit`` of what is between the numbers ``after`` and ``before``, both exclusive.

    The greatest of them, or, ``backwards``, the least.
    """

    limit: int
    after: int
    before: int
    backwards: bool

    def cut(self, numbers: Sequence[int]) -> tuple[list[int], int]:
        """The page's part of ``numbers``, which grow: greatest first, and the one to go on from, 0 if there is none."""
        begin, end = bisect_right(numbers, self.after), bisect_left(numbers, self.before)
        if self.backwards:
            found = numbers[begin : min(end, begin + self.limit)]
            return list(reversed(found)), found[-1] if begin + self.limit < end else 0
        found = numbers[max(begin, end - self.limit) : end]
        return list(reversed(found)), found[0] if begin < end - self.limit else 0


class Query:
    """What a request's query says, as values; ``faults`` gathers what is wrong with it until ``check``."""

    def __init__(self, request: Request, parameters: tuple[Parameter, ...]) -> None:
        self._path: Final = request.whole_path
        self._values: Final[dict[str, Any]] = {}
        self._texts: Final[dict[str, str]] = {}
        self.faults: Final[list[Param]] = []
        if not request.query:
            return
        known = {each.name: each for each in parameters}
        for name, text in parse_qsl(request.query.decode("latin-1"), keep_blank_values=True):
            if name not in known:
                self.fault(name[:ECHO_MAX], "There is no such parameter.", "unknown_field")
            elif name in self._texts:
                self.fault(name, "This parameter is given more than once.")
            else:
                self._read(known[name], text)

    def get(self, name: str) -> Any:
        """The parameter's value, None if it is not given."""
        return self._values.get(name)

    def fault(self, name: str, detail: str, code: str = "invalid_param") -> None:
        """Something is wrong with a parameter."""
        self.faults.append(Param(f"query.{name}", code, detail))

    def check(self) -> None:
        """Raise RequestError 400 with all that is wrong."""
        if self.faults:
            raise invalid(self.faults)

    def page(self, what: str, number: Callable[[str], int], after: int = 0, before: int = NUMBER_MAX) -> Page:
        """The page asked for of a list of ``what``, between ``after`` and ``before``. ``number`` is the place of an id
        in the list, 0 if it is not in it. Raises RequestError 400 with all that is wrong with the query."""
        backwards = "ending_before" in self._texts
        for name in ("starting_after", "ending_before"):
            if name in self._texts:
                place = number(self._texts[name])
                if not place:
                    self.fault(name, f"There is no such {what}.")
                elif name == "starting_after":
                    before = min(before, place)
                else:
                    after = max(after, place)
        if backwards and "starting_after" in self._texts:
            self.fault("ending_before", "Give one of starting_after and ending_before.")
        self.check()
        return Page(self.get("limit") or PAGE_DEFAULT, after, before, backwards)

    def link(self, page: Page, cursor: str) -> dict[str, str]:
        """The header that leads on from ``cursor``, an id; none where that is "", for there is nothing more."""
        if not cursor:
            return {}
        name, relation = ("ending_before", "prev") if page.backwards else ("starting_after", "next")
        texts = self._texts | {name: cursor}
        return {"link": f'<{quote(self._path)}?{urlencode(texts)}>; rel="{relation}"'}

    def _read(self, parameter: Parameter, text: str) -> None:
        self._texts[parameter.name] = text
        try:
            self._values[parameter.name] = parameter.read(text)
        except ValueError as error:
            self.fault(parameter.name, str(error))
