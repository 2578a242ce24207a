"""The low-water mark of the disk: looked at now and then, and said when it changes."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from tallystick.server import disk as disk_room
from tallystick.server.disk import CHECK_SECONDS, DiskSpace


class Machine:
    """A clock and a disk with blocks of 4 KiB."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.free = 100 << 20
        self.looks = 0
        monkeypatch.setattr(disk_room.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(os, "statvfs", self._statvfs)

    def _statvfs(self, _path: Path) -> SimpleNamespace:
        self.looks += 1
        return SimpleNamespace(f_bavail=self.free >> 12, f_frsize=4096)


def test_it_looks_at_most_once_a_second_and_speaks_when_it_changes(monkeypatch, tmp_path, caplog):
    machine = Machine(monkeypatch)
    space = DiskSpace(tmp_path, 64 << 20)
    assert [space.is_low() for _ in range(3)] == [False] * 3
    machine.free = 63 << 20
    assert (space.is_low(), machine.looks) == (False, 1)
    machine.now += CHECK_SECONDS
    assert [space.is_low() for _ in range(3)] == [True] * 3
    machine.free = 64 << 20
    machine.now += CHECK_SECONDS
    assert (space.is_low(), machine.looks) == (False, 3)
    assert [record.getMessage().split(": ")[1] for record in caplog.records] == [
        "no new orders are taken until there is more.",
        "orders are taken again.",
    ]


def test_without_a_mark_it_never_looks(monkeypatch, tmp_path):
    machine = Machine(monkeypatch)
    assert not DiskSpace(tmp_path, 0).is_low()
    assert machine.looks == 0
