"""Who may operate: those of the key table, those that the configuration names, and in a sandbox one whom all know."""

import hmac
from collections.abc import Mapping
from hashlib import sha256
from typing import Final, Protocol

from tallystick.access.principal import Denied

SANDBOX_OPERATOR: Final = "sandbox"


class OperatorTable(Protocol):
    """Those of ``tallystick operator`` (server.admission)."""

    def operator(self, authorization: str | None) -> str:
        """The name of the operator whose secret it is; raises Denied."""


class Operators:
    """``configured`` maps names to the SHA-256 of their tokens, in hexadecimal.

    ``sandbox_token`` lets SANDBOX_OPERATOR in; empty for nobody. It is said in the open, so only a sandbox has one.
    """

    def __init__(self, table: OperatorTable | None, configured: Mapping[str, str], *, sandbox_token: str = "") -> None:
        self._table: Final = table
        self._digests: Final = {name: bytes.fromhex(digest) for name, digest in configured.items()}
        if sandbox_token:
            self._digests[SANDBOX_OPERATOR] = _digest(sandbox_token)

    def operator(self, authorization: str | None) -> str:
        """The operator whose token this Authorization header bears. Raises Denied: 401 ``unauthorized``, 503."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() == "bearer" and token.strip():
            digest = _digest(token.strip())
            # All are looked at, whoever it is.
            found = [name for name, known in self._digests.items() if hmac.compare_digest(known, digest)]
            if found:
                return found[0]
            if self._table is not None:
                return self._table.operator(authorization)
        raise Denied(
            401, "unauthorized", "Send an operator's token: Authorization: Bearer <token>.", challenge="Bearer"
        )


class Anybody:
    """Lets everybody in, under one name: for what only this machine can reach and nobody can be harmed by."""

    def operator(self, authorization: str | None) -> str:
        return SANDBOX_OPERATOR


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
