"""The data folder: one process at a time, and a secret that stays."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tallystick.journal.errors import FolderInUse, JournalUnavailable
from tallystick.journal.folder import DataFolder

HOLD = """
import sys
from tallystick.journal.folder import DataFolder
folder = DataFolder(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


def test_it_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "deep" / "data")
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    folder.release()


def test_a_second_process_is_refused_until_the_first_is_gone_even_by_kill(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(FolderInUse) as caught:
            DataFolder(tmp_path)
        holder.kill()
    assert caught.value.pid == holder.pid
    assert f"{tmp_path} is in use by process {holder.pid}. Stop it first" in str(caught.value)
    DataFolder(tmp_path).release()


def test_within_a_process_it_is_held_once_and_released(tmp_path: Path) -> None:
    first = DataFolder(tmp_path)
    with pytest.raises(FolderInUse) as caught:
        DataFolder(tmp_path)
    assert caught.value.pid == os.getpid()
    first.release()
    first.release()
    DataFolder(tmp_path).release()


def test_the_secret_is_made_once_and_kept(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    key = folder.secret_key()
    assert len(key) == 32
    assert folder.secret_key() == key
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600
    folder.release()
    again = DataFolder(tmp_path)
    assert again.secret_key() == key
    again.release()


def test_a_crash_while_the_secret_is_made_leaves_no_half_secret(tmp_path: Path) -> None:
    (tmp_path / "secret.key.new").write_bytes(b"half")
    folder = DataFolder(tmp_path)
    assert len(folder.secret_key()) == 32
    assert sorted(file.name for file in tmp_path.iterdir()) == ["lock", "secret.key"]
    folder.release()


def test_a_damaged_secret_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_bytes(b"short")
    folder = DataFolder(tmp_path)
    with pytest.raises(JournalUnavailable, match="restore it from a backup"):
        folder.secret_key()
    assert (tmp_path / "secret.key").read_bytes() == b"short"
    folder.release()
