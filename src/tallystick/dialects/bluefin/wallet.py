"""A client's wallet: the key that it logs in and signs orders with (specs/bluefin.md §1.3). Its secret never shows."""

from base64 import b64encode
from typing import Final, Self

from coincurve import PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tallystick.dialects.bluefin.signatures import ED25519, SECP256K1, SIGNATURE_BYTES, address, personal_digest

SECRET_BYTES: Final = 32
EXPORTED: Final = "suiprivkey"

_DIGITS: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM_DIGITS: Final = 6


class Wallet:
    """``address`` is its account. ``scheme`` is ED25519 or SECP256K1.

    Raises ValueError for a secret that makes no key; the message does not repeat it.
    """

    __slots__ = ("_ed25519", "_secp256k1", "address", "public_key", "scheme")

    def __init__(self, secret: bytes, scheme: int = ED25519) -> None:
        if len(secret) != SECRET_BYTES or scheme not in (ED25519, SECP256K1):
            raise ValueError("a wallet's secret is 32 bytes, of an ed25519 or a secp256k1 key")
        self._ed25519: Ed25519PrivateKey | None = None
        self._secp256k1: PrivateKey | None = None
        if scheme == ED25519:
            self._ed25519 = Ed25519PrivateKey.from_private_bytes(secret)
            self.public_key: bytes = self._ed25519.public_key().public_bytes_raw()
        else:
            self._secp256k1 = _secp256k1_key(secret)
            self.public_key = self._secp256k1.public_key.format()
        self.scheme: Final = scheme
        self.address: Final = address(scheme, self.public_key)

    @classmethod
    def from_text(cls, secret: str) -> Self:
        """As wallets export it (``suiprivkey1…``, which names the scheme), or in hex: an ed25519 key then."""
        if secret.lower().startswith(EXPORTED):
            raw = _exported(secret)
            return cls(raw[1:], raw[0])
        try:
            raw = bytes.fromhex(secret.removeprefix("0x"))
        except ValueError:
            raise ValueError(f"a wallet's secret is 64 digits of hex, or begins with {EXPORTED}") from None
        return cls(raw)

    def __repr__(self) -> str:
        return f"Wallet({self.address})"

    def sign(self, message: bytes) -> str:
        """The signature of a personal message: flag, signature and public key in base64."""
        digest = personal_digest(message)
        if self._ed25519 is not None:
            proof = self._ed25519.sign(digest)
        else:
            assert self._secp256k1 is not None
            proof = self._secp256k1.sign_recoverable(digest)[:SIGNATURE_BYTES]  # without what recovers the key
        return b64encode(bytes((self.scheme,)) + proof + self.public_key).decode()


def _secp256k1_key(secret: bytes) -> PrivateKey:
    try:
        return PrivateKey(secret)
    except ValueError:
        raise ValueError("the wallet's secret is no number of the curve secp256k1") from None


def _exported(text: str) -> bytes:
    """The scheme's flag and the secret, from Bech32 (BIP 173)."""
    prefix, _, digits = text.lower().rpartition("1")
    values = [_DIGITS.find(digit) for digit in digits]
    expanded = [ord(each) >> 5 for each in prefix] + [0] + [ord(each) & 31 for each in prefix]
    if prefix != EXPORTED or min(values, default=-1) < 0 or _polymod(expanded + values) != 1:
        raise ValueError("the wallet's secret is mistyped: its checksum is wrong")
    number = bits = 0
    for value in values[:-_CHECKSUM_DIGITS]:
        number, bits = number << 5 | value, bits + 5
    return (number >> bits % 8).to_bytes(bits // 8)


def _polymod(values: list[int]) -> int:
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate(_GENERATORS):
            checksum ^= generator if top >> place & 1 else 0
    return checksum
