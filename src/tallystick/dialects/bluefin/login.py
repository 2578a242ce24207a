"""The login service: a wallet proves itself by a signature and is given tokens (specs/bluefin.md §1.2).

An access token counts for five minutes. A refresh token buys others until it ends, and is never prolonged: then the
wallet signs again. Both are void as soon as the wallet may no longer act for the account.
"""

import secrets
import time
from collections.abc import Callable
from typing import Final, Protocol

from tallystick.dialects.bluefin.errors import (
    FORBIDDEN,
    INVALID_AUDIENCE,
    RequestError,
    invalid,
    malformed_signature,
    unauthorized,
    wrong_signature,
)
from tallystick.dialects.bluefin.login_wire import (
    KeySet,
    LoginOptions,
    LoginRequest,
    OpenIdConfiguration,
    RefreshRequest,
    TokenAnswer,
)
from tallystick.dialects.bluefin.requests import read
from tallystick.dialects.bluefin.signatures import SignatureError, first_login_signer, login_signer
from tallystick.dialects.bluefin.tokens import (
    ACCESS,
    ACCESS_SECONDS,
    ALGORITHM,
    ISSUER,
    REFRESH,
    Claims,
    InvalidToken,
    Tokens,
    Use,
)

AUDIENCE: Final = "api"
WINDOW_MS: Final = 60_000
"""How far from now, either way, a login may have been signed."""
Signer = Callable[[bytes, str], str]


class Wallets(Protocol):
    """What the login service asks of the venue."""

    def may_act_for(self, wallet: str, account: str) -> bool:
        """Whether the account has authorised the wallet. Nobody asks about an account's own wallet."""

    async def welcome(self, account: str) -> None:
        """The account's owner has logged in: a sandbox opens and funds the account if it is new."""


class Session:
    """Who shows a token: the ``account`` it is for, and the wallet that logged in, both as addresses in lower case."""

    __slots__ = ("account", "is_read_only", "signer")

    def __init__(self, account: str, signer: str, is_read_only: bool) -> None:
        self.account: Final = account
        self.signer: Final = signer
        self.is_read_only: Final = is_read_only

    def __repr__(self) -> str:
        return f"Session({self.account!r}, {self.signer!r}, is_read_only={self.is_read_only})"

    def require_trading(self) -> None:
        """Raise RequestError 403 unless it may do more than look."""
        if self.is_read_only:
            raise RequestError(403, FORBIDDEN, "This token only reads: log in without readOnly.")


class Login:
    """All methods raise RequestError. ``wall`` tells seconds since the epoch, ``new_id`` gives a token its id."""

    def __init__(
        self,
        tokens: Tokens,
        wallets: Wallets,
        *,
        wall: Callable[[], float] = time.time,
        new_id: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._tokens: Final = tokens
        self._wallets: Final = wallets
        self._wall: Final = wall
        self._new_id: Final = new_id

    async def log_in_first(self, body: bytes, signature: str | None, options: LoginOptions) -> TokenAnswer:
        """``POST /auth/token``; the body as it was sent, and the header ``payloadSignature``."""
        return await self._log_in(first_login_signer, body, signature, options)

    async def log_in(self, body: bytes, signature: str | None, options: LoginOptions) -> TokenAnswer:
        """``POST /auth/v2/token``, likewise."""
        return await self._log_in(login_signer, body, signature, options)

    def refresh(self, body: bytes) -> TokenAnswer:
        """``PUT /auth/token/refresh``: another access token, and the refresh token again with what is left of it."""
        refresh_token = read(RefreshRequest, body).refresh_token
        now = self._wall()
        claims = self._verify(refresh_token, REFRESH, now)
        return self._answer(claims, refresh_token, now)

    def admit(self, authorization: str | None) -> Session:
        """Whose token this Authorization header bears."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            raise unauthorized("Send an access token: Authorization: Bearer <token>.")
        return self.session(token.strip())

    def session(self, access_token: str) -> Session:
        """Whose token it is."""
        claims = self._verify(access_token, ACCESS, self._wall())
        return Session(claims.sub, claims.signer, claims.read_only)

    def key_set(self) -> KeySet:
        """``GET /auth/jwks``."""
        return KeySet(keys=[self._tokens.public_jwk])

    def open_id_configuration(self, root: str) -> OpenIdConfiguration:
        """``GET /.well-known/openid-configuration``; ``root`` is the address that the service has for its caller."""
        return OpenIdConfiguration(
            issuer=ISSUER,
            authorization_endpoint=f"{root}/auth/v2/token",
            jwks_uri=f"{root}/auth/jwks",
            token_endpoint=f"{root}/auth/v2/token",
            response_types_supported=["token"],
            id_token_signing_alg_values_supported=[ALGORITHM],
            subject_types_supported=["public"],
            scopes_supported=[],
        )

    async def _log_in(
        self, signer_of: Signer, body: bytes, signature: str | None, options: LoginOptions
    ) -> TokenAnswer:
        request = read(LoginRequest, body)
        if not signature:
            raise invalid("Send the signature of the body in the header payloadSignature.")
        now = self._wall()
        if abs(int(now * 1000) - request.signed_at_millis) > WINDOW_MS:
            raise invalid("signedAtMillis is more than 1 minute from now: sign again, with the clock set.")
        if request.audience != AUDIENCE:
            raise RequestError(403, INVALID_AUDIENCE, f"The audience is {AUDIENCE!r}.")
        account = request.account_address.lower()
        signer = self._signer(signer_of, body, signature, account)
        await self._wallets.welcome(account)
        refresh = self._claims(
            account, signer, options.read_only, REFRESH, now, options.refresh_token_valid_for_seconds
        )
        return self._answer(refresh, self._tokens.issue(refresh), now)

    def _signer(self, signer_of: Signer, body: bytes, signature: str, account: str) -> str:
        """The wallet that signed the body, if it may act for the account."""
        try:
            signer = signer_of(body, signature)
        except SignatureError as error:
            raise malformed_signature() if error.code == "signature_malformed" else wrong_signature() from None
        if signer != account and not self._wallets.may_act_for(signer, account):
            raise wrong_signature()
        return signer

    def _answer(self, refresh: Claims, refresh_token: str, now: float) -> TokenAnswer:
        """An access token never outlives the refresh token that it was bought with."""
        left = refresh.exp - int(now)
        access = self._claims(refresh.sub, refresh.signer, refresh.read_only, ACCESS, now, min(ACCESS_SECONDS, left))
        return TokenAnswer(
            access_token=self._tokens.issue(access),
            access_token_valid_for_seconds=access.exp - access.iat,
            refresh_token=refresh_token,
            refresh_token_valid_for_seconds=left,
        )

    def _claims(self, account: str, signer: str, read_only: bool, use: Use, now: float, seconds: int) -> Claims:
        issued = int(now)
        return Claims(ISSUER, account, AUDIENCE, issued, issued + seconds, self._new_id(), signer, read_only, use)

    def _verify(self, token: str, use: Use, now: float) -> Claims:
        try:
            claims = self._tokens.verify(token, use, now)
        except InvalidToken as error:
            raise unauthorized(
                "The token has expired: get another." if error.expired else "The token is not valid: log in."
            ) from None
        if claims.signer != claims.sub and not self._wallets.may_act_for(claims.signer, claims.sub):
            raise unauthorized("The wallet that logged in may no longer act for the account.")
        return claims
