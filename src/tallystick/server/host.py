"""Everything one process serves, put together: a data folder, its journal, one committer, and the venues over them."""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from tallystick.core.clock import SLEW_DIVISOR
from tallystick.dialects.bluefin import sandbox as bluefin_sandbox
from tallystick.dialects.bluefin.policy import Policy as BluefinPolicy
from tallystick.dialects.bluefin.rules import BluefinRules
from tallystick.dialects.sophic import sandbox as sophic_sandbox
from tallystick.dialects.sophic.policy import Policy
from tallystick.dialects.sophic.rules import SophicRules
from tallystick.facts.commands import Answer, OpenVenue, Refused
from tallystick.facts.venue import Entry, decode, encode
from tallystick.journal.committer import Committer
from tallystick.journal.faultpoint import fault_point
from tallystick.journal.folder import JOURNAL_FILE, SECRET_FILE, SNAPSHOTS_FOLDER, DataFolder, tables_file
from tallystick.journal.snapshots import Snapshots
from tallystick.journal.snapshotter import Snapshotter
from tallystick.journal.sqlite import SqliteJournal
from tallystick.readers.index import Index
from tallystick.readers.recovery import Progress, Recovered, no_progress, recover
from tallystick.readers.tables import Tables
from tallystick.sequencer import Item, Sequencer
from tallystick.server.disk import LOW_BYTES, DiskSpace
from tallystick.server.outage import Outage
from tallystick.server.venue import HostedVenue
from tallystick.venue.engine import Rules
from tallystick.venue.prices import PriceSource
from tallystick.venue.state import State

SOPHIC: Final = "sophic"
BLUEFIN: Final = "bluefin"
RETAIN_US: Final = 600_000_000
AHEAD_US: Final = 60_000_000
"""A journal that is further ahead of the wall clock than this is told of at the start."""

_log = logging.getLogger(__name__)


class WrongSecret(Exception):
    """The folder's secret key is not the one that the journal's public ids were made with."""


class Host:
    """Owns what it opens, from construction to ``stop``. Raises FolderInUse, JournalError or WrongSecret.

    With fewer than ``disk_low_bytes`` free no new orders are taken. ``end`` ends the process with an exit code when it
    cannot go on (see Outage). A sandbox has a world of its own to begin with. ``bluefin`` is None where that venue is
    not served.
    """

    def __init__(
        self,
        data: Path,
        policy: Policy,
        prices: Mapping[str, PriceSource],
        progress: Progress = no_progress,
        disk_low_bytes: int = LOW_BYTES,
        end: Callable[[int], object] = os._exit,
        is_sandbox: bool = True,
        bluefin: BluefinPolicy | None = None,
    ) -> None:
        self._is_sandbox: Final = is_sandbox
        self._progress: Final = progress
        self._disk: Final = DiskSpace(data, disk_low_bytes)
        self._tables: Final[list[Tables]] = []
        self._in_snapshots = 0
        self._folder: Final = DataFolder(data)
        fault_point("start.after_lock")
        try:
            self.secret: Final = self._folder.secret_key()
            self.journal: Final = SqliteJournal(data / JOURNAL_FILE)
        except BaseException:
            self._folder.release()
            raise
        self._loop: asyncio.AbstractEventLoop | None = None
        self._committer: Final[Committer[Item]] = Committer(self.journal, _encode, self._durable, self._failed)
        self._sequencers: Final[list[Sequencer]] = []
        self._outage: Final = Outage(self._committer, self._sequencers, end)
        try:
            self.sophic: Final = self._open(SOPHIC, SophicRules(policy), prices)
            self.bluefin: Final = None if bluefin is None else self._open(BLUEFIN, BluefinRules(bluefin), {})
        except BaseException:
            self.close()
            raise
        self.venues: Final = {SOPHIC: self.sophic}
        if self.bluefin is not None:
            self.venues[BLUEFIN] = self.bluefin
        self._snapshotter: Final = Snapshotter(data, self._in_snapshots)

    async def start(self) -> None:
        """Open each venue that is new, give a sandbox its worlds, and begin."""
        self._loop = asyncio.get_running_loop()
        for name, venue in self.venues.items():
            if not venue.state.name:
                by = "sandbox" if self._is_sandbox else "server"
                await venue.ask(OpenVenue(name, _digest(self.secret), by, retain_us=RETAIN_US), _must)
            if self._is_sandbox:
                for command in _WORLDS[name](venue.state):
                    await venue.ask(command, _must)
            venue.start()
        self._snapshotter.note(self._entries())
        self._snapshotter.start()

    async def stop(self) -> None:
        """Commit and answer what was decided, then let go of everything."""
        await self._snapshotter.stop()
        await self._outage.close()
        for venue in self.venues.values():
            await venue.stop()
        for sequencer in self._sequencers:
            sequencer.close()
        await asyncio.to_thread(self._committer.close)
        await asyncio.sleep(0)  # what the committer handed over last is released before the journal closes
        self._outage.end_if_fatal()
        self.close()

    def index(self, venue: str) -> Index:
        """Entries of the venue by key, from its journal."""
        return Index(self.venues[venue].readers, lambda sequence: decode(self.journal.body(venue, sequence)))

    def _open(self, name: str, rules: Rules, prices: Mapping[str, PriceSource]) -> HostedVenue:
        began = time.monotonic()
        path = self._folder.path
        snapshots = Snapshots(path / SNAPSHOTS_FOLDER, name)
        found = recover(self.journal, name, rules, snapshots, path / tables_file(name), self._progress)
        if found.readers.tables is not None:
            self._tables.append(found.readers.tables)
        if found.readers.state.name and found.readers.state.key_check != _digest(self.secret):
            raise WrongSecret(
                f"{path / SECRET_FILE} does not belong to this journal: restore the one it was saved with."
            )
        self._in_snapshots += found.snapshot
        self._say_recovered(name, found, time.monotonic() - began)
        _say_ahead(name, found.readers.state.time - time.time_ns() // 1000)
        fault_point("start.after_recover")
        sequencer = Sequencer(name, found.engine, found.readers, self._committer, self._outage.begin)
        self._sequencers.append(sequencer)
        return HostedVenue(sequencer, prices, self._disk)

    def _say_recovered(self, name: str, found: Recovered, seconds: float) -> None:
        """Which entry was the last whole one: a commit that was torn leaves no trace but its absence."""
        _log.info(
            "recovered: %s at entry %d, epoch %d, from snapshot %d, in %.2f s",
            name,
            found.readers.state.sequence,
            self.journal.epoch,
            found.snapshot,
            seconds,
        )

    def close(self) -> None:
        """Let go of everything without ado; harmless after ``stop``."""
        self._committer.close()
        for tables in self._tables:
            tables.close()
        self._tables.clear()
        self.journal.close()
        self._folder.release()

    def _durable(self, items: Sequence[Item]) -> None:
        self._on_loop(self._release, items)

    def _failed(self, error: Exception, items: Sequence[Item]) -> None:
        self._on_loop(self._fail, error, items)

    def _on_loop(self, call: Callable[..., None], *arguments: Any) -> None:
        """From the committer's thread. When the loop is gone, whoever would have been told is gone too."""
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(call, *arguments)

    def _release(self, items: Sequence[Item]) -> None:
        if self._outage.fatal is not None:
            self._fail(self._outage.fatal, items)
            return
        released, half = 0, len(items) // 2
        fault_point("release.before")
        try:
            for item in items:
                if released == half:
                    fault_point("release.middle")
                item.durable()
                released += 1
        except Exception as error:  # noqa: BLE001 - the readers' state may be half changed: nothing more is revealed
            self._fail(error, items[released:])
        self._snapshotter.note(self._entries())

    def _entries(self) -> int:
        """How many entries are durable, of all venues together."""
        return sum(venue.state.sequence for venue in self.venues.values())

    def _fail(self, error: BaseException, items: Sequence[Item]) -> None:
        for item in items:
            item.failed(error)
        self._outage.begin(error)


_WORLDS: Final[Mapping[str, Callable[[State], Iterator[Any]]]] = {
    SOPHIC: sophic_sandbox.missing_commands,
    BLUEFIN: bluefin_sandbox.missing_commands,
}


def _encode(entry: object) -> bytes:
    assert isinstance(entry, Entry)
    return encode(entry)


def _say_ahead(name: str, ahead_us: int) -> None:
    """What core.clock makes of a wall clock that was set back, or of a sandbox's that was advanced."""
    if ahead_us > AHEAD_US:
        seconds = ahead_us // 1_000_000
        _log.warning(
            "the journal of %s is %d s ahead of the wall clock. Venue time never goes back: it runs on at nine tenths "
            "of the speed until the wall clock has caught up, in about %d s. If the wall clock is wrong, stop the "
            "server and set it right.",
            name,
            seconds,
            seconds * SLEW_DIVISOR,
        )


def _must(answer: Answer, _state: State) -> None:
    if isinstance(answer, Refused):
        raise RuntimeError(f"the venue could not be set up: {answer.detail}")


def _digest(secret: bytes) -> str:
    return blake2b(secret, digest_size=8, person=b"key check").hexdigest()
