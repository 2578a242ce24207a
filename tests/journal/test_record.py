"""Framing: every way in which stored bytes can stop being what was written is noticed, and said where."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.journal.errors import DamagedJournal, JournalError, NewerFormat
from tallystick.journal.record import GENESIS, HEADER_BYTES, frame, frames, unframe

EPOCH = 7
BODIES = [b'{"order":1}', b"", b'{"order":2,"fill":3}']


def test_what_is_framed_is_read_back_and_continues_the_chain() -> None:
    blob, last = frames(5, EPOCH, b"p" * 16, BODIES)
    records = list(unframe(blob, 5, b"p" * 16))
    assert [(record.sequence, record.epoch, record.body) for record in records] == [
        (5, EPOCH, BODIES[0]),
        (6, EPOCH, BODIES[1]),
        (7, EPOCH, BODIES[2]),
    ]
    assert records[-1].checksum == last


@given(st.lists(st.binary(max_size=40), max_size=8), st.integers(1, 2**44), st.integers(0, 2**32 - 1))
def test_any_bodies_survive_framing_at_any_sequence_and_epoch(bodies: list[bytes], first: int, epoch: int) -> None:
    blob, _ = frames(first, epoch, GENESIS, bodies)
    assert [record.body for record in unframe(blob, first, GENESIS)] == bodies


def test_the_layout_is_the_one_old_journals_have() -> None:
    record, checksum = frame(1, 2, GENESIS, b"abc")
    assert record.hex() == ("0100000002000000000000000100000003" + "00" * 16 + "1d21f6acc3cb75c50c7e36d40e289687616263")
    assert checksum.hex() in record.hex()


def test_every_truncation_of_the_last_record_is_detected_and_the_records_before_it_are_given() -> None:
    whole, _ = frames(1, EPOCH, GENESIS, BODIES)
    start = len(whole) - len(BODIES[-1]) - HEADER_BYTES
    for end in range(start + 1, len(whole)):
        seen: list[int] = []
        with pytest.raises(DamagedJournal, match="truncated") as caught:
            seen.extend(record.sequence for record in unframe(whole[:end], 1, GENESIS, "sophic"))
        assert (caught.value.stream, caught.value.sequence, caught.value.offset) == ("sophic", 3, start)


def test_every_flipped_bit_is_detected() -> None:
    whole, _ = frames(1, EPOCH, GENESIS, BODIES)
    for bit in range(len(whole) * 8):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(JournalError):
            list(unframe(bytes(flipped), 1, GENESIS))


def test_a_record_in_the_place_of_another_is_a_gap() -> None:
    blob, _ = frames(3, EPOCH, GENESIS, BODIES)
    with pytest.raises(DamagedJournal, match="gap, record 3 stands in its place"):
        list(unframe(blob, 2, GENESIS))


def test_a_record_that_follows_another_history_breaks_the_chain() -> None:
    blob, _ = frames(2, EPOCH, b"a" * 16, BODIES)
    with pytest.raises(DamagedJournal, match="chain"):
        list(unframe(blob, 2, b"b" * 16))


def test_inside_a_batch_the_chain_holds_even_when_what_came_before_is_unknown() -> None:
    first, _ = frame(2, EPOCH, GENESIS, b"first")
    stranger, _ = frame(3, EPOCH, GENESIS, b"does not follow first")
    assert [record.body for record in unframe(first, 2, None)] == [b"first"]
    with pytest.raises(DamagedJournal, match="chain"):
        list(unframe(first + stranger, 2, None))


def test_a_record_of_a_newer_version_is_refused_as_such() -> None:
    record, _ = frame(1, EPOCH, GENESIS, b"body")
    with pytest.raises(NewerFormat, match="written by a newer version"):
        list(unframe(b"\x02" + record[1:], 1, GENESIS))
