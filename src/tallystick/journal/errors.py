"""What can go wrong with a journal, as types.

    JournalError
    ├── DamagedJournal        a record or the file is not what was written: restore a backup
    ├── NewerFormat           written by a newer Tallystick: upgrade this one
    ├── StaleEpoch            another writer took the journal over: stop, never write again
    ├── SequenceConflict      the caller's last sequence is not the journal's: reload
    ├── UnknownSequence       no record has this sequence (yet)
    ├── JournalUnavailable    disk full, I/O error, closed: ``code`` and the sentence say what to do
    ├── DamagedSnapshot       a snapshot is not what was written, or not this journal's: it is passed over
    └── FolderInUse           another process works in the data folder

Every error has a ``code`` (stable, for machines) and a sentence that its reader can act on.
"""

from typing import Final

NOTHING_WRITTEN: Final = ("disk_full", "journal_locked")
"""Codes of a write that definitely did not happen and may be tried again; after any other failure that is in doubt."""


class JournalError(Exception):
    """The root: nothing was acknowledged when it is raised."""

    code: str = "journal_error"


class DamagedJournal(JournalError):
    """``stream``, ``sequence`` and ``offset`` (bytes into its batch) say where, as far as known."""

    code = "journal_damaged"

    def __init__(self, reason: str, stream: str = "", sequence: int | None = None, offset: int | None = None) -> None:
        self.reason = reason
        self.stream = stream
        self.sequence = sequence
        self.offset = offset
        where = [f"stream {stream!r}"] if stream else []
        where += [f"sequence {sequence}"] if sequence is not None else []
        where += [f"byte {offset} of its batch"] if offset is not None else []
        at = f" at {', '.join(where)}" if where else ""
        super().__init__(
            f"The journal is damaged{at}: {reason}. Nothing from there on can be trusted; restore a backup."
        )


class NewerFormat(JournalError):
    """The format is unknown here. Nothing was changed."""

    code = "journal_newer"

    def __init__(self, what: str, found: int, known: int) -> None:
        super().__init__(
            f"{what} has format {found}, and this version knows up to {known}: it was written by a newer version. "
            "Upgrade Tallystick, or restore a backup made before the upgrade."
        )


class StaleEpoch(JournalError):
    """A writer with a newer epoch opened the journal. Nothing was written."""

    code = "journal_taken_over"

    def __init__(self, ours: int, current: int) -> None:
        self.ours = ours
        self.current = current
        super().__init__(
            f"Another writer took the journal over: its epoch is {current}, ours is {ours}. "
            "Stop this process; what it decided since is not in the journal."
        )


class SequenceConflict(JournalError):
    """The journal's last sequence of ``stream`` is ``last``, not ``expected``. Nothing was written."""

    code = "journal_conflict"

    def __init__(self, stream: str, expected: int, last: int) -> None:
        self.stream = stream
        self.expected = expected
        self.last = last
        super().__init__(f"Stream {stream!r} ends at sequence {last}, not at {expected}: reload it before writing on.")


class UnknownSequence(JournalError, LookupError):
    """The stream has no record with this sequence (yet)."""

    code = "journal_unknown_sequence"

    def __init__(self, stream: str, sequence: int) -> None:
        self.stream = stream
        self.sequence = sequence
        super().__init__(f"Stream {stream!r} has no sequence {sequence}.")


class JournalUnavailable(JournalError):
    """``code`` is one of disk_full, io_error, journal_locked, journal_closed, journal_read_only, journal_missing,
    journal_foreign, journal_refused, secret_damaged.

    An append that raises it is not acknowledged and has changed nothing in memory; after an io_error it may still turn
    up when the file is opened again.
    """

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        super().__init__(sentence)


class FolderInUse(JournalError):
    """Another process holds the data folder; ``pid`` is None while it has not written its own yet."""

    code = "folder_in_use"

    def __init__(self, folder: str, pid: int | None) -> None:
        self.folder = folder
        self.pid = pid
        who = f"process {pid}" if pid is not None else "another process"
        super().__init__(
            f"The data folder {folder} is in use by {who}. Stop it first, or give this one another folder."
        )


class DamagedSnapshot(JournalError):
    """Nothing is lost: the journal has it all."""

    code = "snapshot_damaged"


def wrote_nothing(error: BaseException) -> bool:
    """Whether it definitely left the journal as it was, so that going on once it works again is safe."""
    return isinstance(error, JournalUnavailable) and error.code in NOTHING_WRITTEN
