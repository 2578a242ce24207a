"""``tallystick client`` and ``tallystick operator``: who may come in. A server that is running sees it at once."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from tallystick.access.principal import SCOPES, scope_text
from tallystick.journal.folder import JOURNAL_FILE, KEYS_FILE
from tallystick.server.keys import CLIENT, OPERATOR, Credential, KeysError, KeyTable, new_client_id

DATA: Final = Path("data")
OVERLAP_DAYS_MAX: Final = 30

_SECONDS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}

Data = Annotated[
    Path, typer.Option(envvar=["TALLYSTICK_SERVER_DATA", "TALLYSTICK_DATA"], help="Folder of the server's journal.")
]
New = Annotated[bool, typer.Option("--new", help="Make the folder if need be: the server has not started in it yet.")]
Note = Annotated[str, typer.Option(help="Whose it is, for the list.")]
Name = Annotated[str, typer.Argument(help="Its name.", show_default=False)]
Overlap = Annotated[
    str, typer.Option(help="How long the old secret still counts: 90s, 30m, 24h, 7d; 0 ends it and its tokens now.")
]

clients = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help="Who may send orders.")
operators = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help="Who may operate the venue.")


@clients.command("add")
def add_client(
    name: Annotated[str, typer.Argument(help="Its client id; made if need be.", show_default=False)] = "",
    scope: Annotated[list[str] | None, typer.Option(help=f"Repeatable: {', '.join(SCOPES)}. Default: all.")] = None,
    note: Note = "",
    data: Data = DATA,
    new: New = False,
) -> None:
    """Let a client in, and print its secret, once."""
    _add(CLIENT, name or new_client_id(), tuple(scope or SCOPES), note, data, new=new)


@operators.command("add")
def add_operator(name: Name, note: Note = "", data: Data = DATA, new: New = False) -> None:
    """Let an operator in, and print the secret, once."""
    _add(OPERATOR, name, (), note, data, new=new)


def _care_for(kind: str, app: typer.Typer) -> None:
    """The commands that clients and operators have in common."""

    @app.command("list")
    def list_all(data: Data = DATA) -> None:
        """Name all of them; never a secret."""
        with _opened(data) as table:
            for each in table.all(kind):
                typer.echo(_line(each, time.time()))

    @app.command("rotate")
    def rotate(name: Name, overlap: Overlap = "24h", data: Data = DATA) -> None:
        """Print a new secret, once; the old one counts for a while."""
        seconds = _seconds(overlap)
        with _opened(data) as table:
            _show_secret(kind, name, table.rotate(kind, name, time.time(), seconds))
            if seconds:
                typer.echo(f"The old secret counts until {_instant(int(time.time()) + seconds)}.", err=True)

    @app.command("disable")
    def disable(name: Name, data: Data = DATA) -> None:
        """Turn it away from now on, with every token it has."""
        with _opened(data) as table:
            table.disable(kind, name, time.time())
            typer.echo(f"{name} is disabled.")

    @app.command("enable")
    def enable(name: Name, data: Data = DATA) -> None:
        """Let it in again, with the secret it had."""
        with _opened(data) as table:
            table.enable(kind, name)
            typer.echo(f"{name} is enabled.")


_care_for(CLIENT, clients)
_care_for(OPERATOR, operators)


def _add(kind: str, name: str, scopes: tuple[str, ...], note: str, data: Path, *, new: bool) -> None:
    """In a folder that no server works in nobody would honour the secret: so that must be meant."""
    with _told():
        if not new and not (data / JOURNAL_FILE).is_file():
            raise KeysError(
                "keys_missing",
                f"There is no journal in {data}: name the server's data folder with --data, "
                "or give --new before its first start.",
            )
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _opened(data, new=True) as table:
        _show_secret(kind, name, table.add(kind, name, time.time(), scopes, note))
        typer.echo(f"It counts for the server whose folder is {data.absolute()}.", err=True)


def _show_secret(kind: str, name: str, secret: str) -> None:
    """What a program reads goes to stdout, the rest to stderr."""
    if kind == CLIENT:
        typer.echo(f"client_id={name}\nclient_secret={secret}")
    else:
        typer.echo(f"operator={name}\nsecret={secret}")
    typer.echo("The secret is not shown again.", err=True)


def _line(credential: Credential, now: float) -> str:
    """name, whether it is let in, since when it exists, scopes, what is under way, note: two spaces between."""
    if credential.disabled_at is None:
        standing = "enabled"
    else:
        standing = f"disabled {_instant(credential.disabled_at)}"
    parts = [credential.name, standing, f"added {_instant(credential.created_at)}", scope_text(credential.scopes)]
    if credential.previous_until > now:
        parts.append(f"old secret until {_instant(credential.previous_until)}")
    return "  ".join(part for part in (*parts, credential.note) if part)


@contextmanager
def _opened(data: Path, *, new: bool = False) -> Iterator[KeyTable]:
    """The folder's table; what goes wrong with it is told in a sentence, and the exit code is 1."""
    with _told():
        if not new and not (data / KEYS_FILE).is_file():
            raise KeysError("keys_missing", f"There are no clients in {data}: name their folder with --data.")
        table = KeyTable(data)
        try:
            yield table
        finally:
            table.close()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (KeysError, OSError) as error:
        typer.secho(f"tallystick: {error}", fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from None


def _seconds(text: str) -> int:
    found = re.fullmatch(r"(\d{1,8})([smhd]?)", text.strip(), re.ASCII)
    seconds = int(found[1]) * _SECONDS[found[2]] if found else -1
    if not 0 <= seconds <= OVERLAP_DAYS_MAX * _SECONDS["d"]:
        raise typer.BadParameter(
            f"it is a number of s, m, h or d, at most {OVERLAP_DAYS_MAX}d: 90s, 30m, 24h, 7d; or 0.",
            param_hint="--overlap",
        )
    return seconds


def _instant(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
