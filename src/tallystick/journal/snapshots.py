"""Snapshots: a venue's or a client's state after one entry, in a file beside the journal, to start from.

A start then folds only what came later. A file is lines of JSON: a header, one record a line, a trailer with their
number and digest. It is written beside its place, flushed and renamed, so it is there whole or not at all. The header
carries the checksum of the journal's record at that sequence: a snapshot that does not belong to the journal beside it
is never used.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from tallystick.facts import records
from tallystick.journal.errors import DamagedSnapshot
from tallystick.journal.faultpoint import fault_point
from tallystick.journal.folder import sync_folder

FORMAT: Final = 2
KEPT: Final = 2
DIGEST_BYTES: Final = 16
_DIGITS: Final = 14


class Header(Struct, frozen=True):
    """``checksum`` is the journal record's at ``sequence``, in hexadecimal."""

    format: int
    venue: str
    sequence: int
    checksum: str


class Trailer(Struct, frozen=True):
    records: int
    digest: str


class Snapshots:
    """The snapshots of one venue in ``folder``, which is made when the first is written. ``decode`` reads a record."""

    def __init__(self, folder: Path, venue: str, decode: Callable[[bytes], Any] = records.decode) -> None:
        self._folder: Final = folder
        self._venue: Final = venue
        self._decode: Final = decode

    def paths(self) -> list[Path]:
        """The files there are, newest first."""
        return sorted(self._folder.glob(f"{self._venue}-{'[0-9]' * _DIGITS}.snapshot"), reverse=True)

    def newest(self) -> int:
        """The sequence of the newest file there is, whole or not; 0 for none."""
        paths = self.paths()
        return int(paths[0].stem[-_DIGITS:]) if paths else 0

    def write(self, sequence: int, checksum: bytes, state_records: Iterable[Any]) -> Path:
        """Make ``state_records``, the state after the entry ``sequence``, a durable file; keep the newest few."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path = self._folder / f"{self._venue}-{sequence:0{_DIGITS}d}.snapshot"
        beside = path.with_suffix(".new")
        try:
            self._write(beside, Header(FORMAT, self._venue, sequence, checksum.hex()), state_records)
        except BaseException:
            beside.unlink(missing_ok=True)  # on a full disk it would take the room that others wait for
            raise
        fault_point("snapshot.before_rename")
        beside.rename(path)
        fault_point("snapshot.after_rename")
        sync_folder(self._folder)
        for old in self.paths()[KEPT:]:
            old.unlink()
        return path

    def _write(self, path: Path, header: Header, state_records: Iterable[Any]) -> None:
        digest, count = blake2b(digest_size=DIGEST_BYTES), 0
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.encode(header) + b"\n")
            for record in state_records:
                line = records.encode(record) + b"\n"
                digest.update(line)
                file.write(line)
                count += 1
            file.write(msgspec.json.encode(Trailer(count, digest.hexdigest())) + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def header(self, path: Path) -> Header:
        """The file's header, to be checked against the journal. Raises DamagedSnapshot."""
        try:
            with path.open("rb") as file:
                header = msgspec.json.decode(file.readline(), type=Header)
        except (OSError, msgspec.MsgspecError) as error:
            raise DamagedSnapshot(f"{path} has no header that can be read: {error}") from None
        if header.format != FORMAT or header.venue != self._venue:
            raise DamagedSnapshot(f"{path} is of format {header.format} and of venue {header.venue!r}")
        return header

    def read(self, path: Path) -> Iterator[Any]:
        """The records of a file that has first been read through and found whole. Raises DamagedSnapshot."""
        self._verify(path)
        with path.open("rb") as file:
            file.readline()
            line = file.readline()
            for following in file:
                yield self._decode(line)
                line = following

    def _verify(self, path: Path) -> None:
        digest, count, last = blake2b(digest_size=DIGEST_BYTES), -1, b""
        with path.open("rb") as file:
            file.readline()
            for line in file:
                if count >= 0:
                    digest.update(last)
                last = line
                count += 1
        try:
            trailer = msgspec.json.decode(last, type=Trailer)
        except msgspec.MsgspecError:
            raise DamagedSnapshot(f"{path} has no end") from None
        if (trailer.records, trailer.digest) != (count, digest.hexdigest()):
            raise DamagedSnapshot(f"{path} is not what was written: its digest does not match")
