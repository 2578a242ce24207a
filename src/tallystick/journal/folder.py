"""The data folder: one process works in it at a time, and it keeps the installation's secret."""

import fcntl
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from tallystick.journal.errors import FolderInUse, JournalUnavailable

SECRET_BYTES: Final = 32
_LOCK: Final = "lock"
SECRET_FILE: Final = "secret.key"
KEYS_FILE: Final = "keys.db"
JOURNAL_FILE: Final = "journal.db"
SNAPSHOTS_FOLDER: Final = "snapshots"


class DataFolder:
    """Creates ``path`` (mode 0700) if need be and holds it until ``release`` or the end of the process.

    Raises FolderInUse when another process holds it, and OSError when it cannot be made.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path: Final = Path(path)
        _make(self.path)
        # The file stays when the lock is released: a lock on a file that others may unlink excludes nobody.
        self._lock: int | None = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._lock, 32, 0).strip()
            self._close()
            raise FolderInUse(str(self.path), int(holder) if holder.isdigit() else None) from None
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, b"%d\n" % os.getpid(), 0)

    def secret_key(self) -> bytes:
        """The 32 random bytes of this installation, created (mode 0600, durable) when first asked for."""
        secret = self.path / SECRET_FILE
        if not secret.exists():
            _write_durably(secret, secrets.token_bytes(SECRET_BYTES))
        key = secret.read_bytes()
        if len(key) != SECRET_BYTES:
            raise JournalUnavailable(
                "secret_damaged", f"{secret} has {len(key)} bytes instead of {SECRET_BYTES}: restore it from a backup."
            )
        return key

    def release(self) -> None:
        """Let the next process in. Releasing twice is harmless."""
        if self._lock is not None:
            os.ftruncate(self._lock, 0)
            self._close()

    def _close(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def tables_file(venue: str) -> str:
    """The name of the file with the venue's tables of what is done."""
    return f"{venue}.tables.db"


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable: a file's own fsync does not reach the entry that leads to it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make(path: Path) -> None:
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        with suppress(FileExistsError):  # two processes may start at once; the lock decides between them
            folder.mkdir(mode=0o700)
        sync_folder(folder.parent)


def _write_durably(path: Path, content: bytes) -> None:
    """Whole or not at all: written beside its place, flushed, then renamed into it."""
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    beside.rename(path)
    sync_folder(path.parent)
