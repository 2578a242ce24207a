"""Routing and catching up: a subscriber sees each entry of its keys once, in order, and no other."""

import pytest

from tallystick.core.keys import EVERYTHING, account_key, market_key, order_key
from tallystick.readers.index import Index
from tallystick.readers.readers import Readers
from tests.stage import ACME, ALICE, BOB, WORLD_ACCOUNT, Stage


@pytest.fixture(scope="module")
def entries():
    stage = Stage()
    stage.quote("30.00")
    stage.buy("100.00")
    stage.sell("2.00", account=BOB)
    stage.wait(1)
    stage.buy("50.00", account=BOB)
    stage.wait(30)
    return stage.entries


def touching(entries, key):
    return [entry.sequence for entry in entries if key == EVERYTHING or key in entry.touched()]


KEYS = [
    EVERYTHING,
    account_key(ALICE),
    account_key(BOB),
    account_key(WORLD_ACCOUNT),
    order_key(1),
    order_key(3),
    market_key(ACME),
    order_key(99),
]


@pytest.mark.parametrize("key", KEYS)
def test_live_each_entry_of_the_key_once_with_the_state_after_it(entries, key):
    readers, heard = Readers(), []
    readers.dispatcher.subscribe((key,), lambda entry, state: heard.append((entry.sequence, state.sequence)))
    for entry in entries:
        readers.commit(entry)
    assert heard == [(sequence, sequence) for sequence in touching(entries, key)]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("after", [0, 5, 12, 10_000])
def test_catching_up_finds_the_same_entries_by_the_links(entries, key, after):
    readers = Readers()
    for entry in entries:
        readers.commit(entry)
    index = Index(readers, lambda sequence: entries[sequence - 1])
    expected = [sequence for sequence in touching(entries, key) if sequence > after]
    assert [entry.sequence for entry in index.entries(key, after)] == expected


def test_catching_up_reads_only_the_entries_of_its_key(entries):
    readers, read = Readers(), []
    for entry in entries:
        readers.commit(entry)

    def entry_at(sequence):
        read.append(sequence)
        return entries[sequence - 1]

    list(Index(readers, entry_at).entries(order_key(1)))
    assert sorted(read) == touching(entries, order_key(1))


def test_catching_up_and_then_listening_leaves_no_gap_and_no_double(entries):
    for cut in range(len(entries) + 1):
        readers, heard = Readers(), []
        for entry in entries[:cut]:
            readers.commit(entry)
        key = account_key(BOB)
        index = Index(readers, lambda sequence: entries[sequence - 1])
        heard += [entry.sequence for entry in index.entries(key)]
        readers.dispatcher.subscribe((key,), lambda entry, _, heard=heard: heard.append(entry.sequence))
        for entry in entries[cut:]:
            readers.commit(entry)
        assert heard == touching(entries, key)


def test_a_subscription_to_several_keys_of_an_entry_hears_it_once(entries):
    readers, heard = Readers(), []
    keys = (account_key(ALICE), order_key(1), market_key(ACME), EVERYTHING)
    subscription = readers.dispatcher.subscribe(keys, lambda entry, _: heard.append(entry.sequence))
    for entry in entries[:12]:
        readers.commit(entry)
    subscription.cancel()
    subscription.cancel()
    for entry in entries[12:]:
        readers.commit(entry)
    assert heard == [entry.sequence for entry in entries[:12]]


def test_a_listener_that_raises_is_reported_and_does_not_stop_the_others(entries, caplog):
    readers, heard = Readers(), []

    def broken(entry, state):
        raise ValueError("of its own making")

    readers.dispatcher.subscribe((EVERYTHING,), broken)
    readers.dispatcher.subscribe((EVERYTHING,), lambda entry, _: heard.append(entry.sequence))
    for entry in entries:
        readers.commit(entry)
    assert heard == touching(entries, EVERYTHING)
    assert caplog.text.count("a listener failed") == 1
