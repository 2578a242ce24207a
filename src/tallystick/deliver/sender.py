"""The sender: a courier for each endpoint, by what the file says now. One sender works on a file at a time.

It learns of new endpoints, and of what their owners ask for, by the file alone: they may be asked by another process.
"""

import asyncio
import fcntl
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from tallystick.deliver import deliveries
from tallystick.deliver.book import Book
from tallystick.deliver.courier import Courier, Means
from tallystick.deliver.places import Places
from tallystick.deliver.records import Endpoint

LOOK_SECONDS: Final = 0.25
PRUNE_SECONDS: Final = 60.0
PRUNE_AGAIN_SECONDS: Final = 0.05
AGAIN_SECONDS: Final = 1.0
OWNER_ATTEMPTS_MAX: Final = 200
"""At the same time, to all endpoints of one owner: fewer than there are places, so that no owner takes them all."""

SENDING: Final = "sending"
WAITING: Final = "waiting"
UNREADABLE: Final = "unreadable"

_log = logging.getLogger(__name__)


class Sender:
    """``book`` is for looking; changes go through the recorder of ``means``, over a connection of its own.

    Endpoints of an owner whom ``may_receive`` does not name are left alone: what they miss is sent when it does again.
    """

    def __init__(self, book: Book, means: Means, changed: asyncio.Event, may_receive: Callable[[str], bool]) -> None:
        self._book: Final = book
        self._means: Final = means
        self._changed: Final = changed
        self._may_receive: Final = may_receive
        self._owners: frozenset[str] = frozenset()
        self._held: frozenset[str] = frozenset()
        self._places: Final[dict[str, Places]] = {}
        self.status = WAITING
        self.held_back = 0
        self._couriers: Final[dict[int, tuple[Courier, asyncio.Task[None]]]] = {}
        self._ending: Final[dict[int, asyncio.Task[None]]] = {}
        self._requests = -1

    async def run(self) -> None:
        """Send until cancelled. Waits while another process sends from the same file."""
        lock = await _only_sender(self._book.path)
        self.status = SENDING
        try:
            pruning = asyncio.get_running_loop().create_task(self._prune())
            try:
                await self._look_on()
            finally:
                pruning.cancel()
        finally:
            os.close(lock)

    async def end(self, seconds: float) -> None:
        """After ``run``: attempts may end for so long."""
        for number in list(self._couriers):
            self._stop(number, seconds)
        await asyncio.gather(*self._ending.values(), return_exceptions=True)

    async def _look_on(self) -> None:
        while True:
            self._changed.clear()
            try:
                await self._look()
                self.status = SENDING
            except Exception:  # noqa: BLE001 - it may be readable again
                if self.status != UNREADABLE:
                    _log.exception("the file of webhooks cannot be read: nothing new is seen")
                self.status = UNREADABLE
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._changed.wait()

    async def _look(self) -> None:
        requests = self._book.read(Book.requests)
        if requests == self._requests and self._held == self._not_receiving():
            return
        endpoints = await asyncio.to_thread(self._book.read, self._means.endpoints.active)
        asked = await asyncio.to_thread(self._book.read, deliveries.asked_for)
        self._requests = requests
        self._settle(self._receiving(endpoints))
        self._hand_over(asked)

    def _receiving(self, endpoints: list[Endpoint]) -> list[Endpoint]:
        """Those of owners who may receive; whoever begins or ends to be held back is told of in the log."""
        before = self._held
        self._owners = frozenset(each.owner for each in endpoints)
        self._held = self._not_receiving()
        for owner in sorted(self._held - before):
            _log.warning("webhooks of %s are held back: the client is disabled", owner)
        for owner in sorted((before - self._held) & self._owners):
            _log.warning("webhooks of %s go on where they were", owner)
        receiving = [each for each in endpoints if each.owner not in self._held]
        self.held_back = len(endpoints) - len(receiving)
        return receiving

    def _not_receiving(self) -> frozenset[str]:
        return frozenset(owner for owner in self._owners if not self._may_receive(owner))

    def _settle(self, endpoints: list[Endpoint]) -> None:
        """A courier for each endpoint; a new one where its owner changed something, once the old one has ended."""
        by_number = {endpoint.number: endpoint for endpoint in endpoints}
        for number, (courier, task) in list(self._couriers.items()):
            endpoint = by_number.get(number)
            if endpoint is None or endpoint.modified_at != courier.endpoint.modified_at or task.done():
                self._stop(number, AGAIN_SECONDS if endpoint is None else 2 * AGAIN_SECONDS)
            else:
                courier.heed(endpoint)
        for number, endpoint in by_number.items():
            if number not in self._couriers and number not in self._ending:
                places = self._places.setdefault(endpoint.owner, Places(OWNER_ATTEMPTS_MAX))
                courier = Courier(endpoint, self._means, places)
                task = asyncio.get_running_loop().create_task(self._run(courier))
                self._couriers[number] = (courier, task)

    def _hand_over(self, asked: list[deliveries.Asked]) -> None:
        for delivery in asked:
            found = self._couriers.get(delivery.endpoint)
            if found is not None:
                found[0].add(delivery.number)

    async def _run(self, courier: Courier) -> None:
        try:
            await courier.run()
        except Exception:  # noqa: BLE001 - one endpoint's trouble is not the others'
            _log.exception("sending to webhook %d failed, and begins anew", courier.endpoint.number)
            await asyncio.sleep(AGAIN_SECONDS)
            self._look_again()

    def _stop(self, number: int, seconds: float) -> None:
        courier, task = self._couriers.pop(number)
        task.cancel()

        async def end() -> None:
            await asyncio.gather(task, return_exceptions=True)
            await courier.end(seconds)

        ending = self._ending[number] = asyncio.get_running_loop().create_task(end())

        def ended(_task: object) -> None:
            del self._ending[number]
            self._look_again()

        ending.add_done_callback(ended)

    def _look_again(self) -> None:
        """Though nobody asked for anything."""
        self._requests = -1
        self._changed.set()

    async def _prune(self) -> None:
        """What nobody can look at any more goes, a slice at a time."""
        after = 0
        while True:
            older_than = self._means.clock.now() - self._means.policy.keep_us
            change = partial(deliveries.prune, older_than=older_than, after=after)
            after, is_more = await self._means.recorder.do(change)
            await asyncio.sleep(PRUNE_AGAIN_SECONDS if is_more else PRUNE_SECONDS)


async def _only_sender(path: Path) -> int:
    """The lock that whoever sends from this file holds; it goes with the process."""
    descriptor = os.open(path.with_name(path.name + ".sender"), os.O_RDWR | os.O_CREAT, 0o600)
    is_told = False
    try:
        while not _locked(descriptor):
            if not is_told:
                _log.warning("another process sends from %s: waiting for it to end", path)
            is_told = True
            await asyncio.sleep(AGAIN_SECONDS)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
