"""The audit trail: every entry of a venue, who wanted it and why; and how far the requests to end orders have come."""

from collections.abc import Iterator
from typing import Final

from starlette.responses import Response

from tallystick.core.keys import EVERYTHING, account_key, order_key
from tallystick.facts.venue import Entry
from tallystick.server.doors import wire
from tallystick.server.doors.answers import DoorError, answer
from tallystick.server.doors.door import Call
from tallystick.server.doors.pages import page, read_limit
from tallystick.server.doors.requests import bad_parameter, read_number, read_query
from tallystick.server.doors.timeline import Timeline
from tallystick.server.doors.view import View

SEQUENCE_MAX: Final = 2**62
PLACING: Final = "place"


async def list_entries(call: Call) -> Response:
    """Oldest first, after the sequence ``after``; with ``newest=true`` newest first, from there back.

    ``account``, ``order`` and ``by`` choose. ``people=true`` chooses what somebody did, but for placing orders.
    """
    query = read_query(call.request, "after", "newest", "limit", "account", "order", "by", "people")
    newest, people = _flag(query, "newest"), _flag(query, "people")
    after = read_number(query, "after", SEQUENCE_MAX if newest else 0, 0, SEQUENCE_MAX)
    index, key = call.desk.index, _key(call, query)
    entries = index.entries_before(key, after) if newest else index.entries(key, after)
    timeline, by = Timeline(call.desk), query.get("by")

    def show(entry: Entry) -> wire.Entry | None:
        cause = entry.cause
        is_wanted = by in (None, cause.by) and (not people or (cause.by and cause.kind != PLACING))
        return timeline.entry(entry) if is_wanted else None

    return await page("entries", entries, read_limit(query), show, lambda entry: entry.sequence)


async def list_sweeps(call: Call) -> Response:
    """The requests for a whole market or account that are under way; the oldest is being carried out."""
    read_query(call.request)
    return answer({"requests": list(_sweeps(call))})


async def show_request(call: Call) -> Response:
    number = call.path("request")
    known = call.desk.state.requests.get(int(number)) if number.isascii() and number.isdigit() else None
    if known is None:
        detail = "There is no such request, or it was over long ago: look for it among the entries."
        raise DoorError(404, "unknown_request", detail)
    return answer(View(call.desk).cancel_request(known, Timeline(call.desk).cause_at(known.made)))


def _sweeps(call: Call) -> Iterator[wire.CancelRequest]:
    view, timeline = View(call.desk), Timeline(call.desk)
    for request in call.desk.state.sweeps.values():
        yield view.cancel_request(request, timeline.cause_at(request.made))


def _key(call: Call, query: dict[str, str]) -> int:
    if "order" in query and "account" in query:
        raise bad_parameter("order", "Choose an order or an account, not both.")
    if "order" in query:
        number = call.desk.order_ids.number(query["order"])
        if not number or call.desk.find(number) is None:
            raise bad_parameter("order", "There is no such order.")
        return order_key(number)
    if "account" in query:
        account = call.desk.state.account_named.get(query["account"])
        if account is None:
            raise bad_parameter("account", "There is no such account.")
        return account_key(account.number)
    return EVERYTHING


def _flag(query: dict[str, str], name: str) -> bool:
    if query.get(name, "false") not in ("true", "false"):
        raise bad_parameter(name, "It must be true or false.")
    return query.get(name) == "true"
