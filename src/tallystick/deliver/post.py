"""Posting to endpoints: connections to checked addresses, kept while they are of use, and bounds on everything.

Written on asyncio's own protocols, because a general HTTP client took four times the processor time of this one, and
because nothing in here may follow a redirect, use a proxy, keep a cookie, or look a name up twice.
"""

import asyncio
import ssl
import time
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple

from tallystick import __version__
from tallystick.deliver.addresses import Reach, Target
from tallystick.deliver.connection import BadResponse, Connection, Unanswered
from tallystick.deliver.places import Places
from tallystick.deliver.resolve import AddressRefused, Lookup, resolve
from tallystick.deliver.schedule import Outcome

IDLE_MAX: Final = 512
IDLE_SECONDS: Final = 20.0
"""Below what servers usually grant, so that it is rarely they who close."""
LINGERING_MAX: Final = 256
LINGERING_SECONDS: Final = 5.0
"""For the rest of a body, once its head has said all that matters: it must not hold a connection for ever."""

_Origin = tuple[str, int, bool]


class Limits(NamedTuple):
    """``connect_seconds`` for looking up, connecting and TLS; ``answer_seconds`` for that and the response's head."""

    connect_seconds: float = 5.0
    answer_seconds: float = 15.0
    posts_max: int = 1000
    """At the same time, to all endpoints together."""
    linger_seconds: float = LINGERING_SECONDS


class Poster:
    """``tls`` verifies; a test's may trust an authority of its own."""

    def __init__(self, reach: Reach, lookup: Lookup, tls: ssl.SSLContext | None = None, limits: Limits | None = None):
        self._reach: Final = reach
        self._lookup: Final = lookup
        self._tls: Final = tls or ssl.create_default_context()
        self._limits: Final = limits or Limits()
        self._places: Final = Places(self._limits.posts_max)
        self._idle: Final[OrderedDict[Connection, tuple[_Origin, float]]] = OrderedDict()
        self._idle_at: Final[dict[_Origin, list[Connection]]] = {}
        self._lingering: Final[OrderedDict[Connection, asyncio.TimerHandle]] = OrderedDict()
        self._origins: Final[dict[Connection, _Origin]] = {}

    async def post(self, target: Target, headers: Sequence[tuple[str, str]], body: bytes) -> Outcome:
        """One attempt; never raises but when cancelled."""
        if not self._places.take():
            await self._places.wait()
        try:
            begin = time.monotonic_ns()
            status, error, detail, retry_after = await self._attempt(target, _request(target, headers, body))
            duration_us = (time.monotonic_ns() - begin) // 1000
        finally:
            self._places.give()
        return Outcome(status, duration_us, error, detail, read_retry_after(retry_after))

    def close(self) -> None:
        """Close what is open; attempts that are under way fail."""
        for connection in list(self._origins):
            connection.close()

    async def _attempt(self, target: Target, request: bytes) -> tuple[int, str, str, str]:
        try:
            status, retry_after = await self._answered(target, request)
            return status, "", "", retry_after
        except TimeoutError:
            detail = f"There was no answer within {self._limits.answer_seconds:g} s."
            return 0, "timeout", detail, ""
        except _Unconnected as error:
            return 0, error.kind, error.detail, ""
        except Unanswered:
            return 0, "connection", "The connection ended before there was an answer.", ""
        except BadResponse as error:
            return 0, "response", str(error), ""

    async def _answered(self, target: Target, request: bytes) -> tuple[int, str]:
        """On a connection that is there, if it still is; else on a new one."""
        origin = (target.host, target.port, target.is_tls)
        until = time.monotonic() + self._limits.answer_seconds
        idle = self._take_idle(origin)
        if idle is not None:
            try:
                return await idle.post(request, self._limits.answer_seconds)
            except Unanswered as error:
                if not error.is_untouched:
                    raise
        connection = await self._connect(origin, until)
        return await connection.post(request, max(0.0, until - time.monotonic()))

    async def _connect(self, origin: _Origin, until: float) -> Connection:
        host, port, is_tls = origin
        seconds = max(0.0, min(self._limits.connect_seconds, until - time.monotonic()))
        try:
            async with asyncio.timeout(seconds):
                addresses = await resolve(self._lookup, self._reach, host, port)
                connection = await self._first_of(addresses, port, host if is_tls else None)
        except TimeoutError:
            raise _Unconnected("timeout", f"No connection within {self._limits.connect_seconds:g} s.") from None
        except AddressRefused:
            raise _Unconnected("address", "The name stands for an address that nothing is sent to.") from None
        except (ssl.SSLError, ssl.CertificateError) as error:
            raise _Unconnected("tls", f"TLS failed: {getattr(error, 'verify_message', '') or error.reason}.") from None
        except (OSError, UnicodeError):
            raise _Unconnected("connection", "The endpoint cannot be reached.") from None
        self._origins[connection] = origin
        return connection

    async def _first_of(self, addresses: Sequence[str], port: int, name: str | None) -> Connection:
        """Connect to the first address that answers; the last one's OSError if none does."""
        loop = asyncio.get_running_loop()
        for number, address in enumerate(addresses, start=1):
            try:
                _, connection = await loop.create_connection(
                    lambda: Connection(self._lingers, self._released, self._lost),
                    address,
                    port,
                    ssl=self._tls if name else None,
                    server_hostname=name,
                )
            except ssl.SSLError:
                raise
            except OSError:
                if number == len(addresses):
                    raise
            else:
                return connection
        raise AssertionError("there is an address")

    def _take_idle(self, origin: _Origin) -> Connection | None:
        waiting = self._idle_at.get(origin)
        while waiting:
            connection = waiting.pop()
            _, since = self._idle.pop(connection)
            if time.monotonic() - since < IDLE_SECONDS:
                return connection
            connection.close()
        return None

    def _lingers(self, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        self._lingering[connection] = loop.call_later(self._limits.linger_seconds, connection.close)
        if len(self._lingering) > LINGERING_MAX:
            oldest, timer = self._lingering.popitem(last=False)
            timer.cancel()
            oldest.close()

    def _lingers_no_more(self, connection: Connection) -> None:
        timer = self._lingering.pop(connection, None)
        if timer is not None:
            timer.cancel()

    def _released(self, connection: Connection) -> None:
        self._lingers_no_more(connection)
        origin = self._origins[connection]
        self._idle[connection] = (origin, time.monotonic())
        self._idle_at.setdefault(origin, []).append(connection)
        if len(self._idle) > IDLE_MAX:
            next(iter(self._idle)).close()

    def _lost(self, connection: Connection) -> None:
        self._lingers_no_more(connection)
        origin = self._origins.pop(connection, None)
        if self._idle.pop(connection, None) is not None and origin is not None:
            self._idle_at[origin].remove(connection)
        if origin is not None and not self._idle_at.get(origin):
            self._idle_at.pop(origin, None)


class _Unconnected(Exception):
    """There is no connection: the kind of error, and a sentence that shows nothing of what is behind a firewall."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind: Final = kind
        self.detail: Final = detail


def read_retry_after(text: str, now: float = 0.0) -> int | None:
    """Seconds from ``now`` (0: this moment) that a Retry-After header asks for, by number or date; None for neither."""
    if not text:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return int(text)
    with suppress(ValueError, TypeError, OverflowError):
        return max(0, int(parsedate_to_datetime(text).timestamp() - (now or time.time())))
    return None


def _request(target: Target, headers: Sequence[tuple[str, str]], body: bytes) -> bytes:
    """What is in the headers is ours or was judged (addresses), so that no line can be smuggled in."""
    lines = [
        f"POST {target.path} HTTP/1.1",
        f"Host: {target.authority}",
        f"User-Agent: Tallystick/{__version__}",
        "Accept: */*",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers),
    ]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body
