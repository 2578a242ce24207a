"""Who a request comes from, what they may do, the token they are given, and how they are turned away."""

from collections.abc import Collection
from typing import Final

ACCOUNTS_READ: Final = "accounts:read"
ORDERS_READ: Final = "orders:read"
ORDERS_WRITE: Final = "orders:write"
EVENTS_READ: Final = "events:read"
WEBHOOKS_WRITE: Final = "webhooks:write"
SCOPES: Final = (ACCOUNTS_READ, ORDERS_READ, ORDERS_WRITE, EVENTS_READ, WEBHOOKS_WRITE)

TOKEN_HEADERS: Final = {"cache-control": "no-store", "pragma": "no-cache"}
"""What the token endpoint sends with every answer (RFC 6749 §5.1)."""


class Denied(Exception):
    """A request that is turned away: the HTTP ``status``, a ``code`` for machines, a sentence that says what to do.

    ``retry_after`` is in whole seconds, None where trying again does not help. ``challenge`` is the WWW-Authenticate
    header, empty where there is none.
    """

    def __init__(
        self, status: int, code: str, detail: str, *, retry_after: int | None = None, challenge: str = ""
    ) -> None:
        super().__init__(code)
        self.status: Final = status
        self.code: Final = code
        self.detail: Final = detail
        self.retry_after: Final = retry_after
        self.challenge: Final = challenge

    @property
    def headers(self) -> dict[str, str]:
        """The headers that go with it."""
        headers = {"www-authenticate": self.challenge} if self.challenge else {}
        if self.retry_after is not None:
            headers["retry-after"] = str(self.retry_after)
        return headers


class Principal:
    """An admitted client: its id, and the scopes of the token it showed."""

    __slots__ = ("client", "scopes")

    def __init__(self, client: str, scopes: Collection[str]) -> None:
        self.client: Final = client
        self.scopes: Final = frozenset(scopes)

    def __repr__(self) -> str:
        return f"Principal({self.client!r}, {scope_text(self.scopes)!r})"

    def require(self, scope: str) -> None:
        """Raise Denied 403 unless it may (RFC 6750 §3.1)."""
        if scope not in self.scopes:
            raise Denied(
                403,
                "insufficient_scope",
                f"This client may not do that: it needs the scope {scope}.",
                challenge=f'Bearer error="insufficient_scope", scope="{scope}"',
            )


class Grant:
    """An access token for ``expires_in`` seconds. Its repr does not show the token."""

    __slots__ = ("access_token", "expires_in", "scopes")

    def __init__(self, access_token: str, expires_in: int, scopes: Collection[str]) -> None:
        self.access_token: Final = access_token
        self.expires_in: Final = expires_in
        self.scopes: Final = frozenset(scopes)

    def __repr__(self) -> str:
        return f"Grant(expires_in={self.expires_in}, {scope_text(self.scopes)!r})"

    def body(self) -> dict[str, str | int]:
        """The answer of the token endpoint (RFC 6749 §5.1), to be sent with TOKEN_HEADERS."""
        return {
            "access_token": self.access_token,
            "token_type": "Bearer",
            "expires_in": self.expires_in,
            "scope": scope_text(self.scopes),
        }


def scope_text(scopes: Collection[str]) -> str:
    """Scopes as one text, in the order of SCOPES (RFC 6749 §3.3)."""
    return " ".join(scope for scope in SCOPES if scope in scopes)
