"""A journal that any earlier version wrote is read by this one, and means the same."""

import json
import shutil
from pathlib import Path

import pytest

from tallystick.dialects.sophic.policy import Policy
from tallystick.dialects.sophic.rules import SophicRules
from tallystick.facts import venue
from tallystick.facts.venue import decode, encode
from tallystick.journal.record import Record
from tallystick.journal.sqlite import SqliteJournal
from tallystick.readers.recovery import entries_after
from tallystick.readers.verify_entries import EntryAudit
from tallystick.venue.calendar import FixedDelay
from tallystick.venue.engine import Engine
from tallystick.venue.fold import fold
from tallystick.venue.snapshot import state_hash
from tallystick.venue.state import State
from tests.golden.projection import projection
from tests.stage import ACME, SECOND

FOLDER = Path(__file__).parent
GOLDEN = sorted(path.stem for path in FOLDER.glob("*.json"))
NEWEST = GOLDEN[-1]


@pytest.fixture
def journal(request, tmp_path):
    shutil.copy(FOLDER / f"{request.param}.db", tmp_path / "journal.db")
    journal = SqliteJournal(tmp_path / "journal.db")
    yield journal, json.loads((FOLDER / f"{request.param}.json").read_text())
    journal.close()


def folded(journal, stream) -> State:
    state = State()
    for entry in entries_after(journal, stream, 0):
        fold(state, entry)
    return state


@pytest.mark.parametrize("journal", GOLDEN, indirect=True)
def test_it_means_what_it_meant(journal):
    journal, expected = journal
    for stream, meant in expected.items():
        state = folded(journal, stream)
        means = json.loads(json.dumps(projection(state)))
        assert {name: means[name] for name in meant["state"]} == meant["state"]


@pytest.mark.parametrize("journal", [NEWEST], indirect=True)
def test_the_newest_is_written_byte_for_byte_as_this_version_writes(journal):
    journal, expected = journal
    for stream, meant in expected.items():
        assert state_hash(folded(journal, stream)) == meant["hash"]
        for _, body in journal.read(stream):
            assert encode(decode(body)) == body


@pytest.mark.parametrize("journal", [NEWEST], indirect=True)
def test_the_newest_holds_every_kind_of_event(journal):
    journal, expected = journal
    seen = {type(event) for stream in expected for entry in entries_after(journal, stream, 0) for event in entry.events}
    assert seen == set(venue.VenueEvent.__args__)


@pytest.mark.parametrize("journal", GOLDEN, indirect=True)
def test_it_passes_the_audit_of_this_version(journal):
    journal, expected = journal
    for stream in expected:
        audit = EntryAudit(stream)
        for sequence, body in journal.read(stream):
            audit.take(Record(sequence, 1, body, b""))
            audit.look_at_everything()


@pytest.mark.parametrize("journal", GOLDEN, indirect=True)
def test_a_venue_goes_on_from_it_to_an_end(journal):
    journal, expected = journal
    stream = "operated" if "operated" in expected else "brokerage"
    engine = Engine(SophicRules(Policy(FixedDelay(0), prerequisite_us=SECOND)))
    engine.recover(entries_after(journal, stream, 0))
    engine.ambient.quote(ACME, 3_000, engine.state.time)
    while engine.next_due():
        engine.wake(engine.next_due())
    assert engine.state.sweeps == {}
    assert all(order.is_settled() for order in engine.state.orders.values())
