"""The simulated exchange's interface, without HTTP: the dialect's real application, account stream and connector.

Each life of the exchange's process has an application of its own. Requests go through the link, and so do frames: late,
in their order, until the link cuts the socket.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from email.utils import formatdate
from itertools import count
from typing import Any, Final, TypeVar
from urllib.parse import unquote

import msgspec

from tallystick.connect.errors import Ambiguous, NotSent
from tallystick.connect.http import NO_HEADERS, Answer
from tallystick.connect.socket import PING_SECONDS, Socket
from tallystick.dialects.bluefin.account_stream import AccountStream
from tallystick.dialects.bluefin.api import BluefinApi
from tallystick.dialects.bluefin.connector import BluefinConnector
from tallystick.dialects.bluefin.connector_session import TRADE
from tallystick.dialects.bluefin.frames import Frames, Spelling
from tallystick.dialects.bluefin.login import Login
from tallystick.dialects.bluefin.market_data import MarketData
from tallystick.dialects.bluefin.placing import Placing
from tallystick.dialects.bluefin.sandbox import ProductionWallets
from tallystick.dialects.bluefin.tokens import Tokens
from tallystick.dialects.bluefin.view import View
from tallystick.dialects.bluefin.wallet import Wallet
from tallystick.facts.commands import Answer as VenueAnswer
from tallystick.readers.readers import Readers
from tallystick.simulate.client_rules import Sent
from tallystick.simulate.link import Link
from tallystick.simulate.link_connector import NAME
from tallystick.simulate.loop import VirtualLoop
from tallystick.simulate.process import Process
from tallystick.simulate.venue_server import Gone, VenueServer
from tallystick.venue.ambient import Ambient
from tallystick.venue.state import State

T = TypeVar("T")
SECRET: Final = bytes(32)
LIVES_SECONDS: Final = 3600.0
ORDERS: Final = f"{TRADE}/orders"


class ExchangeConnector(BluefinConnector):
    """The dialect's own. ``is_dead``: its process is gone, and nothing that it does leaves it any more."""

    def __init__(self, door: "BluefinDoor", link: Link, sent: Sent, wallet: Wallet, loop: VirtualLoop) -> None:
        self.is_dead = False
        super().__init__(
            url="",
            wallet=wallet,
            name=NAME,
            lives_seconds=LIVES_SECONDS,
            requests_per_second=50.0,
            open_http=lambda _url: _Carried(self, door, link, sent),
            now=lambda: loop.wall_us,
        )


class _Carried:
    """See connect.http.HttpAndSockets."""

    def __init__(self, connector: ExchangeConnector, door: "BluefinDoor", link: Link, sent: Sent) -> None:
        self._connector: Final = connector
        self._door: Final = door
        self._link: Final = link
        self._sent: Final = sent
        self._sockets: Final[list[_Line]] = []

    async def request(
        self, method: str, path: str, *, headers: Mapping[str, str] = NO_HEADERS, body: bytes | None = None
    ) -> Answer:
        self._require_alive()
        if method == "POST" and path == ORDERS and body is not None:
            self._sent.take(msgspec.json.decode(body)["clientOrderId"], body.decode())
        answer = await self._link.carry(lambda: self._door.request(method, path, headers, body))
        self._require_alive()
        return answer

    async def socket(self, path: str, *, headers: Mapping[str, str] = NO_HEADERS) -> Socket:
        self._require_alive()
        try:
            line = await self._link.carry(lambda: self._door.socket(path, headers, self._link))
        except Ambiguous as error:
            raise NotSent(str(error)) from error
        self._sockets.append(line)
        return line

    async def close(self) -> None:
        for each in self._sockets:
            await each.close()

    def _require_alive(self) -> None:
        if self._connector.is_dead:
            raise Ambiguous("simulated: this process is dead")


class _Line:
    """See connect.socket.Socket: one to a process of the exchange."""

    def __init__(self, server: VenueServer, link: Link, path: str, headers: Mapping[str, str]) -> None:
        self._server: Final = server
        self._process: Final = server.process
        self._link: Final = link
        self._scope: Final = {"type": "websocket", "path": path, "headers": _encoded(headers)}
        self._said: Final[asyncio.Queue[Any]] = asyncio.Queue()
        self._heard: Final[asyncio.Queue[str | None]] = asyncio.Queue()
        self._due = 0.0
        self._is_cut = False

    def open(self, app: Callable[[Any, Any, Any], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
        self._said.put_nowait({"type": "websocket.connect"})
        return asyncio.get_running_loop().create_task(app(self._scope, self._said.get, self._take))

    async def send(self, text: str) -> None:
        self._require_whole()
        self._said.put_nowait({"type": "websocket.receive", "text": text})

    async def receive(self, seconds: float) -> str | None:
        try:
            async with asyncio.timeout(seconds):
                text = await self._heard.get()
        except TimeoutError:
            self._require_whole()
            return None
        if text is None:
            self._is_cut = True
        self._require_whole()
        return text

    async def close(self) -> None:
        self._cut()

    async def _take(self, message: Any) -> None:
        """A frame of the exchange's, on its way."""
        if self._is_cut or message["type"] == "websocket.accept":
            return
        delay = self._link.stream_delay()
        if message["type"] != "websocket.send" or self._link.cuts() or delay > PING_SECONDS:
            self._cut()  # what is so slow answers no ping either
            return
        loop = asyncio.get_running_loop()
        self._due = max(self._due + 1e-6, loop.time() + delay)
        loop.call_at(self._due, self._heard.put_nowait, message["text"])

    def _cut(self) -> None:
        if not self._is_cut:
            self._is_cut = True
            self._heard.put_nowait(None)
            self._said.put_nowait({"type": "websocket.disconnect"})

    def _require_whole(self) -> None:
        if self._is_cut or self._server.process_or_none is not self._process:
            self._cut()
            raise Ambiguous("simulated: the socket ended")


class BluefinDoor:
    def __init__(self, server: VenueServer, loop: VirtualLoop) -> None:
        self._server: Final = server
        self._loop: Final = loop
        self._ids: Final = count(1)
        self._visits: Final[set[asyncio.Task[None]]] = set()
        self._process: Process | None = None
        self._api: Any = None
        self._stream: Any = None

    async def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """The answer of the application, as it is at this moment. Raises Gone."""
        process = self._enter()
        route, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": unquote(route),
            "query_string": query.encode(),
            "headers": _encoded(headers),
        }
        said: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body or b"", "more_body": False}

        async def send(message: Any) -> None:
            said.append(message)

        await self._api(scope, receive, send)
        if self._server.process is not process:
            raise Gone
        begin, content = said
        lowered = {name.decode().lower(): text.decode("latin-1") for name, text in begin["headers"]}
        lowered["date"] = formatdate(self._loop.wall_us // 1_000_000, usegmt=True)
        return Answer(begin["status"], lowered, content["body"], 0.0)

    async def socket(self, path: str, headers: Mapping[str, str], link: Link) -> _Line:
        """Raises Gone."""
        self._enter()
        line = _Line(self._server, link, path, headers)
        task = line.open(self._stream)
        self._visits.add(task)
        task.add_done_callback(self._visits.discard)
        return line

    def _enter(self) -> Process:
        """The process that lives, with its application. Raises Gone."""
        process = self._server.process
        if process is not self._process:
            self._process = process
            self._serve(process)
        return process

    def _serve(self, process: Process) -> None:
        desk, wallets = _Desk(self._server, process), ProductionWallets()
        view = View(lambda: desk.ambient)
        login = Login(
            Tokens(SECRET),
            wallets,
            wall=lambda: self._loop.wall_us / 1_000_000,
            new_id=lambda: f"{next(self._ids):032x}",
        )
        data = MarketData(desk, view)
        data.start()
        frames = Frames(view, Spelling())
        self._stream = AccountStream(desk, login, frames)
        placing = Placing(wallets, lambda: self._loop.wall_us)
        self._api = BluefinApi(desk, view, login, placing, data, self._stream, frames)


class _Desk:
    """See web.desk.Desk."""

    def __init__(self, server: VenueServer, process: Process) -> None:
        self._server: Final = server
        self._process: Final = process

    @property
    def readers(self) -> Readers:
        readers: Readers = self._process.readers
        return readers

    @property
    def ambient(self) -> Ambient:
        ambient: Ambient = self._process.sequencer.ambient
        return ambient

    def now(self) -> int:
        return self._server.now()

    async def ask(self, command: Any, render: Callable[[VenueAnswer, State], T]) -> T:
        return await self._server.ask_for(command, render)


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), text.encode("latin-1")) for name, text in headers.items()]
