"""Changes to the file, many in one transaction: whatever is pending is written the moment the last commit returned.

While the file cannot be written (a full disk), the same changes are tried again until it can: what was sent and not
recorded would be sent once more, so nothing goes on before it is.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any, Final, TypeVar

import apsw

from tallystick.deliver.book import Book

CHANGES_MAX: Final = 4096
"""In one transaction."""
GAP_SECONDS: Final = 0.001
"""Between two, so that other processes get at the file."""
RETRY_SECONDS: Final = 1.0
UNRECORDED: Final = "unrecorded"
STOPPED: Final = "stopped"

T = TypeVar("T")
Change = Callable[[apsw.Connection], T]

_log = logging.getLogger(__name__)


class Recorder:
    """A thread of its own writes; results arrive on the event loop that it was made on."""

    def __init__(self, book: Book) -> None:
        self._book: Final = book
        self._loop: Final = asyncio.get_running_loop()
        self._queue: Final[SimpleQueue[tuple[Change[Any], asyncio.Future[Any]] | None]] = SimpleQueue()
        self._closing: Final = Event()
        self._is_lost = False
        self._thread: Final = Thread(target=self._run, name="deliveries", daemon=True)
        self._thread.start()

    @property
    def trouble(self) -> str:
        """``unrecorded`` while the file cannot be written, ``stopped`` once nothing is any more; "" if all is well."""
        if self._is_lost:
            return UNRECORDED
        return "" if self._thread.is_alive() else STOPPED

    def do(self, change: Change[T]) -> "asyncio.Future[T]":
        """What the change returned, once it is durable; or what it raised, and then nothing of it was done.

        A change looks before it writes: what it raises must come before its first statement that changes something.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.put((change, future))
        return future

    def close(self) -> None:
        """Record what was asked for, if that is possible, then end the thread."""
        self._closing.set()
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        is_last = False
        while not is_last:
            batch = [self._queue.get()]
            while not self._queue.empty() and len(batch) < CHANGES_MAX:
                batch.append(self._queue.get())
            is_last = None in batch
            work = [each for each in batch if each is not None]
            if work:
                self._commit(work)
                self._closing.wait(GAP_SECONDS)

    def _commit(self, work: list[tuple[Change[Any], asyncio.Future[Any]]]) -> None:
        while True:
            try:
                results = self._book.change(lambda connection: [_result(change, connection) for change, _ in work])
            except apsw.Error as error:
                if not self._is_lost:
                    _log.error("deliveries cannot be recorded, and none are made: %s", error)
                self._is_lost = True
                if self._closing.wait(RETRY_SECONDS):
                    return
            else:
                if self._is_lost:
                    _log.warning("deliveries are recorded again")
                self._is_lost = False
                with suppress(RuntimeError):  # the loop is gone, and with it whoever would have been told
                    self._loop.call_soon_threadsafe(_tell, work, results)
                return


class _Raised:
    """What a change raised instead of a result."""

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error: Final = error


def _result(change: Change[Any], connection: apsw.Connection) -> Any:
    try:
        return change(connection)
    except apsw.Error:
        raise
    except Exception as error:  # noqa: BLE001 - it is of whoever asked for the change, and raised there
        return _Raised(error)


def _tell(work: list[tuple[Change[Any], "asyncio.Future[Any]"]], results: list[Any]) -> None:
    for (_, future), result in zip(work, results, strict=True):
        if future.done():
            continue
        if isinstance(result, _Raised):
            future.set_exception(result.error)
        else:
            future.set_result(result)
