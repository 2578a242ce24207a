"""Kills during start-up: a server is killed the moment something shows in its folder, before it listens."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from signal import SIGKILL
from typing import Final, NamedTuple

from tallystick.journal.faultpoint import VARIABLE
from tests.crash.books import require

DEADLINE_SECONDS: Final = 30
FRAME_BYTES: Final = 24 + 4096  # SQLite's write-ahead log: each page that a commit changes is one frame


class Starting:
    """A server process on ``data`` that has only just been spawned. Its words go to a file beside the folder.

    ``crash_at`` is a named fault point at which it kills itself.
    """

    def __init__(self, data: Path, *options: str, crash_at: str = "") -> None:
        self.data: Final = data
        self._log: Final = data.parent / f"{data.name}.starting.log"
        with self._log.open("wb") as log:
            self._process: Final = subprocess.Popen(
                [sys.executable, "-m", "tallystick", "serve", "--port", "0", "--data", str(data), *options],
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, VARIABLE: crash_at},
                start_new_session=True,
            )
        self._wal = self._stamp()
        self._wal_changes = 0

    def kill_when(self, reached: "Moment") -> None:
        """Look without a pause until the moment has come, then kill -9. Fault if the server ends by itself before."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        try:
            while not (reached.has_come(self) or self.listens()):
                require(self._process.poll() is None, "the server ended by itself", self._log.read_text())
                require(time.monotonic() < deadline, f"it never came to this: {reached.name}")
        finally:
            self._process.kill()
            self._process.wait()

    def dies(self) -> None:
        """Wait until it has killed itself. Fault if it ends in another way."""
        code = self._process.wait(DEADLINE_SECONDS)
        require(code == -SIGKILL, f"it ended with {code}", self._log.read_text())

    def listens(self) -> bool:
        """It has said where it can be found."""
        return b"Tallystick serves" in self._log.read_bytes()

    def holds_lock(self) -> bool:
        return self._content("lock").strip() == b"%d" % self._process.pid

    def exists(self, name: str) -> bool:
        return (self.data / name).exists()

    def frames(self) -> int:
        """Pages in the journal's write-ahead log, those of lives before included."""
        return self._stamp()[0] // FRAME_BYTES

    def writes(self) -> int:
        """How often the journal was seen to change since the process was spawned."""
        stamp = self._stamp()
        if stamp != self._wal:
            self._wal = stamp
            self._wal_changes += 1
        return self._wal_changes

    def _stamp(self) -> tuple[int, int]:
        try:
            found = (self.data / "journal.db-wal").stat()
        except FileNotFoundError:
            return 0, 0
        return found.st_size, found.st_mtime_ns

    def _content(self, name: str) -> bytes:
        try:
            return (self.data / name).read_bytes()
        except FileNotFoundError:
            return b""


class Moment(NamedTuple):
    """A condition in a starting server's folder. One that is never met counts as met once the server listens."""

    name: str
    has_come: Callable[[Starting], bool]


AT_ONCE: Final = Moment("at once", lambda _starting: True)
FOLDER: Final = Moment("its folder", lambda starting: starting.exists("."))
LOCKED: Final = Moment("its lock", lambda starting: starting.holds_lock())
SECRET: Final = Moment(
    "its secret", lambda starting: starting.exists("secret.key.new") or starting.exists("secret.key")
)
JOURNAL: Final = Moment("its journal", lambda starting: starting.exists("journal.db"))
LISTENS: Final = Moment("it listens", lambda starting: starting.listens())


def frames(count: int) -> Moment:
    return Moment(f"{count} frames of its journal", lambda starting: starting.frames() >= count)


def writes(count: int) -> Moment:
    return Moment(f"write {count} to its journal", lambda starting: starting.writes() >= count)


def moments(of_journal: Iterable[int]) -> list[Moment]:
    """From the first instant to the last; ``of_journal`` are the frames at which the demo world is interrupted."""
    return [AT_ONCE, FOLDER, LOCKED, SECRET, JOURNAL, *(frames(count) for count in of_journal), LISTENS]
