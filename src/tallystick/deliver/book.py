"""The file of webhooks: an SQLite file with endpoints, deliveries and attempts, readable by its owner alone.

Several processes may have it open: a server whose clients look after their endpoints, and whoever sends. Each change
is one transaction, durable when it returns.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Final, TypeVar

import apsw

from tallystick.journal.folder import sync_folder

DELIVERIES_FILE: Final = "deliveries.db"
APPLICATION_ID: Final = 0x54414C57
"""``TALW``: told by ``file`` and by any SQLite tool."""
LAYOUT: Final = 1
BUSY_MS: Final = 10_000

T = TypeVar("T")

_SCHEMA: Final = f"""
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {LAYOUT};
CREATE TABLE meta (one INTEGER PRIMARY KEY CHECK (one = 1), requests INTEGER NOT NULL) STRICT;
INSERT INTO meta (one, requests) VALUES (1, 0);
CREATE TABLE endpoints (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    owner TEXT NOT NULL,
    url TEXT NOT NULL,
    description TEXT NOT NULL,
    is_active INTEGER NOT NULL,
    reason TEXT NOT NULL DEFAULT '',
    ordering TEXT NOT NULL,
    secret BLOB NOT NULL DEFAULT x'',
    previous BLOB NOT NULL DEFAULT x'',
    previous_until INTEGER NOT NULL DEFAULT 0,
    position INTEGER NOT NULL,
    reached INTEGER NOT NULL DEFAULT 0,
    replay_position INTEGER NOT NULL DEFAULT 0,
    replay_until INTEGER NOT NULL DEFAULT 0,
    failing_since INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    deleted_at INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE deliveries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    endpoint INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    name TEXT NOT NULL,
    group_id TEXT NOT NULL,
    body BLOB NOT NULL,
    status TEXT NOT NULL,
    attempts BLOB NOT NULL DEFAULT x'5b5d',
    tries INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL,
    asked INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX listed ON deliveries (endpoint, number);
CREATE INDEX unfinished ON deliveries (endpoint, number) WHERE next_at > 0;
CREATE INDEX asked_for ON deliveries (endpoint) WHERE asked > 0;
"""


class BookError(Exception):
    """The file of webhooks cannot be used; the sentence says why and what to do."""


class Book:
    """One connection, used by one thread at a time. The file is made if need be. Raises BookError."""

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        self._lock: Final = Lock()
        try:
            _create_private(path)
            self._connection: Final = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        except (OSError, apsw.Error) as error:
            raise _unavailable(path, error) from None
        try:
            self._connection.set_busy_timeout(BUSY_MS)
            self._prepare()
        except apsw.NotADBError:
            self.close()
            raise _foreign(path) from None
        except apsw.Error as error:
            self.close()
            raise _unavailable(path, error) from None
        except BookError:
            self.close()
            raise

    def close(self) -> None:
        """Closing twice is harmless."""
        with self._lock:
            self._connection.close()

    def change(self, change: Callable[[apsw.Connection], T]) -> T:
        """Carry out ``change`` as one transaction. Raises what it raises, with nothing done, and apsw.Error."""
        with self._lock, self._transaction():
            return change(self._connection)

    def read(self, read: Callable[[apsw.Connection], T]) -> T:
        """Read, in between the changes of this connection."""
        with self._lock:
            return read(self._connection)

    @staticmethod
    def requests(connection: apsw.Connection) -> int:
        """How often the sender was asked for something: a new endpoint, a change, a delivery."""
        return int(connection.execute("SELECT requests FROM meta").get)

    @staticmethod
    def request(connection: apsw.Connection) -> None:
        """Let the sender look at what this transaction changes."""
        connection.execute("UPDATE meta SET requests = requests + 1")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        # IMMEDIATE: waiting for another writer is done here, where nothing has been read yet.
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _prepare(self) -> None:
        self._is_new()
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON")
        if not self._is_new():
            return
        with self._transaction():
            if self._is_new():  # asked again, now that nobody else can be making it
                self._connection.execute(_SCHEMA)
        sync_folder(self.path.parent)

    def _is_new(self) -> bool:
        application, layout, tables = self._connection.execute(
            "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)"
            " FROM pragma_application_id, pragma_user_version"
        ).get
        if (application, layout, tables) == (0, 0, 0):
            return True
        if application != APPLICATION_ID:
            raise _foreign(self.path)
        if layout > LAYOUT:
            raise BookError(f"{self.path} was written by a newer version: upgrade Tallystick.")
        return False


def _create_private(path: Path) -> None:
    """Create the file before SQLite does, readable by its owner alone; SQLite gives its other files the same mode.

    One that others may read, as after it was copied from somewhere, is closed to them.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)


def _foreign(path: Path) -> BookError:
    return BookError(f"{path} is not a file of Tallystick's webhooks: move that file away.")


def _unavailable(path: Path, error: Exception) -> BookError:
    return BookError(f"The webhooks in {path} cannot be reached: {error}. Check the file and disk.")
