"""What is no story is found: each row is what was told of one order, and what is wrong with it."""

import pytest

from tallystick.connect.events import (
    BuyOrderCompletedEvent,
    BuyOrderCreatedEvent,
    Fee,
    MarketOrderFailureEvent,
    OrderCancelledEvent,
    OrderFilledEvent,
    OrderType,
    TradeType,
)
from tallystick.testing.bots import TEN
from tallystick.testing.stories import assert_grammar, grammar_faults

KINDS = {
    "created": (BuyOrderCreatedEvent, {"type": OrderType.MARKET, "amount": TEN, "amount_kind": "units", "price": None}),
    "fill": (
        OrderFilledEvent,
        {
            "trade_type": TradeType.BUY,
            "order_type": OrderType.MARKET,
            "price": TEN,
            "amount": TEN,
            "quote_amount": TEN,
            "trade_fee": Fee(TEN, "USD"),
        },
    ),
    "completed": (
        BuyOrderCompletedEvent,
        {
            "base_asset": "A",
            "quote_asset": "B",
            "base_asset_amount": TEN,
            "quote_asset_amount": TEN,
            "order_type": OrderType.MARKET,
        },
    ),
    "cancelled": (OrderCancelledEvent, {}),
    "failed": (MarketOrderFailureEvent, {"order_type": OrderType.MARKET, "error_message": "", "error_type": "no"}),
}


def told(words: str):
    """ "created fill:a late:b": the words of KINDS; a fill names its trade, a late one is marked so."""
    for at, word in enumerate(words.split()):
        name, _, trade = word.partition(":")
        kind, fields = KINDS["fill" if name == "late" else name]
        more = dict(fields)
        if kind is OrderFilledEvent:
            more["exchange_trade_id"] = trade
        if kind is BuyOrderCreatedEvent:
            more["creation_timestamp"] = 0.0
        yield kind(
            timestamp=0.0,
            order_id="ts1",
            trading_pair="ACME-USD",
            exchange_order_id="v1",
            venue="paper",
            position=f"{at}.0",
            status="OPEN",
            certainty="CONFIRMED",
            executed_amount_base=TEN,
            executed_amount_quote=TEN,
            late=name == "late",
            **more,
        )


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("created", ""),
        ("created fill:a fill:b completed", ""),
        ("created fill:a cancelled late:b", ""),
        ("failed", ""),
        ("created failed", ""),
        ("fill:a", "it does not begin with Created"),
        ("created created", "it does not begin with Created"),
        ("created cancelled completed", "it ended twice"),
        ("created fill:a fill:a", "a fill was told twice"),
        ("created completed fill:a", "a fill after the end is not marked late"),
        ("created late:a completed", "a fill after the end is not marked late, or one before it is"),
    ],
)
def test_a_story_is_created_then_fills_then_one_end(words: str, fault: str):
    faults = grammar_faults(told(words))
    assert bool(faults) == bool(fault)
    assert fault in " ".join(faults)


def test_what_was_told_twice_is_found():
    with pytest.raises(AssertionError, match=r"position 0\.0 was told twice"):
        assert_grammar([*told("created"), *told("created")])
