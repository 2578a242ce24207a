"""``tallystick journal``: care for a data folder. Exit code 0 is good; 1 comes with a sentence that says what to do."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Final

import apsw
import typer

from tallystick.cli.progress import shown
from tallystick.connect import recovery as client_recovery
from tallystick.connect.verify import verify as verify_client
from tallystick.deliver.service import deliveries_file
from tallystick.journal.backup import back_up
from tallystick.journal.compact import Size
from tallystick.journal.compact import compact as compact_file
from tallystick.journal.errors import JournalError, JournalUnavailable
from tallystick.journal.folder import JOURNAL_FILE, KEYS_FILE, SECRET_FILE, SNAPSHOTS_FOLDER, DataFolder, tables_file
from tallystick.journal.snapshots import Snapshots
from tallystick.journal.sqlite import SqliteJournal
from tallystick.journal.verify import JournalAudit
from tallystick.readers.rebuild import rebuild_tables
from tallystick.readers.recovery import take_snapshot
from tallystick.readers.verify import Places, VenueFindings
from tallystick.readers.verify import verify as verify_folder

NICENESS: Final = 15

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help="Care for the journal in a data folder.")

Data = Annotated[
    Path, typer.Option(envvar=["TALLYSTICK_SERVER_DATA", "TALLYSTICK_DATA"], help="Folder of the journal.")
]
DATA: Final = Path("data")


@app.command()
def verify(data: Data = DATA) -> None:
    """Read and judge everything: each record, the state it makes, snapshots and tables. Whose journal it is may be
    running, a server or a client."""
    with _told():
        path = _journal(data)
        if client_recovery.STREAM in _venues(path):
            _verify_client(data)
            return
        with shown("verifying entries") as progress:
            found = verify_folder(path, lambda venue: _places(data, venue), progress)
        for each in found:
            typer.echo(_summary(each))
        entries = sum(each.entries for each in found)
        objections = [sentence for each in found for sentence in each.objections]
        _conclude(path, objections, f"{_counted(len(found), 'stream')}, {entries:,} entries")


def _verify_client(folder: Path) -> None:
    with shown("verifying entries") as progress:
        found = verify_client(folder, progress)
    typer.echo(
        f"client: {found.entries:,} entries, {found.events:,} events, {_counted(found.orders, 'order')}, "
        f"{found.open:,} not over, {_counted(found.snapshots, 'snapshot')}, state hash {found.state_hash}"
    )
    _conclude(folder / JOURNAL_FILE, found.objections, f"a client's, {found.entries:,} entries")


def _conclude(path: Path, objections: list[str], what: str) -> None:
    """Say what is wrong beside the journal, or that it is whole."""
    for sentence in objections:
        _say_failed(sentence)
    if objections:
        typer.echo(f"{path}: its records are right, and what is beside them is not.")
        raise typer.Exit(1)
    typer.echo(f"{path} is whole: {what}.")


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(help="Folder to make; if it exists it must be empty.", show_default=False)],
    data: Data = DATA,
    verified: Annotated[bool, typer.Option("--verify/--no-verify", help="Read the copy through afterwards.")] = True,
) -> None:
    """Copy the journal, its secret key, the keys of its clients and their webhooks while a server runs. To restore,
    start a server on the copy.

    Keep the copy as safe as the original: whoever has the secret key can tell the venue's ids and forge its tokens.
    """
    with _told():
        path = _journal(data)
        with shown("copying") as progress:
            size = back_up(
                path,
                data / SECRET_FILE,
                target,
                progress,
                before=sorted(data.glob(deliveries_file("*"))),
                after=[data / KEYS_FILE],
                verified=verified,
            )
        typer.echo(
            f"{target} holds a copy of {data}: {_megabytes(size)}{', read through and whole' if verified else ''}."
        )


@app.command()
def compact(data: Data = DATA) -> None:
    """Merge the journal's small rows, give free space back and write a snapshot. The server must be stopped."""
    with _told():
        path = _journal(data)
        with closing(_Held(data)):
            with shown("merging rows") as progress:
                before, after = compact_file(path, progress)
            typer.echo(f"{path}: {_size(before)} before, {_size(after)} now.")
            _write_snapshots(data, path)


@app.command()
def rebuild(data: Data = DATA) -> None:
    """Delete the tables of what is done and make them anew. The server must be stopped."""
    with _told():
        path = _journal(data)
        with closing(_Held(data)), closing(SqliteJournal(path, writer=False)) as journal:
            for venue in _venues(path):
                if venue == client_recovery.STREAM:
                    raise JournalUnavailable("no_tables", f"{path} is a client's journal: it has no tables.")
                tables = _places(data, venue).tables
                with shown(f"rebuilding {tables.name}") as progress:
                    orders = rebuild_tables(journal, venue, tables, progress)
                typer.echo(f"{tables} holds {_counted(orders, 'order')}.")


@app.command()
def snapshot(
    data: Data = DATA,
    nice: Annotated[bool, typer.Option("--nice", help="Let everything else on the machine go first.")] = False,
) -> None:
    """Write a snapshot of each venue, so that the next start is quick. A server may be running."""
    if nice:
        os.nice(NICENESS)
    with _told():
        _write_snapshots(data, _journal(data))


class _Held(DataFolder):
    """The data folder while nobody else works in it; ``close`` lets go."""

    def close(self) -> None:
        self.release()


@contextmanager
def _told() -> Iterator[None]:
    """Whatever goes wrong is told in a sentence, and the exit code is 1."""
    try:
        yield
    except (JournalError, OSError) as error:
        _say_failed(str(error))
        raise typer.Exit(1) from None
    except apsw.Error as error:
        _say_failed(f"SQLite fails: {error}. Check the disk, then try again.")
        raise typer.Exit(1) from None


def _say_failed(sentence: str) -> None:
    typer.secho(f"tallystick: {sentence}", fg=typer.colors.RED, err=True)


def _journal(data: Path) -> Path:
    path = data / JOURNAL_FILE
    if not path.is_file():
        raise JournalUnavailable("journal_missing", f"There is no journal {path}: name its folder with --data.")
    return path


def _places(data: Path, venue: str) -> Places:
    return Places(Snapshots(data / SNAPSHOTS_FOLDER, venue), data / tables_file(venue))


def _venues(path: Path) -> list[str]:
    with JournalAudit(path) as audit:
        return list(audit.streams)


def _write_snapshots(data: Path, path: Path) -> None:
    """One process at a time: two would write over each other."""
    folder = data / SNAPSHOTS_FOLDER
    with closing(_Held(folder)), closing(SqliteJournal(path, writer=False)) as journal:
        for venue in _venues(path):
            for unfinished in folder.glob(f"{venue}-*.new"):  # another died while it wrote
                unfinished.unlink()
            with shown(f"folding {venue}") as progress:
                if venue == client_recovery.STREAM:
                    sequence = client_recovery.take_snapshot(journal, client_recovery.snapshots_in(data))
                else:
                    sequence = take_snapshot(journal, venue, _places(data, venue).snapshots, progress)
            typer.echo(f"{folder} holds a snapshot of {venue} at entry {sequence:,}.")


def _summary(found: VenueFindings) -> str:
    return (
        f"{found.venue}: {found.entries:,} entries, {found.events:,} events, {_counted(found.orders, 'order')}, "
        f"{_counted(found.tables, 'order')} in tables, {_counted(found.snapshots, 'snapshot')}, "
        f"state hash {found.state_hash}"
    )


def _size(size: Size) -> str:
    return f"{_counted(size.rows, 'row')} in {_megabytes(size.bytes)}"


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
