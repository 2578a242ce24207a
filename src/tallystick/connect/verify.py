"""A client's folder, held against itself: the journal record by record, what it adds up to, what was told, snapshots.

The journal is the truth, so its first fault ends the work (DamagedJournal). A snapshot that is wrong is an objection.
"""

from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from tallystick.connect.recovery import STREAM, fold_next, read_entry, snapshots_in
from tallystick.core.lifecycle import FILLED as CLOSED
from tallystick.facts.client import Announced, Entry
from tallystick.facts.client_codes import COMPLETED, CREATED, FAILED, FILLED, LATE, UPDATED
from tallystick.journal.errors import DamagedJournal, JournalError
from tallystick.journal.folder import JOURNAL_FILE
from tallystick.journal.verify import PROGRESS_RECORDS, JournalAudit, Progress
from tallystick.tracker.snapshot import load, state_hash
from tallystick.tracker.state import State


class ClientFindings(NamedTuple):
    """``orders`` were ever intended, ``open`` of them are not over as far as is known. ``objections`` are sentences,
    none of them about the journal."""

    entries: int
    events: int
    orders: int
    open: int
    state_hash: str
    snapshots: int
    objections: list[str]


def verify(folder: Path, progress: Progress) -> ClientFindings:
    """Everything in a client's folder; the client may be running. Raises what JournalAudit raises, at the first
    fault."""
    snapshots = _SnapshotsAudit(folder)
    state, told, events = State(), _Told(), 0
    with JournalAudit(folder / JOURNAL_FILE) as audit:
        last = audit.streams[STREAM].last
        for record in audit.records(STREAM):
            entry = read_entry(record.body, record.sequence)
            fold_next(state, entry)
            told.take(entry)
            events += len(entry.events)
            snapshots.take(state, record.checksum)
            if record.sequence % PROGRESS_RECORDS == 0:
                progress(record.sequence, last)
    progress(last, last)
    snapshots.finish(last)
    is_open = sum(order.status < CLOSED for order in state.orders.values())
    return ClientFindings(
        last, events, state.orders_made, is_open, state_hash(state), snapshots.whole, snapshots.objections
    )


class _Told:
    """What was told of each order: created first (unless it failed), then fills, one end, then only late fills."""

    def __init__(self) -> None:
        self._created: Final[set[int]] = set()
        self._ended: Final[set[int]] = set()

    def take(self, entry: Entry) -> None:
        """Raises DamagedJournal."""
        for event in entry.events:
            if isinstance(event, Announced) and event.what != UPDATED:
                wrong = self._fault(event)
                if wrong:
                    raise DamagedJournal(f"of order {event.order} was told {wrong}", STREAM, entry.sequence)

    def _fault(self, event: Announced) -> str:
        order, what = event.order, event.what
        if what == CREATED:
            if order in self._created or order in self._ended:
                return "that it was created, too late or twice"
            self._created.add(order)
            return ""
        if what == FILLED and bool(event.flags & LATE) != (order in self._ended):
            return "a fill after its end that is not late, or a late one before it"
        if what != FAILED and order not in self._created and order not in self._ended:
            return "something before it was created"
        if COMPLETED <= what <= FAILED:
            if order in self._ended:
                return "a second end"
            self._ended.add(order)
        return ""


class _SnapshotsAudit:
    """The snapshots that there are at the beginning; one that a running client has since replaced is passed over."""

    def __init__(self, folder: Path) -> None:
        self._snapshots: Final = snapshots_in(folder)
        self._due: Final[dict[int, tuple[Path, str]]] = {}
        self.objections: Final[list[str]] = []
        self.whole = 0
        for path in self._snapshots.paths():
            try:
                header = self._snapshots.header(path)
            except JournalError as error:
                self._object(path, str(error))
                continue
            self._due[header.sequence] = (path, header.checksum)

    def take(self, state: State, checksum: bytes) -> None:
        """This is the state after the record with ``checksum``: is it what the snapshot says, if there is one?"""
        due = self._due.pop(state.sequence, None)
        if due is None:
            return
        path, belongs_to = due
        try:
            is_right = belongs_to == checksum.hex() and state_hash(load(self._snapshots.read(path))) == state_hash(
                state
            )
        except (JournalError, OSError, LookupError, TypeError, msgspec.MsgspecError) as error:
            self._object(path, f"{path} cannot be read: {error}")
            return
        if is_right:
            self.whole += 1
        else:
            self._object(path, f"{path} is not the state after entry {state.sequence} of this journal")

    def finish(self, last: int) -> None:
        """What is left is of no entry there is."""
        for sequence, (path, _) in self._due.items():
            self._object(path, f"{path} is of entry {sequence}, and the journal ends at {last}")

    def _object(self, path: Path, reason: str) -> None:
        if path.exists():
            self.objections.append(f"The snapshot {reason}. Delete it; the client writes another.")
