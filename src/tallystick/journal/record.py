"""Framing: how one record of a stream lies in bytes, chained by checksum to the record before it.

A record is a header of 49 bytes, then its body. Numbers are big-endian:

    format  u8        1
    epoch   u32       the writer that wrote it
    sequence u64      1, 2, 3 … in its stream
    length  u32       bytes of body
    previous 16 bytes checksum of the record before it; GENESIS before the first
    checksum 16 bytes BLAKE2b-128 of all of the above and the body
"""

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from struct import Struct
from typing import Final

import msgspec

from tallystick.journal.errors import DamagedJournal, JournalError, NewerFormat

FORMAT: Final = 1
CHECKSUM_BYTES: Final = 16
GENESIS: Final = bytes(CHECKSUM_BYTES)
SEQUENCE_MAX: Final = 2**44 - 1

_COVERED: Final = Struct(">BIQI16s")
_COVERED_BYTES: Final = _COVERED.size
_HEADER: Final = Struct(f"{_COVERED.format}{CHECKSUM_BYTES}s")
HEADER_BYTES: Final = _HEADER.size


class Record(msgspec.Struct, frozen=True, gc=False):
    """One record as read back; ``checksum`` is what the next one carries as its previous."""

    sequence: int
    epoch: int
    body: bytes
    checksum: bytes


def frame(sequence: int, epoch: int, previous: bytes, body: bytes) -> tuple[bytes, bytes]:
    """The record's bytes, and its checksum."""
    covered = _COVERED.pack(FORMAT, epoch, sequence, len(body), previous)
    checksum = blake2b(covered + body, digest_size=CHECKSUM_BYTES).digest()
    return covered + checksum + body, checksum


def frames(first_sequence: int, epoch: int, previous: bytes, bodies: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The bytes of consecutive records, and the checksum of the last (``previous`` when there is none)."""
    pieces: list[bytes] = []
    for sequence, body in enumerate(bodies, first_sequence):
        piece, previous = frame(sequence, epoch, previous, body)
        pieces.append(piece)
    return b"".join(pieces), previous


def unframe(blob: bytes, sequence: int, previous: bytes | None, stream: str = "") -> Iterator[Record]:
    """The records of ``blob``, the first of which must be ``sequence`` and follow the checksum ``previous``.

    ``previous`` is None when the record before is not at hand: then the first record is taken at its word about it.
    Raises DamagedJournal, or NewerFormat, at the first record that is not what was written; those before it were.
    """
    offset = 0
    while offset < len(blob):
        body_at = offset + HEADER_BYTES
        if body_at > len(blob):
            raise DamagedJournal("its header is truncated", stream, sequence, offset)
        form, epoch, found, length, link, checksum = _HEADER.unpack_from(blob, offset)
        if form != FORMAT:
            raise _unknown_format(form, stream, sequence, offset)
        end = body_at + length
        if end > len(blob):
            raise DamagedJournal(f"it is truncated, {end - len(blob)} bytes are missing", stream, sequence, offset)
        body = blob[body_at:end]
        if blake2b(blob[offset : offset + _COVERED_BYTES] + body, digest_size=CHECKSUM_BYTES).digest() != checksum:
            raise DamagedJournal("its checksum does not match", stream, sequence, offset)
        # A checksum that matches means the record itself is whole, so what follows is about its place.
        if found != sequence:
            raise DamagedJournal(f"gap, record {found} stands in its place", stream, sequence, offset)
        if previous is not None and link != previous:
            raise DamagedJournal("the chain is broken, it does not follow the record before", stream, sequence, offset)
        yield Record(sequence, epoch, body, checksum)
        offset, sequence, previous = end, sequence + 1, checksum


def _unknown_format(form: int, stream: str, sequence: int, offset: int) -> JournalError:
    if form > FORMAT:
        return NewerFormat(f"Record {sequence} of stream {stream!r}", form, FORMAT)
    return DamagedJournal(f"format {form} never existed", stream, sequence, offset)
