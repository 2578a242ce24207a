"""The door: who a request comes from, tokens for those who prove who they are, and how often each may come."""

import hmac
import logging
import math
import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from tallystick.access.principal import SCOPES, Denied, Grant, Principal
from tallystick.server.keys import CLIENT, SANDBOX_CLIENT, KeysError, KeyTable, secret_digest
from tallystick.server.rates import Buckets, Rate
from tallystick.server.tokens import LIFETIME_SECONDS, InvalidToken, Tokens

FAILED_GRANTS_PER_CLIENT: Final = Rate(per_second=0.2, burst=10)
FAILED_GRANTS_OVERALL: Final = Rate(per_second=10, burst=100)
NO_OPERATORS: Final[Mapping[str, bytes]] = MappingProxyType({})

_ALL: Final = ""
_ID_CHARACTERS_MAX: Final = 64

_log = logging.getLogger(__name__)


class Admission:
    """``rate`` is each client's, None for no limit. ``static_token`` stands for the sandbox's own client, with all
    scopes, and never expires; empty for none. ``operators`` are those who are configured beside those of the table: by
    name, the digest of each one's secret. ``wall`` tells seconds since the epoch, ``monotonic`` those of any clock.

    While the table of clients cannot be read, all methods raise Denied 503 (but for the static token): who was disabled
    in the meantime could not be told.
    """

    def __init__(
        self,
        keys: KeyTable,
        tokens: Tokens,
        *,
        static_token: str = "",
        rate: Rate | None = None,
        operators: Mapping[str, bytes] = NO_OPERATORS,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys: Final = keys
        self._tokens: Final = tokens
        self._static: Final = static_token.encode()
        self._sandbox: Final = Principal(SANDBOX_CLIENT, SCOPES)
        self._requests: Final = Buckets(rate) if rate is not None else None
        self._failed: Final = Buckets(FAILED_GRANTS_PER_CLIENT)
        self._failed_overall: Final = Buckets(FAILED_GRANTS_OVERALL)
        self._operators: Final = dict(operators)
        self._wall: Final = wall
        self._monotonic: Final = monotonic
        self._keys_lost = False

    def close(self) -> None:
        self._keys.close()

    def admit(self, authorization: str | None) -> Principal:
        """Who shows this Authorization header. Raises Denied: 401 ``unauthorized``, 429 ``too_many_requests``."""
        token = _bearer(authorization)
        principal = self._sandbox if self._is_static(token) else self._verify(token)
        if self._requests is not None:
            wait = self._requests.take(principal.client, self._monotonic())
            if wait:
                raise _too_many("This client sends too many requests.", wait)
        return principal

    def may_receive(self, client: str) -> bool:
        """Whether anything is sent to the client by itself: not while it is disabled, or nobody can tell."""
        try:
            self._look()
        except Denied:
            return False
        if client == SANDBOX_CLIENT and self._static:
            return True
        found = self._keys.find(CLIENT, client)
        return found is not None and found.disabled_at is None

    def grant(self, client_id: str, client_secret: str) -> Grant:
        """A token for the client. Raises Denied: 401 ``invalid_client``, 429 ``too_many_requests``.

        The right secret is always let in, so that nobody keeps a client out by failing in its name: 32 random bytes
        are not guessed, however often somebody tries. Those who fail much are only told to come back later.
        """
        self._look()
        grant = self._judge(client_id, client_secret)
        if grant is None:
            now, key = self._monotonic(), client_id[:_ID_CHARACTERS_MAX]
            wait = self._failed.wait(key, now)
            if not self._failed.is_full(key, now):
                wait = max(wait, self._failed_overall.wait(_ALL, now))
            if wait:
                raise _too_many("Too many failed attempts.", wait)
            self._failed.take(key, now)
            self._failed_overall.take(_ALL, now)
            known = self._keys.find(CLIENT, client_id) is not None
            _log.info("a token was refused to %s", f"client {client_id}" if known else "an unknown client")
            raise Denied(
                401,
                "invalid_client",
                "There is no such client, its secret is another, or it is disabled.",
                challenge='Basic realm="tallystick"',
            )
        return grant

    def operator(self, authorization: str | None) -> str:
        """The name of the operator whose secret this Authorization header bears. Raises Denied 401."""
        self._look()
        secret = _bearer(authorization)
        digest = secret_digest(secret)
        names = [name for name, known in self._operators.items() if hmac.compare_digest(digest, known)]
        found = self._keys.operator(secret, self._wall())
        if found is None and not names:
            raise _unauthorized("Send an operator's secret: Authorization: Bearer <secret>.")
        return names[0] if found is None else found.name

    def _judge(self, client_id: str, client_secret: str) -> Grant | None:
        wall = self._wall()
        client, scopes, generation = SANDBOX_CLIENT, self._sandbox.scopes, 0
        if not (client_id == SANDBOX_CLIENT and self._is_static(client_secret)):
            found = self._keys.authenticate(client_id, client_secret, wall)
            if found is None:
                return None
            client, scopes, generation = found.name, found.scopes, found.generation
        token = self._tokens.issue(client, scopes, generation, wall, secrets.token_hex(16))
        return Grant(token, LIFETIME_SECONDS, scopes)

    def _is_static(self, token: str) -> bool:
        return bool(self._static) and hmac.compare_digest(token.encode("utf-8", "surrogatepass"), self._static)

    def _verify(self, token: str) -> Principal:
        try:
            verified = self._tokens.verify(token, self._wall())
        except InvalidToken as error:
            sentence = "The token has expired: get another." if error.expired else _SEND_A_TOKEN
            raise _unauthorized(sentence, error="invalid_token") from None
        self._look()
        principal = verified.principal
        if principal.client == SANDBOX_CLIENT and self._static:
            return principal
        client = self._keys.find(CLIENT, principal.client)
        if client is None or client.disabled_at is not None or client.generation != verified.generation:
            raise _unauthorized("The client is disabled, or its tokens were ended.", error="invalid_token")
        return principal

    def _look(self) -> None:
        """See what has changed in the table; said once when that is not possible, and once when it is again."""
        try:
            self._keys.refresh()
        except KeysError as error:
            if not self._keys_lost:
                _log.error("nobody is admitted: %s", error)
            self._keys_lost = True
            raise Denied(503, error.code, "Clients cannot be looked up. Try again later.", retry_after=1) from None
        if self._keys_lost:
            _log.warning("clients are admitted again")
            self._keys_lost = False


def open_admission(
    data: Path,
    secret: bytes,
    *,
    static_token: str = "",
    rate: Rate | None = None,
    operators: Mapping[str, bytes] = NO_OPERATORS,
) -> Admission:
    """The door of a data folder; ``secret`` is the folder's. Raises KeysError."""
    return Admission(KeyTable(data), Tokens(secret), static_token=static_token, rate=rate, operators=operators)


_SEND_A_TOKEN: Final = "Send a valid token: Authorization: Bearer <token>."


def _bearer(authorization: str | None) -> str:
    scheme, _, token = (authorization or "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise _unauthorized(_SEND_A_TOKEN)
    return token


def _unauthorized(detail: str, error: str = "") -> Denied:
    """RFC 6750 §3.1: the challenge says what is wrong with a token, and nothing when there was none."""
    return Denied(401, "unauthorized", detail, challenge=f'Bearer error="{error}"' if error else "Bearer")


def _too_many(detail: str, wait: float) -> Denied:
    seconds = math.ceil(wait)
    return Denied(429, "too_many_requests", f"{detail} Try again in {seconds} s.", retry_after=seconds)
