"""A journal that any earlier version wrote is read by this one, and means the same."""

import json
import shutil
from pathlib import Path

import pytest

from tallystick.facts import venue
from tallystick.facts.venue import decode, encode
from tallystick.journal.sqlite import SqliteJournal
from tallystick.readers.recovery import entries_after
from tallystick.venue.fold import fold
from tallystick.venue.snapshot import state_hash
from tallystick.venue.state import State
from tests.golden.projection import projection

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
        assert json.loads(json.dumps(projection(state))) == meant["state"]


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
