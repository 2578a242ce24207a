"""Wallets of the exchange's chain, for tests: a key of either scheme that signs as the SDKs do."""

from base64 import b64encode, urlsafe_b64encode

from coincurve import PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tallystick.dialects.bluefin.hashes import digest
from tallystick.dialects.bluefin.signatures import ED25519, SECP256K1, address, personal_digest


class Wallet:
    """``seed`` makes the key, a byte that is not zero."""

    def __init__(self, seed: int, scheme: int = ED25519) -> None:
        self._secret = bytes([seed]) * 32
        self.scheme = scheme
        if scheme == SECP256K1:
            self.public_key = PrivateKey(self._secret).public_key.format()
        else:
            self.public_key = Ed25519PrivateKey.from_private_bytes(self._secret).public_key().public_bytes_raw()
        self.address = address(scheme, self.public_key)

    def sign(self, message: bytes) -> str:
        """As a personal message."""
        return b64encode(self.signed(personal_digest(message))).decode()

    def sign_first_login(self, body: bytes) -> str:
        """As ``/auth/token`` wants it."""
        return urlsafe_b64encode(self.signed(digest(body))).decode()

    def signed(self, data: bytes) -> bytes:
        """Flag, signature and public key."""
        return bytes([self.scheme]) + self._proof(data) + self.public_key

    def _proof(self, data: bytes) -> bytes:
        if self.scheme == ED25519:
            return Ed25519PrivateKey.from_private_bytes(self._secret).sign(data)
        r, s = decode_dss_signature(PrivateKey(self._secret).sign(data))
        return r.to_bytes(32) + s.to_bytes(32)
