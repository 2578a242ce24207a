"""The protocol's words: commands as they come, replies and pushes as they go, error and close codes (specs/sx.md §2.1).

A frame holds JSON objects, one to a line. A command has an ``id`` and one method; its reply has the same id, and the
method's result or an error. A push has no id; the frame ``{}`` is a ping, or the pong that answers it.
"""

from collections.abc import Iterable
from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta, Raw, Struct

from tallystick.deliver.sockets import Ending

PING: Final = b"{}"

REJECT_UNRECOVERED: Final = 2
"""A bit of ``flag``: answer UNRECOVERABLE_POSITION rather than ``recovered: false``."""


class Fault(NamedTuple):
    """Why a command is refused; a client tries again by itself what is ``temporary``."""

    code: int
    message: str
    temporary: bool = False


INTERNAL: Final = Fault(100, "internal server error", temporary=True)
UNAUTHORIZED: Final = Fault(101, "unauthorized")
UNKNOWN_CHANNEL: Final = Fault(102, "unknown channel")
PERMISSION_DENIED: Final = Fault(103, "permission denied")
METHOD_NOT_FOUND: Final = Fault(104, "method not found")
ALREADY_SUBSCRIBED: Final = Fault(105, "already subscribed")
LIMIT_EXCEEDED: Final = Fault(106, "limit exceeded")
BAD_COMMAND: Final = Fault(107, "bad request")
NOT_AVAILABLE: Final = Fault(108, "not available")
TOKEN_EXPIRED: Final = Fault(109, "token expired")
UNRECOVERABLE_POSITION: Final = Fault(112, "unrecoverable position")

# A client connects again after 3000-3499, and gives up after 3500-3999.
SHUTDOWN: Final = Ending(3001, "shutdown")
FAILED: Final = Ending(3004, "internal server error")
EXPIRED: Final = Ending(3005, "connection expired")
SLOW: Final = Ending(3008, "slow")
NO_PONG: Final = Ending(3012, "no pong")
INVALID_TOKEN: Final = Ending(3500, "invalid token")
BAD_REQUEST: Final = Ending(3501, "bad request")
STALE: Final = Ending(3502, "stale")
CONNECTION_LIMIT: Final = Ending(3504, "connection limit")
TOO_LARGE: Final = Ending(1009, "message size limit")

# A client subscribes again after 2500-2999, and gives up after 2000-2499.
UNSUBSCRIBED: Final = Ending(2000, "server unsubscribe")
INSUFFICIENT_STATE: Final = Ending(2500, "insufficient state")


Unsigned32 = Annotated[int, Meta(ge=0, lt=1 << 32)]
Offset = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]


class Connect(Struct):
    token: str = ""


class Subscribe(Struct):
    channel: str = ""
    positioned: bool = False
    recoverable: bool = False
    recover: bool = False
    epoch: str = ""
    offset: Offset = 0
    flag: Unsigned32 = 0


class Unsubscribe(Struct):
    channel: str = ""


class Since(Struct):
    offset: Offset = 0
    epoch: str = ""


class History(Struct):
    """``limit`` 0 asks for the position alone, a negative one for as much as may be had."""

    channel: str = ""
    limit: int = 0
    since: Since | None = None
    reverse: bool = False


class Refresh(Struct):
    token: str = ""


class Other(Struct):
    """A command that there is, and that nobody may use here."""


class Command(Struct):
    """One of the methods; with none, it is a pong. Bare commands, without an id, are answered without one."""

    id: Unsigned32 = 0
    connect: Connect | None = None
    subscribe: Subscribe | None = None
    unsubscribe: Unsubscribe | None = None
    history: History | None = None
    refresh: Refresh | None = None
    publish: Other | None = None
    presence: Other | None = None
    presence_stats: Other | None = None
    sub_refresh: Other | None = None
    rpc: Other | None = None
    send: Other | None = None


class Connected(Struct, omit_defaults=True):
    """``ping`` and ``ttl`` are in seconds."""

    client: str
    version: str
    ping: int
    pong: bool
    expires: bool = False
    ttl: int = 0


class Subscribed(Struct, omit_defaults=True):
    recoverable: bool = False
    positioned: bool = False
    epoch: str = ""
    offset: int = 0
    was_recovering: bool = False
    recovered: bool = False
    publications: list[Raw] = []


class Publications(Struct):
    """A history's answer: ``offset`` is the channel's newest."""

    publications: list[Raw]
    epoch: str
    offset: int


class Refreshed(Struct, omit_defaults=True):
    """``ttl`` is in seconds."""

    expires: bool = False
    ttl: int = 0


class Nothing(Struct):
    """A result that says nothing but that it was done."""


Result = Connected | Subscribed | Publications | Refreshed | Nothing


class BadFrame(Exception):
    """A frame that is not of this protocol."""


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Command).decode


def commands(frame: bytes | str) -> list[Command]:
    """The commands of a frame, in order. Raises BadFrame."""
    try:
        text = frame.encode() if isinstance(frame, str) else frame
        found = [_decode(line) for line in text.split(b"\n") if line.strip()]
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise BadFrame from None
    if not found:
        raise BadFrame
    return found


def reply(command: int, method: str, result: Result) -> bytes:
    """The answer to the command with that id, 0 for none."""
    return _encode({"id": command, method: result} if command else {method: result})


def refusal(command: int, fault: Fault) -> bytes:
    """The error that answers the command with that id, 0 for none."""
    error: dict[str, int | str | bool] = {"code": fault.code, "message": fault.message}
    if fault.temporary:
        error["temporary"] = True
    return _encode({"id": command, "error": error} if command else {"error": error})


def publication(data: bytes, offset: int) -> bytes:
    """``data`` (JSON) as one publication of a channel, as it stands in pushes, histories and recoveries."""
    return b'{"data":%b,"offset":%d}' % (data, offset) if offset else b'{"data":%b}' % data


def push(channel: str, published: bytes) -> bytes:
    """A publication for whoever is subscribed: made once for them all."""
    return b'{"push":{"channel":%b,"pub":%b}}' % (_encode(channel), published)


def unsubscribed(channel: str, why: Ending) -> bytes:
    """The subscription is over; by the code the client knows whether to subscribe again."""
    return _encode({"push": {"channel": channel, "unsubscribe": {"code": why.code, "reason": why.reason}}})


def raw(bodies: Iterable[bytes]) -> list[Raw]:
    """Publications that are encoded already."""
    return [Raw(body) for body in bodies]
