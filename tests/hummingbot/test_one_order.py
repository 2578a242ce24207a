"""One order by itself, as connectors hold it: what it is, what it learns, and what is saved of it."""

import asyncio
import copy
import json
from decimal import Decimal

import pytest

from tallystick.dialects.hummingbot import (
    AddedToCostTradeFee,
    DeductedFromReturnsTradeFee,
    InFlightOrder,
    OrderState,
    OrderType,
    PerpetualDerivativeInFlightOrder,
    PositionAction,
    RateOracle,
    TokenAmount,
    TradeFeeBase,
    TradeUpdate,
)
from tallystick.dialects.hummingbot.amounts import is_full
from tests.hummingbot.told import order, trade, update

# amount, executed, whether that fills it
FULL = [
    ("10", "10", True),
    ("10", "11", True),
    ("10", "9.999999995", True),
    ("10", "9.99999998", False),
    ("1000", "999.999999", True),
    ("1000", "999.99999", False),
    ("0.00000001", "0.000000005", False),
    ("0.00000001", "0.00000001", True),
    ("0", "0", True),
]


@pytest.mark.parametrize(("amount", "executed", "full"), FULL)
def test_when_an_order_is_filled_is_one_rule(amount: str, executed: str, full: bool) -> None:
    assert is_full(Decimal(amount), Decimal(executed)) is full
    subject = order(amount)
    subject.executed_amount_base = Decimal(executed)
    assert subject.is_done is full
    assert subject.is_filled is (full and amount != "0")


# states said, one after the other; those that change something; the state in the end
STATES = [
    ("OPEN OPEN", "yes no", "OPEN"),
    ("OPEN PENDING_CREATE", "yes no", "OPEN"),
    ("PARTIALLY_FILLED FILLED", "yes yes", "FILLED"),
    ("FILLED OPEN", "yes no", "FILLED"),
    ("CANCELED OPEN", "yes no", "CANCELED"),
    ("OPEN FAILED", "yes yes", "FAILED"),
    ("FAILED", "yes", "FAILED"),
    ("OPEN PENDING_CANCEL OPEN", "yes yes no", "PENDING_CANCEL"),
]


@pytest.mark.parametrize(("said", "changes", "state"), STATES)
def test_a_state_is_not_undone_by_one_that_is_behind_it(said: str, changes: str, state: str) -> None:
    subject = order()
    changed = [subject.update_with_order_update(update(OrderState[each])) for each in said.split()]
    assert " ".join("yes" if each else "no" for each in changed) == changes
    assert subject.current_state is OrderState[state]


def test_a_fill_counts_once_and_leaves_state_and_exchange_id_alone() -> None:
    subject = order()
    assert subject.update_with_trade_update(trade("t1", "4"))
    assert not subject.update_with_trade_update(trade("t1", "4"))
    assert not subject.update_with_trade_update(trade("t2", "7"))
    assert not subject.update_with_trade_update(trade("t3", "-1"))
    assert not subject.update_with_trade_update(trade("t4", "1", client_order_id="other", exchange_order_id="other"))
    assert subject.update_with_trade_update(trade("t3", "6"))
    assert (subject.executed_amount_base, subject.executed_amount_quote) == (10, 25)
    assert list(subject.order_fills) == ["t1", "t3"]
    assert subject.average_executed_price == Decimal("2.5")
    assert subject.current_state is OrderState.PENDING_CREATE
    assert subject.exchange_order_id is None
    assert subject.completely_filled_event.is_set()


@pytest.mark.parametrize("nothing", [None, "", "None"])
def test_what_is_no_exchange_id_is_taken_for_none(nothing: str | None) -> None:
    """Upstream stores the text "None", and no id afterwards."""
    subject = order()
    subject.update_with_order_update(update(OrderState.OPEN, exchange_order_id=nothing))
    assert subject.exchange_order_id is None
    subject.update_with_order_update(update(OrderState.OPEN, exchange_order_id="v1"))
    assert subject.exchange_order_id == "v1"


def test_the_exchange_id_can_be_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play() -> None:
        subject = order()
        waiting = asyncio.ensure_future(subject.get_exchange_order_id())
        await asyncio.sleep(0)
        subject.update_exchange_order_id("v1")
        assert await waiting == "v1"
        monkeypatch.setattr("tallystick.dialects.hummingbot.in_flight_order.GET_EX_ORDER_ID_TIMEOUT", 0.0)
        with pytest.raises(TimeoutError):
            await order().get_exchange_order_id()

    asyncio.run(play())


@pytest.mark.parametrize("price", [None, Decimal("2.5")])
def test_an_order_is_restored_from_what_was_saved(price: Decimal | None) -> None:
    """Upstream cannot restore an order without a price, and forgets who took the liquidity."""
    subject = order(price=price, order_type=OrderType.MARKET)
    subject.update_with_order_update(update(OrderState.OPEN, exchange_order_id="v1"))
    subject.update_with_trade_update(trade("t1", "10")._replace(is_taker=False))
    restored = InFlightOrder.from_json(json.loads(json.dumps(subject.to_json())))
    assert restored == subject
    assert restored.order_fills == subject.order_fills
    assert not restored.order_fills["t1"].is_taker
    assert restored.completely_filled_event.is_set()
    assert restored.processed_by_exchange_event.is_set()


def test_a_copy_learns_by_itself() -> None:
    subject = order()
    subject.update_with_order_update(update(OrderState.OPEN))
    copied = copy.copy(subject)
    assert copied == subject
    copied.update_with_order_update(update(OrderState.CANCELED))
    assert subject.is_open


def test_a_perpetual_order_says_what_it_does_with_a_position() -> None:
    terms = order(position=PositionAction.CLOSE)
    perpetual = PerpetualDerivativeInFlightOrder.from_json(terms.to_json())
    assert perpetual.build_order_created_message() == (
        "Created LIMIT BUY order o1 for 10 to CLOSE a ACME-USD position at 2.5."
    )


def test_an_order_is_shown_as_a_limit_order() -> None:
    subject = order()
    subject.executed_amount_base = Decimal(4)
    shown = subject.to_limit_order()
    assert (shown.is_buy, shown.base_currency, shown.quote_currency) == (True, "ACME", "USD")
    assert (shown.quantity, shown.filled_quantity, shown.price) == (10, 4, Decimal("2.5"))
    assert shown.age_til(shown.creation_timestamp + 2_500_000) == 2
    assert shown.copy_with_id("o2").client_order_id == "o2"


FEES = [
    # 10 units at 2.5; a hundredth is 0.25 of the quote
    (AddedToCostTradeFee(percent=Decimal("0.01")), "USD", "0.25"),
    (AddedToCostTradeFee(percent=Decimal("0.01")), "ACME", "0.1"),
    (AddedToCostTradeFee(percent=Decimal("0.01")), "COIN", "0.05"),
    (DeductedFromReturnsTradeFee(flat_fees=[TokenAmount("USD", Decimal(1))]), "USD", "1"),
    (DeductedFromReturnsTradeFee(flat_fees=[TokenAmount("ACME", Decimal(1))]), "USD", "2.5"),
    (DeductedFromReturnsTradeFee(flat_fees=[TokenAmount("COIN", Decimal(2))]), "USD", "10"),
]


@pytest.mark.parametrize(("fee", "token", "amount"), FEES)
def test_a_fee_is_told_in_any_token_that_a_rate_is_known_of(fee: TradeFeeBase, token: str, amount: str) -> None:
    """Upstream divides by the pair's rate whatever the token is."""
    rates = RateOracle()
    rates.set_price("COIN-USD", Decimal(5))
    assert fee.fee_amount_in_token("ACME-USD", Decimal("2.5"), Decimal(10), token, rates) == Decimal(amount)
    assert TradeFeeBase.from_json(json.loads(json.dumps(fee.to_json()))) == fee


def test_a_fee_without_a_rate_is_left_out_of_a_sum_and_is_an_error_by_itself() -> None:
    subject = order()
    fee = AddedToCostTradeFee(percent=Decimal("0.01"), flat_fees=[TokenAmount("COIN", Decimal(2))])
    fill: TradeUpdate = trade("t1", "10")._replace(fee=fee)
    subject.update_with_trade_update(fill)
    subject.update_with_trade_update(trade("t2", "0"))
    assert subject.cumulative_fee_paid("USD") == 0
    with pytest.raises(ValueError, match="no rate is known for COIN-USD"):
        fee.fee_amount_in_token("ACME-USD", Decimal("2.5"), Decimal(10), "USD")
