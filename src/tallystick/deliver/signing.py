"""Signatures of what is sent: Standard Webhooks 1.0, symmetric (``v1``), over ``id.timestamp.body``."""

import hmac
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Sequence
from typing import Final

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32
"""The standard asks for 24 to 64."""


def secret_text(secret: bytes) -> str:
    """As it is shown, once: what receivers give to any library of the standard."""
    return PREFIX + b64encode(secret).decode()


def read_secret(text: str) -> bytes:
    """The inverse of ``secret_text``; ValueError for what is none."""
    try:
        secret = b64decode(text.removeprefix(PREFIX), validate=True)
    except Error:
        secret = b""
    if not 24 <= len(secret) <= 64:
        raise ValueError("A webhook's secret is whsec_ and the base64 of 24 to 64 bytes.")
    return secret


def signatures(secrets: Sequence[bytes], delivery_id: str, timestamp: int, body: bytes) -> str:
    """The Webhook-Signature header: one for each secret that counts; ``timestamp`` is in seconds."""
    content = b"%b.%d.%b" % (delivery_id.encode(), timestamp, body)
    return " ".join("v1," + b64encode(hmac.digest(secret, content, "sha256")).decode() for secret in secrets)
