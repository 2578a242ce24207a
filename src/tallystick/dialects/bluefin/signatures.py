"""Wallet signatures, verified without a chain: which wallet signed what was sent (specs/bluefin.md §1.3).

A signature is its scheme's flag, the signature itself and the public key, in base64; so it says who signed, and whether
that wallet may act for the account is judged elsewhere. Nearly everything is signed as a personal message of the chain:
a login is the body as it was sent, anything else is a text that is built again from the fields, in one spelling.
"""

import binascii
from base64 import b64decode
from hashlib import sha256
from json import JSONEncoder
from typing import Final

from coincurve import PublicKey
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tallystick.dialects.bluefin.hashes import digest, position_type, uleb128
from tallystick.dialects.bluefin.trade_wire import (
    AuthorizationFields,
    LeverageFields,
    MarginFields,
    OrderFields,
    WithdrawalFields,
)

ED25519: Final = 0
SECP256K1: Final = 1
KEY_BYTES: Final = {ED25519: 32, SECP256K1: 33}
SIGNATURE_BYTES: Final = 64

_PERSONAL_MESSAGE: Final = b"\x03\x00\x00"  # the chain's intent: a personal message, version 0, of its users
_FROM_URLS: Final = str.maketrans("-_+/", "+/-_")  # swapped, so that what is not of this alphabet is of none

_quoted: Final = JSONEncoder(ensure_ascii=False).encode


class SignatureError(Exception):
    """What was sent is no wallet's signature of this message.

    ``code`` is ``signature_malformed``, if it could be nobody's of anything (its base64, its length, its scheme), else
    ``signature_invalid``. It repeats nothing of what was sent.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code: Final = code


# --- Who signed: the address of the wallet, in lower case. All of these raise SignatureError.


def first_login_signer(body: bytes, signature: str) -> str:
    """Of ``/auth/token``: the hash of the body is signed as it is, the base64 is that for URLs."""
    return _signer(signature.translate(_FROM_URLS), digest(body))


def login_signer(body: bytes, signature: str) -> str:
    """Of ``/auth/v2/token``: the body is signed as a personal message."""
    return _signer(signature, personal_digest(body))


def message_signer(message: bytes, signature: str) -> str:
    """Of one of the messages below."""
    return _signer(signature, personal_digest(message))


# --- What is signed.


def order_message(fields: OrderFields) -> bytes:
    return _message(
        type=_quoted("Bluefin Pro Order"),
        ids=_quoted(fields.ids_id),
        account=_quoted(fields.account_address),
        market=_quoted(fields.symbol),
        price=_quoted(fields.price_e9),
        quantity=_quoted(fields.quantity_e9),
        leverage=_quoted(fields.leverage_e9),
        side=_quoted(fields.side),
        positionType=_quoted(position_type(fields)),
        expiration=f'"{fields.expires_at_millis}"',
        salt=_quoted(fields.salt),
        signedAt=f'"{fields.signed_at_millis}"',
    )


def leverage_message(fields: LeverageFields) -> bytes:
    return _message(
        type=_quoted("Bluefin Pro Leverage Adjustment"),
        ids=_quoted(fields.ids_id),
        account=_quoted(fields.account_address),
        market=_quoted(fields.symbol),
        leverage=_quoted(fields.leverage_e9),
        salt=_quoted(fields.salt),
        signedAt=f'"{fields.signed_at_millis}"',
    )


def margin_message(fields: MarginFields) -> bytes:
    return _message(
        type=_quoted("Bluefin Pro Margin Adjustment"),
        ids=_quoted(fields.ids_id),
        account=_quoted(fields.account_address),
        market=_quoted(fields.symbol),
        add=_flag(fields.operation == "ADD"),
        amount=_quoted(fields.quantity_e9),
        salt=_quoted(fields.salt),
        signedAt=f'"{fields.signed_at_millis}"',
    )


def authorization_message(fields: AuthorizationFields, is_authorized: bool) -> bytes:
    """``is_authorized`` is False for the request that ends an authorisation."""
    return _message(
        type=_quoted("Bluefin Pro Authorize Account"),
        ids=_quoted(fields.ids_id),
        account=_quoted(fields.account_address),
        user=_quoted(fields.authorized_account_address),
        status=_flag(is_authorized),
        salt=_quoted(fields.salt),
        signedAt=f'"{fields.signed_at_millis}"',
    )


def withdrawal_message(fields: WithdrawalFields) -> bytes:
    return _message(
        type=_quoted("Bluefin Pro Withdrawal"),
        eds=_quoted(fields.eds_id),
        assetSymbol=_quoted(fields.asset_symbol),
        account=_quoted(fields.account_address),
        amount=_quoted(fields.amount_e9),
        salt=_quoted(fields.salt),
        signedAt=f'"{fields.signed_at_millis}"',
    )


def _message(**members: str) -> bytes:
    """JSON as a browser writes it with an indent of two; ``members`` are JSON already, in this order."""
    return ("{\n" + ",\n".join(f'  "{name}": {member}' for name, member in members.items()) + "\n}").encode()


def _flag(value: bool) -> str:
    return "true" if value else "false"


# --- How it is signed.


def personal_digest(message: bytes) -> bytes:
    """What a wallet really signs when it signs a personal message."""
    return digest(_PERSONAL_MESSAGE + uleb128(len(message)) + message)


def address(scheme: int, public_key: bytes) -> str:
    """The wallet of a public key, which for SECP256K1 is compressed."""
    return "0x" + digest(bytes((scheme,)) + public_key).hex()


def _signer(signature: str, signed: bytes) -> str:
    raw = _decoded(signature)
    scheme = raw[0] if raw else -1
    if len(raw) != 1 + SIGNATURE_BYTES + KEY_BYTES.get(scheme, -1):
        raise SignatureError("signature_malformed")
    proof, public_key = raw[1 : 1 + SIGNATURE_BYTES], raw[1 + SIGNATURE_BYTES :]
    verifies = _verifies_ed25519 if scheme == ED25519 else _verifies_secp256k1
    if not verifies(public_key, proof, signed):
        raise SignatureError("signature_invalid")
    return address(scheme, public_key)


def _decoded(signature: str) -> bytes:
    try:
        return b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        raise SignatureError("signature_malformed") from None


def _verifies_ed25519(public_key: bytes, proof: bytes, signed: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(proof, signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def _verifies_secp256k1(public_key: bytes, proof: bytes, signed: bytes) -> bool:
    """Of the two signatures that fit, only that with the low S counts, as on the chain."""
    half = SIGNATURE_BYTES // 2
    encoded = encode_dss_signature(int.from_bytes(proof[:half]), int.from_bytes(proof[half:]))
    try:
        return bool(PublicKey(public_key).verify(encoded, sha256(signed).digest(), hasher=None))
    except ValueError:
        return False
