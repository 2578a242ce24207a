"""The SQLite file of a journal: what identifies it, its schema, how it is opened, and SQLite's errors in our words.

One connection writes and makes the checkpoints; others only read. Both are plain WAL with synchronous=FULL, so a commit
that has returned survives the loss of power.
"""

import os
from errno import ENOSPC
from pathlib import Path
from typing import Final

import apsw

from tallystick.journal.errors import DamagedJournal, JournalError, JournalUnavailable, NewerFormat
from tallystick.journal.folder import sync_folder

APPLICATION_ID: Final = 0x54414C59
"""``TALY``: told by ``file`` and by any SQLite tool."""
LAYOUT: Final = 1
"""user_version: which tables there are and what they mean."""
CHECKPOINT_PAGES: Final = 1000
"""SQLite's own default is 1,000. Fewer checkpoints are longer, and the commit that crosses the mark waits for it."""
BUSY_MS: Final = 5000
SEQUENCE_BITS: Final = 44
"""A batch's key: its stream's number above these bits, its first sequence in them: one B-tree, no second index."""

_SCHEMA: Final = f"""
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {LAYOUT};
CREATE TABLE meta (one INTEGER PRIMARY KEY CHECK (one = 1), epoch INTEGER NOT NULL) STRICT;
CREATE TABLE streams (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE commits (id INTEGER PRIMARY KEY, length INTEGER NOT NULL, blob BLOB NOT NULL) STRICT;
INSERT INTO meta (one, epoch) VALUES (1, 0);
"""


def open_writer(path: Path, vfs: str | None) -> tuple[apsw.Connection, int]:
    """Open or create the file and take it over: the connection, and the epoch that is now durably ours."""
    try:
        _create_private(path)
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE, vfs=vfs)
    except (OSError, apsw.Error) as error:
        raise in_our_words(error, path) from error
    try:
        connection.set_busy_timeout(BUSY_MS)
        _is_new(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        # macOS alone needs to be asked to reach the medium; elsewhere these two do nothing.
        connection.execute("PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        return connection, _take_over(connection, path)
    except apsw.Error as error:
        connection.close()
        raise in_our_words(error, path) from error
    except JournalError:
        connection.close()
        raise


def open_reader(path: Path, vfs: str | None) -> apsw.Connection:
    """Open an existing journal for reading only."""
    connection: apsw.Connection | None = None
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY, vfs=vfs)
        connection.set_busy_timeout(BUSY_MS)
        if _is_new(connection, path):
            raise JournalUnavailable(
                "journal_missing", f"{path} holds no journal yet: its writer has to open it first."
            )
    except apsw.Error as error:
        if connection is not None:
            connection.close()
        raise in_our_words(error, path) from error
    except JournalError:
        assert connection is not None
        connection.close()
        raise
    return connection


def _create_private(path: Path) -> None:
    """Create the file before SQLite does, readable by its owner alone; SQLite gives its other files the same mode."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return


def _take_over(connection: apsw.Connection, path: Path) -> int:
    """Creation and the new epoch are one transaction: a crash leaves an empty file, which opens, or a whole journal."""
    connection.execute("BEGIN IMMEDIATE")
    new = _is_new(connection, path)  # asked again, now that nobody else can be creating it
    if new:
        connection.execute(_SCHEMA)
    epoch = int(connection.execute("UPDATE meta SET epoch = epoch + 1 WHERE one = 1 RETURNING epoch").get)
    connection.execute("COMMIT")
    if new:
        sync_folder(path.parent)
    return epoch


def _is_new(connection: apsw.Connection, path: Path) -> bool:
    """Whether the file is still empty. Raises JournalUnavailable if it is something else's, NewerFormat if it is."""
    application, layout, tables = connection.execute(
        "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)"
        " FROM pragma_application_id, pragma_user_version"
    ).get
    if (application, layout, tables) == (0, 0, 0):
        return True
    if application != APPLICATION_ID:
        raise _foreign(path)
    if layout > LAYOUT:
        raise NewerFormat(f"The journal {path}", layout, LAYOUT)
    return False


def _foreign(path: Path) -> JournalUnavailable:
    return JournalUnavailable(
        "journal_foreign",
        f"{path} is not a Tallystick journal, and was left as it is: give another path, or move that file away.",
    )


def in_our_words(error: Exception, path: Path) -> JournalError:
    """The journal's error for one of SQLite's, or of the file system's, while working on ``path``."""
    if isinstance(error, apsw.NotADBError):
        return _foreign(path)
    if isinstance(error, apsw.CorruptError):
        return DamagedJournal(f"SQLite finds {path} malformed ({error})")
    code, advice = _advice(error)
    result = getattr(error, "extendedresult", 0)
    known = apsw.mapping_extended_result_codes.get(result) or apsw.mapping_result_codes.get(result & 0xFF)
    name = f" ({known})" if result else ""
    return JournalUnavailable(code, f"The journal {path} is unavailable{name}: {error}. {advice}")


def _advice(error: Exception) -> tuple[str, str]:
    if isinstance(error, apsw.FullError) or getattr(error, "errno", 0) == ENOSPC:
        return "disk_full", "Free space on its disk. A running venue then goes on by itself."
    if isinstance(error, apsw.BusyError | apsw.LockedError):
        return "journal_locked", "Another process is using the file; stop it. A running venue then goes on by itself."
    if isinstance(error, apsw.CantOpenError | apsw.PermissionsError | apsw.ReadOnlyError | OSError):
        return "journal_missing", "Check that the path exists and that this user may read and write it."
    if isinstance(error, apsw.ConnectionClosedError):
        return "journal_closed", "Open it again."
    return "io_error", "Check the disk, then start the venue again: it goes on from what is durable."
