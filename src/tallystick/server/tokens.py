"""Access tokens: JWTs signed with HMAC-SHA256 (RFC 7519), for a quarter of an hour, under a key that a restart keeps.

Whether the client still exists and is enabled is judged elsewhere, at each use; a token says which generation of its
client it was issued to, so that all tokens of a client can be ended at once.
"""

from collections import OrderedDict
from collections.abc import Collection
from hashlib import blake2b
from typing import Final

import msgspec
from jwt import InvalidTokenError, PyJWS

from tallystick.access.principal import SCOPES, Principal, scope_text

LIFETIME_SECONDS: Final = 900
ISSUER: Final = "tallystick"
SKEW_SECONDS: Final = 60
"""How far the clock may have gone back since a token was issued. More would let tokens live longer than they should."""
VERIFIED_MAX: Final = 4096
TOKEN_CHARACTERS_MAX: Final = 2048

_ALGORITHM: Final = "HS256"


class InvalidToken(Exception):
    """The token is not one of ours, or no longer. ``expired`` tells the two apart."""

    def __init__(self, *, expired: bool) -> None:
        super().__init__("expired" if expired else "invalid")
        self.expired: Final = expired


class Claims(msgspec.Struct, frozen=True):
    """What a token says: RFC 7519 §4.1 and RFC 8693 §4.2; ``gen`` is the generation of the client."""

    iss: str
    sub: str
    scope: str
    iat: int
    exp: int
    jti: str
    gen: int


class Verified:
    """A token that was found to be ours: whose, of which generation, and until when (seconds since the epoch)."""

    __slots__ = ("begins", "expires", "generation", "principal")

    def __init__(self, claims: Claims) -> None:
        self.principal: Final = Principal(claims.sub, set(SCOPES).intersection(claims.scope.split(" ")))
        self.generation: Final = claims.gen
        self.begins: Final = claims.iat - SKEW_SECONDS
        self.expires: Final = claims.exp


class Tokens:
    """Issues and verifies. ``secret`` is the data folder's; times are seconds since the epoch."""

    def __init__(self, secret: bytes, verified_max: int = VERIFIED_MAX) -> None:
        self._key: Final = blake2b(key=secret, person=b"access tokens", digest_size=32).digest()
        # Knows one algorithm and no other, so a token cannot choose.
        self._jws: Final = PyJWS(algorithms=[_ALGORITHM])
        self._claims: Final = msgspec.json.Decoder(Claims)
        self._verified: Final[OrderedDict[str, Verified]] = OrderedDict()
        self._verified_max: Final = verified_max

    def __len__(self) -> int:
        return len(self._verified)

    def issue(self, client: str, scopes: Collection[str], generation: int, now: float, jti: str) -> str:
        """A token from ``now`` on, for LIFETIME_SECONDS; ``jti`` is its unique id."""
        issued = int(now)
        claims = Claims(ISSUER, client, scope_text(scopes), issued, issued + LIFETIME_SECONDS, jti, generation)
        return self._jws.encode(msgspec.json.encode(claims), self._key, _ALGORITHM)

    def verify(self, token: str, now: float) -> Verified:
        """What the token says; raises InvalidToken. One that was verified before costs a look-up."""
        verified = self._verified.get(token)
        if verified is None:
            verified = self._verify(token)
            if verified.begins <= now < verified.expires:  # what is void already would only push others out
                self._verified[token] = verified
                if len(self._verified) > self._verified_max:
                    self._verified.popitem(last=False)
        else:
            self._verified.move_to_end(token)
        if now >= verified.expires:
            self._verified.pop(token, None)
            raise InvalidToken(expired=True)
        if now < verified.begins:
            raise InvalidToken(expired=False)
        return verified

    def _verify(self, token: str) -> Verified:
        if len(token) > TOKEN_CHARACTERS_MAX:
            raise InvalidToken(expired=False)
        try:
            claims = self._claims.decode(self._jws.decode(token, self._key, [_ALGORITHM]))
        except (InvalidTokenError, msgspec.DecodeError, ValueError, RecursionError):
            raise InvalidToken(expired=False) from None
        if claims.iss != ISSUER:
            raise InvalidToken(expired=False)
        return Verified(claims)
