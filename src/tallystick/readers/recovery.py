"""Starting from what is on disk: the newest snapshot that can be trusted, the journal after it, the tables beside it.

The journal alone is the truth. A snapshot or a table that is missing, damaged or not this journal's is passed over and
made anew; it costs time and nothing else.
"""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from tallystick.core.keys import order_key
from tallystick.core.lifecycle import LifecycleError
from tallystick.facts.venue import Entry, decode
from tallystick.journal.errors import DamagedJournal, JournalError
from tallystick.journal.port import Journal
from tallystick.journal.snapshots import Snapshots
from tallystick.readers.readers import Readers
from tallystick.readers.tables import Tables, discard
from tallystick.venue.engine import Engine, Rules
from tallystick.venue.ledger import LedgerError
from tallystick.venue.snapshot import dump, restore
from tallystick.venue.state import OutOfSequence, State

Progress = Callable[[int, int], None]
"""Called now and then with the sequence reached and the last one there is."""

PROGRESS_ENTRIES: Final = 10_000

_log = logging.getLogger(__name__)


class Recovered(NamedTuple):
    """A venue where it was; ``snapshot`` is the sequence it started from, 0 for the beginning."""

    engine: Engine
    readers: Readers
    snapshot: int


def no_progress(_sequence: int, _last: int) -> None:
    """Nobody watches."""


def recover(
    journal: Journal,
    venue: str,
    rules: Rules,
    snapshots: Snapshots | None = None,
    tables_path: Path | None = None,
    progress: Progress = no_progress,
) -> Recovered:
    """The venue's engine and readers as of the end of its journal. Both folds share their terms."""
    tables = None if tables_path is None else open_tables(journal, venue, tables_path)
    writer, reader = State(), State()
    if snapshots is not None:
        writer, reader = newest_states(journal, venue, snapshots, tables, 2)
    start = writer.sequence
    engine, readers = Engine(rules, writer), Readers(reader, tables)

    def entries() -> Iterator[Entry]:
        for entry in entries_after(journal, venue, start, progress):
            try:
                readers.commit(entry)
            except (LifecycleError, LedgerError, OutOfSequence, KeyError) as error:
                raise DamagedJournal(
                    f"the entry does not fit what came before it: {error}", venue, entry.sequence
                ) from error
            if tables is not None:
                tables.keep_up()
            yield entry

    engine.recover(entries())
    return Recovered(engine, readers, start)


def entries_after(journal: Journal, venue: str, after: int, progress: Progress = no_progress) -> Iterator[Entry]:
    """The venue's entries after the sequence ``after``, verified and decoded."""
    last = journal.last(venue)
    for sequence, body in journal.read(venue, after):
        if sequence % PROGRESS_ENTRIES == 0:
            progress(sequence, last)
        try:
            entry = decode(body)
        except msgspec.MsgspecError as error:
            raise DamagedJournal(f"the entry is none that this version knows: {error}", venue, sequence) from None
        yield entry
    progress(last, last)


def newest_states(journal: Journal, venue: str, snapshots: Snapshots, tables: Tables | None, count: int) -> list[State]:
    """``count`` equal states, sharing terms, from the newest snapshot that fits journal and tables; or empty ones.

    What had left a state must be in the tables: a snapshot of which they lack something would lose it.
    """
    for path in snapshots.paths():
        try:
            header = snapshots.header(path)
            if header.sequence > journal.last(venue):
                raise JournalError(f"{path} is newer than the journal")
            if journal.checksum(venue, header.sequence).hex() != header.checksum:
                raise JournalError(f"{path} is not of this journal")
            states = [State() for _ in range(count)]
            for record in snapshots.read(path):
                for state in states:
                    restore(state, record)
        except JournalError as error:
            _log.warning("a snapshot is passed over: %s", error)
            continue
        if tables is None or states[0].left_at <= tables.position:
            return states
        _log.warning("the snapshot %s is passed over: the tables lack what left before it", path)
    return [State() for _ in range(count)]


def open_tables(journal: Journal, venue: str, path: Path) -> Tables:
    """The venue's tables; begun anew if they hold anything that is not in this journal."""
    tables = Tables(path)
    if _belong(journal, venue, tables):
        return tables
    _log.warning("%s is not of this journal; it is made anew", path)
    tables.close()
    discard(path)
    return Tables(path)


def take_snapshot(journal: Journal, venue: str, snapshots: Snapshots, progress: Progress = no_progress) -> int:
    """Write a snapshot of the venue at the end of its journal; the sequence it is of. Reads only what is durable."""
    (state,) = newest_states(journal, venue, snapshots, None, 1)
    before = state.sequence
    readers = Readers(state)
    for entry in entries_after(journal, venue, before, progress):
        readers.commit(entry)
    if state.sequence > before:
        snapshots.write(state.sequence, journal.checksum(venue, state.sequence), dump(state))
    return state.sequence


def _belong(journal: Journal, venue: str, tables: Tables) -> bool:
    if tables.position > journal.last(venue):
        return False
    newest = tables.newest()
    if newest is None:
        return True
    entry = decode(journal.body(venue, newest.last))
    return order_key(newest.number) in entry.touched()
