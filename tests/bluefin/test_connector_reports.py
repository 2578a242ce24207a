"""What the connector makes of what the exchange shows: each row of the decoding table, spellings, times, trades."""

import json
from decimal import Decimal
from typing import Any

import pytest

from tallystick.connect.clock_offset import ClockOffset
from tallystick.connect.errors import Unreadable
from tallystick.connect.http import decoded
from tallystick.connect.port import Order
from tallystick.core.lifecycle import CANCELLED, EXPIRED, FILLED, OPEN, PENDING, REFUSED, REJECTED, SUBMITTED
from tallystick.dialects.bluefin.connector_reports import (
    Reader,
    SeenMarket,
    SeenOrderUpdate,
    SeenRow,
    SeenTrade,
    rule_of,
    spelt,
)
from tallystick.facts.client_codes import MAKER
from tallystick.facts.client_terms import MarketListed, OrderIntended
from tallystick.facts.codes import BUY, LIMIT_ORDER, UNITS
from tallystick.tracker.observations import (
    STREAM,
    UNKNOWN_AMOUNT,
    UNKNOWN_STATUS,
    CancelReport,
    OrderReport,
    Refusal,
)

HASH = "ab" * 32
NOW = 1_795_166_300_000_000
SIZE = 10**9


class Known:
    """A context that knows one order of ours."""

    venue = 7

    def now(self) -> int:
        return NOW

    def order(self, venue_id: str) -> Order | None:
        if venue_id != HASH:
            return None
        terms = OrderIntended(7, 1, "c1", 1, BUY, LIMIT_ORDER, UNITS, SIZE)
        return Order(terms, MarketListed(7, 0, 1, "ETH-PERP", "ETH", "USDC", 9, 9, 9), HASH, 0)


def reader(offset: int = 0) -> Reader:
    clock = ClockOffset()
    clock.add(0, 0, offset)
    return Reader(Known(), clock)  # type: ignore[arg-type]  # what it is asked for is here


def cancellation(**words: Any) -> SeenOrderUpdate:
    body = {
        "orderHash": HASH,
        "clientOrderId": "c1",
        "symbol": "ETH-PERP",
        "accountAddress": "0x" + "9b" * 32,
        "createdAtMillis": 1795166242804,
        "remainingQuantityE9": str(SIZE),
        **words,
    }
    return decoded(json.dumps(body), SeenOrderUpdate)


def told(update: SeenOrderUpdate) -> str:
    """What it comes to, in short."""
    found = reader().update(update)
    if isinstance(found, CancelReport):
        assert (found.venue_id, found.outcome) == (HASH, REFUSED)
        return f"not cancelled: {found.reason}"
    if isinstance(found, Refusal):
        assert (found.client_id, found.venue_id) == ("c1", HASH)
        return (
            f"refused {found.code}" + {REJECTED: "", CANCELLED: ", or cancelled", EXPIRED: ", or expired"}[found.lived]
        )
    if isinstance(found, OrderReport):
        word = {CANCELLED: "cancelled", EXPIRED: "expired", SUBMITTED: "taken", UNKNOWN_STATUS: "unknown"}[found.status]
        return word + (f" at {found.quantity}" if found.quantity != UNKNOWN_AMOUNT else "")
    return "nothing"


ABSENT = "absent"
REAL = "PRICE_OUT_OF_BOUND"
OR_CANCELLED = f"refused {REAL}, or cancelled"
UNKNOWN_WHY = "refused UNSPECIFIED, or cancelled"
DECODING = [
    # cancellationReason, failureToCancelReason, what it is
    (REAL, ABSENT, OR_CANCELLED),
    (REAL, None, OR_CANCELLED),
    (REAL, "NO_FAILURE", OR_CANCELLED),
    (REAL, "UNSPECIFIED", OR_CANCELLED),
    ("UNSPECIFIED", ABSENT, UNKNOWN_WHY),
    ("UNSPECIFIED", None, UNKNOWN_WHY),
    ("UNSPECIFIED", "NO_FAILURE", UNKNOWN_WHY),
    (None, "ORDER_NOT_FOUND", "not cancelled: ORDER_NOT_FOUND"),
    (None, "MARKET_NOT_FOUND", "not cancelled: MARKET_NOT_FOUND"),
    (None, "ACCOUNT_NOT_FOUND", "not cancelled: ACCOUNT_NOT_FOUND"),
    (None, "NO_OPEN_ORDERS_ON_MARKET", "not cancelled: NO_OPEN_ORDERS_ON_MARKET"),
    (ABSENT, "ORDER_NOT_FOUND", "not cancelled: ORDER_NOT_FOUND"),
    ("UNSPECIFIED", "ORDER_NOT_FOUND", "not cancelled: ORDER_NOT_FOUND"),
    (None, "UNSPECIFIED", "not cancelled: UNSPECIFIED"),
    # Anything else changes nothing, and is shown.
    ("UNSPECIFIED", "UNSPECIFIED", "unknown"),
    (None, None, "unknown"),
    (ABSENT, ABSENT, "unknown"),
    (None, "NO_FAILURE", "unknown"),
    (REAL, "ORDER_NOT_FOUND", "unknown"),
    (None, "BECALMED", "unknown"),
    (REAL, "BECALMED", "unknown"),
]


@pytest.mark.parametrize(("reason", "failure", "expected"), DECODING)
def test_a_cancellation_is_what_its_two_reasons_say(reason: str | None, failure: str | None, expected: str):
    given = {"cancellationReason": reason, "failureToCancelReason": failure}
    assert told(cancellation(**{name: word for name, word in given.items() if word != ABSENT})) == expected


REASONS = [
    ("USER_CANCELLED", "cancelled at 0"),
    ("USER_CANCELLED_ALL_ON_MARKET", "cancelled at 0"),
    ("USER_CANCELLED_ALL_STANDBY_ON_MARKET", "cancelled at 0"),
    ("SELF_TRADE_PREVENTION", "cancelled at 0"),
    ("LEVERAGE_UPDATE", "cancelled at 0"),
    ("MARGIN_CALL", "cancelled at 0"),
    ("ACCOUNT_DEAUTHORIZED", "cancelled at 0"),
    ("ORDER_EXPIRED", "refused ORDER_EXPIRED, or expired"),
    ("INSUFFICIENT_LIQUIDITY", "refused INSUFFICIENT_LIQUIDITY, or cancelled"),
    ("MARKET_NOT_TRADING", "refused MARKET_NOT_TRADING, or cancelled"),
    ("A_REASON_OF_NEXT_YEAR", "refused A_REASON_OF_NEXT_YEAR, or cancelled"),
    ("DUPLICATE_ORDER", "taken"),
    ("UserCancelledAllOnMarket", "cancelled at 0"),
    ("PriceOutOfTickSize", "refused PRICE_OUT_OF_TICK_SIZE, or cancelled"),
]


@pytest.mark.parametrize(("reason", "expected"), REASONS)
def test_a_reason_says_whether_an_order_had_lived_or_leaves_it_to_what_is_known(reason: str, expected: str):
    assert told(cancellation(cancellationReason=reason)) == expected


def test_less_remaining_than_was_asked_for_is_a_sign_of_life():
    part = {"remainingQuantityE9": str(SIZE - 4)}
    assert told(cancellation(cancellationReason="INSUFFICIENT_BALANCE", **part)) == "cancelled at 4"
    assert told(cancellation(cancellationReason="ORDER_EXPIRED", **part)) == "expired at 4"
    assert told(cancellation(cancellationReason="DUPLICATE_ORDER", **part)) == "taken"


def test_of_an_order_that_is_not_known_it_is_not_said_how_much_was_filled():
    update = cancellation(cancellationReason="USER_CANCELLED", orderHash="cd" * 32)
    assert told(update) == "cancelled"


def test_a_failed_cancel_of_no_order_says_nothing_of_any():
    given = {"cancellationReason": None, "failureToCancelReason": "NO_OPEN_ORDERS_ON_MARKET"}
    assert told(cancellation(orderHash="", **given)) == "nothing"


def test_what_cannot_be_understood_is_shown_in_the_exchange_s_words():
    found = reader().update(cancellation(cancellationReason="WHY", failureToCancelReason="WHY_NOT"))
    assert isinstance(found, OrderReport)
    assert found.word == "cancelled because WHY, not cancelled because WHY_NOT"


STATUSES = [
    ("STANDBY", PENDING),
    ("OPEN", OPEN),
    ("PARTIALLY_FILLED_OPEN", OPEN),
    ("PARTIALLY_FILLED_CANCELED", CANCELLED),
    ("PARTIALLY_FILLED_CANCELLED", CANCELLED),
    ("PartiallyFilledCancelled", CANCELLED),
    ("PartiallyFilledCanceled", CANCELLED),
    ("FILLED", FILLED),
    ("CANCELLED", CANCELLED),
    ("EXPIRED", EXPIRED),
    ("PARTIALLY_FILLED_EXPIRED", EXPIRED),
    ("UNSPECIFIED", UNKNOWN_STATUS),
    ("becalmed", UNKNOWN_STATUS),
]


@pytest.mark.parametrize(("word", "status"), STATUSES)
def test_a_status_in_every_spelling(word: str, status: int):
    body = {"orderHash": f"0x{HASH.upper()}", "symbol": "ETH-PERP", "status": word, "filledQuantityE9": "3"}
    found = reader().update(decoded(json.dumps({**body, "updatedAtMillis": 1795166242806}), SeenOrderUpdate))
    assert isinstance(found, OrderReport)
    assert (found.status, found.venue_id, found.quantity) == (status, HASH, 3)
    assert found.word == (word if status == UNKNOWN_STATUS else "")


def test_a_message_speaks_of_the_exchange_s_time_on_our_clock_and_never_of_the_future():
    body = {"orderHash": HASH, "symbol": "ETH-PERP", "status": "OPEN", "filledQuantityE9": "0"}
    then = decoded(json.dumps({**body, "updatedAtMillis": (NOW - 5_000_000) // 1000}), SeenOrderUpdate)
    assert reader(1_000_000).update(then).as_of == NOW - 6_000_000  # type: ignore[union-attr]
    assert reader(-9_000_000).update(then).as_of == NOW  # type: ignore[union-attr]


def test_a_row_speaks_of_when_it_was_asked_for():
    row = SeenRow(HASH, "ETH-PERP", "PARTIALLY_FILLED_OPEN", "3", "c1")
    found = reader().row(row, 5, STREAM)
    assert (found.client_id, found.venue_id, found.as_of, found.status, found.quantity) == ("c1", HASH, 5, OPEN, 3)


TRADE = {
    "id": "77",
    "orderHash": HASH,
    "symbol": "ETH-PERP",
    "side": "LONG",
    "isMaker": True,
    "priceE9": "3000000000000",
    "quantityE9": "500000000",
    "quoteQuantityE9": "1500000000000",
    "executedAtMillis": 1795166242806,
    "tradingFeeE9": "-150000000",
    "tradingFeeAsset": "USDC",
}


def test_a_trade_is_a_fill_and_the_fee_that_was_paid_is_what_it_cost():
    found = reader().fill(decoded(json.dumps(TRADE), SeenTrade), STREAM)
    assert found is not None
    assert (found.trade, found.venue_id, found.quantity, found.consumed) == ("77", HASH, 5 * 10**8, 5 * 10**8)
    assert (found.notional, found.price, found.liquidity) == (1500 * 10**9, 3000 * 10**9, MAKER)
    assert (Decimal(found.fee).scaleb(-found.fee_scale), found.fee_asset) == (Decimal("0.15"), "USDC")


def test_a_trade_without_its_fee_says_that_it_is_not_known_and_one_without_an_order_is_nobody_s():
    bare = {name: TRADE[name] for name in ("id", "priceE9", "quantityE9", "quoteQuantityE9", "executedAtMillis")}
    assert reader().fill(decoded(json.dumps(bare), SeenTrade), STREAM) is None
    found = reader().fill(decoded(json.dumps({**bare, "clientOrderId": "c1"}), SeenTrade), STREAM)
    assert found is not None
    assert (found.client_id, found.venue_id, found.fee, found.fee_asset) == ("c1", "", 0, "")


@pytest.mark.parametrize("number", ["1.5", "", "1e9", "NaN", "1" * 40, "٣"])
def test_what_is_no_integer_is_unreadable(number: str):
    with pytest.raises(Unreadable):
        reader().fill(decoded(json.dumps({**TRADE, "quantityE9": number}), SeenTrade), STREAM)


def test_a_market_s_rules_are_at_nine_decimals():
    seen = SeenMarket("ETH-PERP", "MAINTENANCE", "ETH", "10000000", "100000000", "10000000", "10000", "3000000000")
    rule = rule_of(seen, "USDC")
    assert (rule.name, rule.unit, rule.currency, rule.is_open) == ("ETH-PERP", "ETH", "USDC", False)
    assert (rule.unit_increment, rule.price_increment, rule.units_min, rule.units_max) == (10**7, 10**8, 10**7, 10**4)


def test_words_are_spelt_in_one_way():
    assert [spelt(word) for word in ("UserCanceled", "USER_CANCELED", "USER_CANCELLED")] == ["USER_CANCELLED"] * 3
