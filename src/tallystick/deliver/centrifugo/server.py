"""The protocol as an ASGI application: sessions of whom the door lets in, over the streams that they may listen to."""

from typing import Final, Generic

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.types import Receive, Scope, Send

from tallystick.deliver.centrifugo import wire
from tallystick.deliver.centrifugo.outbox import Outbox
from tallystick.deliver.centrifugo.ports import Door, Principal
from tallystick.deliver.centrifugo.session import Limits, Session
from tallystick.deliver.centrifugo.streams import Streams
from tallystick.deliver.sockets import Ending, Socket

JSON_PROTOCOL: Final = "centrifuge-json"


class Centrifugo(Generic[Principal]):
    """Everything here runs on one event loop's thread."""

    def __init__(self, door: Door[Principal], streams: Streams, limits: Limits | None = None) -> None:
        self.door: Final = door
        self.streams: Final = streams
        self.limits: Final = limits or Limits()
        self._sessions: Final[set[Session[Principal]]] = set()
        self._connections: Final[dict[Principal, int]] = {}

    def routes(self, path: str) -> list[BaseRoute]:
        """To stand before what else is below ``path``."""
        return [WebSocketRoute(path, self)]

    def drain(self) -> None:
        """End every connection when it has been sent what waits: the server is asked to stop."""
        for session in self._sessions:
            session.socket.end(wire.SHUTDOWN)

    def break_off(self, channel: str) -> None:
        """Something could not be published: whoever listens subscribes again, and recovers from the source."""
        self.streams.forget(channel)
        self.withdraw(channel, wire.INSUFFICIENT_STATE)

    def withdraw(self, channel: str, why: Ending = wire.UNSUBSCRIBED) -> None:
        """End all subscriptions to the channel; with a code from 2500 on, clients subscribe again."""
        for session in list(self._sessions):
            session.withdraw(channel, why)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        outbox = Outbox(self.limits.queue_bytes_max)
        stall = self.limits.stall_seconds
        socket = Socket(scope, receive, send, outbox, slow=wire.SLOW, failed=wire.FAILED, stall_seconds=stall)
        await receive()
        protocol = JSON_PROTOCOL if JSON_PROTOCOL in scope["subprotocols"] else None
        await send({"type": "websocket.accept", "subprotocol": protocol})
        session = Session(self, socket, outbox)
        self._sessions.add(session)
        try:
            await socket.serve(session.hear)
        finally:
            self._sessions.discard(session)
            session.leave()

    # --- What sessions share ---

    def enter(self, principal: Principal) -> bool:
        """Whether the principal may have one more connection; it then has."""
        count = self._connections.get(principal, 0)
        if count >= self.limits.connections_max:
            return False
        self._connections[principal] = count + 1
        return True

    def leave(self, principal: Principal) -> None:
        """It has one less."""
        self._connections[principal] -= 1
        if not self._connections[principal]:
            del self._connections[principal]
