"""A whole data folder's evidence, held against itself: the journal record by record, its fold, snapshots and tables.

The journal is the truth, so its first fault ends the work (DamagedJournal). A snapshot or table that is wrong is an
objection: it costs time and nothing else, and the sentence says what to do.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from tallystick.journal.errors import JournalError
from tallystick.journal.snapshots import Snapshots
from tallystick.journal.verify import PROGRESS_RECORDS, JournalAudit, Progress
from tallystick.readers.verify_entries import EntryAudit
from tallystick.readers.verify_tables import TablesAudit
from tallystick.venue.snapshot import load, state_hash
from tallystick.venue.state import State


class VenueFindings(NamedTuple):
    """``tables`` is how many orders they hold; ``objections`` are sentences, none of them about the journal."""

    venue: str
    entries: int
    events: int
    orders: int
    state_hash: str
    snapshots: int
    tables: int
    objections: list[str]


class Places(NamedTuple):
    """Where a venue keeps what it can make anew."""

    snapshots: Snapshots
    tables: Path


def verify(journal: Path, places: Callable[[str], Places], progress: Progress) -> list[VenueFindings]:
    """Every stream of the journal, each a venue's. Raises what JournalAudit raises, at the first fault."""
    with JournalAudit(journal) as audit:
        names = list(audit.streams)
    # Both are only ever of what is durable: looked at before the end of the journal is, they cannot be beyond it.
    snapshots = {name: _SnapshotsAudit(places(name).snapshots) for name in names}
    tables = {name: TablesAudit(places(name).tables) for name in names}
    found: list[VenueFindings] = []
    done = 0
    with JournalAudit(journal) as audit:
        total = sum(stream.last for stream in audit.streams.values())
        for name in names:
            found.append(_verify_venue(audit, name, snapshots[name], tables[name], _shifted(progress, done, total)))
            done += audit.streams[name].last
    return found


def _verify_venue(
    audit: JournalAudit, name: str, snapshots: "_SnapshotsAudit", tables: TablesAudit, progress: Progress
) -> VenueFindings:
    last = audit.streams[name].last
    entries = EntryAudit(name)
    for record in audit.records(name):
        entries.take(record)
        tables.take(entries.state)
        snapshots.take(entries.state, record.checksum)
        if record.sequence % PROGRESS_RECORDS == 0:
            progress(record.sequence, last)
    entries.look_at_everything()
    tables.finish(last)
    snapshots.finish(name, last)
    progress(last, last)
    state = entries.state
    objections = [each for each in (*snapshots.objections, tables.objection) if each]
    return VenueFindings(
        name, last, entries.events, state.orders_made, state_hash(state), snapshots.whole, tables.orders, objections
    )


def _shifted(progress: Progress, done: int, total: int) -> Progress:
    """The progress of one part of a work of which ``done`` is behind."""
    return lambda reached, _last: progress(done + reached, total)


class _SnapshotsAudit:
    """The snapshots that there are at the beginning; one that a running server has since replaced is passed over."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots: Final = snapshots
        self._due: Final[dict[int, tuple[Path, str]]] = {}
        self.objections: Final[list[str]] = []
        self.whole = 0
        for path in snapshots.paths():
            try:
                header = snapshots.header(path)
            except JournalError as error:
                self._object(path, str(error))
                continue
            if header.sequence in self._due:
                self._object(path, f"{path} is of the same sequence as another")
            self._due[header.sequence] = (path, header.checksum)

    def take(self, state: State, checksum: bytes) -> None:
        """This is the state after the record with ``checksum``: is it what the snapshot says, if there is one?"""
        due = self._due.pop(state.sequence, None)
        if due is None:
            return
        path, belongs_to = due
        if belongs_to != checksum.hex():
            self._object(path, f"{path} is not of this journal")
            return
        try:
            found = state_hash(load(self._snapshots.read(path)))
        except (JournalError, OSError, LookupError, TypeError, msgspec.MsgspecError) as error:
            self._object(path, f"{path} cannot be read: {error}")
            return
        if found != state_hash(state):
            self._object(path, f"{path} is not the state after entry {state.sequence}")
            return
        self.whole += 1

    def finish(self, venue: str, last: int) -> None:
        """What is left is of no entry there is."""
        for sequence, (path, _) in self._due.items():
            reason = f"{path} is of sequence {sequence}, and the journal of {venue!r} ends at {last}"
            self._object(path, f"{reason}: it is another journal's, or the journal has lost its end")

    def _object(self, path: Path, reason: str) -> None:
        if path.exists():
            self.objections.append(f"The snapshot {reason}. Delete it; the server writes another.")
