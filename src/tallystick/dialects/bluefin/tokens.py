"""Access and refresh tokens: JWTs signed with Ed25519 (RFC 8037), under a key that a restart keeps.

The public key is published, as the exchange publishes its own, so that anybody can verify a token. Whether the wallet
that logged in may still act for its account is judged elsewhere, at each use.
"""

from base64 import urlsafe_b64encode
from collections import OrderedDict
from hashlib import blake2b, sha256
from typing import Any, Final, Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt import InvalidTokenError, PyJWS

from tallystick.dialects.bluefin.login_wire import TOKEN_CHARACTERS_MAX

ACCESS_SECONDS: Final = 300
ISSUER: Final = "tallystick-bluefin"
ALGORITHM: Final = "EdDSA"
SKEW_SECONDS: Final = 60
"""How far the clock may have gone back since a token was issued."""
VERIFIED_MAX: Final = 4096

ACCESS: Final = "access"
REFRESH: Final = "refresh"
Use = Literal["access", "refresh"]


class InvalidToken(Exception):
    """The token is not one of ours, not for this use, or no longer valid. ``expired`` tells the last apart."""

    def __init__(self, *, expired: bool) -> None:
        super().__init__("expired" if expired else "invalid")
        self.expired: Final = expired


class Claims(msgspec.Struct, frozen=True):
    """What a token says (RFC 7519 §4.1): ``sub`` is the account, ``signer`` the wallet that logged in."""

    iss: str
    sub: str
    aud: str
    iat: int
    exp: int
    jti: str
    signer: str
    read_only: bool
    use: Use


class Tokens:
    """Issues and verifies. ``secret`` is the data folder's; times are seconds since the epoch."""

    def __init__(self, secret: bytes, verified_max: int = VERIFIED_MAX) -> None:
        seed = blake2b(key=secret, person=b"bluefin tokens", digest_size=32).digest()
        self._key: Final = Ed25519PrivateKey.from_private_bytes(seed)
        self._public_key: Final = self._key.public_key()
        self.public_jwk: Final = _jwk(self._public_key.public_bytes_raw())
        """The public key (RFC 8037 §2), under its thumbprint."""
        # Knows one algorithm and no other, so a token cannot choose.
        self._jws: Final = PyJWS(algorithms=[ALGORITHM])
        self._claims: Final = msgspec.json.Decoder(Claims)
        self._verified: Final[OrderedDict[str, Claims]] = OrderedDict()
        self._verified_max: Final = verified_max

    def __len__(self) -> int:
        return len(self._verified)

    def issue(self, claims: Claims) -> str:
        return self._jws.encode(msgspec.json.encode(claims), self._key, ALGORITHM, {"kid": self.public_jwk["kid"]})

    def verify(self, token: str, use: Use, now: float) -> Claims:
        """What the token says; raises InvalidToken. An access token that was verified before costs a look-up."""
        claims = self._verified.get(token) or self._verify(token)
        if claims.use != use or now < claims.iat - SKEW_SECONDS:
            raise InvalidToken(expired=False)
        if now >= claims.exp:
            self._verified.pop(token, None)
            raise InvalidToken(expired=True)
        if use == ACCESS:
            self._remember(token, claims)
        return claims

    def _remember(self, token: str, claims: Claims) -> None:
        self._verified[token] = claims
        self._verified.move_to_end(token)
        if len(self._verified) > self._verified_max:
            self._verified.popitem(last=False)

    def _verify(self, token: str) -> Claims:
        if len(token) > TOKEN_CHARACTERS_MAX:
            raise InvalidToken(expired=False)
        try:
            claims = self._claims.decode(self._jws.decode(token, self._public_key, [ALGORITHM]))
        except (InvalidTokenError, msgspec.DecodeError, ValueError, RecursionError):
            raise InvalidToken(expired=False) from None
        if claims.iss != ISSUER:
            raise InvalidToken(expired=False)
        return claims


def _jwk(public_key: bytes) -> dict[str, Any]:
    members = {"crv": "Ed25519", "kty": "OKP", "x": _base64(public_key)}
    thumbprint = sha256(msgspec.json.encode(members, order="sorted")).digest()  # RFC 7638
    return {**members, "kid": _base64(thumbprint), "alg": ALGORITHM, "use": "sig"}


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
