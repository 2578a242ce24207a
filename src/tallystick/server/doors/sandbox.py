"""The sandbox door: its routes, to be mounted at /sandbox. It does what production must not have: prices, time, faults.

Each answer is given when what follows from the request has happened, as far as it is due, and is durable.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Router

from tallystick.facts.codes import CUSTOMER, PRICE_UNKNOWN, STAGE_NAMES, WORLD
from tallystick.facts.commands import (
    ClearPrerequisite,
    ExecutePart,
    FailExecution,
    Hold,
    Quote,
    SettleTrade,
    Transfer,
)
from tallystick.server.doors import orders
from tallystick.server.doors.accounts import Flags, Owner
from tallystick.server.doors.answers import DoorError, Fault, answer, invalid
from tallystick.server.doors.desk import Desk
from tallystick.server.doors.door import Call, Door, Guard
from tallystick.server.doors.ops import desks_of
from tallystick.server.doors.requests import (
    Amount,
    AssetName,
    Body,
    Name,
    Reason,
    read_amount,
    read_amounts,
    read_body,
    read_query,
)
from tallystick.server.doors.sandbox_view import price_view, sandbox_view
from tallystick.server.doors.view import View, flag_bits
from tallystick.server.host import Host
from tallystick.server.operators import Anybody
from tallystick.venue.state import Account

SECONDS_MAX: Final = 366 * 86_400
TIME_MAX_US: Final = 4_102_444_800 * 1_000_000
"""The year 2100: far enough for tests, and every calendar reaches it."""

Mode = Annotated[
    Literal["set", "freeze", "silence", "follow"], Meta(description='"set", "freeze", "silence" or "follow"')
]
Stage = Annotated[
    Literal["placed", "pending", "executing", "settlement"],
    Meta(description='"placed", "pending", "executing" or "settlement"'),
]
Yes = Annotated[bool, Meta(description="true or false")]
Seconds = Annotated[float, Meta(ge=0, le=SECONDS_MAX, description=f"a number of seconds from 0 to {SECONDS_MAX}")]
Funds = Annotated[dict[str, Amount], Meta(max_length=100, description='an object as {"USD": "100.00"}')]


class PriceBody(Body, frozen=True):
    """``price`` goes with the mode set; "0" says that there is none."""

    mode: Mode
    price: Amount | None = None


class StageBody(Body, frozen=True):
    """Without a ``market`` it is about all of them together."""

    stage: Stage
    market: str | None = None


class ExecuteBody(Body, frozen=True):
    """Without a ``quantity`` all that is left, without a ``price`` at the market's."""

    quantity: Amount | None = None
    price: Amount | None = None


class FailBody(Body, frozen=True):
    retriable: Yes
    reason: Reason = "execution_failed"


class PrerequisiteBody(Body, frozen=True):
    passed: Yes


class FailSettlementBody(Body, frozen=True):
    reason: Reason = "settlement_failed"


class AdvanceBody(Body, frozen=True):
    seconds: Seconds


class OpenBody(Body, frozen=True):
    name: Name | None = None
    owner: Owner = ""
    flags: Flags = ()
    funds: Funds = field(default_factory=dict)


class FundBody(Body, frozen=True):
    asset: AssetName
    amount: Amount


class EmptyBody(Body, frozen=True):
    pass


def sandbox_router(host: Host, guard: Guard | None = None) -> Router:
    """The routes; without a ``guard`` they are open to whoever reaches them."""
    desks = desks_of(host)
    door = Door(desks, Anybody() if guard is None else guard, own_pages_only=True)
    return Router(
        [
            door.plain("/venues", _Sandboxes(desks).show),
            door.route("", GET=show),
            door.route("/markets/{market}/price", POST=set_price),
            door.route("/hold", POST=hold),
            door.route("/release", POST=release),
            door.route("/clock/advance", POST=advance),
            door.route("/orders/{order}", GET=show_order),
            door.route("/orders/{order}/execute", POST=execute),
            door.route("/orders/{order}/fail", POST=fail),
            door.route("/orders/{order}/prerequisite", POST=clear),
            door.route("/trades/{trade}/settle", POST=settle),
            door.route("/trades/{trade}/fail-settlement", POST=fail_settlement),
            door.route("/accounts", POST=open_account),
            door.route("/accounts/{account}/fund", POST=fund),
        ],
        redirect_slashes=False,
    )


class _Sandboxes:
    """Answers how each venue's sandbox is set."""

    def __init__(self, desks: Mapping[str, Desk]) -> None:
        self._desks: Final = desks

    async def show(self, request: Request, _by: str) -> Response:
        read_query(request)
        return answer({"venues": [sandbox_view(desk) for desk in self._desks.values()]})


async def show(call: Call) -> Response:
    read_query(call.request)
    return answer(sandbox_view(call.desk))


async def set_price(call: Call) -> Response:
    market = call.desk.market(call.path("market"))
    body = await read_body(call.request, PriceBody)
    feed, name = call.desk.venue.feed, market.name
    if (body.mode == "set") != (body.price is not None):
        raise invalid([Fault("body.price", "invalid_param", "A price is given to set it, and else not.")])
    if body.mode == "set":
        feed.set(name, read_amounts(body, {"price": market.price_scale}, zero=True)["price"])
    elif body.mode == "freeze":
        quoted = call.desk.venue.sequencer.ambient.prices.get(market.number)
        if quoted is None:
            raise DoorError(409, PRICE_UNKNOWN, "The market has no price to freeze; set one.")
        feed.freeze(name, quoted[0])
    elif body.mode == "silence":
        feed.silence(name)
    else:
        feed.follow(name)
        if not feed.has_source(name):
            await call.desk.ask(Quote(market.number, 0))
    call.desk.venue.quote_prices()
    await call.desk.venue.advance(0)
    return answer(price_view(call.desk, market))


async def hold(call: Call) -> Response:
    return await _hold(call, is_release=False)


async def release(call: Call) -> Response:
    return await _hold(call, is_release=True)


async def _hold(call: Call, *, is_release: bool) -> Response:
    body = await read_body(call.request, StageBody)
    market = call.desk.state.market_named.get(body.market or "")
    if market is None and body.market is not None:
        raise invalid([Fault("body.market", "unknown_market", "There is no such market.")])
    stage, number = STAGE_NAMES.index(body.stage), 0 if market is None else market.number
    await _do(call, Hold(stage, number, release=is_release))
    return answer(sandbox_view(call.desk))


async def advance(call: Call) -> Response:
    body = await read_body(call.request, AdvanceBody)
    microseconds = round(body.seconds * 1_000_000)
    if call.desk.venue.now() + microseconds > TIME_MAX_US:
        raise invalid([Fault("body.seconds", "invalid_param", "Time goes no further than the year 2100.")])
    await call.desk.venue.advance(microseconds)
    return answer(sandbox_view(call.desk))


async def show_order(call: Call) -> Response:
    return orders.show(call, call.desk.order(call.path("order")).order.number)


async def execute(call: Call) -> Response:
    order = call.desk.order(call.path("order")).order
    body = await read_body(call.request, ExecuteBody)
    market = call.desk.state.markets[order.market]
    amounts = read_amounts(body, {"quantity": market.unit.scale, "price": market.price_scale})
    command = ExecutePart(order.number, amounts["quantity"], amounts["price"], call.by)
    await _do(call, command, {"quantity": "body.quantity", "price": "body.price"})
    return orders.show(call, order.number)


async def fail(call: Call) -> Response:
    order = call.desk.order(call.path("order")).order
    body = await read_body(call.request, FailBody)
    await _do(call, FailExecution(order.number, body.retriable, call.by, body.reason))
    return orders.show(call, order.number)


async def clear(call: Call) -> Response:
    order = call.desk.order(call.path("order")).order
    body = await read_body(call.request, PrerequisiteBody)
    await _do(call, ClearPrerequisite(order.number, body.passed, call.by))
    return orders.show(call, order.number)


async def settle(call: Call) -> Response:
    await read_body(call.request, EmptyBody)
    return await _settle(call, failed=False, reason="")


async def fail_settlement(call: Call) -> Response:
    body = await read_body(call.request, FailSettlementBody)
    return await _settle(call, failed=True, reason=body.reason)


async def _settle(call: Call, *, failed: bool, reason: str) -> Response:
    trade = call.desk.trade(call.path("trade"))
    await _do(call, SettleTrade(trade.number, failed, call.by, reason))
    return answer(View(call.desk).trade(call.desk.trade(call.path("trade"))))


async def open_account(call: Call) -> Response:
    """A customer's account with these funds in it."""
    body = await read_body(call.request, OpenBody)
    amounts = {name: _funds(call, name, text, f"body.funds.{name}") for name, text in body.funds.items()}
    account = await call.desk.open_account(body.name, CUSTOMER, call.by, "", body.owner, flag_bits(body.flags))
    for asset, amount in amounts.items():
        await _fund(call, account, asset, amount)
    return answer(View(call.desk).account(account), 201)


async def fund(call: Call) -> Response:
    account = call.desk.customer(call.path("account"))
    body = await read_body(call.request, FundBody)
    await _fund(call, account, body.asset, _funds(call, body.asset, body.amount, "body.amount"))
    return answer(View(call.desk).account(account), 201)


def _funds(call: Call, asset: str, text: str, path: str) -> int:
    """The amount of the asset; DoorError 400 about ``path``."""
    return read_amount(text, call.desk.asset(asset, path).scale, path)


async def _fund(call: Call, account: Account, asset: str, amount: int) -> None:
    await call.desk.ask(Transfer(call.desk.house(WORLD, "world").number, account.number, asset, amount, call.by))


async def _do(call: Call, command: Any, paths: Mapping[str, str] | None = None) -> None:
    """Ask for it, and let happen what follows from it at once."""
    await call.desk.ask(command, paths or {})
    await call.desk.venue.advance(0)
