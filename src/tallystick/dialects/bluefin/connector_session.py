"""A client's session with the exchange: it logs in by its wallet, keeps its token fresh, and knows its clocks.

A request that is answered 401 was not carried out, so it is sent once more, the same to the byte, under a new token;
nothing else is repeated. No secret and no token is in an error or a repr.
"""

import asyncio
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from tallystick.connect.clock_offset import ClockOffset
from tallystick.connect.errors import Ambiguous, NotSent, RateLimited, Refused, SignInRefused
from tallystick.connect.http import NO_HEADERS, Answer, HttpAndSockets, HttpSession, checked, decoded
from tallystick.connect.socket import Socket
from tallystick.dialects.bluefin.login_wire import RefreshRequest, TokenAnswer
from tallystick.dialects.bluefin.wallet import Wallet
from tallystick.dialects.bluefin.wire import camel

RENEW_SHARE: Final = 0.2
"""A token is fetched anew when so much of its life is left."""
BACKDATED_MS: Final = 2_000
"""A signature from the future is refused, one that is a little old is not; a clock is known to a second or so."""
AUDIENCE: Final = "api"
INFO: Final = "/v1/exchange/info"
ACCOUNT: Final = "/api/v1/account"
ACCOUNT_SOCKET: Final = "/ws/account"
TRADE: Final = "/api/v1/trade"
JSON: Final = {"content-type": "application/json"}

T = TypeVar("T")


class Addresses(NamedTuple):
    """Where the exchange's services are: one base for each, or the same for all (specs/bluefin.md §1.1)."""

    auth: str
    api: str
    trade: str
    stream: str


class _Error(Struct, frozen=True, rename=camel):
    error_code: str = ""
    message: str = ""


class _Clock(Struct, frozen=True, rename=camel):
    server_time_at_millis: int


def wall_us() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1000


class BluefinSession:
    """Made on a running loop. ``account`` is whose orders these are; ``wallet`` signs for it. ``now`` is our clock."""

    def __init__(
        self,
        addresses: Addresses,
        wallet: Wallet,
        account: str,
        open_http: Callable[[str], HttpAndSockets] = HttpSession,
        now: Callable[[], int] = wall_us,
    ) -> None:
        made = {url: open_http(url) for url in dict.fromkeys(addresses)}
        self._auth: Final = made[addresses.auth]
        self._api: Final = made[addresses.api]
        self._trade: Final = made[addresses.trade]
        self._stream: Final = made[addresses.stream]
        self._all: Final = list(made.values())
        self._wallet: Final = wallet
        self._account: Final = account
        self._now: Final = now
        self._authorization = ""
        self._refresh = b""
        self._renew_at = 0.0
        self._signing_in: Final = asyncio.Lock()
        self.clock: Final = ClockOffset()
        """The exchange's own time, which its events and the ends of orders are told in."""
        self._wall: Final = ClockOffset()  # by which it judges signatures; a sandbox's own time may be another

    async def close(self) -> None:
        for each in self._all:
            await each.close()

    def signed_at_millis(self, time_us: int) -> int:
        """What to sign at a time of our clock, in microseconds."""
        return (time_us + self._wall.offset) // 1000 - BACKDATED_MS

    def venue_millis(self, time_us: int) -> int:
        """A time of our clock in the exchange's time."""
        return (time_us + self.clock.offset) // 1000

    async def info(self, kind: type[T]) -> T:
        """What the exchange says of itself, for which nobody has to log in; its clocks are read by the way."""
        sent = self._now()
        answer = check(await self._api.request("GET", INFO))
        received = self._now()
        self.clock.add(sent, received, decoded(answer.body, _Clock).server_time_at_millis * 1000)
        wall = _date(answer)
        if wall:
            self._wall.add(sent, received, wall)
        return decoded(answer.body, kind)

    async def sign_in(self) -> None:
        """Have a token that lasts a while. Raises SignInRefused, or NotSent for whatever else went wrong."""
        async with self._signing_in:
            if self._authorization and time.monotonic() < self._renew_at:
                return
            try:
                answer = await self._refreshed() if self._refresh else None
                if answer is None or 400 <= answer.status < 500:
                    answer = await self._log_in()
                token = decoded(check(answer).body, TokenAnswer)
            except (Ambiguous, RateLimited) as error:
                raise NotSent(f"no access token: {error}") from error
            self._authorization = f"Bearer {token.access_token}"
            self._refresh = msgspec.json.encode(RefreshRequest(refresh_token=token.refresh_token))
            self._renew_at = time.monotonic() + token.access_token_valid_for_seconds * (1 - RENEW_SHARE)

    async def request(self, method: str, path: str, body: Any = None) -> Answer:
        """The exchange's answer, whatever its status. Raises NotSent, Ambiguous or SignInRefused."""
        encoded = None if body is None else msgspec.json.encode(body)
        await self.sign_in()
        answer = await self._send(method, path, encoded)
        if answer.status == 401:
            self._forget_token()
            await self.sign_in()
            answer = await self._send(method, path, encoded)
        return answer

    async def get(self, path: str, kind: type[T], **query: str | int) -> T:
        """What is there, as ``kind``; what is empty is not asked with. Raises what ``check`` raises, and Unreadable."""
        asked = urlencode({name: value for name, value in query.items() if value != ""})
        return decoded(check(await self.request("GET", f"{path}?{asked}" if asked else path)).body, kind)

    async def socket(self) -> Socket:
        """The account's stream, not subscribed to anything yet."""
        await self.sign_in()
        try:
            return await self._stream.socket(ACCOUNT_SOCKET, headers={"authorization": self._authorization})
        except Refused:
            self._forget_token()  # it may have been for the token: the next attempt has another
            raise

    async def _send(self, method: str, path: str, body: bytes | None) -> Answer:
        http = self._trade if path.startswith(TRADE) else self._api
        headers = {"authorization": self._authorization, **(NO_HEADERS if body is None else JSON)}
        return await http.request(method, path, headers=headers, body=body)

    async def _log_in(self) -> Answer:
        signed_at = self.signed_at_millis(self._now())
        body = msgspec.json.encode({"accountAddress": self._account, "signedAtMillis": signed_at, "audience": AUDIENCE})
        headers = {**JSON, "payloadSignature": self._wallet.sign(body)}
        answer = await self._auth.request("POST", "/auth/v2/token", headers=headers, body=body)
        if answer.status in (400, 401, 403, 404):
            error = _error(answer)
            raise SignInRefused(error.error_code or "sign_in_refused", error.message)
        return answer

    async def _refreshed(self) -> Answer:
        answer = await self._auth.request("PUT", "/auth/token/refresh", headers=JSON, body=self._refresh)
        if 400 <= answer.status < 500 and answer.status != 429:
            self._refresh = b""
        return answer

    def _forget_token(self) -> None:
        self._renew_at = 0.0
        self._refresh = b""


def check(answer: Answer) -> Answer:
    """The answer, if it is a success. Raises RateLimited, NotThere, Refused, or Ambiguous for a 5xx."""
    error = _error(answer)
    return checked(answer, error.error_code, error.message)


def _error(answer: Answer) -> _Error:
    if answer.status < 400:
        return _Error()
    try:
        return msgspec.json.decode(answer.body, type=_Error)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return _Error()


def _date(answer: Answer) -> int:
    """The header Date in microseconds, in the middle of its second; 0 where there is none."""
    try:
        return int((parsedate_to_datetime(answer.headers["date"]).timestamp() + 0.5) * 1_000_000)
    except (KeyError, ValueError, TypeError, OverflowError):
        return 0
