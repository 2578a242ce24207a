"""``tallystick match``: a client's journal beside its venue. Exit code 0: they match; 1: they differ; 2: unknown."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated, Final, NoReturn, TypeVar

import apsw
import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tallystick.cli.progress import Progress, shown
from tallystick.connect.errors import Ambiguous, ConnectError, NotSent, NotThere
from tallystick.connect.store import STREAM
from tallystick.dialects.halves import NoSuchDialect, listed, naming
from tallystick.facts import client, venue
from tallystick.journal.errors import DamagedJournal, JournalError, JournalUnavailable
from tallystick.journal.folder import JOURNAL_FILE, SECRET_FILE
from tallystick.journal.sqlite import SqliteJournal
from tallystick.match.client_half import ClientHalf
from tallystick.match.differences import Difference, differences
from tallystick.match.half import Half, HalfOrder
from tallystick.match.venue_half import NoSuchAccount, VenueHalf

PROGRESS_ENTRIES: Final = 10_000
URL_SHAPE: Final = "http://127.0.0.1:8420/sophic with --account acc_demo"

Journal = Annotated[Path, typer.Argument(help="The client's journal, a folder.", metavar="CLIENT_JOURNAL")]
Target = Annotated[str, typer.Argument(help="A venue's data folder, or its http(s) address.", metavar="VENUE")]
Name = Annotated[str, typer.Option("--venue", help="Of several venues in the client's journal, this one.")]
AccountName = Annotated[
    str, typer.Option("--account", help="The venue's account, if the venue's name does not end in it.")
]
Dialect = Annotated[str, typer.Option(help="The protocol that the venue speaks, if its name does not begin with it.")]
ClientId = Annotated[str, typer.Option(envvar="TALLYSTICK_CLIENT_ID", help="For an address: who asks.")]
ClientSecret = Annotated[str, typer.Option(envvar="TALLYSTICK_CLIENT_SECRET", help="Its secret.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")]

EntryT = TypeVar("EntryT")
HalfT = TypeVar("HalfT")


class CannotCompare(Exception):
    """Why the halves cannot be put beside each other, and what to do."""


class _Report(msgspec.Struct):
    matches: bool
    orders: int
    differences: list[Difference]


def match(
    journal: Journal,
    target: Target,
    name: Name = "",
    account: AccountName = "",
    dialect: Dialect = "",
    client_id: ClientId = "demo",
    client_secret: ClientSecret = "sandbox",
    as_json: AsJson = False,
) -> None:
    """Show every order on which a client's journal and its venue differ, and why.

    Both are only read, and may be in use: what is on its way between them then differs until it has arrived.
    """
    try:
        half = _client_half(journal)
        name = name or _only(half.venues)
        if name not in half.venues:
            raise CannotCompare(f"the client's journal has no venue {name!r}; it has {_listed(half.venues)}")
        account = account or name.rpartition("/")[2]
        dialect = dialect or name.partition("/")[0]
        if target.startswith(("http://", "https://")):
            ask = listed(dialect, url=target, client_id=client_id, client_secret=client_secret, account=account)
            other = asyncio.run(ask)
        else:
            other = _venue_half(Path(target), dialect, account)
        orders = list(half.orders(name))
        found = list(differences(orders, other, account))
    except (NotSent, Ambiguous) as error:
        _cannot(f"{target} gives no answer ({error}): is it served there?")
    except NotThere as error:
        _cannot(f"{target} answers: {error} Name the venue and an account of it, as in {URL_SHAPE}.")
    except NoSuchDialect as error:
        _cannot(f"{error} (--dialect says which)")
    except (CannotCompare, NoSuchAccount, JournalError, ConnectError, apsw.Error, OSError) as error:
        _cannot(str(error))
    _tell(found, orders, as_json)
    raise typer.Exit(1 if found else 0)


def _cannot(sentence: str) -> NoReturn:
    typer.secho(f"tallystick: {sentence}", fg=typer.colors.RED, err=True)
    raise typer.Exit(2) from None


def _tell(found: list[Difference], orders: list[HalfOrder], as_json: bool) -> None:
    if as_json:
        typer.echo(msgspec.json.encode(_Report(not found, len(orders), found)))
    elif not found:
        typer.echo(f"the halves match: {_counted(len(orders), 'order')}")
    else:
        table = Table("client order id", "venue order id", "difference", box=None, pad_edge=False)
        for each in found:
            table.add_row(each.client_id or "-", each.order_id or "-", escape(each.detail))
        Console(width=None if Console().is_terminal else 500).print(table)
        names = {each.client_id or each.order_id for each in found}
        typer.echo(f"the halves differ: {_counted(len(names), 'order')}, {_counted(len(found), 'difference')}")


def _client_half(folder: Path) -> ClientHalf:
    path = folder / JOURNAL_FILE if folder.is_dir() else folder
    with shown("folding the client's journal") as progress:
        return _folded(path, STREAM, client.decode, ClientHalf, progress)


def _venue_half(data: Path, dialect: str, account: str) -> Half:
    path, secret = data / JOURNAL_FILE, data / SECRET_FILE
    if path.is_file() and not secret.is_file():
        raise CannotCompare(f"{secret} is missing: without it nobody knows the venue's ids.")
    names = naming(dialect, secret.read_bytes() if secret.is_file() else bytes(32), dialect)
    with shown("folding the venue's journal") as progress:
        return _folded(path, dialect, venue.decode, lambda entries: VenueHalf(entries, names, account), progress)


def _folded(
    path: Path,
    stream: str,
    decode: Callable[[bytes], EntryT],
    make: Callable[[Iterator[EntryT]], HalfT],
    progress: Progress,
) -> HalfT:
    """The half that the journal's stream adds up to."""
    if not path.is_file():
        raise JournalUnavailable("journal_missing", f"There is no journal {path}.")
    with closing(SqliteJournal(path, writer=False)) as journal:
        last = journal.last(stream)
        if not last:
            raise CannotCompare(
                f"{path} is no journal of a {stream}: the client's journal comes first, then the venue's."
            )

        def entries() -> Iterator[EntryT]:
            for sequence, body in journal.read(stream):
                if sequence % PROGRESS_ENTRIES == 0:
                    progress(sequence, last)
                yield decode(body)

        try:
            return make(entries())
        except (msgspec.MsgspecError, KeyError) as error:
            raise DamagedJournal(f"an entry does not fit what came before it: {error}", stream) from error


def _only(venues: list[str]) -> str:
    if len(venues) == 1:
        return venues[0]
    raise CannotCompare(f"say with --venue which is meant of the client's venues: {_listed(venues)}")


def _listed(venues: list[str]) -> str:
    return ", ".join(venues) or "none"


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
