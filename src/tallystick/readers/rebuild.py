"""Making a venue's tables anew from its journal. Whoever calls holds the data folder.

Killed at any moment, it leaves no file or the beginning of one: a server that starts on it completes it.
"""

from pathlib import Path

from tallystick.journal.errors import JournalUnavailable
from tallystick.journal.port import Journal
from tallystick.readers.readers import Readers
from tallystick.readers.recovery import Progress, entries_after, no_progress
from tallystick.readers.tables import Tables, discard


def rebuild_tables(journal: Journal, venue: str, path: Path, progress: Progress = no_progress) -> int:
    """Replace the file ``path``; how many orders have left. Raises JournalError if it cannot be read or written."""
    discard(path)
    tables = Tables(path)
    try:
        readers = Readers(tables=tables)
        for entry in entries_after(journal, venue, 0, progress):
            readers.commit(entry)
            tables.keep_up()
    finally:
        tables.close()
    if tables.failure is not None:
        raise JournalUnavailable("io_error", f"{path} could not be written: {tables.failure}. Check the disk.")
    return readers.state.orders_made - len(readers.state.orders)
