"""Where a client's journal is, and what lies beside it: a folder that this process holds alone, or nowhere."""

from pathlib import Path
from typing import Final

from tallystick.connect.archive import Archive
from tallystick.connect.recovery import STREAM, snapshots_in
from tallystick.journal.folder import JOURNAL_FILE, DataFolder
from tallystick.journal.memory import MemoryJournal
from tallystick.journal.port import Journal
from tallystick.journal.record import GENESIS
from tallystick.journal.snapshots import Snapshots
from tallystick.journal.sqlite import SqliteJournal

ARCHIVE_FILE: Final = "orders.db"


class Storage:
    """Where a client's journal is: a folder that this process holds alone, or nowhere.

    Raises FolderInUse, JournalError, OSError. The one in memory is not durable, so nothing
    survives the process; for trials and tests.
    """

    def __init__(self, folder: Path | None, journal: Journal | None = None) -> None:
        self.folder: Final = folder
        self._held: Final = None if folder is None else DataFolder(folder)
        self.is_inline: Final = folder is None
        self.snapshots: Final[Snapshots | None] = None if folder is None else snapshots_in(folder)
        try:
            if journal is not None:
                self.journal: Journal = journal
            else:
                self.journal = MemoryJournal() if folder is None else SqliteJournal(folder / JOURNAL_FILE)
            try:
                last = self.journal.last(STREAM)
                identity = self.journal.checksum(STREAM, 1) if last else GENESIS
                self.archive: Final = Archive(None if folder is None else folder / ARCHIVE_FILE, identity, last)
            except BaseException:
                self.journal.close()
                raise
        except BaseException:
            self._release()
            raise

    def close(self) -> None:
        self.archive.close()
        self.journal.close()
        self._release()

    def _release(self) -> None:
        if self._held is not None:
            self._held.release()
