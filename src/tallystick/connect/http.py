"""One venue's HTTP session: every request ends answered, never sent, or in doubt, and nothing in between; and sockets.

Whether a request was sent is not guessed from the kind of error: it is in doubt from the moment its head is written to
a connection. A request is never repeated here; whether that is safe is known to whoever sent it.
"""

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, Protocol, TypeVar, cast

import aiohttp
import msgspec

from tallystick.connect.errors import Ambiguous, NotSent, NotThere, RateLimited, Refused, Unreadable
from tallystick.connect.socket import PING_SECONDS, Socket, WebSocket

ANSWER_BYTES_MAX: Final = 16 * 1024 * 1024
NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})

T = TypeVar("T")


class Answer:
    """Header names are in lower case; ``seconds`` is how long it took."""

    __slots__ = ("body", "headers", "seconds", "status")

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes, seconds: float) -> None:
        self.status: Final = status
        self.headers: Final = headers
        self.body: Final = body
        self.seconds: Final = seconds

    @property
    def retry_after(self) -> float:
        """Seconds, 0 where the answer does not say."""
        text = self.headers.get("retry-after", "")
        return float(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0.0


class Http(Protocol):
    """What carries requests to one venue; HttpSession, or what stands in its place in a simulation."""

    async def request(
        self, method: str, path: str, *, headers: Mapping[str, str] = NO_HEADERS, body: bytes | None = None
    ) -> Answer:
        """The venue's answer, whatever its status. Raises NotSent or Ambiguous."""
        ...

    async def close(self) -> None: ...


class HttpAndSockets(Http, Protocol):
    """The same for a venue that is followed over a WebSocket."""

    async def socket(self, path: str, *, headers: Mapping[str, str] = NO_HEADERS) -> Socket:
        """Raises Refused if the venue answers with a status, else NotSent."""
        ...


OpenHttp = Callable[[str], Http]
"""Opens a session with a venue, given its base address. Called on a running loop."""


class _Trace:
    """``is_sent`` as soon as the request's head was written."""

    __slots__ = ("is_sent",)

    def __init__(self) -> None:
        self.is_sent = False


class HttpSession:
    """``url`` is what paths are appended to. No cookies are kept, no redirects followed. Made on a running loop."""

    def __init__(self, url: str, connect_seconds: float = 5.0, answer_seconds: float = 10.0) -> None:
        self._url: Final = url.rstrip("/")
        trace = aiohttp.TraceConfig(cast(Any, _context))
        trace.on_request_headers_sent.append(_head_sent)
        self._session: Final = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=connect_seconds + answer_seconds, connect=connect_seconds),
            trace_configs=[trace],
            connector=aiohttp.TCPConnector(limit=64),
        )

    async def close(self) -> None:
        await self._session.close()

    async def request(
        self, method: str, path: str, *, headers: Mapping[str, str] = NO_HEADERS, body: bytes | None = None
    ) -> Answer:
        """The venue's answer, whatever its status. Raises NotSent or Ambiguous; messages name no header and no body."""
        trace = _Trace()
        began = time.monotonic()
        try:
            async with self._session.request(
                method,
                self._url + path,
                headers=headers,
                data=body,
                allow_redirects=False,
                trace_request_ctx=trace,
            ) as response:
                content = await _read(response)
                lowered = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status, lowered, content, time.monotonic() - began)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            what = f"{method} {path.partition('?')[0]}: {type(error).__name__}"
            if trace.is_sent:
                raise Ambiguous(f"{what}: no answer") from None  # its own error may show headers
            raise NotSent(f"{what}: not sent") from None

    async def socket(self, path: str, *, headers: Mapping[str, str] = NO_HEADERS) -> WebSocket:
        """A WebSocket. Raises Refused if the venue answers with a status, else NotSent; messages name no header."""
        what = f"socket {path.partition('?')[0]}"
        try:
            return WebSocket(
                await self._session.ws_connect(
                    self._url + path, headers=headers, heartbeat=PING_SECONDS, max_msg_size=ANSWER_BYTES_MAX
                )
            )
        except aiohttp.WSServerHandshakeError as error:
            status = error.status
            raise Refused(f"status_{status}", f"{what}: status {status}") from None  # its own error may show headers
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NotSent(f"{what}: {type(error).__name__}") from None


def checked(answer: Answer, code: str, detail: str) -> Answer:
    """The answer, if it is a success; ``code`` and ``detail`` are its error's, "" for what it does not say.

    Raises RateLimited, NotThere, Refused, Ambiguous for a 5xx, or Unreadable where the answer says nothing that is the
    venue's: a page of whatever stands before it denies and refuses nothing.
    """
    if 200 <= answer.status < 300:
        return answer
    is_nobody_s = not (code or detail)
    detail = detail or f"status {answer.status}"
    if answer.status == 429:
        raise RateLimited(detail, answer.retry_after)
    if is_nobody_s and 400 <= answer.status < 500:
        raise Unreadable(f"{detail}, and no word of the venue's")
    if answer.status in (404, 410):
        raise NotThere(code or "not_found", detail)
    if 400 <= answer.status < 500 and answer.status not in (408, 409):
        raise Refused(code or f"status_{answer.status}", detail)
    raise Ambiguous(f"{code or answer.status}: {detail}")


def decoded(body: bytes | str | msgspec.Raw, kind: type[T]) -> T:
    """Raises Unreadable."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise Unreadable(f"an answer is not what it should be: {str(error)[:200]}") from None


async def _read(response: aiohttp.ClientResponse) -> bytes:
    pieces: list[bytes] = []
    size = 0
    async for piece in response.content.iter_any():
        size += len(piece)
        if size > ANSWER_BYTES_MAX:
            raise Unreadable(f"an answer has at most {ANSWER_BYTES_MAX} bytes")
        pieces.append(piece)
    return b"".join(pieces)


def _context(trace_request_ctx: Any) -> Any:
    return trace_request_ctx


async def _head_sent(_session: aiohttp.ClientSession, context: Any, _parameters: Any) -> None:
    if context is not None:  # a socket's handshake has none
        context.is_sent = True
