"""Idempotency-Key: what a client calls its request by, so that sending it again does nothing (specs/sophic.md §5).

Its scope is the client, the method and the path. The venue keeps a digest of all three with the key, and a fingerprint
of the rest of the request, so that another request under the same key is told apart from a repetition.
"""

from hashlib import blake2b
from typing import Final

import msgspec

from tallystick.dialects.sophic.wire import Param
from tallystick.web.exchange import Request

HEADER: Final = b"idempotency-key"
REPLAYED: Final = "idempotent-replayed"
KEY_CHARACTERS_MAX: Final = 255

_DIGEST_BYTES: Final = 16


def read_key(request: Request, faults: list[Param]) -> str:
    """The request's key, "" if it has none; what is wrong with it is added to ``faults``."""
    keys = request.header_values(HEADER)
    if not keys:
        return ""
    key = keys[0]
    if len(keys) > 1 or not 0 < len(key) <= KEY_CHARACTERS_MAX or not (key.isascii() and key.isprintable()):
        detail = f"Send one key of 1 to {KEY_CHARACTERS_MAX} printable ASCII characters."
        faults.append(Param("header.Idempotency-Key", "invalid_param", detail))
    return key


def client_key(request: Request, key: str) -> str:
    """The key as the venue keeps it."""
    return kept_key(request.principal.client, request.method, request.path, key)


def kept_key(client: str, method: str, path: str, key: str) -> str:
    """Unlike any other client's, and no secret should somebody's key be one. ``path`` is below the venue's."""
    return _digest(b"client key", client, method, path, key)


def fingerprint(request: Request, body: msgspec.Struct) -> str:
    """What must be equal in a repetition. Read, the body has no white space and no order of its fields any more."""
    text = msgspec.json.encode(body).decode()
    return _digest(b"fingerprint", request.method, request.path, request.query.decode("latin-1"), text)


def _digest(person: bytes, *parts: str) -> str:
    """Of the parts with their lengths, so that no two lists of parts are the same text."""
    encoded = [part.encode("utf-8", "surrogatepass") for part in parts]
    text = b"".join([b"%d:%b" % (len(part), part) for part in encoded])
    return blake2b(text, digest_size=_DIGEST_BYTES, person=person).hexdigest()
