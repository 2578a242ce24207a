"""Snapshots written while a server or a client runs: in a process of their own, one at a time, so that no loop waits.

The process only reads the journal, at a low priority; what it fails at costs the next start time and nothing else.
"""

import asyncio
import logging
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

ENTRIES_BETWEEN: Final = 200_000
STOP_SECONDS: Final = 5.0

_log = logging.getLogger(__name__)


def snapshot_command(data: Path) -> list[str]:
    """What writes a snapshot of each stream in ``data``."""
    return [sys.executable, "-m", "tallystick", "journal", "snapshot", "--data", str(data), "--nice"]


class Snapshotter:
    """Counts a journal's entries, those of all its venues together; ``newest`` is how many the snapshots cover.

    Everything here runs on one event loop's thread.
    """

    def __init__(
        self, data: Path, newest: int, entries_between: int = ENTRIES_BETWEEN, command: Sequence[str] = ()
    ) -> None:
        self._command: Final = tuple(command or snapshot_command(data))
        self._between: Final = entries_between
        self._begun_at = newest
        self._noted = newest
        self._started = False
        self._task: asyncio.Task[None] | None = None

    @property
    def is_writing(self) -> bool:
        """A process is at work."""
        return self._task is not None

    def start(self) -> None:
        """Begin; at once with a snapshot, if what was noted so far is that much."""
        self._started = True
        self.note(self._noted)

    def note(self, entries: int) -> None:
        """So many entries are durable now. Cheap, and to be called for each batch."""
        self._noted = entries
        if entries - self._begun_at >= self._between and self._task is None and self._started:
            self._begun_at = entries
            self._task = asyncio.get_running_loop().create_task(self._write())

    async def stop(self) -> None:
        """Begin no more, and end the process that may be at work: what it wrote is there whole or not at all."""
        self._started = False
        task = self._task
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _write(self) -> None:
        try:
            process = await asyncio.create_subprocess_exec(*self._command, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE)
            try:
                _, said = await process.communicate()
            finally:
                await _end(process)
            if process.returncode:
                _log.error("no snapshot, exit code %s: %s", process.returncode, said.decode(errors="replace").strip())
        except OSError as error:
            _log.error("no snapshot, its process could not be started: %s", error)
        finally:
            self._task = None
        self.note(self._noted)  # so many may have come meanwhile that the next is due


async def _end(process: Process) -> None:
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
