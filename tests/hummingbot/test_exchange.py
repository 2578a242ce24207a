"""From ``buy`` to the venue and back, with a venue that answers as the test wants (seeds/000, seeds/001)."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from tallystick.connect.errors import Ambiguous, NotThere, Refused
from tallystick.dialects.hummingbot import (
    ClientOrderTracker,
    InFlightOrder,
    MarketEvent,
    OrderState,
    OrderType,
    OrderUpdate,
    TradeUpdate,
)
from tallystick.dialects.hummingbot.exchange_py_base import CancellationResult, ExchangePyBase
from tallystick.dialects.hummingbot.trading_rule import TradingRule, floored
from tests.hummingbot.told import LETTERS, PAIR, Impatient, trade

RULE = TradingRule(
    PAIR,
    min_order_size=Decimal("0.5"),
    max_order_size=Decimal(100),
    min_price_increment=Decimal("0.01"),
    min_base_amount_increment=Decimal("0.1"),
    min_notional_size=Decimal(5),
)


class Paper(ExchangePyBase):
    """Its venue: ``answers`` are what a request to place comes to, ``known`` what a question is answered with."""

    def __init__(self, *answers: Any, cancels: Any = True, rule: TradingRule = RULE) -> None:
        super().__init__({PAIR: rule})
        self.answers = list(answers) or ["v1"]
        self.cancels = cancels
        self.known: list[OrderUpdate | Exception] = []
        self.requests: list[dict[str, Any]] = []
        self.told: list[tuple[str, Any]] = []
        self.ended = asyncio.Event()
        for tag, letter in LETTERS.items():
            self.add_listener(tag, self._listener(letter))

    def _create_order_tracker(self) -> ClientOrderTracker:
        return Impatient(self)

    def _listener(self, letter: str) -> Any:
        def listen(event: Any) -> None:
            self.told.append((letter, event))
            if letter in "DXE!":
                self.ended.set()

        return listen

    @property
    def letters(self) -> str:
        return " ".join(letter for letter, _ in self.told)

    async def _place_order(self, order_id: str, *terms: Any, **kwargs: Any) -> tuple[str, float]:
        assert order_id in self.in_flight_orders, "it is tracked before its request is sent"
        self.requests.append({"order_id": order_id, "terms": terms, **kwargs})
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer, 1.0

    async def _place_cancel(self, order_id: str, tracked_order: InFlightOrder) -> bool:
        if isinstance(self.cancels, Exception):
            raise self.cancels
        return bool(self.cancels)

    async def _request_order_status(self, tracked_order: InFlightOrder) -> OrderUpdate:
        answer = self.known.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer._replace(client_order_id=tracked_order.client_order_id)

    async def _all_trade_updates_for_order(self, order: InFlightOrder) -> list[TradeUpdate]:
        return [trade("t1", str(order.amount), order.client_order_id)]

    def _is_order_not_found_during_status_update_error(self, status_update_exception: Exception) -> bool:
        return isinstance(status_update_exception, NotThere)

    def _is_order_not_found_during_cancelation_error(self, cancelation_exception: Exception) -> bool:
        return isinstance(cancelation_exception, NotThere)

    async def _sleep(self, delay: float) -> None:
        await asyncio.sleep(0)

    async def rest(self) -> None:
        """Until nothing is under way."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await asyncio.sleep(0)


def test_an_order_is_created_filled_and_completed() -> None:
    async def play() -> None:
        exchange = Paper()
        order_id = exchange.buy(PAIR, Decimal("10.07"), OrderType.LIMIT, Decimal("2.509"), client_word="hello")
        assert exchange.requests == []
        assert exchange.letters == ""
        await exchange.rest()
        (request,) = exchange.requests
        assert request["terms"][1:] == (Decimal("10.0"), *request["terms"][2:4], Decimal("2.50"))
        assert request["client_word"] == "hello"
        assert exchange.letters == "C"
        assert exchange.told[0][1].exchange_order_id == "v1"
        exchange.known = [OrderUpdate(PAIR, 2.0, OrderState.FILLED)]
        await exchange.update_order_status()
        await exchange.ended.wait()
        assert exchange.letters == "C F D"
        assert exchange.in_flight_orders == {}
        assert exchange._order_tracker.fetch_cached_order(order_id) is not None

    asyncio.run(play())


# type, amount, price; the code
REFUSALS = [
    (OrderType.LIMIT, "0.04", "20", "below_increment"),
    (OrderType.LIMIT, "0.4", "20", "below_minimum"),
    (OrderType.LIMIT, "100.1", "20", "above_maximum"),
    (OrderType.LIMIT, "1", "4.99", "below_minimum"),
    (OrderType.LIMIT, "1", "NaN", "price_required"),
    (OrderType.LIMIT_MAKER, "1", "0.001", "price_required"),
    (OrderType.MARKET, "0.4", "NaN", "below_minimum"),
    (OrderType.MARKET, "NaN", "NaN", "unsupported_size"),
    (OrderType.AMM_SWAP, "1", "20", "unsupported_order_type"),
]


@pytest.mark.parametrize(("order_type", "amount", "price", "code"), REFUSALS)
def test_an_order_against_the_trading_rules_fails_and_is_not_sent(
    order_type: OrderType, amount: str, price: str, code: str
) -> None:
    async def play() -> None:
        exchange = Paper()
        exchange.sell(PAIR, Decimal(amount), order_type, Decimal(price))
        await exchange.rest()
        assert exchange.letters == "!"
        assert exchange.told[0][1].error_type == code
        assert exchange.requests == []

    asyncio.run(play())


def test_an_order_for_a_market_without_rules_fails_with_an_event() -> None:
    """Upstream logs a KeyError, and nobody hears of the order again."""

    async def play() -> None:
        exchange = Paper()
        order_id = exchange.buy("OTHER-USD", Decimal(1), OrderType.MARKET)
        await exchange.rest()
        assert [(letter, event.order_id, event.error_type) for letter, event in exchange.told] == [
            ("!", order_id, "no_such_market")
        ]

    asyncio.run(play())


def test_a_market_may_take_no_market_orders() -> None:
    rule = TradingRule(PAIR, supports_market_orders=False)
    assert rule.objection(OrderType.MARKET, Decimal(1), None)[0] == "unsupported_order_type"
    assert rule.objection(OrderType.LIMIT, Decimal(1), Decimal(1)) == ("", "")


def test_what_is_no_decimal_is_refused_at_once() -> None:
    async def play() -> None:
        with pytest.raises(TypeError, match="are Decimals"):
            Paper().buy(PAIR, 1.5)  # type: ignore[arg-type]

    asyncio.run(play())


@pytest.mark.parametrize("error", [Refused("no_funds", "not enough"), ValueError("not enough")])
def test_a_refusal_is_a_failure(error: Exception) -> None:
    async def play() -> None:
        exchange = Paper(error)
        exchange.buy(PAIR, Decimal(10), OrderType.LIMIT, Decimal(2))
        await exchange.rest()
        ((letter, event),) = exchange.told
        assert (letter, event.error_message) == ("!", "not enough")
        assert event.error_type == (error.code if isinstance(error, Refused) else "ValueError")

    asyncio.run(play())


@pytest.mark.parametrize("error", [TimeoutError(), Ambiguous("cut off"), ConnectionResetError("by peer")])
def test_an_order_without_an_answer_is_asked_for_until_it_turns_up(error: Exception) -> None:
    async def play() -> None:
        exchange = Paper(error)
        exchange.known = [
            ConnectionResetError("a fault of the network says nothing"),
            NotThere("not_found"),
            OrderUpdate(PAIR, 2.0, OrderState.OPEN, None, "v1"),
        ]
        exchange.buy(PAIR, Decimal(10), OrderType.LIMIT, Decimal(2))
        await exchange.rest()
        assert exchange.letters == "C"
        assert len(exchange.requests) == 1

    asyncio.run(play())


def test_an_order_without_an_answer_that_the_venue_denies_is_lost() -> None:
    async def play() -> None:
        exchange = Paper(TimeoutError())
        exchange.known = [NotThere("not_found")] * 4
        exchange.buy(PAIR, Decimal(10), OrderType.LIMIT, Decimal(2))
        await exchange.rest()
        assert exchange.letters == "!"
        assert len(exchange._order_tracker.lost_orders) == 1

    asyncio.run(play())


# what the venue does with a cancel; whether its request was taken; the state that is shown
CANCELS = [
    (True, True, OrderState.PENDING_CANCEL),
    (False, False, OrderState.OPEN),
    (NotThere("not_found"), False, OrderState.OPEN),
    (ConnectionResetError(), False, OrderState.OPEN),
]


@pytest.mark.parametrize(("cancels", "taken", "state"), CANCELS)
def test_a_request_to_cancel_says_whether_it_was_taken(cancels: Any, taken: bool, state: OrderState) -> None:
    async def play() -> None:
        exchange = Paper(cancels=cancels)
        order_id = exchange.buy(PAIR, Decimal(10), OrderType.LIMIT, Decimal(2))
        await exchange.rest()
        assert exchange.cancel(PAIR, order_id) == order_id
        await exchange.rest()
        assert await exchange.cancel_all(1.0) == [CancellationResult(order_id, taken)]
        assert exchange.in_flight_orders[order_id].current_state is state

    asyncio.run(play())


def test_where_a_cancel_is_done_at_once_the_order_is_cancelled() -> None:
    class Synchronous(Paper):
        @property
        def is_cancel_request_in_exchange_synchronous(self) -> bool:
            return True

    async def play() -> None:
        exchange = Synchronous()
        exchange.buy(PAIR, Decimal(10), OrderType.LIMIT, Decimal(2))
        await exchange.rest()
        assert all(result.success for result in await exchange.cancel_all(1.0))
        assert exchange.letters == "C X"
        assert await exchange.cancel_all(1.0) == []

    asyncio.run(play())


def test_orders_are_restored_by_what_another_run_has_saved() -> None:
    async def play() -> None:
        before = Paper()
        before.buy(PAIR, Decimal(10), OrderType.LIMIT, Decimal(2))
        await before.rest()
        after = Paper()
        after.restore_tracking_states(before.tracking_states)
        assert after.in_flight_orders == before.in_flight_orders
        assert [each.quantity for each in after.limit_orders] == [10]
        assert after.letters == ""

    asyncio.run(play())


def test_client_order_ids_are_never_the_same() -> None:
    async def play() -> None:
        exchanges = [Paper(), Paper()]
        ids = [each._ids.next() for each in exchanges for _ in range(100)]
        assert len(set(ids)) == 200
        assert max(map(len, ids)) <= exchanges[0].client_order_id_max_length

    asyncio.run(play())


def test_a_listener_that_places_another_order_does_so_within_its_event() -> None:
    async def play() -> None:
        exchange = Paper("v1", "v2")
        exchange.add_listener(
            MarketEvent.BuyOrderCreated, lambda event: exchange.sell(PAIR, Decimal(5), price=Decimal(3))
        )
        exchange.buy(PAIR, Decimal(10), OrderType.LIMIT, Decimal(2))
        await exchange.rest()
        assert exchange.letters == "C C"

    asyncio.run(play())


FLOORED = [
    ("10.07", "0.1", "10.0"),
    ("0.3", "0.1", "0.3"),
    ("7", "5", "5"),
    ("NaN", "0.1", "NaN"),
    ("1.5", "1e-56", "1.5"),
]


@pytest.mark.parametrize(("number", "increment", "expected"), FLOORED)
def test_amounts_are_floored_to_increments(number: str, increment: str, expected: str) -> None:
    assert str(floored(Decimal(number), Decimal(increment))) == expected
