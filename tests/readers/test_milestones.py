"""Catching up from anywhere: an account's long chain of entries is walked in few steps, in either direction."""

import random
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.core.keys import EVERYTHING, account_key, market_key, order_key
from tallystick.facts.venue import Entry
from tallystick.readers.index import Index
from tallystick.readers.readers import Readers
from tallystick.venue.snapshot import load
from tallystick.venue.state import MILESTONE_ENTRIES
from tests.naive import through_bytes
from tests.stage import ACME, ALICE, BOB, WORLD_ACCOUNT, Stage

KEYS = [EVERYTHING, account_key(ALICE), account_key(BOB), account_key(WORLD_ACCOUNT), market_key(ACME), order_key(7)]


@cache
def history(length: int, seed: int = 3) -> list[Entry]:
    """So many entries, most of them about Alice, some about Bob, and some about both."""
    stage, chance = Stage(), random.Random(seed)
    stage._keep = lambda entry: stage.entries.append(entry) if entry is not None else None
    while len(stage.entries) < length:
        verb = chance.random()
        if verb < 0.6:
            stage.buy("0.10", ALICE if chance.random() < 0.9 else BOB)
        elif verb < 0.8:
            stage.sell("0.010", BOB)
        else:
            stage.quote(f"{chance.randint(20, 40)}.00")
            stage.wait(0.5)
    return stage.entries[:length]


class Counted:
    """An index over these entries that counts what it reads."""

    def __init__(self, entries: list[Entry], snapshot_at: int = 0) -> None:
        readers = Readers()
        for entry in entries[:snapshot_at]:
            readers.commit(entry)
        if snapshot_at:
            readers = Readers(load(through_bytes(readers.state)))
        for entry in entries[snapshot_at:]:
            readers.commit(entry)
        self.reads = 0
        self.entries = entries
        self.state = readers.state
        self.index = Index(readers, self._read)

    def _read(self, sequence: int) -> Entry:
        self.reads += 1
        return self.entries[sequence - 1]

    def after(self, key: int, after: int) -> list[int]:
        return [entry.sequence for entry in self.index.entries(key, after)]

    def before(self, key: int, before: int) -> list[int]:
        return [entry.sequence for entry in self.index.entries_before(key, before)]


def touching(entries, key) -> list[int]:
    return [entry.sequence for entry in entries if key == EVERYTHING or key in entry.touched()]


@cache
def long_one() -> Counted:
    return Counted(history(3_000))


def test_the_history_has_milestones_to_speak_of():
    accounts = long_one().state.accounts
    assert len(accounts[ALICE].milestones) > 3
    assert len(accounts[BOB].milestones) >= 1
    assert accounts[WORLD_ACCOUNT].milestones == []
    for account in accounts.values():
        assert account.touched == len(touching(history(3_000), account_key(account.number)))
        assert len(account.milestones) == account.touched // MILESTONE_ENTRIES


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(KEYS), st.integers(0, 3_100))
def test_from_anywhere_in_either_direction_it_finds_what_a_look_at_everything_finds(key, cut):
    found, right = long_one(), touching(history(3_000), key)
    assert found.after(key, cut) == [sequence for sequence in right if sequence > cut]
    assert found.before(key, cut) == [sequence for sequence in reversed(right) if sequence < cut]


@pytest.mark.parametrize("around", [-1, 0, 1])
def test_at_a_milestone_nothing_is_lost_or_doubled(around):
    found, key = long_one(), account_key(ALICE)
    right = touching(history(3_000), key)
    for milestone in found.state.accounts[ALICE].milestones:
        cut = milestone + around
        assert found.after(key, cut) == [sequence for sequence in right if sequence > cut]
        assert found.before(key, cut) == [sequence for sequence in reversed(right) if sequence < cut]


@pytest.mark.parametrize("length", [0, 1, 40, 600])
@pytest.mark.parametrize("seed", [1, 2])
def test_histories_of_any_length(length, seed):
    entries = history(length, seed)
    found = Counted(entries)
    for key in KEYS:
        right = touching(entries, key)
        for cut in range(0, length + 3, max(1, length // 40)):
            assert found.after(key, cut) == [sequence for sequence in right if sequence > cut]
            assert found.before(key, cut) == [sequence for sequence in reversed(right) if sequence < cut]


@pytest.mark.parametrize("snapshot_at", [1, 700, 1_999])
def test_a_start_from_a_snapshot_has_the_same_milestones(snapshot_at):
    entries = history(2_000)
    whole, again = Counted(entries), Counted(entries, snapshot_at)
    for number in (ALICE, BOB):
        assert again.state.accounts[number].milestones == whole.state.accounts[number].milestones
    assert again.after(account_key(ALICE), 900) == whole.after(account_key(ALICE), 900)


@pytest.mark.parametrize("cut", range(0, 3_000, 37))
def test_a_page_costs_little_wherever_it_begins(cut):
    """A page of 20 reads itself and at most the stretch between two milestones."""
    found, key = long_one(), account_key(ALICE)
    found.reads = 0
    page = [entry for entry, _ in zip(found.index.entries(key, cut), range(20), strict=False)]
    assert found.reads <= len(page) + 2 * MILESTONE_ENTRIES + 2
    found.reads = 0
    page = [entry for entry, _ in zip(found.index.entries_before(key, cut), range(20), strict=False)]
    assert found.reads <= len(page) + MILESTONE_ENTRIES + 2


def test_catching_up_on_everything_reads_each_entry_about_once():
    found, key = long_one(), account_key(ALICE)
    found.reads = 0
    caught = found.after(key, 0)
    assert found.reads <= len(caught) + len(found.state.accounts[ALICE].milestones) + 1
    found.reads = 0
    assert found.before(key, 10_000) == caught[::-1]
    assert found.reads == len(caught)


def test_a_time_is_found_by_halving():
    found, entries = long_one(), history(3_000)
    for entry in (entries[0], entries[1], entries[777], entries[-1]):
        for time, first in ((entry.time, entry.sequence), (entry.time + 1, entry.sequence + 1)):
            found.reads = 0
            assert found.index.since(time) == first
            assert found.reads <= 12
    assert found.index.since(0) == 1
    assert found.index.since(entries[-1].time + 10**9) == 3_001
