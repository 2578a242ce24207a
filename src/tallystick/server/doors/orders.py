"""What operators see and do of orders and trades: find them, follow one from its first entry, clear or cancel it."""

from collections.abc import Iterator
from typing import Annotated, Final

from msgspec import Meta
from starlette.responses import Response

from tallystick.core.ids import NUMBER_MAX
from tallystick.core.keys import order_key
from tallystick.core.lifecycle import ORDER_STATUS_NAMES, PLACED, SUBMITTED, is_closed
from tallystick.facts.codes import ORDER_CLOSED, ORDER_HAS_TRADES
from tallystick.facts.commands import CancelOrders, ClearPrerequisite
from tallystick.server.doors import wire
from tallystick.server.doors.answers import DoorError, answer
from tallystick.server.doors.desk import Desk, Found
from tallystick.server.doors.door import Call
from tallystick.server.doors.pages import page, read_limit
from tallystick.server.doors.requests import Body, Reason, bad_parameter, read_body, read_query
from tallystick.server.doors.timeline import Timeline
from tallystick.server.doors.view import View
from tallystick.venue.state import Account

LIVE: Final = "live"
STATUSES: Final = tuple(name.lower() for name in ORDER_STATUS_NAMES[PLACED:-1])
ENTRIES_MAX: Final = 1000
FAILING_MAX: Final = 1000
CHUNK: Final = 50

_NOT_CANCELLED: Final = {
    ORDER_CLOSED: "The order is over.",
    ORDER_HAS_TRADES: "The order has trades, so it is not cancelled; halt its market to close it short.",
}


class CancelBody(Body, frozen=True):
    reason: Reason


class PrerequisiteBody(Body, frozen=True):
    passed: Annotated[bool, Meta(description="true or false")]
    reason: Reason


async def list_orders(call: Call) -> Response:
    """Newest first; ``status``, ``account`` and ``market`` choose, ``after`` is the id of the last one seen."""
    query = read_query(call.request, "status", "account", "market", "limit", "after")
    desk = call.desk
    status = query.get("status", "")
    if status and status not in (LIVE, *STATUSES):
        raise bad_parameter("status", f"It must be one of: {', '.join((LIVE, *STATUSES))}.")
    account = desk.state.account_named.get(query.get("account", ""))
    if account is None and "account" in query:
        raise bad_parameter("account", "There is no such account.")
    market = desk.state.market_named.get(query.get("market", ""))
    if market is None and "market" in query:
        raise bad_parameter("market", "There is no such market.")
    before = NUMBER_MAX
    if "after" in query:
        before = desk.order_ids.number(query["after"])
        if not before or desk.find(before) is None:
            raise bad_parameter("after", "There is no such order.")
    view = View(desk)

    def show(number: int) -> wire.Order | None:
        found = desk.find(number)
        if found is None or (status and not _is(found, status)):
            return None
        return view.order(found) if market is None or found.order.market == market.number else None

    candidates = _candidates(desk, account, before, _is_live(status))
    return await page("orders", candidates, read_limit(query), show, desk.order_ids.text)


async def show_order(call: Call) -> Response:
    """The order with its history: what happened to it, by whom and why."""
    found = call.desk.order(call.path("order"))
    number = found.order.number
    timeline = Timeline(call.desk)
    entries: list[wire.Entry] = []
    ended: wire.Ending | None = None
    more = False
    for entry in call.desk.index.entries(order_key(number)):
        ended = ended or timeline.ending(entry, number)
        more = len(entries) == ENTRIES_MAX
        if not more:
            entries.append(timeline.entry(entry, number))
    return answer(wire.OrderHistory(View(call.desk).order(found), ended, entries, more))


async def cancel(call: Call) -> Response:
    """The order as it is afterwards; 409 when it is over or has trades."""
    found = call.desk.order(call.path("order"))
    body = await read_body(call.request, CancelBody)
    number = found.order.number
    if number not in call.desk.state.orders:
        raise _not_cancelled(ORDER_CLOSED)
    given = await call.desk.ask(CancelOrders((number,), call.by, body.reason))
    request = call.desk.state.requests.get(given.number)
    if request is not None and number in request.reasons:
        raise _not_cancelled(request.reasons[number])
    return show(call, number)


async def clear(call: Call) -> Response:
    """What the order waits for is there, or will never be; the order as it is afterwards."""
    found = call.desk.order(call.path("order"))
    body = await read_body(call.request, PrerequisiteBody)
    await call.desk.ask(ClearPrerequisite(found.order.number, body.passed, call.by, body.reason))
    return show(call, found.order.number)


async def show_trade(call: Call) -> Response:
    return answer(View(call.desk).trade(call.desk.trade(call.path("trade"))))


async def list_failing(call: Call) -> Response:
    """Orders and trades that have failed and are tried again; how many there are, and the oldest of them."""
    read_query(call.request)
    desk, state = call.desk, call.desk.state
    view = View(desk)
    orders = [desk.find(number) for number in sorted(state.order_retries)[:FAILING_MAX]]
    trades = [state.trades[number] for number in sorted(state.trade_retries)[:FAILING_MAX]]
    return answer(
        {
            "orders_failing": len(state.order_retries),
            "trades_failing": len(state.trade_retries),
            "orders": [view.order(found) for found in orders if found is not None],
            "trades": [view.trade(trade) for trade in trades],
        }
    )


def show(call: Call, number: int) -> Response:
    """The order as it is now."""
    found = call.desk.find(number)
    assert found is not None, f"order {number} is nowhere"
    return answer(View(call.desk).order(found))


def _not_cancelled(code: str) -> DoorError:
    return DoorError(409, code, _NOT_CANCELLED[code])


def _is_live(status: str) -> bool:
    """Whether orders of this status are all in the state."""
    return status == LIVE or (status in STATUSES and not is_closed(STATUSES.index(status) + PLACED))


def _is(found: Found, status: str) -> bool:
    if status == LIVE:
        return found.order.status > SUBMITTED and not is_closed(found.order.status)
    return ORDER_STATUS_NAMES[found.order.status].lower() == status


def _candidates(desk: Desk, account: Account | None, before: int, is_live: bool) -> Iterator[int]:
    """Numbers of orders below ``before``, newest first."""
    if account is not None:
        while numbers := desk.readers.orders_before(account, before, CHUNK):
            yield from numbers
            before = numbers[-1]
    elif is_live:
        yield from (number for number in reversed(list(desk.state.orders)) if number < before)
    else:
        yield from range(min(before - 1, desk.state.orders_made), 0, -1)
