"""Refusals that have left the state are in the tables, as they were; verify finds any that are not."""

from functools import cache

import pytest

from tallystick.facts.venue import encode
from tallystick.journal.record import Record
from tallystick.readers.readers import Readers
from tallystick.readers.tables import Tables
from tallystick.readers.verify_entries import EntryAudit
from tallystick.readers.verify_tables import TablesAudit
from tests.maintenance.folders import change
from tests.stage import BOB, SECOND, Stage


@cache
def refused_and_gone() -> Stage:
    stage = Stage(retain_us=10 * SECOND)
    for number in range(4):
        stage.buy("5000.00", client_key=f"k{number}", fingerprint="f")
    stage.wait(11)
    stage.buy("1.00", BOB)
    return stage


TABLES = {
    "nothing": ("SELECT 1", ""),
    "a refusal is missing": ("DELETE FROM refusals WHERE number = 2", "refusal 2, which left with entry"),
    "of another account": ("UPDATE refusals SET account = 9 WHERE number = 3", "refusal 3, which left with entry"),
    "under another key": ("UPDATE refusals SET client_key = 'x' WHERE number = 1", "refusal 1, which left"),
    "another answer": (
        "UPDATE refusals SET record = (SELECT record FROM refusals WHERE number = 3) WHERE number = 4",
        "refusal 4",
    ),
    "one too many": (
        "INSERT INTO refusals SELECT 9, account, 'k9', record FROM refusals WHERE number = 1",
        "they hold 0 orders, 0 trades, 5 refusals; 0, 0, 4 have left",
    ),
}


@pytest.mark.parametrize("case", TABLES)
def test_tables_that_do_not_hold_the_refusals_that_have_left(tmp_path, case):
    statement, reason = TABLES[case]
    tables = Tables(tmp_path / "t.db")
    readers = Readers(tables=tables)
    for entry in refused_and_gone().entries:
        readers.commit(entry)
    tables.close()
    change(tmp_path / "t.db", statement)
    found, taken = TablesAudit(tmp_path / "t.db"), EntryAudit("stage")
    for entry in refused_and_gone().entries:
        taken.take(Record(entry.sequence, 1, encode(entry), b""))
        found.take(taken.state)
    found.finish(taken.state.sequence)
    assert (reason in found.objection) if reason else found.objection == ""
