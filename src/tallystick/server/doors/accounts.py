"""What operators do with accounts: open them, move funds, suspend them, and say what is particular about them."""

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from msgspec import Meta
from starlette.responses import Response

from tallystick.facts.codes import ACTIVE, ROLE_NAMES, SUSPENDED, WORLD
from tallystick.facts.commands import Accepted, ChangeAccount, Transfer
from tallystick.server.doors.answers import answer
from tallystick.server.doors.door import Call
from tallystick.server.doors.pages import page, read_limit
from tallystick.server.doors.requests import (
    Amount,
    AssetName,
    Body,
    Name,
    Reason,
    Reference,
    bad_parameter,
    read_amounts,
    read_body,
    read_query,
)
from tallystick.server.doors.view import View, flag_bits
from tallystick.venue.state import Account

ROLES: Final = ROLE_NAMES[1:]

Role = Annotated[
    Literal["customer", "world", "counterparty", "fees"],
    Meta(description='"customer", "world", "counterparty" or "fees"'),
]
Owner = Annotated[
    str, Meta(pattern=r"^[!-~]{0,100}\Z", description='the name of a client, or "" for nobody, without spaces')
]
Flags = Annotated[
    tuple[Literal["professional", "buys_forbidden", "sells_forbidden", "reviewed"], ...],
    Meta(max_length=16, description='a list of "professional", "buys_forbidden", "sells_forbidden" and "reviewed"'),
]
Direction = Annotated[Literal["deposit", "withdraw"], Meta(description='"deposit" or "withdraw"')]


class OpenBody(Body, frozen=True):
    """Without a ``name`` it is given one."""

    reason: Reason
    name: Name | None = None
    role: Role = "customer"
    owner: Owner = ""
    flags: Flags = ()


class TransferBody(Body, frozen=True):
    """``reference`` is another one for each transfer: one that comes again is not made again."""

    direction: Direction
    asset: AssetName
    amount: Amount
    reference: Reference
    reason: Reason


class ReasonBody(Body, frozen=True):
    reason: Reason


class FlagsBody(Body, frozen=True):
    """All flags that the account has from now on."""

    flags: Flags
    reason: Reason


class OwnerBody(Body, frozen=True):
    owner: Owner
    reason: Reason


async def list_accounts(call: Call) -> Response:
    """In the order in which they were opened; ``role`` and ``owner`` choose."""
    query = read_query(call.request, "role", "owner", "limit", "after")
    if query.get("role", "customer") not in ROLES:
        raise bad_parameter("role", f"It must be one of: {', '.join(ROLES)}.")
    role, owner = ROLE_NAMES.index(query.get("role", "customer")), query.get("owner")
    view, accounts = View(call.desk), call.desk.state.accounts
    begin = 0
    if "after" in query:
        after = call.desk.state.account_named.get(query["after"])
        if after is None:
            raise bad_parameter("after", "There is no such account.")
        begin = after.number

    def candidates() -> Iterator[Account]:
        number = begin
        while (number := number + 1) in accounts:
            yield accounts[number]

    return await page(
        "accounts",
        candidates(),
        read_limit(query),
        lambda each: view.account(each) if each.role == role and owner in (None, each.owner) else None,
        lambda each: each.name,
    )


async def open_account(call: Call) -> Response:
    body = await read_body(call.request, OpenBody)
    account = await call.desk.open_account(
        body.name, ROLE_NAMES.index(body.role), call.by, body.reason, body.owner, flag_bits(body.flags)
    )
    return _account(call, account, 201)


async def show_account(call: Call) -> Response:
    return _account(call, call.desk.account(call.path("account")))


async def transfer(call: Call) -> Response:
    """201 when it is made, 200 when it was made before under the same reference."""
    account = call.desk.customer(call.path("account"))
    body = await read_body(call.request, TransferBody)
    asset = call.desk.asset(body.asset, "body.asset")
    amount = read_amounts(body, {"amount": asset.scale})["amount"]
    world = call.desk.house(WORLD, "world")
    payer, payee = (world, account) if body.direction == "deposit" else (account, world)
    command = Transfer(payer.number, payee.number, asset.name, amount, call.by, body.reason, body.reference)
    given = await call.desk.ask(command, {"amount": "body.amount", "reference": "body.reference"})
    return _account(call, account, 201 if isinstance(given, Accepted) else 200)


async def suspend(call: Call) -> Response:
    """The orders that it has end from now on, a slice at a time."""
    account = call.desk.customer(call.path("account"))
    body = await read_body(call.request, ReasonBody)
    await call.desk.ask(ChangeAccount(account.number, status=SUSPENDED, by=call.by, reason=body.reason))
    return _account(call, account)


async def resume(call: Call) -> Response:
    account = call.desk.customer(call.path("account"))
    body = await read_body(call.request, ReasonBody)
    await call.desk.ask(ChangeAccount(account.number, status=ACTIVE, by=call.by, reason=body.reason))
    return _account(call, account)


async def set_flags(call: Call) -> Response:
    account = call.desk.customer(call.path("account"))
    body = await read_body(call.request, FlagsBody)
    await call.desk.ask(ChangeAccount(account.number, flags=flag_bits(body.flags), by=call.by, reason=body.reason))
    return _account(call, account)


async def set_owner(call: Call) -> Response:
    account = call.desk.customer(call.path("account"))
    body = await read_body(call.request, OwnerBody)
    await call.desk.ask(ChangeAccount(account.number, owner=body.owner, by=call.by, reason=body.reason))
    return _account(call, account)


def _account(call: Call, account: Account, status: int = 200) -> Response:
    return answer(View(call.desk).account(account), status)
