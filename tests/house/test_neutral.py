"""The repository speaks of itself alone: no file names a package registry's host or a directory of one machine."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = {".git", ".venv", "build", "data", "dist", "__pycache__"}

# Split, so that this file does not name them either.
FOREIGN = [
    "pypi" + ".org",
    "python" + "hosted",
    "registry." + "npmjs",
    "/" + "root/",
    "/" + "work/",
    "/" + "home/",
    "/opt/" + "pypi",
]


def files(root: Path) -> list[Path]:
    """Every file that is or would be committed; without git or its index, every file that is not made by a command."""
    listing = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        named = subprocess.run(listing, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return list(_walk(root))
    return [path for name in named.split(b"\0") if name and (path := root / os.fsdecode(name)).is_file()]


def _walk(root: Path) -> list[Path]:
    found: list[Path] = []
    for directory, below, names in os.walk(root):
        below[:] = [name for name in below if name not in NOT_OURS and not name.endswith("_cache")]
        found += [Path(directory) / name for name in names]
    return found


def mentions(root: Path) -> list[str]:
    """``file names what`` for each foreign name in each file, binary files included."""
    found: list[str] = []
    for path in files(root):
        content = path.read_bytes()
        found += [f"{path.relative_to(root)} names {name}" for name in FOREIGN if name.encode() in content]
    return found


def test_no_file_names_a_registry_or_a_directory_of_a_machine() -> None:
    assert mentions(ROOT) == []


@pytest.mark.parametrize("name", FOREIGN)
def test_a_file_that_names_one_is_found(tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.txt").write_text(f"see {name}simple\n")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "pip.conf").write_text(name)

    assert mentions(tmp_path) == [f"notes.txt names {name}"]
