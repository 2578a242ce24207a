"""The feed of a venue that another process serves: for a sender on its own. It follows the operators' stream.

What is new arrives by the stream; who lags asks for pages of it. Both show events in envelopes (reading.Envelope).
"""

import asyncio
from contextlib import aclosing
from typing import Final
from urllib.parse import urlencode

import aiohttp
import msgspec

from tallystick.deliver.feed import Happening, Page, PositionUnknown, Sink
from tallystick.deliver.follow import Authorize, follow
from tallystick.deliver.reading import Envelope

AGAIN_SECONDS: Final = 1.0


class _PageBody(msgspec.Struct, frozen=True):
    events: list[Envelope]
    position: str
    through: int


_envelope: Final = msgspec.json.Decoder(Envelope)
_page: Final = msgspec.json.Decoder(_PageBody)


class RemoteFeed:
    """``url`` is of the operators' stream. ``start`` it before anybody reads; ``run`` it for as long as they do."""

    def __init__(self, session: aiohttp.ClientSession, url: str, authorize: Authorize) -> None:
        self._session: Final = session
        self._url: Final = url
        self._authorize: Final = authorize
        self._sink: Sink | None = None
        self._newest = 0
        self._after = ""

    async def start(self) -> None:
        """Find out what is the newest now. Raises aiohttp.ClientError, and TimeoutError."""
        body = await self._get({})
        self._newest, self._after = body.through, body.position

    async def run(self) -> None:
        """Hand over what is new, until cancelled. Raises follow.Refused."""
        async with aclosing(follow(self._session, self._url, self._authorize, self._after)) as events:  # type: ignore[type-var]
            async for event in events:
                happening = _happening(_envelope.decode(event.data))
                if happening.position > self._newest:
                    self._newest = happening.position
                    if self._sink is not None and self._sink.wants(happening.owner):
                        self._sink.take(happening)

    def newest(self) -> int:
        return self._newest

    def position(self, text: str) -> int:
        """Nobody asks a sender for a position."""
        raise PositionUnknown

    def text(self, position: int) -> str:
        raise PositionUnknown

    def position_at(self, time: int) -> int:
        raise PositionUnknown

    async def page(self, owner: str | None, after: int, limit: int) -> Page:
        """Waits out a server that cannot be reached: what there is to send is not known until then."""
        query = {"limit": str(limit), "number": str(after)} | ({"owner": owner} if owner is not None else {})
        while True:
            try:
                body = await self._get(query)
            except (aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                happenings = [_happening(each) for each in body.events]
                return Page(happenings, body.through)

    def attach(self, sink: Sink) -> None:
        self._sink = sink

    async def _get(self, query: dict[str, str]) -> _PageBody:
        headers = {"authorization": await self._authorize()}
        url = f"{self._url}?{urlencode(query)}"
        timeout = aiohttp.ClientTimeout(total=30)
        # A redirect would be followed with an operator's token.
        async with self._session.get(url, headers=headers, timeout=timeout, allow_redirects=False) as answer:
            answer.raise_for_status()
            return _page.decode(await answer.read())


def _happening(envelope: Envelope) -> Happening:
    return Happening(
        envelope.position,
        envelope.event_id,
        envelope.name,
        envelope.resource,
        envelope.group,
        envelope.owner,
        envelope.time,
        bytes(envelope.body),
    )
