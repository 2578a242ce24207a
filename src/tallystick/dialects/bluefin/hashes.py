"""The hash that names an order: BLAKE2b-256 of its signed fields in BCS, as the exchange's contracts encode them.

Only what an order needs of BCS (Binary Canonical Serialization) is here: addresses, texts and unsigned 64-bit integers.
The order of the fields is a fact of the wire (specs/bluefin.md §1.3).
"""

import re
from hashlib import blake2b
from struct import Struct
from typing import Final

from tallystick.dialects.bluefin.trade_wire import OrderFields

HASH_BYTES: Final = 32
ISOLATED: Final = "ISOLATED"
CROSS: Final = "CROSS"

_three_u64: Final = Struct("<QQQ").pack
_prefixed: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")


def order_hash(fields: OrderFields) -> str:
    """64 digits of bare hex; whether the exchange prefixes them is not documented, and both are read."""
    encoded = b"".join(
        (
            bytes.fromhex(fields.ids_id[2:]),
            bytes.fromhex(fields.account_address[2:]),
            _text(fields.symbol),
            _three_u64(int(fields.price_e9), int(fields.quantity_e9), int(fields.leverage_e9)),
            _text(fields.side),
            _text(position_type(fields)),
            _three_u64(fields.expires_at_millis, int(fields.salt), fields.signed_at_millis),
        )
    )
    return digest(encoded).hex()


def bare_hash(text: str) -> str:
    """A hash as ``order_hash`` spells it; a text that is no hash stays as it is, and no order has it."""
    found = _prefixed.fullmatch(text)
    return text if found is None else found[1].lower()


def position_type(fields: OrderFields) -> str:
    return ISOLATED if fields.is_isolated else CROSS


def digest(data: bytes) -> bytes:
    """BLAKE2b-256 (RFC 7693), the one hash of the exchange's chain."""
    return blake2b(data, digest_size=HASH_BYTES).digest()


def uleb128(number: int) -> bytes:
    """A length as BCS has it: seven bits a byte, the lowest first, the high bit where more follow."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _text(text: str) -> bytes:
    encoded = text.encode()
    return uleb128(len(encoded)) + encoded
