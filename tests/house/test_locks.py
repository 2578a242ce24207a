"""The locks: every requirement is pinned and hashed, and the tests run on exactly what `make run` installs."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)(?: ; .+?)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")


def pins(name: str) -> dict[str, str]:
    """Package to version. Any other line than a pin or a hash (an option, an address, a path) fails."""
    found: dict[str, str] = {}
    for line in (ROOT / name).read_text().splitlines():
        if pin := PIN.match(line):
            found[pin[1]] = pin[2]
        else:
            assert HASH.match(line), f"{name} has a line that is neither a pin nor a hash: {line}"
    return found


def test_what_the_tests_need_contains_what_runs_in_the_same_versions() -> None:
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()


@pytest.mark.parametrize(("lock", "extra"), [("requirements.lock", None), ("requirements-dev.lock", "dev")])
def test_every_declared_requirement_is_locked(lock: str, extra: str | None) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = project["optional-dependencies"][extra] if extra else project["dependencies"]
    names = {re.match(r"[A-Za-z0-9-]+", requirement)[0].lower() for requirement in declared}  # type: ignore[index]
    assert names <= pins(lock).keys()
