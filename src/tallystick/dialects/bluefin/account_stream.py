"""``/ws/account``: what happens to an account, told to its owner over a WebSocket (specs/bluefin.md §2.1).

A client shows a token when it connects or when it subscribes, and is not asked again. The first frame that it is sent
is the answer to its subscription; from then on it is told what happens to its own account, in the order in which it
happens, and nothing that happened before. Frames are made once for all of an account's sockets, and only of streams
that one of them follows.
"""

import asyncio
import logging
from typing import Final

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.types import Message, Receive, Scope, Send

from tallystick.core.keys import ACCOUNT, EVERYTHING, account_key
from tallystick.deliver.sockets import Ending
from tallystick.dialects.bluefin.account_wire import AccountSubscription
from tallystick.dialects.bluefin.errors import FORBIDDEN, RequestError, unauthorized
from tallystick.dialects.bluefin.frames import Frame, Frames
from tallystick.dialects.bluefin.login import Login
from tallystick.dialects.bluefin.sockets import (
    FAILED,
    STOPPED,
    Limits,
    Socket,
    answer,
    read_message,
    refuse,
    text_message,
)
from tallystick.dialects.bluefin.words import AccountStream as Stream
from tallystick.facts.venue import AccountOpened, Entry
from tallystick.readers.dispatch import Subscription
from tallystick.venue.state import State
from tallystick.web.desk import Desk

SOCKETS_MAX: Final = 20
"""Of one account."""
ANONYMOUS_SECONDS: Final = 30.0
"""How long a client may take to show a token."""
ANONYMOUS: Final = Ending(4001, "unauthorized")
TOO_MANY: Final = "TOO_MANY_CONNECTIONS"

_log = logging.getLogger(__name__)


class Followers:
    """Of one account, by its address: its sockets, and those that follow each stream."""

    __slots__ = ("address", "of", "sockets", "subscription")

    def __init__(self, address: str) -> None:
        self.address: Final = address
        self.sockets: Final[set[Socket]] = set()
        self.of: Final[dict[Stream, dict[Socket, None]]] = {}
        self.subscription: Subscription | None = None

    def add(self, socket: Socket, streams: list[Stream]) -> None:
        for stream in streams:
            self.of.setdefault(stream, {})[socket] = None

    def remove(self, socket: Socket, streams: list[Stream]) -> None:
        for stream in streams:
            following = self.of.get(stream)
            if following is not None:
                following.pop(socket, None)
                if not following:
                    del self.of[stream]

    def tell(self, stream: Stream, message: Message) -> None:
        for socket in self.of.get(stream, ()):
            socket.tell(message)


class AccountStream:
    """An ASGI application over the venue's readers."""

    def __init__(self, desk: Desk, login: Login, frames: Frames, limits: Limits | None = None) -> None:
        self._desk: Final = desk
        self._login: Final = login
        self._frames: Final = frames
        self._limits: Final = limits or Limits()
        self._sockets: Final[set[Socket]] = set()
        self._accounts: Final[dict[str, Followers]] = {}
        self._followed: Final[dict[int, Followers]] = {}  # by the numbers that the dispatcher is asked for
        self._unopened: Final[dict[str, Followers]] = {}  # whose account does not exist yet
        self._openings: Subscription | None = None
        self._told_of = 0

    def routes(self, path: str) -> list[BaseRoute]:
        """To stand before what else is below ``path``."""
        return [WebSocketRoute(path, self)]

    def push(self, frame: Frame) -> None:
        """Tell the account something that is no fact of the journal."""
        followers = self._followed.get(frame.account)
        if followers is not None:
            followers.tell(frame.stream, text_message(frame.body))

    def push_to(self, address: str, stream: Stream, body: bytes) -> None:
        """The same to whoever logged in as ``address``, whether that account exists or not."""
        followers = self._accounts.get(address)
        if followers is not None:
            followers.tell(stream, text_message(body))

    def drain(self) -> None:
        """End every connection when it has been sent what waits: the server is asked to stop."""
        for socket in self._sockets:
            socket.end(STOPPED)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = _Visit(self, Socket(scope, receive, send, self._limits))
        try:
            visit.read_headers(scope)
        except RequestError as error:
            await refuse(receive, send, error)
            return
        self._sockets.add(visit.socket)
        try:
            await receive()
            await send({"type": "websocket.accept"})
            visit.await_token()
            await visit.socket.serve(visit.hear)
        finally:
            self._sockets.discard(visit.socket)
            visit.leave()

    # --- Who follows. A visit's session and its followers come and go here. ---

    def enter(self, token: str, socket: Socket, *, is_header: bool) -> Followers:
        """Those of the account whose token it is, the socket among them. Raises RequestError."""
        session = self._login.admit(token) if is_header else self._login.session(token)
        followers = self._accounts.get(session.account)
        if followers is None:
            followers = Followers(session.account)
        if socket not in followers.sockets and len(followers.sockets) >= SOCKETS_MAX:
            raise RequestError(429, TOO_MANY, f"An account has at most {SOCKETS_MAX} connections: close one.")
        self._accounts[session.account] = followers
        followers.sockets.add(socket)
        return followers

    def leave(self, followers: Followers, socket: Socket) -> None:
        """The socket is over."""
        followers.remove(socket, list(followers.of))
        self.attend(followers)
        followers.sockets.discard(socket)
        if not followers.sockets:
            del self._accounts[followers.address]

    def attend(self, followers: Followers) -> None:
        """Ask the dispatcher for the account as long as it is followed, or for its opening."""
        readers = self._desk.readers
        account = readers.state.account_named.get(followers.address)
        if not followers.of:
            self._unopened.pop(followers.address, None)
            if account is not None and followers.subscription is not None:
                followers.subscription.cancel()
                followers.subscription = None
                del self._followed[account.number]
        elif account is None:
            self._unopened[followers.address] = followers
        elif followers.subscription is None:
            self._unopened.pop(followers.address, None)
            self._followed[account.number] = followers
            followers.subscription = readers.dispatcher.subscribe((account_key(account.number),), self._take)
        if self._unopened and self._openings is None:
            self._openings = readers.dispatcher.subscribe((EVERYTHING,), self._look_for_openings)
        elif not self._unopened and self._openings is not None:
            self._openings.cancel()
            self._openings = None

    def _look_for_openings(self, entry: Entry, _state: State) -> None:
        for event in entry.events:
            if type(event) is AccountOpened and event.name in self._unopened:
                self.attend(self._unopened[event.name])

    # --- What they are told ---

    def _take(self, entry: Entry, state: State) -> None:
        """An entry that touches one of the accounts: once, however many of them."""
        if entry.sequence == self._told_of:
            return
        self._told_of = entry.sequence
        try:
            frames = self._frames.of(entry, state, self._wants)
        except Exception:  # noqa: BLE001 - a fault of ours; a stream with a hole in it must not go on
            _log.exception("entry %d could not be told", entry.sequence)
            self._break_off(entry)
            return
        for frame in frames:
            self._followed[frame.account].tell(frame.stream, text_message(frame.body))

    def _wants(self, account: int, stream: Stream) -> bool:
        followers = self._followed.get(account)
        return followers is not None and stream in followers.of

    def _break_off(self, entry: Entry) -> None:
        """Whoever should have been told connects again, and asks for what there is."""
        for key in entry.touched():
            followers = self._followed.get(key >> 2) if key & 3 == ACCOUNT else None
            if followers is not None:
                for socket in followers.sockets:
                    socket.end(FAILED)


class _Visit:
    """One connection's conversation."""

    def __init__(self, stream: AccountStream, socket: Socket) -> None:
        self.socket: Final = socket
        self._stream: Final = stream
        self._followers: Followers | None = None
        self._patience: asyncio.TimerHandle | None = None

    def read_headers(self, scope: Scope) -> None:
        """A token in the handshake is judged at once. Raises RequestError."""
        given = [value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"]
        if len(given) > 1:
            raise unauthorized("Send one Authorization header.")
        if given:
            self._followers = self._stream.enter(given[0], self.socket, is_header=True)

    def await_token(self) -> None:
        """End the connection if no token is shown for too long."""
        if self._followers is None:
            loop = asyncio.get_running_loop()
            self._patience = loop.call_later(ANONYMOUS_SECONDS, self.socket.end, ANONYMOUS)

    def hear(self, raw: bytes | str) -> None:
        """Carry out a message and answer it: before anything that follows from it."""
        try:
            asked = read_message(AccountSubscription, raw)
            followers = self._identified(asked)
        except RequestError as error:
            self.socket.tell(answer(success=False, message=error.body.message))
            return
        if asked.method == "Subscribe":
            self.socket.tell(answer(success=True, message="Subscribed."))
            followers.add(self.socket, asked.data_streams)
        else:
            followers.remove(self.socket, asked.data_streams)
            self.socket.tell(answer(success=True, message="Unsubscribed."))
        self._stream.attend(followers)

    def leave(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
        if self._followers is not None:
            self._stream.leave(self._followers, self.socket)

    def _identified(self, asked: AccountSubscription) -> Followers:
        """Whose stream it is: a token in the message counts if none did before. Raises RequestError."""
        before = self._followers
        if asked.auth_token is None or asked.auth_token == "":
            if before is None:
                raise unauthorized("Send an access token: as authToken, or in the header Authorization.")
            return before
        shown = self._stream.enter(asked.auth_token, self.socket, is_header=False)
        if before is not None and shown is not before:
            self._stream.leave(shown, self.socket)
            raise RequestError(403, FORBIDDEN, "This connection is for another account: open one of its own.")
        self._followers = shown
        if self._patience is not None:
            self._patience.cancel()
        return shown
