"""What connectors and strategies rely on by name: signatures, fields and their order, numbers, lines in the log."""

import asyncio
import inspect
import logging
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest

import tallystick.dialects.hummingbot as facade
from tallystick.connect import events
from tallystick.dialects.hummingbot import (
    AccountEvent,
    BuyOrderCompletedEvent,
    BuyOrderCreatedEvent,
    ClientOrderTracker,
    EventLogger,
    ExchangeBase,
    InFlightOrder,
    MarketEvent,
    MarketOrderFailureEvent,
    OrderCancelledEvent,
    OrderExpiredEvent,
    OrderFilledEvent,
    OrderState,
    OrderType,
    OrderUpdate,
    TradeType,
    TradeUpdate,
)
from tests.hummingbot.told import Told, order

SIGNATURES = [
    (ClientOrderTracker.__init__, "self connector lost_order_count_limit=3"),
    (ClientOrderTracker.start_tracking_order, "self order"),
    (ClientOrderTracker.stop_tracking_order, "self client_order_id"),
    (ClientOrderTracker.restore_tracking_states, "self tracking_states"),
    (ClientOrderTracker.fetch_tracked_order, "self client_order_id"),
    (ClientOrderTracker.fetch_cached_order, "self client_order_id"),
    (ClientOrderTracker.fetch_order, "self client_order_id=None exchange_order_id=None"),
    (ClientOrderTracker.fetch_lost_order, "self client_order_id=None exchange_order_id=None"),
    (ClientOrderTracker.process_order_update, "self order_update"),
    (ClientOrderTracker.process_trade_update, "self trade_update"),
    (ClientOrderTracker.process_order_not_found, "self client_order_id"),
    (
        InFlightOrder.__init__,
        "self client_order_id trading_pair order_type trade_type amount creation_timestamp price=None "
        "exchange_order_id=None initial_state=OrderState.PENDING_CREATE leverage=1 position=PositionAction.NIL",
    ),
    (InFlightOrder.update_with_order_update, "self order_update"),
    (InFlightOrder.update_with_trade_update, "self trade_update"),
    (InFlightOrder.update_exchange_order_id, "self exchange_order_id"),
    (InFlightOrder.cumulative_fee_paid, "self token"),
]


@pytest.mark.parametrize(("function", "expected"), SIGNATURES, ids=[each[0].__qualname__ for each in SIGNATURES])
def test_arguments_are_upstreams(function: Any, expected: str) -> None:
    parameters = inspect.signature(function).parameters.values()
    assert " ".join(_written(each) for each in parameters) == expected


def _written(parameter: inspect.Parameter) -> str:
    default = parameter.default
    if default is inspect.Parameter.empty:
        return parameter.name
    return f"{parameter.name}={default if isinstance(default, Enum) else repr(default)}"


FIELDS = [
    (OrderUpdate, "trading_pair update_timestamp new_state client_order_id exchange_order_id misc_updates"),
    (
        TradeUpdate,
        "trade_id client_order_id exchange_order_id trading_pair fill_timestamp fill_price fill_base_amount "
        "fill_quote_amount fee is_taker",
    ),
    (
        BuyOrderCreatedEvent,
        "timestamp type trading_pair amount price order_id creation_timestamp exchange_order_id leverage position",
    ),
    (
        OrderFilledEvent,
        "timestamp order_id trading_pair trade_type order_type price amount trade_fee exchange_trade_id "
        "exchange_order_id leverage position",
    ),
    (
        BuyOrderCompletedEvent,
        "timestamp order_id base_asset quote_asset base_asset_amount quote_asset_amount order_type exchange_order_id",
    ),
    (OrderCancelledEvent, "timestamp order_id exchange_order_id"),
    (OrderExpiredEvent, "timestamp order_id"),
    (MarketOrderFailureEvent, "timestamp order_id order_type error_message error_type"),
]


@pytest.mark.parametrize(("kind", "expected"), FIELDS, ids=[each[0].__name__ for each in FIELDS])
def test_fields_are_upstreams_in_its_order(kind: Any, expected: str) -> None:
    names = [each.name for each in fields(kind)] if is_dataclass(kind) else kind._fields
    assert " ".join(names) == expected


@pytest.mark.parametrize(
    "name",
    [
        "BuyOrderCreatedEvent",
        "SellOrderCreatedEvent",
        "OrderFilledEvent",
        "BuyOrderCompletedEvent",
        "SellOrderCompletedEvent",
        "OrderCancelledEvent",
        "OrderExpiredEvent",
        "MarketOrderFailureEvent",
    ],
)
def test_the_clients_own_events_have_these_names_and_fields_too(name: str) -> None:
    upstream: Any = getattr(facade, name)
    names = [each.name for each in fields(upstream)] if is_dataclass(upstream) else upstream._fields
    assert set(names) <= set(getattr(events, name).__struct_fields__)


NUMBERS = {
    OrderState: "PENDING_CREATE 0 OPEN 1 PENDING_CANCEL 2 CANCELED 3 PARTIALLY_FILLED 4 FILLED 5 FAILED 6 "
    "PENDING_APPROVAL 7 APPROVED 8 CREATED 9 COMPLETED 10",
    OrderType: "MARKET 1 LIMIT 2 LIMIT_MAKER 3 AMM_SWAP 4 AMM_ADD 5 AMM_REMOVE 6",
    TradeType: "BUY 1 SELL 2 RANGE 3",
    MarketEvent: "ReceivedAsset 101 BuyOrderCompleted 102 SellOrderCompleted 103 WithdrawAsset 105 OrderCancelled 106 "
    "OrderFilled 107 OrderExpired 108 OrderUpdate 109 TradeUpdate 110 OrderFailure 198 TransactionFailure 199 "
    "BuyOrderCreated 200 SellOrderCreated 201 FundingPaymentCompleted 202 FundingInfo 203 "
    "RangePositionLiquidityAdded 300 RangePositionLiquidityRemoved 301 RangePositionUpdateFailure 303",
    AccountEvent: "PositionModeChangeSucceeded 400 PositionModeChangeFailed 401 BalanceEvent 402 PositionUpdate 403 "
    "MarginCall 404 LiquidationEvent 405",
}


@pytest.mark.parametrize("kind", NUMBERS, ids=lambda kind: str(kind.__name__))
def test_numbers_are_upstreams_because_they_are_stored(kind: type[Enum]) -> None:
    assert " ".join(f"{each.name} {each.value}" for each in kind) == NUMBERS[kind]


def test_the_package_offers_what_it_says() -> None:
    assert sorted(facade.__all__) == facade.__all__
    assert all(hasattr(facade, name) for name in facade.__all__)


def test_the_tracker_keeps_and_waits_as_long_as_upstream() -> None:
    tracker = ClientOrderTracker(ExchangeBase())
    assert tracker._cached_orders.maxsize == 1000
    assert (tracker.CACHED_ORDER_TTL, tracker.TRADE_FILLS_WAIT_TIMEOUT) == (30.0, 5.0)
    assert tracker.lost_order_count_limit == 3


LINES = [
    ("OPEN", "INFO", "Created LIMIT BUY order o1 for 10 ACME-USD at 2.5."),
    ("OPEN, fill 4", "INFO", "The BUY order o1 amounting to 4/10 ACME has been filled at 2.5 USD."),
    ("OPEN, fill 10, FILLED", "INFO", "BUY order o1 completely filled."),
    ("OPEN, CANCELED", "INFO", "Successfully canceled order o1."),
    ("OPEN, expired", "INFO", "Order o1 has expired."),
    (
        "FAILED",
        "INFO",
        "Order o1 has failed. Order Update: OrderUpdate(trading_pair='ACME-USD', update_timestamp=1.0, "
        "new_state=<OrderState.FAILED: 6>, client_order_id='o1', exchange_order_id=None, misc_updates=None)",
    ),
    (
        "FILLED",
        "WARNING",
        "The order fill updates did not arrive on time for o1. The complete update will be processed with incomplete "
        "information.",
    ),
    (
        "OPEN=v1, miss, miss, miss, miss",
        "WARNING",
        "The order o1(v1) will be considered lost. Please check its status in the exchange.",
    ),
    ("OPEN=v1, miss, miss, miss, miss, miss", "INFO", "The lost order o1(v1) was not found and will be removed"),
]


@pytest.mark.parametrize(("happens", "level", "line"), LINES, ids=[each[0] for each in LINES])
def test_the_log_says_it_in_upstreams_words(
    happens: str, level: str, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def play() -> None:
        await Told().live(happens)

    with caplog.at_level(logging.DEBUG):
        asyncio.run(play())
    assert (level, line) in [(each.levelname, each.getMessage()) for each in caplog.records]


def test_an_update_without_an_order_is_an_error_and_one_of_an_unknown_order_is_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    unknown = OrderUpdate("ACME-USD", 1, OrderState.OPEN, "nobody")

    async def play() -> None:
        tracker = ClientOrderTracker(ExchangeBase())
        await tracker.process_order_update(OrderUpdate("ACME-USD", 1, OrderState.OPEN))
        await tracker.process_order_update(unknown)
        await tracker.process_order_not_found("nobody")

    with caplog.at_level(logging.DEBUG, "tallystick.dialects.hummingbot"):
        asyncio.run(play())
    assert [(each.levelname, each.getMessage()) for each in caplog.records] == [
        ("ERROR", "OrderUpdate does not contain any client_order_id or exchange_order_id"),
        ("DEBUG", f"Order is not/no longer being tracked ({unknown})"),
        ("DEBUG", "Order is not/no longer being tracked (nobody)"),
    ]


def test_events_say_what_upstreams_say() -> None:
    async def play() -> None:
        told = Told()
        await told.live("OPEN=v1, fill 4, fill 6, FILLED", order(trade_type=TradeType.SELL))
        created, first, second, completed = [event for _, event in told.events]
        assert (created.order_id, created.exchange_order_id, created.amount) == ("o1", "v1", 10)
        assert (created.type, created.price, created.position) == (OrderType.LIMIT, Decimal("2.5"), "NIL")
        assert type(created).__name__ == "SellOrderCreatedEvent"
        assert (first.amount, second.amount, second.exchange_trade_id) == (4, 6, "t2")
        assert (completed.base_asset, completed.quote_asset) == ("ACME", "USD")
        assert (completed.base_asset_amount, completed.quote_asset_amount) == (10, 25)
        assert completed.timestamp == told.connector.current_timestamp

    asyncio.run(play())


def test_a_failure_says_why() -> None:
    async def play() -> None:
        told = Told()
        told.tracker.start_tracking_order(order())
        misc = {"error_type": "below_minimum", "error_message": "too little"}
        await told.tracker.process_order_update(OrderUpdate("ACME-USD", 1, OrderState.FAILED, "o1", misc_updates=misc))
        (failure,) = told.of("!")
        assert (failure.error_type, failure.error_message) == ("below_minimum", "too little")

    asyncio.run(play())


def test_listeners_are_told_in_their_order_and_one_that_fails_stops_none(caplog: pytest.LogCaptureFixture) -> None:
    exchange = ExchangeBase()
    heard: list[str] = []

    def failing(event: object) -> None:
        heard.append("first")
        raise ValueError("no")

    logger = EventLogger("second")
    exchange.add_listener(MarketEvent.OrderExpired, failing)
    exchange.add_listener(MarketEvent.OrderExpired, logger)
    exchange.add_listener(MarketEvent.OrderExpired, lambda event: heard.append("third"))  # nobody else holds it
    exchange.trigger_event(MarketEvent.OrderExpired, OrderExpiredEvent(1.0, "o1"))
    exchange.remove_listener(MarketEvent.OrderExpired, logger)
    exchange.trigger_event(MarketEvent.OrderExpired, OrderExpiredEvent(2.0, "o1"))

    assert heard == ["first", "third", "first", "third"]
    assert logger.event_log == [OrderExpiredEvent(1.0, "o1")]
    assert (logger.current_event_tag, logger.current_event_caller) == (108, exchange)
    assert "a listener to event OrderExpired failed" in caplog.text


def test_an_event_can_be_awaited() -> None:
    async def play() -> None:
        logger = EventLogger()
        waiting = asyncio.ensure_future(logger.wait_for(OrderExpiredEvent, timeout_seconds=10))
        await asyncio.sleep(0)
        logger(OrderCancelledEvent(1.0, "o1"))
        logger(OrderExpiredEvent(2.0, "o1"))
        assert await waiting == OrderExpiredEvent(2.0, "o1")

    asyncio.run(play())
