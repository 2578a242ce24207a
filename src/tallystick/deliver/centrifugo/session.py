"""One connection's conversation: its commands are carried out in order, and each is answered before what follows it."""

import asyncio
import logging
from collections.abc import Callable
from math import ceil
from typing import Final, Generic, NamedTuple, Protocol
from uuid import uuid4

from tallystick.deliver.centrifugo import wire
from tallystick.deliver.centrifugo.outbox import QUEUE_BYTES_MAX, Outbox
from tallystick.deliver.centrifugo.ports import ALLOWED, UNKNOWN, Door, Principal, TokenRefused, Visitor
from tallystick.deliver.centrifugo.streams import Stream, Streams
from tallystick.deliver.centrifugo.wire import BadFrame, Command, Fault
from tallystick.deliver.sockets import Ending, Socket

VERSION: Final = "tallystick"
CHANNEL_CHARACTERS_MAX: Final = 255

_log = logging.getLogger(__name__)

_REFUSED: Final = (
    ("publish", wire.PERMISSION_DENIED),
    ("presence", wire.NOT_AVAILABLE),
    ("presence_stats", wire.NOT_AVAILABLE),
    ("sub_refresh", wire.NOT_AVAILABLE),
    ("rpc", wire.METHOD_NOT_FOUND),
)


class Limits(NamedTuple):
    """specs/sx.md §2; a test's are smaller.

    ``publications_max`` is for one history or one recovery, ``connections_max`` for one principal. A client has
    ``stale_seconds`` to show a token, and ``expired_seconds`` to show another when that is no longer good.
    """

    subscriptions_max: int = 512
    publications_max: int = 1000
    connections_max: int = 256
    queue_bytes_max: int = QUEUE_BYTES_MAX
    frame_bytes_max: int = 64 * 1024
    ping_seconds: float = 25.0
    pong_seconds: float = 8.0
    stale_seconds: float = 25.0
    expired_seconds: float = 25.0
    stall_seconds: float = 30.0


class House(Protocol[Principal]):
    """What a session shares with the others."""

    @property
    def door(self) -> Door[Principal]:
        """Who may do what."""

    @property
    def streams(self) -> Streams:
        """What there is to listen to."""

    @property
    def limits(self) -> Limits:
        """How much, and how long."""

    def enter(self, principal: Principal) -> bool:
        """Whether the principal may have one more connection; it then has."""

    def leave(self, principal: Principal) -> None:
        """It has one less."""


class Session(Generic[Principal]):
    """``hear`` is given what the client says, ``leave`` is called when the connection is over."""

    def __init__(self, house: House[Principal], socket: Socket, outbox: Outbox) -> None:
        self.socket: Final = socket
        self._house: Final = house
        self._outbox: Final = outbox
        self._visitor: Visitor[Principal] | None = None
        self._subscribed: Final[dict[str, Stream]] = {}
        self._timers: Final[dict[str, asyncio.TimerHandle]] = {}
        self._in("token", house.limits.stale_seconds, lambda: socket.cut(wire.STALE))

    def tell(self, message: bytes) -> None:
        """A message to be sent; a client that has too much to take already is closed."""
        if self.socket.is_ending:
            return
        if self._outbox.put(message):
            self.socket.wake()
        else:
            self.socket.cut(wire.SLOW)

    def withdraw(self, channel: str, why: Ending) -> None:
        """End the subscription, if there is one."""
        if self._unsubscribe(channel):
            self.tell(wire.unsubscribed(channel, why))

    async def hear(self, frame: bytes | str) -> None:
        """Carry out a frame's commands."""
        if len(frame) > self._house.limits.frame_bytes_max:
            self.socket.end(wire.TOO_LARGE)
            return
        try:
            found = wire.commands(frame)
        except BadFrame:
            self.socket.end(wire.BAD_REQUEST)
            return
        for command in found:
            if self.socket.is_ending:
                return
            await self._carry_out(command)

    def leave(self) -> None:
        """It is over."""
        for timer in self._timers.values():
            timer.cancel()
        for channel in list(self._subscribed):
            self._unsubscribe(channel)
        if self._visitor is not None:
            self._house.leave(self._visitor.principal)

    def _in(self, name: str, seconds: float, then: Callable[[], object]) -> None:
        """Do something then, unless it is called off or put off under its name."""
        self._call_off(name)
        self._timers[name] = asyncio.get_running_loop().call_later(seconds, then)

    def _call_off(self, name: str) -> None:
        if name in self._timers:
            self._timers.pop(name).cancel()

    async def _carry_out(self, command: Command) -> None:
        visitor = self._visitor
        if command.connect is not None and visitor is None:
            self._connect(command.id, command.connect)
        elif visitor is None or command.connect is not None:
            self.socket.end(wire.BAD_REQUEST)
        elif command.subscribe is not None:
            await self._subscribe(command.id, command.subscribe, visitor)
        elif command.unsubscribe is not None:
            self._unsubscribe(command.unsubscribe.channel)
            self.tell(wire.reply(command.id, "unsubscribe", wire.Nothing()))
        elif command.history is not None:
            await self._history(command.id, command.history, visitor)
        elif command.refresh is not None:
            self._refresh(command.id, command.refresh, visitor)
        elif command.send is None:
            self._refuse_or_note_pong(command)

    def _refuse_or_note_pong(self, command: Command) -> None:
        for name, fault in _REFUSED:
            if getattr(command, name) is not None:
                self.tell(wire.refusal(command.id, fault))
                return
        if command.id:
            self.socket.end(wire.BAD_REQUEST)
        else:
            self._call_off("pong")

    # --- Who it is ---

    def _connect(self, command: int, asked: wire.Connect) -> None:
        if not asked.token:
            self.tell(wire.refusal(command, wire.UNAUTHORIZED))
            return
        try:
            visitor = self._house.door.admit(asked.token)
        except TokenRefused as refused:
            if refused.expired:
                self.tell(wire.refusal(command, wire.TOKEN_EXPIRED))
            else:
                self.socket.end(wire.INVALID_TOKEN)
            return
        if not self._house.enter(visitor.principal):
            self.socket.end(wire.CONNECTION_LIMIT)
            return
        self._call_off("token")
        ttl = self._admitted(visitor)
        every = self._house.limits.ping_seconds
        connected = wire.Connected(str(uuid4()), VERSION, ping=ceil(every), pong=True, expires=ttl > 0, ttl=ttl)
        self.tell(wire.reply(command, "connect", connected))
        self._in("ping", every, self._ping)

    def _refresh(self, command: int, asked: wire.Refresh, before: Visitor[Principal]) -> None:
        """A token for the same principal; what may no longer be listened to is unsubscribed."""
        try:
            visitor = self._house.door.admit(asked.token)
        except TokenRefused as refused:
            self.socket.end(wire.EXPIRED if refused.expired else wire.INVALID_TOKEN)
            return
        if visitor.principal != before.principal:
            self.socket.end(wire.INVALID_TOKEN)
            return
        ttl = self._admitted(visitor)
        self.tell(wire.reply(command, "refresh", wire.Refreshed(expires=ttl > 0, ttl=ttl)))
        for channel in list(self._subscribed):
            if self._house.door.may_subscribe(visitor.principal, channel) != ALLOWED:
                self.withdraw(channel, wire.UNSUBSCRIBED)

    def _admitted(self, visitor: Visitor[Principal]) -> int:
        """For how many seconds the token is good, as the client is told; 0 if for ever."""
        self._visitor = visitor
        if visitor.ttl is None:
            self._call_off("expiry")
            return 0
        ttl = max(1, visitor.ttl)
        self._in("expiry", ttl + self._house.limits.expired_seconds, lambda: self.socket.end(wire.EXPIRED))
        return ttl

    def _ping(self) -> None:
        limits = self._house.limits
        self.tell(wire.PING)
        self._in("ping", limits.ping_seconds, self._ping)
        if "pong" not in self._timers:
            self._in("pong", limits.pong_seconds, lambda: self.socket.cut(wire.NO_PONG))

    # --- What it listens to ---

    async def _subscribe(self, command: int, asked: wire.Subscribe, visitor: Visitor[Principal]) -> None:
        channel = asked.channel
        fault = self._objection(channel, visitor)
        if fault is None and channel in self._subscribed:
            fault = wire.ALREADY_SUBSCRIBED
        elif fault is None and len(self._subscribed) >= self._house.limits.subscriptions_max:
            fault = wire.LIMIT_EXCEEDED
        stream = await self._open(command, channel, fault)
        if stream is None:
            return
        result = self._subscription(stream, asked)
        if result is None:
            self._house.streams.release(stream)
            self.tell(wire.refusal(command, wire.UNRECOVERABLE_POSITION))
            return
        self.tell(wire.reply(command, "subscribe", result))
        stream.listen(self)
        self._subscribed[channel] = stream

    def _subscription(self, stream: Stream, asked: wire.Subscribe) -> wire.Subscribed | None:
        """The answer; None if the client does not want one that recovers nothing."""
        recoverable = stream.has_positions and (asked.recoverable or asked.recover)
        positioned = stream.has_positions and (asked.positioned or recoverable)
        found = None
        if asked.recover and stream.has_positions:
            found = stream.recover(asked.epoch, asked.offset, self._house.limits.publications_max)
        if asked.recover and found is None and asked.flag & wire.REJECT_UNRECOVERED:
            return None
        result = wire.Subscribed(recoverable, positioned, was_recovering=asked.recover, recovered=found is not None)
        if positioned:
            result.epoch = stream.epoch
            # From its own position the client advances with each publication that it has been shown.
            result.offset = stream.top if found is None else asked.offset
        result.publications = wire.raw(found or ())
        return result

    def _unsubscribe(self, channel: str) -> bool:
        """Whether it was subscribed."""
        stream = self._subscribed.pop(channel, None)
        if stream is None:
            return False
        stream.leave(self)
        self._house.streams.release(stream)
        return True

    async def _history(self, command: int, asked: wire.History, visitor: Visitor[Principal]) -> None:
        stream = await self._open(command, asked.channel, self._objection(asked.channel, visitor))
        if stream is None:
            return
        self._house.streams.release(stream)
        since = asked.since
        if not stream.has_positions:
            self.tell(wire.refusal(command, wire.NOT_AVAILABLE))
        elif since is not None and since.epoch not in ("", stream.epoch):
            self.tell(wire.refusal(command, wire.UNRECOVERABLE_POSITION))
        else:
            most = self._house.limits.publications_max
            limit = most if asked.limit < 0 else min(asked.limit, most)
            if asked.reverse:
                found = stream.before(None if since is None else since.offset, limit)
            else:
                found = stream.after(0 if since is None else since.offset, limit)
            history = wire.Publications(wire.raw(found), stream.epoch, stream.top)
            self.tell(wire.reply(command, "history", history))

    def _objection(self, channel: str, visitor: Visitor[Principal]) -> Fault | None:
        if not 0 < len(channel) <= CHANNEL_CHARACTERS_MAX:
            return wire.BAD_COMMAND
        permission = self._house.door.may_subscribe(visitor.principal, channel)
        if permission == ALLOWED:
            return None
        return wire.UNKNOWN_CHANNEL if permission == UNKNOWN else wire.PERMISSION_DENIED

    async def _open(self, command: int, channel: str, fault: Fault | None) -> Stream | None:
        """The channel, or None and a refusal."""
        if fault is None:
            try:
                return await self._house.streams.open(channel)
            except Exception:  # noqa: BLE001 - a fault of ours; the client asks again
                _log.exception("a channel could not be opened")
                fault = wire.INTERNAL
        self.tell(wire.refusal(command, fault))
        return None
