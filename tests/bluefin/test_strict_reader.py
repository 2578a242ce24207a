"""Strict clients read what this exchange sends: every frame and answer that its types can make."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.dialects.bluefin import account_wire, login_wire, market_wire, reasons, trade_wire, wire, words
from tests.bluefin.anything import anything
from tests.bluefin.openapi_facts import facts
from tests.bluefin.strict_reader import FACTS, FAILED_CANCEL_SAYS_NULL, StrictReader, Unreadable

FOLDER = os.environ.get("TALLYSTICK_BLUEFIN_OPENAPI", "")

ACCOUNT_PAYLOADS: Mapping[str, Any] = {
    "AccountTradeUpdate": account_wire.TradeUpdate,
    "AccountAggregatedTradeUpdate": account_wire.TradeUpdate,
    "AccountPositionUpdate": account_wire.PositionUpdate,
    "AccountUpdate": account_wire.AccountUpdate,
    "AccountTransactionUpdate": account_wire.TransactionUpdate,
    "AccountCommandFailureUpdate": account_wire.CommandFailureUpdate,
}
ORDER_PAYLOADS = (account_wire.ActiveOrderUpdate, account_wire.OrderCancellationUpdate)
MARKET_PAYLOADS: Mapping[str, Any] = {
    "RecentTradesUpdates": market_wire.RecentTrades,
    "TickerUpdate": market_wire.TickerUpdate,
    "TickerAllUpdate": market_wire.AllTickers,
    "OrderbookDiffDepthUpdate": market_wire.DiffDepth,
    "OrderbookPartialDepthUpdate": market_wire.PartialDepth,
}
ANSWERS: Mapping[str, Any] = {
    "Account": account_wire.Account,
    "CancelOrdersResponse": trade_wire.StandbyOrdersCancelled,
    "CreateOrderResponse": trade_wire.OrderAcknowledged,
    "Error": wire.ErrorBody,
    "ExchangeInfoResponse": market_wire.ExchangeInfo,
    "LoginResponse": login_wire.TokenAnswer,
    "OpenIDConfigurationResponse": login_wire.OpenIdConfiguration,
    "OpenOrderResponse": trade_wire.OpenOrder,
    "OrderbookDepthResponse": market_wire.Depth,
    "RefreshTokenResponse": login_wire.TokenAnswer,
    "SubscriptionResponseMessage": wire.SubscriptionAnswer,
    "TickerResponse": market_wire.Ticker,
    "Trade": wire.Trade,
}
REQUESTS: Mapping[str, Any] = {
    "AccountAuthorizationRequest": trade_wire.AuthorizeWallet,
    "AccountPositionLeverageUpdateRequest": trade_wire.AdjustLeverage,
    "AccountSubscriptionMessage": account_wire.AccountSubscription,
    "AdjustIsolatedMarginRequest": trade_wire.AdjustMargin,
    "CancelOrdersRequest": trade_wire.CancelOrders,
    "CreateOrderRequest": trade_wire.PlaceOrder,
    "LoginRequest": login_wire.LoginRequest,
    "MarketSubscriptionMessage": market_wire.MarketSubscription,
    "RefreshTokenRequest": login_wire.RefreshRequest,
    "WithdrawRequest": trade_wire.Withdraw,
}
LISTS: Mapping[str, Any] = {
    "AccountDataStream": words.AccountStream,
    "AccountEventReason": words.AccountEventReason,
    "AdjustMarginOperation": words.MarginOperation,
    "ClientType": words.Client,
    "CommandFailureReasonCode": words.CommandFailure,
    "FailedCommandType": words.FailedCommand,
    "MarketStatus": words.MarketStatus,
    "OrderCancelReason": words.CancelReason,
    "OrderCancellationFailureReason": words.CancelFailure,
    "OrderSide": words.Side,
    "OrderTimeInForce": words.TimeInForce,
    "OrderType": words.OrderType,
    "PositionSide": words.Side,
    "SelfTradePreventionType": words.SelfTradePrevention,
    "SubscriptionType": words.SubscriptionMethod,
    "TradeSide": words.Side,
    "TradeType": words.TradeType,
    "TransactionType": words.TransactionType,
}

strict = StrictReader()
as_the_seed_says = StrictReader(nullable=FAILED_CANCEL_SAYS_NULL)


def is_in_the_schema(value: Any) -> bool:
    """Not in the seed's spelling of a status, which a switch alone serves."""
    return getattr(value, "status", "") != "PARTIALLY_FILLED_CANCELLED"


@pytest.mark.parametrize(("schema", "kind"), ANSWERS.items())
@settings(max_examples=10)
@given(data=st.data())
def test_an_answer(schema: str, kind: Any, data: st.DataObject) -> None:
    answer = data.draw(anything(kind).filter(is_in_the_schema))
    strict.read(schema, msgspec.json.encode(answer))


@pytest.mark.parametrize(("event", "kind"), ACCOUNT_PAYLOADS.items())
@settings(max_examples=10)
@given(data=st.data())
def test_a_frame_of_the_account_stream(event: words.AccountStream, kind: Any, data: st.DataObject) -> None:
    reason = data.draw(st.sampled_from(get_args(words.AccountEventReason)))
    frame = account_wire.AccountFrame(event=event, reason=reason, payload=data.draw(anything(kind)))
    strict.read("AccountStreamMessage", msgspec.json.encode(frame))


@pytest.mark.parametrize("kind", ORDER_PAYLOADS)
@settings(max_examples=10)
@given(data=st.data())
def test_an_order_update_has_one_of_its_two_shapes(kind: Any, data: st.DataObject) -> None:
    payload = data.draw(anything(kind).filter(is_in_the_schema))
    frame = account_wire.AccountFrame(event="AccountOrderUpdate", reason="OrderCreated", payload=payload)
    as_the_seed_says.read("AccountStreamMessage", msgspec.json.encode(frame))


@pytest.mark.parametrize(("event", "kind"), MARKET_PAYLOADS.items())
@settings(max_examples=10)
@given(data=st.data())
def test_a_frame_of_the_market_stream(event: words.MarketEvent, kind: Any, data: st.DataObject) -> None:
    frame = market_wire.MarketFrame(event=event, payload=data.draw(anything(kind)))
    strict.read("MarketStreamMessage", msgspec.json.encode(frame))


@pytest.mark.parametrize("source", get_args(words.PriceSource))
def test_a_price_is_in_the_frame_of_its_source(source: words.PriceSource) -> None:
    events: dict[str, words.MarketEvent] = {
        "Oracle": "OraclePriceUpdate",
        "Mark": "MarkPriceUpdate",
        "Market": "MarketPriceUpdate",
    }
    price = market_wire.PriceUpdate(symbol="ETH-PERP", price_e9="1", source=source, updated_at_millis=1)
    frame = market_wire.MarketFrame(event=events[source], payload=price)
    strict.read("MarketStreamMessage", msgspec.json.encode(frame))


@pytest.mark.parametrize(("schema", "kind"), REQUESTS.items())
def test_a_request_has_the_fields_that_clients_send(schema: str, kind: Any) -> None:
    assert described(kind) == FACTS[schema]["fields"].keys()


def test_what_is_signed_of_an_order_has_the_fields_that_clients_send() -> None:
    assert described(trade_wire.OrderFields) == FACTS["CreateOrderRequestSignedFields"]["fields"].keys()


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ("AccountAuthorizationRequest", trade_wire.AuthorizationFields),
        ("AccountPositionLeverageUpdateRequest", trade_wire.LeverageFields),
        ("AdjustIsolatedMarginRequest", trade_wire.MarginFields),
        ("WithdrawRequest", trade_wire.WithdrawalFields),
    ],
)
def test_what_is_signed_of_a_request_has_the_fields_that_clients_send(schema: str, kind: Any) -> None:
    assert described(kind) == FACTS[schema]["fields"]["signedFields*"]["fields"].keys()


def described(kind: Any) -> set[str]:
    """The names of a type's fields as the facts write them."""
    return {f"{each.encode_name}*" if each.required else each.encode_name for each in msgspec.structs.fields(kind)}


@pytest.mark.parametrize(("schema", "kind"), LISTS.items())
def test_a_list_of_words_is_the_exchange_s(schema: str, kind: Any) -> None:
    assert list(get_args(kind)) == FACTS[schema]["words"]


def test_the_seed_s_spelling_of_a_status_is_the_only_one_that_clients_do_not_know() -> None:
    assert set(get_args(words.OrderStatus)) - set(FACTS["OrderStatus"]["words"]) == {"PARTIALLY_FILLED_CANCELLED"}


def test_every_reason_of_the_venue_is_a_word_of_the_exchange() -> None:
    named = [reason for name, reason in vars(reasons).items() if name.isupper() and isinstance(reason, str)]
    said = {reasons.on_the_wire(reason) for reason in named}
    assert said <= {*FACTS["OrderCancelReason"]["words"], *FACTS["OrderCancellationFailureReason"]["words"]}


# --- The reader itself.

CANCELLATION = {
    "orderHash": "ab",
    "symbol": "ETH-PERP",
    "accountAddress": "0x1",
    "createdAtMillis": 1,
    "cancellationReason": "USER_CANCELLED",
    "failureToCancelReason": None,
    "remainingQuantityE9": "1",
}
ACTIVE = {
    "orderHash": "ab",
    "symbol": "ETH-PERP",
    "accountAddress": "0x1",
    "priceE9": "1",
    "quantityE9": "1",
    "filledQuantityE9": "0",
    "side": "LONG",
    "leverageE9": "1",
    "isIsolated": False,
    "salt": "1",
    "expiresAtMillis": 1,
    "signedAtMillis": 1,
    "signerAddress": "0x1",
    "type": "LIMIT",
    "reduceOnly": False,
    "postOnly": False,
    "timeInForce": "GTT",
    "status": "OPEN",
    "selfTradePreventionType": "MAKER",
    "createdAtMillis": 1,
    "updatedAtMillis": 1,
}

# payload, what is wrong with it
UNREADABLE = [
    (ACTIVE | CANCELLATION, "fits ['ActiveOrderUpdate', 'OrderCancellationUpdate']"),
    ({}, "fits none"),
    (CANCELLATION | {"cancellationReason": None, "failureToCancelReason": "ORDER_NOT_FOUND"}, "fits none"),
    (CANCELLATION | {"remainingQuantityE9": 1}, "fits none"),
    (CANCELLATION | {"createdAtMillis": "1"}, "fits none"),
    (CANCELLATION | {"createdAtMillis": True}, "fits none"),
    (CANCELLATION | {"cancellationReason": "UserCancelled"}, "fits none"),
    (CANCELLATION | {"status": "CANCELLED"}, "has unknown fields ['status']"),
    (ACTIVE | {"status": "PARTIALLY_FILLED_CANCELLED"}, "fits none"),
    (ACTIVE | {"isIsolated": "false"}, "fits none"),
]


@pytest.mark.parametrize(("payload", "why"), UNREADABLE)
def test_it_refuses(payload: dict[str, Any], why: str) -> None:
    frame = {"event": "AccountOrderUpdate", "reason": "OrderCancelled", "payload": payload}
    with pytest.raises(Unreadable) as caught:
        strict.read("AccountStreamMessage", msgspec.json.encode(frame))
    assert why in str(caught.value)


@pytest.mark.parametrize("payload", [CANCELLATION, ACTIVE])
def test_it_reads_either_shape(payload: dict[str, Any]) -> None:
    frame = {"event": "AccountOrderUpdate", "reason": "OrderCancelled", "payload": payload}
    assert strict.read("AccountStreamMessage", msgspec.json.encode(frame)) == frame


@pytest.mark.skipif(not FOLDER, reason="TALLYSTICK_BLUEFIN_OPENAPI does not name the folder of the exchange's files")
def test_the_facts_are_those_of_the_exchange_s_files() -> None:
    assert facts(Path(FOLDER)) == FACTS
