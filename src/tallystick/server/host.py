"""Everything one process serves, put together: a data folder, its journal, one committer, and the venues over them."""

import asyncio
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Final

from tallystick.dialects.sophic.rules import Policy, SophicRules
from tallystick.dialects.sophic.sandbox import missing_commands
from tallystick.facts.commands import Answer, OpenVenue, Refused
from tallystick.facts.venue import Entry, decode, encode
from tallystick.journal.committer import Committer
from tallystick.journal.folder import DataFolder
from tallystick.journal.snapshots import Snapshots
from tallystick.journal.sqlite import SqliteJournal
from tallystick.readers.index import Index
from tallystick.readers.recovery import Progress, no_progress, recover
from tallystick.readers.tables import Tables
from tallystick.sequencer import Item, Sequencer
from tallystick.server.venue import HostedVenue
from tallystick.venue.engine import Rules
from tallystick.venue.prices import PriceSource
from tallystick.venue.state import State

SOPHIC: Final = "sophic"
JOURNAL_FILE: Final = "journal.db"
SNAPSHOTS_FOLDER: Final = "snapshots"
RETAIN_US: Final = 600_000_000


class WrongSecret(Exception):
    """The folder's secret key is not the one that the journal's public ids were made with."""


class Host:
    """Owns what it opens, from construction to ``stop``. Raises FolderInUse, JournalError or WrongSecret."""

    def __init__(
        self, data: Path, policy: Policy, prices: Mapping[str, PriceSource], progress: Progress = no_progress
    ) -> None:
        self._progress: Final = progress
        self._tables: Final[list[Tables]] = []
        self._folder: Final = DataFolder(data)
        try:
            self.secret: Final = self._folder.secret_key()
            self.journal: Final = SqliteJournal(data / JOURNAL_FILE)
        except BaseException:
            self._folder.release()
            raise
        self._loop: asyncio.AbstractEventLoop | None = None
        self._committer: Final[Committer[Item]] = Committer(self.journal, _encode, self._durable, self._failed)
        try:
            self.sophic: Final = self._open(SOPHIC, SophicRules(policy), prices)
        except BaseException:
            self.close()
            raise
        self.venues: Final = {SOPHIC: self.sophic}

    async def start(self) -> None:
        """Open the venue if it is new, give it the sandbox's world, and begin."""
        self._loop = asyncio.get_running_loop()
        state = self.sophic.state
        if not state.name:
            await self.sophic.ask(OpenVenue(SOPHIC, _digest(self.secret), "sandbox", retain_us=RETAIN_US), _must)
        for command in missing_commands(state):
            await self.sophic.ask(command, _must)
        self.sophic.start()

    async def stop(self) -> None:
        """Commit and answer what was decided, then let go of everything."""
        await self.sophic.stop()
        await asyncio.to_thread(self._committer.close)
        await asyncio.sleep(0)  # what the committer handed over last is released before the journal closes
        self.close()

    def index(self, venue: str) -> Index:
        """Entries of the venue by key, from its journal."""
        return Index(self.venues[venue].state, lambda sequence: decode(self.journal.body(venue, sequence)))

    def _open(self, name: str, rules: Rules, prices: Mapping[str, PriceSource]) -> HostedVenue:
        path = self._folder.path
        snapshots = Snapshots(path / SNAPSHOTS_FOLDER, name)
        found = recover(self.journal, name, rules, snapshots, path / f"{name}.tables.db", self._progress)
        if found.readers.tables is not None:
            self._tables.append(found.readers.tables)
        if found.readers.state.name and found.readers.state.key_check != _digest(self.secret):
            raise WrongSecret(f"{path}/secret.key does not belong to this journal: restore the one it was saved with.")
        return HostedVenue(Sequencer(name, found.engine, found.readers, self._committer), prices)

    def close(self) -> None:
        """Let go of everything without ado; harmless after ``stop``."""
        self._committer.close()
        for tables in self._tables:
            tables.close()
        self._tables.clear()
        self.journal.close()
        self._folder.release()

    def _durable(self, items: Sequence[Item]) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(_release, items)

    def _failed(self, error: Exception, items: Sequence[Item]) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(_fail, error, items)


def _encode(entry: object) -> bytes:
    assert isinstance(entry, Entry)
    return encode(entry)


def _release(items: Sequence[Item]) -> None:
    for item in items:
        item.durable()


def _fail(error: Exception, items: Sequence[Item]) -> None:
    for item in items:
        item.failed(error)


def _must(answer: Answer, _state: State) -> None:
    if isinstance(answer, Refused):
        raise RuntimeError(f"the venue could not be set up: {answer.detail}")


def _digest(secret: bytes) -> str:
    return blake2b(secret, digest_size=8, person=b"key check").hexdigest()
