"""One request and its reply over ASGI, with as little in between as possible: this is in the way of every order."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from starlette.types import Receive, Scope, Send

from tallystick.access.principal import Principal

Headers = list[tuple[bytes, bytes]]

JSON: Final = (b"content-type", b"application/json")
_NOBODY: Final = Principal("", ())


class Disconnected(Exception):
    """The client has gone before its request was whole."""


class BodyTooLarge(Exception):
    """The body has more bytes than it may have."""


class Request:
    """``path`` is below the mount, ``whole_path`` is not; ``params`` are what it names, ``query`` is as it was sent,
    ``principal`` who was admitted (nobody, where everybody may come)."""

    __slots__ = ("_headers", "_receive", "method", "params", "path", "principal", "query", "whole_path")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.whole_path: Final[str] = scope["path"]
        self.path: Final[str] = self.whole_path.removeprefix(scope.get("root_path", ""))
        self.method: Final[str] = scope["method"]
        self.query: Final[bytes] = scope["query_string"]
        self.params: dict[str, str] = {}
        self.principal = _NOBODY
        self._headers: Final[Headers] = scope["headers"]
        self._receive: Final = receive

    def header(self, name: bytes) -> str | None:
        """The first header of this name, which is given in lower case."""
        for key, value in self._headers:
            if key == name:
                return value.decode("latin-1")
        return None

    def header_values(self, name: bytes) -> list[str]:
        """Every header of this name."""
        return [value.decode("latin-1") for key, value in self._headers if key == name]

    async def body(self, bytes_max: int) -> bytes:
        """The whole body. Raises BodyTooLarge as soon as it is known to be, and Disconnected."""
        declared = self.header(b"content-length") or ""
        if declared.isdigit() and (len(declared) > 9 or int(declared) > bytes_max):
            raise BodyTooLarge
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            chunk: bytes = message.get("body", b"")
            size += len(chunk)
            if size > bytes_max:
                raise BodyTooLarge
            chunks.append(chunk)
            if not message.get("more_body", False):
                return b"".join(chunks)


class Reply(NamedTuple):
    """A whole answer; ``headers`` besides its length."""

    status: int
    body: bytes
    headers: Headers

    def with_headers(self, headers: Mapping[str, str]) -> "Reply":
        """The same with more headers."""
        return self._replace(headers=[*self.headers, *_encoded(headers)])

    async def send(self, send: Send) -> None:
        length = (b"content-length", b"%d" % len(self.body))
        await send({"type": "http.response.start", "status": self.status, "headers": [*self.headers, length]})
        await send({"type": "http.response.body", "body": self.body})


def json_reply(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """JSON that is encoded already."""
    return Reply(status, body, [JSON, *_encoded(headers)] if headers else [JSON])


def json_array(items: list[bytes], headers: Mapping[str, str] | None = None) -> Reply:
    """Lists are bare arrays (specs/sophic.md §1)."""
    return json_reply(b"[" + b",".join(items) + b"]", 200, headers)


def _encoded(headers: Mapping[str, str]) -> Headers:
    return [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
