"""From a name to the addresses that may be connected to: looked up, all of them judged, and then held to."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from tallystick.deliver.addresses import Reach

LOOKUPS_MAX: Final = 128
"""At the same time, each name in a thread of its own: a name server that hangs delays nobody else's names."""

Lookup = Callable[[str, int], Awaitable[list[str]]]
"""The addresses of a host, as text; raises OSError."""


class AddressRefused(Exception):
    """The host's name stands for an address that nothing is sent to."""


class SystemLookup:
    """The system's resolver.

    Who asks for a name that is being looked up waits for that look: one that hangs goes on after whoever asked has
    given up, and keeps its thread until it ends.
    """

    def __init__(self) -> None:
        self._threads: Final = ThreadPoolExecutor(LOOKUPS_MAX, "lookup")
        self._under_way: Final[dict[tuple[str, int], asyncio.Future[list[str]]]] = {}

    async def __call__(self, host: str, port: int) -> list[str]:
        name = (host, port)
        looking = self._under_way.get(name)
        if looking is None:
            looking = asyncio.get_running_loop().run_in_executor(self._threads, _lookup, host, port)
            self._under_way[name] = looking
            looking.add_done_callback(lambda done: self._looked(name, done))
        return list(await asyncio.shield(looking))

    def close(self) -> None:
        """Lookups that hang are left behind."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _looked(self, name: tuple[str, int], done: "asyncio.Future[list[str]]") -> None:
        del self._under_way[name]
        if not done.cancelled():
            done.exception()  # it may be that nobody waits for it any more


async def resolve(lookup: Lookup, reach: Reach, host: str, port: int) -> list[str]:
    """Where to connect to, and to nothing else. Raises AddressRefused if any address is refused, and OSError.

    One that is refused spoils all: a name with a private address among others is set up to be tried until it is hit.
    """
    addresses = await lookup(host, port)
    if not addresses:
        raise OSError("the name has no address")
    if not all(map(reach.allows, addresses)):
        raise AddressRefused
    return addresses


def _lookup(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
