"""The simulated venue's HTTP interface, without HTTP: the real application of the dialect, and its real connector.

Each life of the venue's process has an application of its own. Requests go through the link.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import unquote

from tallystick.access.principal import SCOPES, Grant, Principal
from tallystick.connect.errors import Ambiguous
from tallystick.connect.http import NO_HEADERS, Answer
from tallystick.dialects.sophic.api import SophicApi
from tallystick.dialects.sophic.connector import NOWHERE, SophicConnector
from tallystick.dialects.sophic.idempotency import HEADER
from tallystick.dialects.sophic.view import View
from tallystick.facts.commands import Answer as VenueAnswer
from tallystick.readers.readers import Readers
from tallystick.simulate.client_rules import Sent
from tallystick.simulate.link import Link
from tallystick.simulate.link_connector import ACCOUNT, NAME
from tallystick.simulate.process import VENUE, Process
from tallystick.simulate.venue_server import Gone, VenueServer
from tallystick.venue.state import State

T = TypeVar("T")
CLIENT: Final = "client"
SECRET: Final = bytes(32)
POLL_SECONDS: Final = 4.0
CASH_SCALE_MAX: Final = 2
"""The connector takes no currency for one with more decimals (dialects/sophic/connector_reports.py)."""


class DoorConnector(SophicConnector):
    """The dialect's own. ``is_dead``: its process is gone, and nothing that it does leaves it any more."""

    def __init__(self, door: "SophicDoor", link: Link, sent: Sent) -> None:
        self.is_dead = False
        super().__init__(
            url="",
            client_id=CLIENT,
            client_secret="none",
            account=ACCOUNT,
            name=NAME,
            poll_seconds=POLL_SECONDS,
            requests_per_second=50.0,
            open_http=lambda _url: _Carried(self, door, link, sent),
        )


class _Carried:
    """See connect.http.Http."""

    def __init__(self, connector: DoorConnector, door: "SophicDoor", link: Link, sent: Sent) -> None:
        self._connector: Final = connector
        self._door: Final = door
        self._link: Final = link
        self._sent: Final = sent

    async def request(
        self, method: str, path: str, *, headers: Mapping[str, str] = NO_HEADERS, body: bytes | None = None
    ) -> Answer:
        self._require_alive()
        key = headers.get(HEADER.decode())
        if key is not None and body is not None and NOWHERE.encode() not in body:
            self._sent.take(key, body.decode())
        answer = await self._link.carry(lambda: self._door.request(method, path, headers, body))
        self._require_alive()
        return answer

    async def close(self) -> None:
        """Nothing is held."""

    def _require_alive(self) -> None:
        if self._connector.is_dead:
            raise Ambiguous("simulated: this process is dead")


class SophicDoor:
    def __init__(self, server: VenueServer) -> None:
        self._server: Final = server
        self._process: Process | None = None
        self._app: Any = None

    async def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """The answer of the application, as it is at this moment. Raises Gone."""
        process = self._server.process
        if process is not self._process:
            self._process, self._app = process, self._application(process)
        route, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": unquote(route),
            "query_string": query.encode(),
            "headers": [(name.encode(), text.encode("latin-1")) for name, text in headers.items()],
        }
        said: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body or b"", "more_body": False}

        async def send(message: Any) -> None:
            said.append(message)

        await self._app(scope, receive, send)
        if self._server.process is not process:
            raise Gone
        begin, content = said
        lowered = {name.decode().lower(): text.decode("latin-1") for name, text in begin["headers"]}
        return Answer(begin["status"], lowered, content["body"], 0.0)

    def _application(self, process: Process) -> SophicApi:
        desk = _Desk(self._server, process)
        return SophicApi(desk, process.index, View(SECRET, VENUE), _Everybody())


class _Desk:
    """See dialects.sophic.ports.Desk."""

    def __init__(self, server: VenueServer, process: Process) -> None:
        self._server: Final = server
        self._process: Final = process

    @property
    def readers(self) -> Readers:
        readers: Readers = self._process.readers
        return readers

    def now(self) -> int:
        return self._server.now()

    async def ask(self, command: Any, render: Callable[[VenueAnswer, State], T]) -> T:
        return await self._server.ask_for(command, render)


class _Everybody:
    """See dialects.sophic.ports.Admission."""

    def admit(self, authorization: str | None) -> Principal:
        return Principal(CLIENT, SCOPES)

    def grant(self, client_id: str, client_secret: str) -> Grant:
        return Grant("simulated", 10**9, SCOPES)
