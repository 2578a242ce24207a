"""``tallystick ops``: operate a venue that is being served, with a record of who did what and why."""

import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Annotated, Any, Final, NamedTuple

import typer

from tallystick.cli import ops_tables as tables
from tallystick.cli.ops_client import OpsClient, OpsError
from tallystick.server.operators import SANDBOX_OPERATOR

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Operate a venue that is being served. The operator's secret is read from TALLYSTICK_OPS_TOKEN.",
)

Account = Annotated[str, typer.Argument(help="The account's id.", show_default=False)]
Market = Annotated[str, typer.Argument(help="The market's id.", show_default=False)]
Order = Annotated[str, typer.Argument(help="The order's id.", show_default=False)]
Asset = Annotated[str, typer.Argument(help="The asset's name.", show_default=False)]
Amount = Annotated[str, typer.Argument(help="How much, as 100.00.", show_default=False)]
Reason = Annotated[str, typer.Option(help="Why, in one line: it goes on record.", show_default=False)]
Reference = Annotated[
    str,
    typer.Option(
        help="Your word for this transfer: under the same one it is never made twice, so repeat it after a timeout.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print what the server answers.")]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")]
After = Annotated[str, typer.Option(help="Go on after this one.")]


class Terms(NamedTuple):
    """Which venue of which server is asked, and how the answer is printed."""

    url: str
    venue: str
    as_json: bool


_ANYWHERE: Final = [
    inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
    for name, default, annotation in (
        ("url", None, Annotated[str | None, typer.Option(help="The server.", show_default=False)]),
        ("venue", None, Annotated[str | None, typer.Option(help="The venue.", show_default=False)]),
        ("as_json", False, AsJson),
    )
]


@app.callback()
def connect(
    context: typer.Context,
    url: Annotated[str, typer.Option(envvar="TALLYSTICK_OPS_URL", help="The server.")] = "http://127.0.0.1:8420",
    venue: Annotated[str, typer.Option(envvar="TALLYSTICK_OPS_VENUE", help="The venue.")] = "sophic",
    as_json: AsJson = False,
) -> None:
    """Operate a venue that is being served. The operator's secret is read from TALLYSTICK_OPS_TOKEN."""
    context.obj = Terms(url, venue, as_json)


def _command(name: str | None = None) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a command. It takes the group's options too, for nobody remembers which side of it they belong on."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        @wraps(function)
        def run(*, context: typer.Context, url: str | None, venue: str | None, as_json: bool, **given: Any) -> None:
            before: Terms = context.obj
            context.obj = Terms(url or before.url, venue or before.venue, as_json or before.as_json)
            function(context, **given)

        signature = inspect.signature(function)
        parameters = [*signature.parameters.values(), *_ANYWHERE]
        run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        return app.command(name)(run)

    return register


# --- Accounts ---


@_command()
def accounts(
    context: typer.Context,
    owner: Annotated[str, typer.Option(help="Of this client.")] = "",
    limit: Limit = 100,
    after: After = "",
) -> None:
    """List customers' accounts."""
    with _told():
        found = _door(context).get("accounts", owner=owner, limit=limit, after=after)
    _say(context, found, lambda: tables.say_accounts(found["accounts"]), found["next"])


@_command()
def account(context: typer.Context, name: Account) -> None:
    """Show an account and its balances."""
    with _told():
        found = _door(context).get("accounts", name)
    _say(context, found, lambda: tables.say_account(found))


@_command("open")
def open_account(
    context: typer.Context,
    reason: Reason,
    name: Annotated[str | None, typer.Option(help="Its id; given one if left out.")] = None,
    owner: Annotated[str, typer.Option(help="The client whose it is.")] = "",
    flag: Annotated[list[str] | None, typer.Option(help="Repeatable: professional, reviewed, ...")] = None,
    role: Annotated[str, typer.Option(help="customer; or world, counterparty, fees: the venue's own.")] = "customer",
) -> None:
    """Open an account and print its id."""
    with _told():
        found = _door(context).post("accounts", name=name, owner=owner, flags=flag or [], role=role, reason=reason)
    _say(context, found, lambda: print(found["id"]))


@_command()
def fund(
    context: typer.Context,
    name: Account,
    amount: Amount,
    asset: Asset,
    reason: Reason,
    reference: Reference,
) -> None:
    """Deposit cash or units."""
    _transfer(context, "deposit", name, amount, asset, reason, reference)


@_command()
def withdraw(
    context: typer.Context,
    name: Account,
    amount: Amount,
    asset: Asset,
    reason: Reason,
    reference: Reference,
) -> None:
    """Withdraw what is settled and free."""
    _transfer(context, "withdraw", name, amount, asset, reason, reference)


@_command()
def suspend(context: typer.Context, name: Account, reason: Reason) -> None:
    """Suspend an account; the orders that it has end."""
    with _told():
        found = _door(context).post("accounts", name, "suspend", reason=reason)
    _say(context, found, lambda: tables.say_account(found))


@_command()
def resume(context: typer.Context, name: Account, reason: Reason) -> None:
    """Let an account trade again."""
    with _told():
        found = _door(context).post("accounts", name, "resume", reason=reason)
    _say(context, found, lambda: tables.say_account(found))


# --- Markets ---


@_command()
def markets(context: typer.Context, limit: Limit = 100, after: After = "") -> None:
    """List markets and what they take orders for."""
    with _told():
        found = _door(context).get("markets", limit=limit, after=after)
    _say(context, found, lambda: tables.say_markets(found["markets"]), found["next"])


@_command()
def halt(context: typer.Context, name: Market, reason: Reason) -> None:
    """Halt a market; the orders that it has end."""
    with _told():
        found = _door(context).post("markets", name, "halt", reason=reason)
    _say(context, found, lambda: tables.say_markets([found]))


@_command("resume-market")
def resume_market(
    context: typer.Context,
    name: Market,
    reason: Reason,
    status: Annotated[str, typer.Option(help="buy_sell, buy_only or sell_only.")] = "buy_sell",
) -> None:
    """Let a market trade again."""
    with _told():
        found = _door(context).post("markets", name, "resume", status=status, reason=reason)
    _say(context, found, lambda: tables.say_markets([found]))


# --- Orders ---


@_command()
def orders(
    context: typer.Context,
    status: Annotated[str, typer.Option(help="live, placed, pending, open, filled, cancelled, expired.")] = "",
    account: Annotated[str, typer.Option(help="Of this account.")] = "",
    market: Annotated[str, typer.Option(help="Of this market.")] = "",
    limit: Limit = 100,
    after: After = "",
) -> None:
    """List orders, newest first."""
    with _told():
        found = _door(context).get("orders", status=status, account=account, market=market, limit=limit, after=after)
    _say(context, found, lambda: tables.say_orders(found["orders"]), found["next"])


@_command()
def order(context: typer.Context, order_id: Order) -> None:
    """Show an order and everything that happened to it."""
    with _told():
        found = _door(context).get("orders", order_id)
    _say(context, found, lambda: tables.say_history(found))


@_command()
def cancel(context: typer.Context, order_id: Order, reason: Reason) -> None:
    """Cancel an order that has no trades."""
    with _told():
        found = _door(context).post("orders", order_id, "cancel", reason=reason)
    _say(context, found, lambda: tables.say_orders([found]))


@_command()
def clear(context: typer.Context, order_id: Order, reason: Reason) -> None:
    """What the order waits for is there: let it go on."""
    _answer_prerequisite(context, order_id, reason, passed=True)


@_command()
def fail(context: typer.Context, order_id: Order, reason: Reason) -> None:
    """What the order waits for will never be: end it."""
    _answer_prerequisite(context, order_id, reason, passed=False)


@_command()
def failing(context: typer.Context) -> None:
    """List what has failed and is tried again."""
    with _told():
        found = _door(context).get("failing")

    def say() -> None:
        tables.say_failing(found["orders_failing"], found["trades_failing"])
        if found["orders"]:
            tables.say_orders(found["orders"])
        if found["trades"]:
            tables.say_trades(found["trades"])

    _say(context, found, say)


@_command()
def audit(
    context: typer.Context,
    by: Annotated[str, typer.Option(help="What this one did.")] = "",
    account: Annotated[str, typer.Option(help="What touched this account.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Also what clients and the venue itself did.")] = False,
    limit: Limit = 50,
    after: After = "",
) -> None:
    """List who did what and why, newest first."""
    people = "false" if everything else "true"
    with _told():
        found = _door(context).get(
            "entries", newest="true", people=people, by=by, account=account, limit=limit, after=after
        )
    _say(context, found, lambda: tables.say_entries(found["entries"]), found["next"])


def _transfer(
    context: typer.Context,
    direction: str,
    name: str,
    amount: str,
    asset: str,
    reason: str,
    reference: str,
) -> None:
    with _told(f"to be sure that it is made once, run it again with the same --reference {reference}"):
        found = _door(context).post(
            "accounts",
            name,
            "transfers",
            direction=direction,
            asset=asset,
            amount=amount,
            reason=reason,
            reference=reference,
        )
    _say(context, found, lambda: tables.say_account(found))


def _answer_prerequisite(context: typer.Context, order_id: str, reason: str, *, passed: bool) -> None:
    with _told():
        found = _door(context).post("orders", order_id, "prerequisite", passed=passed, reason=reason)
    _say(context, found, lambda: tables.say_orders([found]))


def _door(context: typer.Context) -> OpsClient:
    """Raises OpsError for a bad url."""
    terms: Terms = context.obj
    # No option: what is on a command line everybody on the machine can see.
    return OpsClient(terms.url, terms.venue, os.environ.get("TALLYSTICK_OPS_TOKEN") or SANDBOX_OPERATOR)


def _say(context: typer.Context, answer: Any, say: Callable[[], None], after: Any = None) -> None:
    if context.obj.as_json:
        tables.say_json(answer)
        return
    say()
    tables.say_more(after)


@contextmanager
def _told(advice: str = "") -> Iterator[None]:
    """Whatever goes wrong is told in a sentence, and the exit code is 1; ``advice`` is for when nobody knows."""
    try:
        yield
    except OpsError as error:
        typer.secho(f"tallystick: {error}", fg=typer.colors.RED, err=True)
        if advice and error.in_doubt:
            typer.secho(f"tallystick: {advice}", fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from None
