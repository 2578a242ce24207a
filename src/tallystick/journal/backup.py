"""A hot copy of a journal, its secret and its keys while a server writes: one moment of it, whole, or nothing at all.

SQLite's online backup, in steps within one read transaction. The transaction is what makes it come to an end: without
it every commit of the server would begin the copy anew. In WAL mode it holds up no writer; all it costs is that the
log cannot be reset until the copy is done. ``VACUUM INTO`` reads under the same transaction, but as one statement: it
tells no progress, and its one flush at the end would make the server's commits wait for all of it.
"""

import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import apsw

from tallystick.journal.errors import JournalUnavailable
from tallystick.journal.folder import sync_folder
from tallystick.journal.sqlite_file import in_our_words, open_reader
from tallystick.journal.verify import Progress, verify_chain

STEP_PAGES: Final = 1024
"""4 MiB, flushed at once: more would make the flush of a server's commit wait for it."""


def back_up(
    journal: Path,
    secret: Path,
    target: Path,
    progress: Progress,
    *,
    before: Sequence[Path] = (),
    after: Sequence[Path] = (),
    verified: bool = True,
) -> int:
    """Copy the files into the folder ``target``; the journal's bytes. A server started on it goes on from there.

    ``before`` and ``after`` are SQLite files beside the journal, those of them that exist. Copied before it are those
    that know positions in it: of what the copied journal has and they have not they hear again, never of what is not
    in it yet.

    Everything is written, flushed and (if ``verified``) read again in a folder beside it, which is then renamed. Raises
    JournalUnavailable for a target that is not empty, JournalError or OSError when it cannot be done.
    """
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise JournalUnavailable("journal_refused", f"{target} is not empty: give a folder that is, or a new one.")
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent))
    try:
        _copy_secret(secret, beside / secret.name)
        _copy_others(before, beside)
        copy = beside / journal.name
        _copy_database(open_reader(journal, None), copy, progress)
        _copy_others(after, beside)
        if verified:
            verify_chain(copy, progress)
        _settle(copy)
        sync_folder(beside)
        beside.rename(target)
        sync_folder(target.parent)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return (target / journal.name).stat().st_size


def _copy_secret(secret: Path, copy: Path) -> None:
    content = secret.read_bytes()
    with open(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _copy_others(others: Sequence[Path], beside: Path) -> None:
    for other in others:
        if other.exists():
            _copy_database(_open(other), beside / other.name, _silently)
            _settle(beside / other.name)


def _silently(_done: int, _total: int) -> None:
    """A small file is copied at once."""


def _open(path: Path) -> apsw.Connection:
    try:
        return apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    except apsw.Error as error:
        raise in_our_words(error, path) from error


def _copy_database(source: apsw.Connection, path: Path, progress: Progress) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        copy = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            source.execute("BEGIN; SELECT count(*) FROM sqlite_schema")
            with copy.backup("main", source, "main") as steps:
                while not steps.done:
                    steps.step(STEP_PAGES)
                    os.fsync(descriptor)
                    progress(steps.page_count - steps.remaining, steps.page_count)
        finally:
            copy.close()
        os.fsync(descriptor)
    except apsw.Error as error:
        raise in_our_words(error, path) from error
    finally:
        os.close(descriptor)
        source.close()


def _settle(copy: Path) -> None:
    """A reader leaves its log behind; one who may write takes it away again."""
    try:
        with closing(apsw.Connection(str(copy), flags=apsw.SQLITE_OPEN_READWRITE)) as writer:
            writer.execute("SELECT count(*) FROM sqlite_schema").fetchall()
    except apsw.Error as error:
        raise in_our_words(error, copy) from error
