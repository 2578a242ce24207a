"""A client's start from what is on disk: the newest snapshot that can be trusted, and the journal after it.

The journal alone is the truth. A snapshot that is missing, damaged, not this journal's, or of which the archive lacks
an order that had left, is passed over for an older one or none: that costs time and nothing else.
"""

import logging
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from tallystick.connect.archive import Archive
from tallystick.facts.client import Entry, decode
from tallystick.facts.client_records import decode_record
from tallystick.journal.errors import DamagedJournal, JournalError
from tallystick.journal.folder import SNAPSHOTS_FOLDER, DataFolder
from tallystick.journal.port import Journal
from tallystick.journal.snapshots import Snapshots
from tallystick.tracker.fold import fold
from tallystick.tracker.order import TrackedOrder
from tallystick.tracker.snapshot import dump, load
from tallystick.tracker.state import OutOfSequence, State

STREAM: Final = "client"
ENTRIES_BETWEEN: Final = 50_000
"""A snapshot is written after so many entries: a start folds no more, and those that came while it was written."""
ENTRIES_AT_CLOSE: Final = 1_000
"""A client that is closed leaves a snapshot behind, if this many are not in one."""
KEEP_ORDERS: Final = 4096

_log = logging.getLogger(__name__)


class Recovered(NamedTuple):
    """The state at the end of the journal; ``snapshot`` is the sequence it started from, 0 for the beginning."""

    state: State
    snapshot: int


def snapshots_in(folder: Path) -> Snapshots:
    """The snapshots of the client whose journal is in ``folder``."""
    return Snapshots(folder / SNAPSHOTS_FOLDER, STREAM, decode_record)


def recovered(journal: Journal, archive: Archive, snapshots: Snapshots | None) -> Recovered:
    """The state that the journal's entries add up to; what left on the way is in the archive. Raises JournalError."""
    kept = archive.sequence
    state = newest_state(journal, snapshots, journal.last(STREAM), kept)
    began = state.sequence
    state.left = []
    leaving: list[TrackedOrder] = []
    for sequence, body in journal.read(STREAM, began):
        fold_next(state, read_entry(body, sequence))
        if state.left:
            if sequence > kept:
                leaving += state.left
            state.left = []
        if len(leaving) >= KEEP_ORDERS:
            archive.keep(sequence, leaving)
            leaving = []
    if leaving:
        archive.keep(state.sequence, leaving)
    _log.info("recovered: entry %d, epoch %d, from snapshot %d", state.sequence, journal.epoch, began)
    return Recovered(state, began)


def newest_state(journal: Journal, snapshots: Snapshots | None, until: int, kept: int | None = None) -> State:
    """The state of the newest snapshot of an entry up to ``until``, or an empty one.

    What had left by then must be in an archive that is complete up to ``kept``; None where nobody looks for it.
    """
    for path in [] if snapshots is None else snapshots.paths():
        try:
            header = snapshots.header(path)  # type: ignore[union-attr]  # there are paths
            if header.sequence > until:
                continue
            if journal.checksum(STREAM, header.sequence).hex() != header.checksum:
                raise JournalError(f"{path} is not of this journal")
            state = load(snapshots.read(path))  # type: ignore[union-attr]
        except (JournalError, OSError, msgspec.MsgspecError) as error:
            _log.warning("a snapshot is passed over: %s", error)
            continue
        if kept is None or state.left_at <= kept:
            return state
        _log.warning("the snapshot %s is passed over: the archive lacks what left before it", path)
    return State()


def read_entry(body: bytes, sequence: int) -> Entry:
    """Raises DamagedJournal."""
    try:
        return decode(body)
    except msgspec.MsgspecError as error:
        raise DamagedJournal(f"the entry is none that this version knows: {error}", STREAM, sequence) from None


def fold_next(state: State, entry: Entry) -> None:
    """Raises DamagedJournal."""
    try:
        fold(state, entry)
    except (KeyError, OutOfSequence) as error:
        reason = f"the entry does not fit what came before it: {error}"
        raise DamagedJournal(reason, STREAM, entry.sequence) from error


def take_snapshot(journal: Journal, snapshots: Snapshots) -> int:
    """Write a snapshot of the client at the end of its journal; the sequence it is of. Reads only what is durable."""
    state = newest_state(journal, snapshots, journal.last(STREAM))
    began = state.sequence
    for sequence, body in journal.read(STREAM, began):
        fold_next(state, read_entry(body, sequence))
    if state.sequence > began:
        snapshots.write(state.sequence, journal.checksum(STREAM, state.sequence), dump(state))
    return state.sequence


def write_last_snapshot(folder: Path, journal: Journal, state: State) -> None:
    """Write a snapshot of ``state``, which nobody changes any more. What fails costs the next start time, no more."""
    try:
        held = DataFolder(folder / SNAPSHOTS_FOLDER)
        try:
            snapshots_in(folder).write(state.sequence, journal.checksum(STREAM, state.sequence), dump(state))
        finally:
            held.release()
    except (JournalError, OSError) as error:
        _log.warning("no snapshot at the end: %s", error)
