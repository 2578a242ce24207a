"""``tallystick ops``: operate a venue that is being served, with a record of who did what and why."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

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
    typer.Option(help="Your word for this transfer: under the same one it is never made twice. Default: a new one."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print what the server answers.")]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")]
After = Annotated[str, typer.Option(help="Go on after this one.")]


@app.callback()
def connect(
    context: typer.Context,
    url: Annotated[str, typer.Option(envvar="TALLYSTICK_OPS_URL", help="The server.")] = "http://127.0.0.1:8420",
    venue: Annotated[str, typer.Option(envvar="TALLYSTICK_OPS_VENUE", help="The venue.")] = "sophic",
) -> None:
    """Operate a venue that is being served. The operator's secret is read from TALLYSTICK_OPS_TOKEN."""
    with _told():
        # No option: what is on a command line everybody on the machine can see.
        context.obj = OpsClient(url, venue, os.environ.get("TALLYSTICK_OPS_TOKEN") or SANDBOX_OPERATOR)


# --- Accounts ---


@app.command()
def accounts(
    context: typer.Context, owner: str = "", limit: Limit = 100, after: After = "", as_json: AsJson = False
) -> None:
    """List customers' accounts."""
    with _told():
        found = _door(context).get("accounts", owner=owner, limit=limit, after=after)
    _say(found, as_json, lambda: tables.say_accounts(found["accounts"]), found["next"])


@app.command()
def account(context: typer.Context, name: Account, as_json: AsJson = False) -> None:
    """Show an account and its balances."""
    with _told():
        found = _door(context).get("accounts", name)
    _say(found, as_json, lambda: tables.say_account(found))


@app.command("open")
def open_account(
    context: typer.Context,
    reason: Reason,
    name: Annotated[str | None, typer.Option(help="Its id; given one if left out.")] = None,
    owner: Annotated[str, typer.Option(help="The client whose it is.")] = "",
    flag: Annotated[list[str] | None, typer.Option(help="Repeatable: professional, reviewed, ...")] = None,
    role: Annotated[str, typer.Option(help="customer; or world, counterparty, fees: the venue's own.")] = "customer",
    as_json: AsJson = False,
) -> None:
    """Open an account."""
    with _told():
        found = _door(context).post("accounts", name=name, owner=owner, flags=flag or [], role=role, reason=reason)
    _say(found, as_json, lambda: tables.say_account(found))


@app.command()
def fund(
    context: typer.Context,
    name: Account,
    amount: Amount,
    asset: Asset,
    reason: Reason,
    reference: Reference = "",
    as_json: AsJson = False,
) -> None:
    """Deposit cash or units."""
    _transfer(context, "deposit", name, amount, asset, reason, reference, as_json)


@app.command()
def withdraw(
    context: typer.Context,
    name: Account,
    amount: Amount,
    asset: Asset,
    reason: Reason,
    reference: Reference = "",
    as_json: AsJson = False,
) -> None:
    """Withdraw what is settled and free."""
    _transfer(context, "withdraw", name, amount, asset, reason, reference, as_json)


@app.command()
def suspend(context: typer.Context, name: Account, reason: Reason, as_json: AsJson = False) -> None:
    """Suspend an account; the orders that it has end."""
    with _told():
        found = _door(context).post("accounts", name, "suspend", reason=reason)
    _say(found, as_json, lambda: tables.say_account(found))


@app.command()
def resume(context: typer.Context, name: Account, reason: Reason, as_json: AsJson = False) -> None:
    """Let an account trade again."""
    with _told():
        found = _door(context).post("accounts", name, "resume", reason=reason)
    _say(found, as_json, lambda: tables.say_account(found))


# --- Markets ---


@app.command()
def markets(context: typer.Context, limit: Limit = 100, after: After = "", as_json: AsJson = False) -> None:
    """List markets and what they take orders for."""
    with _told():
        found = _door(context).get("markets", limit=limit, after=after)
    _say(found, as_json, lambda: tables.say_markets(found["markets"]), found["next"])


@app.command()
def halt(context: typer.Context, name: Market, reason: Reason, as_json: AsJson = False) -> None:
    """Halt a market; the orders that it has end."""
    with _told():
        found = _door(context).post("markets", name, "halt", reason=reason)
    _say(found, as_json, lambda: tables.say_markets([found]))


@app.command("resume-market")
def resume_market(
    context: typer.Context,
    name: Market,
    reason: Reason,
    status: Annotated[str, typer.Option(help="buy_sell, buy_only or sell_only.")] = "buy_sell",
    as_json: AsJson = False,
) -> None:
    """Let a market trade again."""
    with _told():
        found = _door(context).post("markets", name, "resume", status=status, reason=reason)
    _say(found, as_json, lambda: tables.say_markets([found]))


# --- Orders ---


@app.command()
def orders(
    context: typer.Context,
    status: Annotated[str, typer.Option(help="live, placed, pending, open, filled, cancelled, expired.")] = "",
    account: Annotated[str, typer.Option(help="Of this account.")] = "",
    market: Annotated[str, typer.Option(help="Of this market.")] = "",
    limit: Limit = 100,
    after: After = "",
    as_json: AsJson = False,
) -> None:
    """List orders, newest first."""
    with _told():
        found = _door(context).get("orders", status=status, account=account, market=market, limit=limit, after=after)
    _say(found, as_json, lambda: tables.say_orders(found["orders"]), found["next"])


@app.command()
def order(context: typer.Context, order_id: Order, as_json: AsJson = False) -> None:
    """Show an order and everything that happened to it."""
    with _told():
        found = _door(context).get("orders", order_id)
    _say(found, as_json, lambda: tables.say_history(found))


@app.command()
def cancel(context: typer.Context, order_id: Order, reason: Reason, as_json: AsJson = False) -> None:
    """Cancel an order that has no trades."""
    with _told():
        found = _door(context).post("orders", order_id, "cancel", reason=reason)
    _say(found, as_json, lambda: tables.say_orders([found]))


@app.command()
def clear(context: typer.Context, order_id: Order, reason: Reason, as_json: AsJson = False) -> None:
    """What the order waits for is there: let it go on."""
    _answer_prerequisite(context, order_id, reason, as_json, passed=True)


@app.command()
def fail(context: typer.Context, order_id: Order, reason: Reason, as_json: AsJson = False) -> None:
    """What the order waits for will never be: end it."""
    _answer_prerequisite(context, order_id, reason, as_json, passed=False)


@app.command()
def failing(context: typer.Context, as_json: AsJson = False) -> None:
    """List what has failed and is tried again."""
    with _told():
        found = _door(context).get("failing")

    def say() -> None:
        print(f"{found['orders_failing']:,} orders and {found['trades_failing']:,} trades are tried again.")
        if found["orders"]:
            tables.say_orders(found["orders"])
        if found["trades"]:
            tables.say_trades(found["trades"])

    _say(found, as_json, say)


@app.command()
def audit(
    context: typer.Context,
    by: Annotated[str, typer.Option(help="What this one did.")] = "",
    account: Annotated[str, typer.Option(help="What touched this account.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Also what clients and the venue itself did.")] = False,
    limit: Limit = 50,
    after: After = "",
    as_json: AsJson = False,
) -> None:
    """List who did what and why, newest first."""
    people = "false" if everything else "true"
    with _told():
        found = _door(context).get(
            "entries", newest="true", people=people, by=by, account=account, limit=limit, after=after
        )
    _say(found, as_json, lambda: tables.say_entries(found["entries"]), found["next"])


def _transfer(
    context: typer.Context,
    direction: str,
    name: str,
    amount: str,
    asset: str,
    reason: str,
    reference: str,
    as_json: bool,
) -> None:
    mine = reference or f"cli-{secrets.token_hex(8)}"
    with _told(f"to be sure that it is made once, run it again with --reference {mine}"):
        found = _door(context).post(
            "accounts",
            name,
            "transfers",
            direction=direction,
            asset=asset,
            amount=amount,
            reason=reason,
            reference=mine,
        )
    _say(found, as_json, lambda: tables.say_account(found))


def _answer_prerequisite(context: typer.Context, order_id: str, reason: str, as_json: bool, *, passed: bool) -> None:
    with _told():
        found = _door(context).post("orders", order_id, "prerequisite", passed=passed, reason=reason)
    _say(found, as_json, lambda: tables.say_orders([found]))


def _door(context: typer.Context) -> OpsClient:
    assert isinstance(context.obj, OpsClient)
    return context.obj


def _say(answer: Any, as_json: bool, say: Callable[[], None], after: Any = None) -> None:
    if as_json:
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
