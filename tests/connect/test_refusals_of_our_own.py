"""Orders that are not sent: capabilities, trading rules, limits, trust and silence; each fails with its own code."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from tallystick.connect.events import MarketOrderFailureEvent, OrderType
from tallystick.connect.limits import Limits
from tallystick.facts.codes import CASH, MARKET_ORDER
from tallystick.testing.bots import bot
from tallystick.testing.paper import PaperVenue
from tallystick.testing.virtual import run, until

MARKET, LIMIT = OrderType.MARKET, OrderType.LIMIT
ORDERS: list[tuple[str, tuple[Any, ...], str, str]] = [
    # the case, the order, the code, a word of the sentence
    ("a type that the venue has not", ("10", MARKET, None), "", ""),
    ("a limit order without a price", ("10", LIMIT, None), "price_required", "has a price"),
    ("a price below one increment", ("10", LIMIT, "0.04"), "below_increment", "one increment"),
    ("less than one increment", ("0.009", MARKET, None), "below_increment", "0.009 ACME"),
    ("nothing", ("0", MARKET, None), "below_increment", "one increment"),
    ("less than the minimum", ("0.09", MARKET, None), "below_minimum", "at least 0.100 ACME"),
    ("more than the maximum", ("1000.01", MARKET, None), "above_maximum", "at most 1000.000 ACME"),
    ("worth less than the minimum", ("1", LIMIT, "4.95"), "below_minimum", "worth at least 5.00 USD"),
]


@pytest.mark.parametrize(("order", "code", "word"), [each[1:] for each in ORDERS], ids=[each[0] for each in ORDERS])
def test_trading_rules(order: tuple[str, OrderType, str | None], code: str, word: str):
    amount, order_type, price = order

    async def scenario():
        paper = PaperVenue()
        async with bot(paper) as a:
            order_id = a.buy(Decimal(amount), order_type=order_type, price=None if price is None else Decimal(price))
            await until(lambda: a.told)
            if not code:
                assert a.texts(order_id) == ["Created"]
                return
            (event,) = a.told
            assert isinstance(event, MarketOrderFailureEvent)
            assert (event.order_id, event.error_type) == (order_id, code)
            assert word in event.error_message
            assert "place" not in paper.requests

    run(scenario)


def test_what_a_venue_does_not_take_fails_by_capability():
    async def scenario():
        async with bot(PaperVenue(), order_types=(MARKET_ORDER,)) as a:
            limit = a.buy(order_type=LIMIT, price=Decimal(10))
            cash = a.buy(size_kind=CASH)
            await until(lambda: len(a.told) == 2)
            assert a.texts(limit) == ["Failure unsupported_order_type"]
            assert a.texts(cash) == ["Failure unsupported_size"]

    run(scenario)


LIMITS: list[tuple[Limits, str]] = [
    (Limits(order_units_max={"ACME-USD": Decimal(9)}), "order_too_large"),
    (Limits(order_notional_max=Decimal("99.99")), "order_too_large"),
    (Limits(order_notional_max=Decimal("100.00")), ""),
    (Limits(open_notional_max=Decimal("199.99")), "open_notional_too_large"),
    (Limits(open_orders_max=1), "too_many_open_orders"),
    (Limits(orders_max=1, orders_seconds=60.0), "too_many_orders"),
    (Limits(), ""),
]


@pytest.mark.parametrize(
    ("limits", "code"), LIMITS, ids=[f"{code or 'none'}-{at}" for at, (_, code) in enumerate(LIMITS)]
)
def test_the_second_of_two_orders_for_ten_at_ten_dollars(limits: Limits, code: str):
    async def scenario():
        paper = PaperVenue()
        async with bot(paper, limits=limits) as a:
            a.buy(order_type=LIMIT, price=Decimal(10))
            second = a.buy(order_type=LIMIT, price=Decimal(10))
            await until(lambda: a.texts(second))
            assert a.texts(second) == ([f"Failure {code}"] if code else ["Created"])

    run(scenario)


def test_room_is_made_again_when_an_order_ends():
    async def scenario():
        paper = PaperVenue()
        limits = Limits(open_orders_max=1, open_notional_max=Decimal(100))
        async with bot(paper, limits=limits) as a:
            for _ in range(3):
                order_id = a.buy(order_type=LIMIT, price=Decimal(10))
                await until(lambda: order_id in paper.orders)  # noqa: B023
                paper.fill(order_id, 10)
                await until(lambda: a.ended(order_id))  # noqa: B023
                assert a.texts(order_id)[-1] == "Completed 10"

    run(scenario)


def test_an_order_that_cannot_be_measured_is_refused():
    async def scenario():
        paper = PaperVenue()
        async with bot(paper, limits=Limits(order_notional_max=Decimal(100))) as a:
            unknown = a.buy()
            await until(lambda: a.ended(unknown))
            assert a.texts(unknown) == ["Failure price_unknown"]
            limit = a.buy(order_type=LIMIT, price=Decimal(10))
            await until(lambda: limit in paper.orders)
            paper.fill(limit, 10, price=11)
            await until(lambda: a.ended(limit))
            known = a.buy()
            await until(lambda: a.ended(known))
            assert a.texts(known) == ["Failure order_too_large"], "by the price of the last fill"

    run(scenario)


def test_the_kill_switch_stops_what_was_not_sent_yet():
    async def scenario():
        paper = PaperVenue()
        async with bot(paper) as a:
            before = a.buy()
            a.venue.kill("somebody pressed the button")
            after = a.buy()
            await until(lambda: a.ended(before) and a.ended(after))
            assert a.texts() == ["Failure killed", "Failure killed"]
            assert "place" not in paper.requests
            a.venue.allow()
            allowed = a.buy()
            await until(lambda: a.texts(allowed) == ["Created"])

    run(scenario)


def test_a_strategy_that_falls_silent_has_everything_cancelled():
    async def scenario():
        paper = PaperVenue()
        async with bot(paper, silence_seconds=10.0) as a:
            order_id = a.buy()
            for _ in range(5):
                await asyncio.sleep(8)
                a.venue.alive()
            assert a.texts(order_id) == ["Created"]
            await until(lambda: a.ended(order_id), 11)
            assert a.texts(order_id)[-1] == "Cancelled"
            silent = a.buy()
            await until(lambda: a.ended(silent))
            assert a.texts(silent) == ["Failure silent"]
            a.venue.alive()
            again = a.buy()
            await until(lambda: a.texts(again) == ["Created"])

    run(scenario)
