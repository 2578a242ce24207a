"""However a venue starts, from the beginning or from a snapshot, with its tables or without, it is where it was."""

import pytest

from tallystick.dialects.sophic.rules import SophicRules
from tallystick.facts.commands import NOTHING_KNOWN
from tallystick.facts.venue import encode
from tallystick.journal.memory import MemoryJournal
from tallystick.journal.port import Append
from tallystick.journal.snapshots import KEPT, Snapshots
from tallystick.readers.readers import Readers
from tallystick.readers.recovery import recover, take_snapshot
from tallystick.readers.tables import Tables
from tallystick.venue.fold import fold
from tallystick.venue.snapshot import state_hash
from tallystick.venue.state import State
from tests.maintenance.folders import POLICY, VENUE, life
from tests.naive import dump
from tests.stage import ALICE


@pytest.fixture(scope="module")
def entries():
    """A hundred orders of two customers, most of them long done at the end."""
    state = State()
    for entry in life():
        fold(state, entry)
    assert 0 < len(state.orders) < 60
    return life()


@pytest.fixture
def journal(entries):
    journal = MemoryJournal()
    journal.append([Append(VENUE, 0, [encode(entry) for entry in entries])])
    return journal


def shorter(journal, entries, length):
    """Another journal: the first ``length`` entries of it."""
    cut = MemoryJournal()
    cut.append([Append(VENUE, 0, [encode(entry) for entry in entries[:length]])])
    return cut


def everything(readers: Readers) -> dict:
    """All orders there ever were, in the state or in the tables, as values."""
    found = {}
    for number in range(1, readers.state.orders_made + 1):
        order, trades = readers.order(number)
        found[number] = (
            *(getattr(order, name) for name in ("terms", "status", "reserved", "placed", "updated", "last")),
            *(getattr(order.progress, name) for name in ("consumed", "released", "quantity", "notional", "fees")),
            [(trade.terms, trade.status, trade.settled) for trade in trades],
        )
    return found


@pytest.fixture
def whole(journal, entries, tmp_path):
    """What a start from the very beginning gives."""
    found = recover(journal, VENUE, SophicRules(POLICY), tables_path=tmp_path / "whole.db")
    yield found
    found.readers.tables.close()


def test_both_folds_are_the_same(whole):
    assert dump(whole.engine.state) == dump(whole.readers.state)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 1.0])
def test_from_a_snapshot_and_its_tables_it_is_the_same(share, journal, entries, whole, tmp_path):
    cut = int(len(entries) * share)
    snapshots, tables = Snapshots(tmp_path / "snapshots", VENUE), tmp_path / "t.db"
    earlier = shorter(journal, entries, cut)
    recover(earlier, VENUE, SophicRules(POLICY), tables_path=tables).readers.tables.close()
    assert take_snapshot(earlier, VENUE, snapshots) == cut
    found = recover(journal, VENUE, SophicRules(POLICY), snapshots, tables)
    assert found.snapshot == cut
    assert state_hash(found.engine.state) == state_hash(found.readers.state) == state_hash(whole.engine.state)
    assert everything(found.readers) == everything(whole.readers)
    assert found.engine.next_due() == whole.engine.next_due()
    found.readers.tables.close()


def test_without_tables_a_snapshot_is_passed_over_and_the_tables_are_made_anew(journal, whole, tmp_path, caplog):
    snapshots = Snapshots(tmp_path / "snapshots", VENUE)
    take_snapshot(journal, VENUE, snapshots)
    found = recover(journal, VENUE, SophicRules(POLICY), snapshots, tmp_path / "new.db")
    assert found.snapshot == 0
    assert "the tables lack what left before it" in caplog.text
    assert everything(found.readers) == everything(whole.readers)
    found.readers.tables.close()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-2],
        lambda data: data[: len(data) // 2],
        lambda data: b"not json\n" + data,
        lambda data: data.replace(b'"format":2', b'"format":9', 1),
        lambda data: data.replace(b"alice", b"alicf", 1),
        lambda data: data + data.splitlines(keepends=True)[-1],
    ],
)
def test_a_damaged_snapshot_is_passed_over_for_the_one_before(damage, journal, entries, whole, tmp_path, caplog):
    snapshots, tables = Snapshots(tmp_path / "snapshots", VENUE), tmp_path / "t.db"
    recover(journal, VENUE, SophicRules(POLICY), tables_path=tables).readers.tables.close()
    older = shorter(journal, entries, len(entries) // 2)
    take_snapshot(older, VENUE, snapshots)
    take_snapshot(journal, VENUE, snapshots)
    newest = snapshots.paths()[0]
    newest.write_bytes(damage(newest.read_bytes()))
    found = recover(journal, VENUE, SophicRules(POLICY), snapshots, tables)
    assert found.snapshot == len(entries) // 2
    assert "a snapshot is passed over" in caplog.text
    assert state_hash(found.engine.state) == state_hash(whole.engine.state)
    found.readers.tables.close()


def test_a_snapshot_of_another_journal_is_never_used(journal, entries, tmp_path, caplog):
    other = MemoryJournal()
    other.append([Append(VENUE, 0, [encode(entry) for entry in entries[:-1]]), Append("x", 0, [b"1"])])
    other.append([Append(VENUE, len(entries) - 1, [encode(entries[0])])])
    snapshots = Snapshots(tmp_path, VENUE)
    take_snapshot(journal, VENUE, snapshots)
    with pytest.raises(Exception, match="does not follow"):
        recover(other, VENUE, SophicRules(POLICY), snapshots)
    assert "is not of this journal" in caplog.text


def test_tables_of_another_journal_are_made_anew(journal, entries, whole, tmp_path, caplog):
    recover(journal, VENUE, SophicRules(POLICY), tables_path=tmp_path / "t.db").readers.tables.close()
    found = recover(shorter(journal, entries, 40), VENUE, SophicRules(POLICY), tables_path=tmp_path / "t.db")
    assert "is not of this journal" in caplog.text
    assert found.readers.tables.position <= 40
    found.readers.tables.close()


def test_a_file_that_is_no_table_is_made_anew(journal, whole, tmp_path, caplog):
    path = tmp_path / "t.db"
    path.write_bytes(b"anything" * 1000)
    found = recover(journal, VENUE, SophicRules(POLICY), tables_path=path)
    assert "it is made anew" in caplog.text
    assert everything(found.readers) == everything(whole.readers)
    found.readers.tables.close()


def test_only_the_newest_snapshots_are_kept(journal, entries, tmp_path):
    snapshots = Snapshots(tmp_path, VENUE)
    for length in (10, 20, 30, 40):
        take_snapshot(shorter(journal, entries, length), VENUE, snapshots)
    assert [path.name for path in snapshots.paths()] == [f"{VENUE}-{length:014d}.snapshot" for length in (40, 30)]
    assert len(snapshots.paths()) == KEPT


def test_lists_and_keys_reach_back_into_the_tables(whole):
    readers = whole.readers
    account = readers.state.accounts[ALICE]
    terms = {number: readers.order(number)[0].terms for number in range(1, readers.state.orders_made + 1)}
    mine = [number for number in sorted(terms, reverse=True) if terms[number].account == ALICE]
    assert readers.orders_before(account, 1 << 60, 1000) == mine
    for page in range(0, len(mine) - 7, 7):
        assert readers.orders_before(account, mine[page], 7) == mine[page + 1 : page + 8]
    for number in mine:
        if terms[number].client_key:
            assert readers.known(account, terms[number].client_key).order == number
    assert readers.known(account, "never") == NOTHING_KNOWN
    assert readers.order(10_000) is None


def test_what_left_is_found_before_and_after_it_is_written(entries, tmp_path):
    tables = Tables(tmp_path / "t.db")
    readers = Readers(tables=tables)
    for entry in entries:
        readers.commit(entry)
        for number in range(max(1, readers.state.orders_made - 20), readers.state.orders_made + 1):
            assert readers.order(number) is not None
    before = everything(readers)
    tables.close()
    again = Tables(tmp_path / "t.db")
    gone = set(before) - set(readers.state.orders)
    assert again.position == readers.state.left_at
    assert {number: again.order(number)[0].status for number in gone} == {number: before[number][1] for number in gone}
    again.close()
