"""Hashes and signatures: what the exchange's SDK makes is read, and nothing else is."""

import json
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.dialects.bluefin.hashes import bare_hash, order_hash
from tallystick.dialects.bluefin.signatures import (
    ED25519,
    SECP256K1,
    SignatureError,
    address,
    authorization_message,
    first_login_signer,
    leverage_message,
    login_signer,
    margin_message,
    message_signer,
    order_message,
    withdrawal_message,
)
from tallystick.dialects.bluefin.trade_wire import (
    AuthorizationFields,
    LeverageFields,
    MarginFields,
    OrderFields,
    WithdrawalFields,
)
from tests.bluefin.anything import U64, anything
from tests.bluefin.wallet import Wallet

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "vectors.json").read_text())
SCHEMES = {"ED25519": ED25519, "Secp256k1": SECP256K1}
WALLETS = [Wallet(7, ED25519), Wallet(8, SECP256K1)]
CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
MESSAGE = b"message"

of_each_wallet = pytest.mark.parametrize("vectors", VECTORS, ids=SCHEMES)
with_each_scheme = pytest.mark.parametrize("wallet", WALLETS, ids=SCHEMES)
orders = anything(OrderFields)


# --- Vectors of the SDK.


@of_each_wallet
def test_the_address_of_a_public_key(vectors: dict[str, Any]) -> None:
    assert address(SCHEMES[vectors["scheme"]], bytes.fromhex(vectors["publicKey"])) == vectors["address"]


@of_each_wallet
def test_both_logins(vectors: dict[str, Any]) -> None:
    first, second = vectors["logins"]["v1"], vectors["logins"]["v2"]
    assert first_login_signer(first["body"].encode(), first["signature"]) == vectors["address"]
    assert login_signer(second["body"].encode(), second["signature"]) == vectors["address"]


@pytest.mark.parametrize(
    ("order", "signer"),
    [
        pytest.param(order, vectors["address"], id=f"{vectors['scheme']}: {order['name']}")
        for vectors in VECTORS
        for order in vectors["orders"]
    ],
)
def test_an_order_has_the_hash_and_the_signer_that_the_sdk_gives_it(order: dict[str, Any], signer: str) -> None:
    fields = msgspec.convert(order["fields"], OrderFields)
    assert order_hash(fields) == order["hash"]
    assert message_signer(order_message(fields), order["signature"]) == signer


@of_each_wallet
def test_every_other_signed_request(vectors: dict[str, Any]) -> None:
    def convert(kind: type, name: str) -> Any:
        return msgspec.convert(vectors[name]["fields"], kind)

    authorized = convert(AuthorizationFields, "authorize")
    messages = [
        (leverage_message(convert(LeverageFields, "leverage")), vectors["leverage"]),
        (authorization_message(authorized, True), vectors["authorize"]),
        (authorization_message(authorized, False), vectors["deauthorize"]),
        (withdrawal_message(convert(WithdrawalFields, "withdrawal")), vectors["withdrawal"]),
        *[(margin_message(msgspec.convert(each["fields"], MarginFields)), each) for each in vectors["margins"]],
    ]
    assert [message_signer(message, each["signature"]) for message, each in messages] == [vectors["address"]] * 6


# --- Hashes.


def test_a_hash_is_read_bare_and_prefixed_and_in_either_case() -> None:
    bare = "0123456789abcdef" * 4
    assert {bare_hash(each) for each in (bare, f"0x{bare}", bare.upper(), f"0x{bare.upper()}")} == {bare}


@given(text=st.text())
def test_a_text_that_is_no_hash_stays_as_it_is(text: str) -> None:
    assert bare_hash(text) == text


@given(order=orders, other=orders)
def test_orders_that_differ_have_different_hashes_and_messages(order: OrderFields, other: OrderFields) -> None:
    same = order == other
    assert (order_hash(order) == order_hash(other)) is same
    assert (order_message(order) == order_message(other)) is same


@given(order=orders, salt=U64)
def test_a_salt_is_enough_to_tell_two_orders_apart(order: OrderFields, salt: str) -> None:
    other = msgspec.structs.replace(order, salt=salt)
    assert (order_hash(order) == order_hash(other)) is (order.salt == salt)


@given(order=orders)
def test_a_message_is_json_of_strings_in_two_space_indents(order: OrderFields) -> None:
    message = order_message(order)
    value = json.loads(message)
    assert all(isinstance(each, str) for each in value.values())
    assert json.dumps(value, indent=2, ensure_ascii=False).encode() == message


# --- Signatures that are not.


@with_each_scheme
@given(message=st.binary(max_size=300))
def test_a_wallet_s_signature_says_who_signed(wallet: Wallet, message: bytes) -> None:
    assert message_signer(message, wallet.sign(message)) == wallet.address
    assert login_signer(message, wallet.sign(message)) == wallet.address
    assert first_login_signer(message, wallet.sign_first_login(message)) == wallet.address


@with_each_scheme
@given(data=st.data())
def test_a_bit_that_was_changed_anywhere_is_found(wallet: Wallet, data: st.DataObject) -> None:
    """In the signature or in the key; or, in the message, by everybody."""
    signed = bytearray(b64decode(wallet.sign(MESSAGE)))
    bit = data.draw(st.integers(8, 8 * len(signed) - 1))
    signed[bit // 8] ^= 1 << bit % 8
    assert refused(MESSAGE, b64encode(signed).decode()) == "signature_invalid"


@with_each_scheme
@given(body=st.binary(), other=st.binary())
def test_a_signature_is_of_one_body_alone(wallet: Wallet, body: bytes, other: bytes) -> None:
    if body != other:
        assert refused(other, wallet.sign(body)) == "signature_invalid"


@with_each_scheme
def test_a_signature_of_one_login_is_none_of_the_other(wallet: Wallet) -> None:
    plain = b64encode(wallet.signed(b64decode(wallet.sign(MESSAGE))[:32])).decode()
    assert refused(MESSAGE, plain) == "signature_invalid"
    with pytest.raises(SignatureError, match="signature_invalid"):
        first_login_signer(MESSAGE, wallet.sign(MESSAGE).replace("+", "-").replace("/", "_"))


def test_the_first_login_reads_base64_for_urls_and_no_other_does() -> None:
    bodies = [b"%d" % number for number in range(40)]
    standard = next(body for body in bodies if set("+/") & set(signature_of_hash(body)))
    with pytest.raises(SignatureError, match="signature_malformed"):
        first_login_signer(standard, signature_of_hash(standard))
    for_urls = next(body for body in bodies if set("+/") & set(WALLETS[0].sign(body)))
    assert refused(for_urls, WALLETS[0].sign(for_urls).translate(str.maketrans("+/", "-_"))) == "signature_malformed"


def signature_of_hash(body: bytes) -> str:
    """The first login's, in the wrong base64."""
    return WALLETS[0].sign_first_login(body).translate(str.maketrans("-_", "+/"))


@with_each_scheme
def test_a_scheme_that_is_not_known(wallet: Wallet) -> None:
    signed = b64decode(wallet.sign(MESSAGE))
    unknown = [bytes([flag]) + signed[1:] for flag in range(256) if flag not in SCHEMES.values()]
    assert {refused(MESSAGE, b64encode(each).decode()) for each in unknown} == {"signature_malformed"}


@with_each_scheme
def test_a_flag_of_the_other_scheme(wallet: Wallet) -> None:
    signed = b64decode(wallet.sign(MESSAGE))
    assert refused(MESSAGE, b64encode(bytes([1 - wallet.scheme]) + signed[1:]).decode()) == "signature_malformed"


@with_each_scheme
def test_a_signature_that_is_cut_or_longer(wallet: Wallet) -> None:
    signed = b64decode(wallet.sign(MESSAGE))
    wrong = [signed[:length] for length in range(len(signed))] + [signed + b"\0", signed + signed]
    assert {refused(MESSAGE, b64encode(each).decode()) for each in wrong} == {"signature_malformed"}


@with_each_scheme
def test_base64_that_is_spelt_in_any_other_way(wallet: Wallet) -> None:
    text = wallet.sign(MESSAGE)
    wrong = [
        text.rstrip("="),
        f" {text}",
        f"{text}\n",
        f"{text[:8]}\n{text[8:]}",
        f"{text}=",
        f"{text[:-1]}!",
        f"ä{text[1:]}",
    ]
    assert {refused(MESSAGE, each) for each in wrong} == {"signature_malformed"}


@given(text=st.text())
def test_no_text_whatever_is_a_signature_or_anything_but_refused(text: str) -> None:
    assert refused(MESSAGE, text) == "signature_malformed"


@given(flag=st.sampled_from((ED25519, SECP256K1)), data=st.data())
def test_bytes_that_only_look_like_a_signature(flag: int, data: st.DataObject) -> None:
    size = 64 + (32 if flag == ED25519 else 33)
    signed = bytes([flag]) + data.draw(st.binary(min_size=size, max_size=size))
    assert refused(MESSAGE, b64encode(signed).decode()) == "signature_invalid"


def test_of_the_two_signatures_that_fit_a_secp256k1_key_one_counts() -> None:
    signed = b64decode(WALLETS[1].sign(MESSAGE))
    high = (CURVE_ORDER - int.from_bytes(signed[33:65])).to_bytes(32)
    assert refused(MESSAGE, b64encode(signed[:33] + high + signed[65:]).decode()) == "signature_invalid"


def refused(message: bytes, signature: str) -> str:
    """Why it is no wallet's signature of the message."""
    with pytest.raises(SignatureError) as caught:
        message_signer(message, signature)
    assert len(signature) < 20 or signature not in f"{caught.value!r} {caught.value}"
    return caught.value.code
