"""What it leads to that something could not be recorded: a pause until it can be, or the end of the process.

    nothing was written (disk full, locked)   the venues stop, begin anew from what is durable once a probe could be
                                              written, and go on
    anything else                             what is on the disk or in memory is in doubt, and nothing tried again
                                              would prove anything: 503 for what is in flight, then exit

One committer serves all venues, so what stops one stops all. Reads go on until the end.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from typing import Any, Final

from tallystick.journal.committer import Committer
from tallystick.journal.errors import JournalError, wrote_nothing
from tallystick.sequencer import Sequencer

PROBE_SECONDS_MIN: Final = 0.1
PROBE_SECONDS_MAX: Final = 2.0
ANSWER_SECONDS: Final = 0.5
"""How long what is in flight has to hear of the end."""

_log = logging.getLogger(__name__)


class Outage:
    """Belongs to the event loop's thread. ``fatal`` is the error that ends the process, once there is one.

    ``end`` ends the process at once with an exit code: without closing the journal, which would write to it.
    """

    def __init__(
        self, committer: Committer[Any], sequencers: Sequence[Sequencer], end: Callable[[int], object]
    ) -> None:
        self.fatal: BaseException | None = None
        self._committer: Final = committer
        self._sequencers: Final = sequencers
        self._end: Final = end
        self._closing: Final = asyncio.Event()
        self._waiting: asyncio.Task[None] | None = None

    def begin(self, error: BaseException) -> None:
        """Something could not be recorded, told, or decided: stop every venue. May be called again meanwhile."""
        for sequencer in self._sequencers:
            sequencer.stop(error)
        if not wrote_nothing(error):
            self._give_up(error)
        elif self._waiting is None and self.fatal is None:
            _log.error("%s What was acknowledged is safe, reads go on, everything else is refused until then.", error)
            self._waiting = asyncio.get_running_loop().create_task(self._wait())

    async def close(self) -> None:
        """Wait no more."""
        self._closing.set()
        if self._waiting is not None:
            await self._waiting

    def end_if_fatal(self) -> None:
        """End the process, now, if what happened was more than a pause."""
        if self.fatal is not None:
            self._end(os.EX_IOERR if isinstance(self.fatal, JournalError) else os.EX_SOFTWARE)

    async def _wait(self) -> None:
        """Probe, ever less often, until the journal takes a write; begin anew then."""
        pause = PROBE_SECONDS_MIN
        while not (await self._closes_within(pause) or self.fatal is not None):
            pause = min(2 * pause, PROBE_SECONDS_MAX)
            if any(sequencer.uncommitted for sequencer in self._sequencers):
                continue  # the committer is still refusing, in order, what was put before the failure was known
            try:
                await asyncio.to_thread(self._committer.resume)
                self._reload()
                return
            except Exception as error:  # noqa: BLE001 - whatever else it is, it ends the process
                if not wrote_nothing(error):
                    self._give_up(error)

    def _reload(self) -> None:
        if self.fatal is not None:
            return
        self._waiting = None
        for sequencer in self._sequencers:
            sequencer.reload()
        _log.error("The journal can be written again; the venues go on.")

    async def _closes_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def _give_up(self, error: BaseException) -> None:
        if self.fatal is not None:
            return
        self.fatal = error
        if isinstance(error, JournalError):
            _log.critical("%s What was acknowledged is safe; this process ends.", error)
        else:
            _log.critical(
                "A fault in Tallystick: %r. What was acknowledged is safe; this process ends. "
                "Start it again, and report this:",
                error,
                exc_info=error,
            )
        asyncio.get_running_loop().call_later(ANSWER_SECONDS, self.end_if_fatal)
