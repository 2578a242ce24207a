"""Following a server's stream of events from elsewhere: server-sent events, again and again from where it broke."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import aiohttp

from tallystick.deliver.sse import SentEvent, SseReader

SILENCE_SECONDS: Final = 45.0
"""Three heartbeats that did not come: the connection is dead."""
AGAIN_SECONDS: Final = (0.2, 1.0, 2.0, 5.0)
CUT_OFF: Final = "cut_off"

Authorize = Callable[[], Awaitable[str]]
"""The Authorization header to send now."""

_log = logging.getLogger(__name__)


class Refused(Exception):
    """The server does not let the stream be read; trying again does not help."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"the server answered {status}: {text}")
        self.status: Final = status


async def follow(
    session: aiohttp.ClientSession, url: str, authorize: Authorize, after: str
) -> AsyncIterator[SentEvent]:
    """Every event of the stream after the position ``after`` ("": from now on), each at least once, in order.

    Waits out a server that cannot be reached. Raises Refused.
    """
    failures = 0
    while True:
        try:
            async for event in _once(session, url, await authorize(), after):
                failures = 0
                after = event.id or after
                if event.name != CUT_OFF:
                    yield event
        except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as error:
            _log.log(
                logging.DEBUG if failures else logging.WARNING,
                "the stream broke: %s",
                str(error) or type(error).__name__,
            )
        await asyncio.sleep(AGAIN_SECONDS[min(failures, len(AGAIN_SECONDS) - 1)])
        failures += 1


async def _once(session: aiohttp.ClientSession, url: str, authorization: str, after: str) -> AsyncIterator[SentEvent]:
    headers = {"accept": "text/event-stream", "authorization": authorization}
    if after:
        headers["last-event-id"] = after
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=SILENCE_SECONDS)
    async with session.get(url, headers=headers, timeout=timeout, allow_redirects=False) as answer:
        if answer.status in (400, 403, 404, 410):
            raise Refused(answer.status, (await answer.text())[:500])
        if answer.status != 200:  # a redirect would be followed with the token
            raise OSError(f"the server answered {answer.status}: {(await answer.text())[:500]}")
        reader = SseReader()
        async for chunk in answer.content.iter_any():
            for event in reader.feed(chunk):
                yield event
