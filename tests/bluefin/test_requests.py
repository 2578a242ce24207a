"""Requests as clients write them are read; anything else is refused for its form, in one sentence."""

import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.dialects.bluefin.account_wire import AccountSubscription
from tallystick.dialects.bluefin.errors import RequestError
from tallystick.dialects.bluefin.login_wire import LoginRequest, RefreshRequest
from tallystick.dialects.bluefin.market_wire import MarketSubscription
from tallystick.dialects.bluefin.requests import read
from tallystick.dialects.bluefin.trade_wire import (
    AdjustLeverage,
    AdjustMargin,
    AuthorizeWallet,
    CancelOrders,
    PlaceOrder,
    Withdraw,
)
from tests.bluefin.anything import anything

REQUESTS = [
    AccountSubscription,
    AdjustLeverage,
    AdjustMargin,
    AuthorizeWallet,
    CancelOrders,
    LoginRequest,
    MarketSubscription,
    PlaceOrder,
    RefreshRequest,
    Withdraw,
]
ADDRESS = f"0x{'9b' * 32}"
FIELDS = {
    "symbol": "ETH-PERP",
    "accountAddress": ADDRESS,
    "priceE9": "3000000000000",
    "quantityE9": "1000000000",
    "side": "LONG",
    "leverageE9": "2000000000",
    "isIsolated": False,
    "salt": "1795166523766",
    "idsId": ADDRESS,
    "expiresAtMillis": 1795169842802,
    "signedAtMillis": 1795166242803,
}
ORDER = {"signedFields": FIELDS, "signature": "AAAA", "type": "LIMIT", "reduceOnly": False}


def order(**changed: Any) -> bytes:
    return json.dumps(ORDER | changed).encode()


def signed(**changed: Any) -> bytes:
    return order(signedFields=FIELDS | changed)


@pytest.mark.parametrize("kind", REQUESTS)
@settings(max_examples=30)
@given(data=st.data())
def test_what_is_written_is_read(kind: Any, data: st.DataObject) -> None:
    request = data.draw(anything(kind))
    assert read(kind, msgspec.json.encode(request)) == request


# who sends it, the body
READ = [
    ("the shortest order", order()),
    ("Python's: it gives a market order a time in force", order(type="MARKET", timeInForce="GTT", postOnly=False)),
    ("a market order's price is 0, which is no matter of form", signed(priceE9="0")),
    ("nulls for what is left out", order(timeInForce=None, clientOrderId=None, triggerPriceE9=None, postOnly=None)),
    ("a field of a later version", order(futureField={"any": ["thing"]})),
    ("a stop order", order(type="STOP_LIMIT", triggerPriceE9="1", selfTradePreventionType="UNSPECIFIED")),
    ("spread over time", order(type="TIME_WEIGHTED_AVERAGE_PRICE", twapConfig={"subOrdersCount": "5"})),
    ("a side that is none", signed(side="UNSPECIFIED")),
    ("the largest number", signed(quantityE9="18446744073709551615")),
    ("the largest time", signed(expiresAtMillis=2**63 - 1)),
    ("a symbol that nobody lists", signed(symbol="")),
]

# what is wrong, the body, what is said
REFUSED = [
    ("a number for a string", signed(priceE9=1), "Expected `str`, got `int` - at `$.signedFields.priceE9`."),
    ("a sign", signed(priceE9="-1"), "$.signedFields.priceE9"),
    ("a fraction", signed(quantityE9="1.5"), "$.signedFields.quantityE9"),
    ("an exponent", signed(quantityE9="1e9"), "$.signedFields.quantityE9"),
    ("nothing", signed(leverageE9=""), "$.signedFields.leverageE9"),
    ("a space", signed(leverageE9=" 1"), "$.signedFields.leverageE9"),
    ("a line after it", signed(salt="1\n"), "$.signedFields.salt"),
    ("a zero before it, which two texts of one number would have", signed(salt="01"), "$.signedFields.salt"),
    ("digits of another script", signed(salt="١"), "$.signedFields.salt"),
    ("one more than 64 bits", signed(salt="18446744073709551616"), "salt has more than 64 bits - at `$.signedFields`."),
    ("many more", signed(priceE9="9" * 20), "priceE9 has more than 64 bits"),
    ("a trigger of more than 64 bits", order(triggerPriceE9="9" * 20), "triggerPriceE9 has more than 64 bits"),
    ("a string for a time", signed(expiresAtMillis="1"), "$.signedFields.expiresAtMillis"),
    ("a fraction of a millisecond", signed(expiresAtMillis=1.5), "$.signedFields.expiresAtMillis"),
    ("a time before all times", signed(signedAtMillis=-1), "$.signedFields.signedAtMillis"),
    ("a time that is true", signed(signedAtMillis=True), "$.signedFields.signedAtMillis"),
    ("a string for a truth", signed(isIsolated="false"), "$.signedFields.isIsolated"),
    ("an address without its prefix", signed(accountAddress=ADDRESS[2:]), "$.signedFields.accountAddress"),
    ("an id that cannot be hashed", signed(idsId="ids"), "$.signedFields.idsId"),
    ("a word that is in no list", order(type="ICEBERG"), "Invalid enum value 'ICEBERG' - at `$.type`."),
    ("a field that is missing", json.dumps({"signature": ""}).encode(), "missing required field `signedFields`."),
    ("a symbol as long as a book", signed(symbol="X" * 257), "$.signedFields.symbol"),
    ("an id as long as a book", order(clientOrderId="X" * 257), "$.clientOrderId"),
    ("no object", b"[]", "Expected `object`, got `array`."),
    ("nothing at all", b"", "The body is not JSON."),
    ("no text", b"\xff", "The body is not JSON."),
    ("half a character", rb'{"signature": "\ud800"}', "The body is not JSON."),
    ("more after it", order() + b"{}", "The body is not JSON."),
    ("too deep", b'{"signedFields":' * 9999, "The body is not JSON."),
]


@pytest.mark.parametrize("body", [row[1] for row in READ], ids=[row[0] for row in READ])
def test_an_order_is_read(body: bytes) -> None:
    read(PlaceOrder, body)


@pytest.mark.parametrize(("body", "said"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_an_order_is_refused_for_its_form(body: bytes, said: str) -> None:
    assert said in refused(PlaceOrder, body)


def test_a_cancel_names_at_most_ten_orders_or_leaves_the_list_out() -> None:
    def cancel(hashes: list[str]) -> bytes:
        return json.dumps({"symbol": "ETH-PERP", "orderHashes": hashes}).encode()

    assert read(CancelOrders, b'{"symbol":"ETH-PERP"}').order_hashes is None
    assert read(CancelOrders, cancel(["no hash of anybody's"])).order_hashes == ["no hash of anybody's"]
    assert len(read(CancelOrders, cancel(["ab"] * 10)).order_hashes or []) == 10
    assert "$.orderHashes" in refused(CancelOrders, cancel(["ab"] * 11))
    assert "$.orderHashes" in refused(CancelOrders, cancel([]))


def test_a_subscription_names_streams_that_there_are() -> None:
    body = b'{"method":"Subscribe","dataStreams":[%s],"authToken":"canary-1"}'
    assert "canary-1" not in repr(read(AccountSubscription, body % b'"AccountOrderUpdate"'))
    assert "AccountOrderUpdates" in refused(AccountSubscription, body % b'"AccountOrderUpdates"')


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*ORDER, *FIELDS]), inner),
    max_leaves=4,
)


@pytest.mark.parametrize("kind", REQUESTS)
@settings(max_examples=30)
@given(raw=st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_whatever_is_sent_is_read_or_refused(kind: Any, raw: bytes) -> None:
    with suppress(RequestError):
        assert isinstance(read(kind, raw), kind)


def refused(kind: Any, body: bytes) -> str:
    """What is said about it."""
    with pytest.raises(RequestError) as caught:
        read(kind, body)
    assert (caught.value.status, caught.value.body.error_code) == (400, "INVALID_REQUEST")
    return caught.value.body.message
