"""Having a venue send webhooks to a URL: the endpoint for it, made or found again, and a secret that only we know.

A secret is shown once and kept nowhere here. Whoever comes back finds the endpoint by its URL and is given another
secret; what is signed with the old one alone is refused, and comes again.
"""

import logging
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from tallystick.connect.errors import NotThere, VenueError
from tallystick.deliver.signing import read_secret
from tallystick.dialects.sophic.connector_session import SophicSession, check, read
from tallystick.dialects.sophic.webhook_receiver import Nudges, WebhookReceiver

_DESCRIPTION: Final = "a Tallystick client"

_log = logging.getLogger(__name__)


class _Seen(Struct, frozen=True):
    id: str
    url: str
    is_active: bool


class _Secret(Struct, frozen=True):
    id: str
    secret: str

    def __repr__(self) -> str:
        return f"_Secret({self.id!r})"


class Hooks:
    """A connector's webhooks: the receiver, and the endpoint at the venue, unless there are ``secrets`` of one already.

    ``url`` leads from the venue to ``host`` and ``port``. Raises ValueError for a secret that is none.
    """

    def __init__(self, host: str, port: int, url: str, nudges: Nudges, secrets: Sequence[str] = ()) -> None:
        self._secrets: Final = tuple(map(read_secret, secrets))
        self._where: Final = f"{host}:{port}"
        self._receiver: Final = WebhookReceiver(host, port, url, nudges)
        self._url: Final = url
        self._id = ""

    async def start(self, session: SophicSession) -> None:
        """Listen, and be sent to. Raises VenueError."""
        try:
            await self._receiver.start()
        except OSError as error:
            raise VenueError(f"webhooks cannot be received at {self._where}: {error.strerror}") from None
        self._receiver.secrets = self._secrets or (await self._begin(session),)

    async def close(self, session: SophicSession) -> None:
        """Nothing more is sent here. What cannot be said to the venue now is found again by the URL."""
        await self._receiver.close()
        if self._id:
            identity, self._id = self._id, ""
            try:
                check(await session.request("DELETE", f"/webhooks/{identity}"))
            except NotThere:
                return
            except VenueError as error:
                _log.warning("the webhook stays registered: %s", error)

    async def _begin(self, session: SophicSession) -> bytes:
        for seen in await session.get("/webhooks", list[_Seen]):
            if seen.url == self._url:
                return await self._resume(session, seen)
        body = {"url": self._url, "description": _DESCRIPTION}
        made = read(check(await session.request("POST", "/webhooks", body=body)), _Secret)
        self._id = made.id
        return read_secret(made.secret)

    async def _resume(self, session: SophicSession, seen: _Seen) -> bytes:
        self._id, path = seen.id, f"/webhooks/{seen.id}"
        body = {"overlap_seconds": 0}
        found = read(check(await session.request("POST", f"{path}/rotate-secret", body=body)), _Secret)
        if not seen.is_active:
            check(await session.request("PUT", path, body={"is_active": True}))
        return read_secret(found.secret)
