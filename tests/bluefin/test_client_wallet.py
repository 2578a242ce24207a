"""A client's wallet signs as the exchange's SDK does, and shows its secret to nobody."""

import json
from pathlib import Path

import msgspec
import pytest

from tallystick.dialects.bluefin.signatures import ED25519, SECP256K1, leverage_message, order_message
from tallystick.dialects.bluefin.trade_wire import LeverageFields, OrderFields
from tallystick.dialects.bluefin.wallet import Wallet

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())
SECRETS = {"ED25519": (b"\1" * 32, ED25519), "Secp256k1": (b"\2" * 32, SECP256K1)}
# As Ed25519Keypair.getSecretKey() and Secp256k1Keypair.getSecretKey() of the SDK write them.
EXPORTED = {
    "ED25519": "suiprivkey1qqqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszasa5uj",
    "Secp256k1": "suiprivkey1qypqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyx8gvzh",
}


@pytest.fixture(params=VECTORS, ids=lambda vector: vector["scheme"])
def vector(request: pytest.FixtureRequest) -> dict:
    return request.param


@pytest.fixture
def wallet(vector: dict) -> Wallet:
    return Wallet(*SECRETS[vector["scheme"]])


def test_its_account_is_the_sdk_s(wallet: Wallet, vector: dict):
    assert wallet.address == vector["address"]


def test_it_logs_in_with_the_sdk_s_signature(wallet: Wallet, vector: dict):
    login = vector["logins"]["v2"]
    assert wallet.sign(login["body"].encode()) == login["signature"]


def test_it_signs_orders_and_leverage_as_the_sdk_does(wallet: Wallet, vector: dict):
    for order in vector["orders"]:
        fields = msgspec.convert(order["fields"], OrderFields)
        assert wallet.sign(order_message(fields)) == order["signature"], order["name"]
    leverage = vector["leverage"]
    assert wallet.sign(leverage_message(msgspec.convert(leverage["fields"], LeverageFields))) == leverage["signature"]


def test_a_secret_in_hex_is_an_ed25519_key_s():
    for text in ("01" * 32, "0x" + "01" * 32):
        assert Wallet.from_text(text).address == Wallet(b"\1" * 32).address


@pytest.mark.parametrize("scheme", SECRETS)
def test_a_secret_as_wallets_export_it_says_of_which_scheme_it_is(scheme: str):
    for text in (EXPORTED[scheme], EXPORTED[scheme].upper()):
        wallet = Wallet.from_text(text)
        assert (wallet.address, wallet.scheme) == (Wallet(*SECRETS[scheme]).address, SECRETS[scheme][1])


WRONG = {
    "nothing": "",
    "no hex": "z" * 64,
    "too short": "01" * 31,
    "mistyped": "suiprivkey1qqqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszasa5ux",
    "cut off": "suiprivkey1qqqsz",
    "not of its alphabet": "suiprivkey1bbbb",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG.keys())
def test_what_is_no_secret_is_refused_and_not_repeated(text: str):
    with pytest.raises(ValueError, match="wallet's secret") as caught:
        Wallet.from_text(text)
    assert not text or text not in str(caught.value)


def test_a_number_that_is_none_of_the_curve_s_is_no_secret():
    with pytest.raises(ValueError, match="secp256k1"):
        Wallet(b"\0" * 32, SECP256K1)


def test_it_does_not_show_its_secret(wallet: Wallet):
    assert repr(wallet) == f"Wallet({wallet.address})"
