"""What the login service reads and answers (specs/bluefin.md §1.2). A token never shows in a repr."""

from typing import Annotated, Any, Final

from msgspec import Meta, Struct

from tallystick.dialects.bluefin.wire import Millis, Received, Sent, SentAddress, SentText, camel

SECONDS_MAX: Final = 366 * 86_400
"""The longest that a refresh token may be asked for."""
TOKEN_CHARACTERS_MAX: Final = 4096


class LoginRequest(Received, frozen=True, kw_only=True):
    """What a wallet signs, byte for byte as it is sent."""

    account_address: SentAddress
    signed_at_millis: Millis
    audience: SentText


class LoginOptions(Struct, frozen=True, kw_only=True, rename=camel):
    """The query of a login; ``read_only`` tokens see and do not trade."""

    refresh_token_valid_for_seconds: Annotated[int, Meta(ge=1, le=SECONDS_MAX)] = 30 * 86_400
    read_only: bool = False


class RefreshRequest(Received, frozen=True, kw_only=True):
    refresh_token: Annotated[str, Meta(min_length=1, max_length=TOKEN_CHARACTERS_MAX)]

    def __repr__(self) -> str:
        return "RefreshRequest()"


class TokenAnswer(Sent, frozen=True, kw_only=True):
    """An access token, a refresh token, and for how many seconds more each of them counts."""

    access_token: str
    access_token_valid_for_seconds: int
    refresh_token: str
    refresh_token_valid_for_seconds: int

    def __repr__(self) -> str:
        return f"TokenAnswer({self.access_token_valid_for_seconds}, {self.refresh_token_valid_for_seconds})"


class KeySet(Sent, frozen=True, kw_only=True):
    """The public key that access tokens are verified with (RFC 7517)."""

    keys: list[dict[str, Any]]


class OpenIdConfiguration(Struct, frozen=True, kw_only=True):
    """Where tokens come from, and how they are signed (OpenID Connect Discovery 1.0 §3)."""

    issuer: str
    authorization_endpoint: str
    jwks_uri: str
    token_endpoint: str
    response_types_supported: list[str]
    id_token_signing_alg_values_supported: list[str]
    subject_types_supported: list[str]
    scopes_supported: list[str]
