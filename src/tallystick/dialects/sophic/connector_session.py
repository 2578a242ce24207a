"""A client's session with a Sophic venue: access tokens, fetched before they end, and the venue's errors as types.

A request that is answered 401 was not carried out, so it is sent once more under a new token; nothing else is repeated.
No secret and no token is in an error or a repr.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from tallystick.connect.errors import Ambiguous, NotSent, RateLimited, SignInRefused
from tallystick.connect.http import NO_HEADERS, Answer, HttpSession, OpenHttp, checked, decoded

PAGE: Final = 200
RENEW_SHARE: Final = 0.2
"""A token is fetched anew when so much of its life is left."""

T = TypeVar("T")


class _Token(Struct, frozen=True):
    access_token: str
    expires_in: float

    def __repr__(self) -> str:
        return f"_Token(expires_in={self.expires_in})"


class _Error(Struct, frozen=True):
    code: str = ""
    detail: str = ""


class SophicSession:
    """Made on a running loop. ``turn`` is awaited before each request beyond the first of a call."""

    def __init__(self, url: str, client_id: str, client_secret: str, open_http: OpenHttp = HttpSession) -> None:
        self._http: Final = open_http(url)
        self._credentials: Final = urlencode(
            {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
        ).encode()
        self._authorization = ""
        self._renew_at = 0.0
        self._signing_in: Final = asyncio.Lock()

    async def close(self) -> None:
        await self._http.close()

    async def sign_in(self) -> None:
        """Have a token that lasts a while. Raises SignInRefused, or NotSent for whatever else went wrong."""
        async with self._signing_in:
            if self._authorization and time.monotonic() < self._renew_at:
                return
            try:
                answer = await self._http.request(
                    "POST",
                    "/auth/token",
                    headers={"content-type": "application/x-www-form-urlencoded"},
                    body=self._credentials,
                )
                if answer.status in (400, 401, 403):
                    error = _error(answer)
                    raise SignInRefused(error.code or "sign_in_refused", error.detail)
                token = read(check(answer), _Token)
            except (Ambiguous, RateLimited) as error:
                raise NotSent(f"no access token: {error}") from error
            self._authorization = f"Bearer {token.access_token}"
            self._renew_at = time.monotonic() + token.expires_in * (1 - RENEW_SHARE)

    async def request(
        self, method: str, path: str, *, headers: Mapping[str, str] = NO_HEADERS, body: Any = None
    ) -> Answer:
        """The venue's answer, whatever its status. Raises NotSent, Ambiguous or SignInRefused."""
        encoded = None if body is None else msgspec.json.encode(body)
        await self.sign_in()
        answer = await self._send(method, path, headers, encoded)
        if answer.status == 401:
            self._renew_at = 0.0
            await self.sign_in()
            answer = await self._send(method, path, headers, encoded)
        return answer

    async def get(self, path: str, kind: type[T]) -> T:
        """What is there, as ``kind``. Raises what ``check`` raises, and Unreadable."""
        return read(check(await self.request("GET", path)), kind)

    async def _send(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        more = {"authorization": self._authorization, **headers}
        if body is not None:
            more["content-type"] = "application/json"
        return await self._http.request(method, path, headers=more, body=body)


def check(answer: Answer) -> Answer:
    """The answer, if it is a success. Raises RateLimited, NotThere, Refused, or Ambiguous for a 5xx."""
    return checked(answer, *error_of(answer))


def query(**parameters: str | int) -> str:
    """The query of a page of a list; what is "" is left out."""
    return urlencode({"limit": PAGE, **{name: value for name, value in parameters.items() if value}})


def error_of(answer: Answer) -> tuple[str, str]:
    """The code and the detail of an error, "" where the answer has none."""
    error = _error(answer)
    return error.code, error.detail


def is_error(answer: Answer, status: int, code: str) -> bool:
    """Whether the answer is this error of the venue's."""
    return answer.status == status and _error(answer).code == code


def read(answer: Answer, kind: type[T]) -> T:
    """The answer's body. Raises Unreadable."""
    return decoded(answer.body, kind)


def _error(answer: Answer) -> _Error:
    try:
        return msgspec.json.decode(answer.body, type=_Error)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return _Error()
