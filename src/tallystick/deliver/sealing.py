"""Webhook secrets at rest. A signature needs the secret itself, so a digest will not do: it is encrypted, given a key.

Without a key it lies as it is in a file that its owner alone can read, like the installation's own secret.
"""

import os
from base64 import b64decode
from binascii import Error
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_PLAIN: Final = b"\0"
_SEALED: Final = b"\1"


class SealError(Exception):
    """A secret cannot be read with the key that is configured; the sentence says what to do."""


class Sealer:
    """``key`` is of 32 bytes, or b"" for none. What was kept plain before there was a key can still be read."""

    def __init__(self, key: bytes = b"") -> None:
        self._cipher: Final = AESGCM(key) if key else None

    def seal(self, secret: bytes, number: int) -> bytes:
        """The secret of the endpoint ``number`` as it is kept; it cannot be passed off as another one's."""
        if self._cipher is None:
            return _PLAIN + secret
        nonce = os.urandom(_NONCE_BYTES)
        return _SEALED + nonce + self._cipher.encrypt(nonce, secret, _context(number))

    def open(self, kept: bytes, number: int) -> bytes:
        """The inverse. Raises SealError."""
        if kept[:1] == _PLAIN:
            return kept[1:]
        nonce, sealed = kept[1 : 1 + _NONCE_BYTES], kept[1 + _NONCE_BYTES :]
        if self._cipher is None:
            raise SealError("The secrets of webhooks are encrypted: configure the key that they were encrypted with.")
        try:
            return self._cipher.decrypt(nonce, sealed, _context(number))
        except InvalidTag:
            raise SealError("The secrets of webhooks were encrypted with another key: configure that one.") from None


def read_key(text: str) -> bytes:
    """A key of 32 bytes from its base64; ValueError for what is none. "" is no key."""
    try:
        key = b64decode(text.strip(), validate=True)
    except Error:
        key = b"?"
    if len(key) not in (0, KEY_BYTES):
        raise ValueError(f"The key is the base64 of {KEY_BYTES} random bytes: openssl rand -base64 {KEY_BYTES}")
    return key


def _context(number: int) -> bytes:
    return b"webhook %d" % number
