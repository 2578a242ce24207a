"""Public ids: a keyed permutation of (venue, kind, number), so that an id needs no map and tells nothing.

A number is permuted by a 64-bit Feistel network of four rounds. The round function is BLAKE2b with a digest of four
bytes, keyed with a subkey of its own, derived from (secret, venue, kind, round). The text is the kind, an underscore
and 13 characters of lowercase Crockford base32: ``order_dxr5zpd2bmgb8``. This can never change, because ids are in
journals and in other people's files.
"""

from hashlib import blake2b
from typing import Final

NUMBER_MAX: Final = 2**63 - 1
CHARACTERS: Final = 13
SECRET_BYTES_MIN: Final = 16
SECRET_BYTES_MAX: Final = 64

_ROUNDS: Final = 4
_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"

# Two characters at a time: 64 bits are one character of four bits and six pairs of ten.
_PAIRS: Final[tuple[str, ...]] = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
_PAIR_VALUES: Final[dict[str, int]] = {pair: value for value, pair in enumerate(_PAIRS)}
_FIRST_VALUES: Final[dict[str, int]] = {character: value for value, character in enumerate(_ALPHABET[:16])}


class IdCodec:
    """Ids of one kind of thing at one venue: ``text(number)`` and back.

    ``secret`` is 16 … 64 bytes, ``kind`` lowercase ASCII letters: it is the prefix of the text.
    """

    def __init__(self, secret: bytes, venue: str, kind: str) -> None:
        if not SECRET_BYTES_MIN <= len(secret) <= SECRET_BYTES_MAX:
            raise ValueError(f"the secret of ids has {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX} bytes, not {len(secret)}")
        if not (kind.isascii() and kind.isalpha() and kind.islower()):
            raise ValueError(f"the kind of an id is lowercase letters a-z, not {kind!r}")
        self._prefix = kind + "_"
        self._length = len(self._prefix) + CHARACTERS
        # A kind has no NUL, so no two (venue, kind) pairs share a name.
        name = (venue + "\0" + kind + "\0").encode("utf-8", "surrogatepass")
        self._rounds: list[blake2b] = []
        for number in range(_ROUNDS):
            subkey = blake2b(name + bytes([number]), key=secret, digest_size=32).digest()
            self._rounds.append(blake2b(key=subkey, digest_size=4))

    def text(self, number: int) -> str:
        """The id of ``number``, 1 … ``NUMBER_MAX``; raises ValueError outside of it."""
        if not 1 <= number <= NUMBER_MAX:
            raise ValueError(f"an id's number is 1 to 2**63 - 1, not {number}")
        left = number >> 32
        right = number & 0xFFFFFFFF
        for keyed in self._rounds:
            left, right = right, left ^ _round(keyed, right)
        value = left << 32 | right
        return (
            self._prefix
            + _ALPHABET[value >> 60]
            + _PAIRS[value >> 50 & 1023]
            + _PAIRS[value >> 40 & 1023]
            + _PAIRS[value >> 30 & 1023]
            + _PAIRS[value >> 20 & 1023]
            + _PAIRS[value >> 10 & 1023]
            + _PAIRS[value & 1023]
        )

    def number(self, text: str) -> int:
        """The number whose id is exactly ``text``, or 0 where there is none; never raises."""
        if len(text) != self._length or not text.startswith(self._prefix):
            return 0
        start = len(self._prefix)
        value = _FIRST_VALUES.get(text[start], -1)
        for at in range(start + 1, self._length, 2):
            pair = _PAIR_VALUES.get(text[at : at + 2], -1)
            if value < 0 or pair < 0:
                return 0
            value = value << 10 | pair
        left = value >> 32
        right = value & 0xFFFFFFFF
        for keyed in reversed(self._rounds):
            left, right = right ^ _round(keyed, left), left
        number = left << 32 | right
        return number if number <= NUMBER_MAX else 0


def _round(keyed: blake2b, half: int) -> int:
    hasher = keyed.copy()
    hasher.update(half.to_bytes(4, "big"))
    return int.from_bytes(hasher.digest(), "big")
