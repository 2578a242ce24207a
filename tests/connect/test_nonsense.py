"""A venue that sends nonsense harms nothing but itself: no strategy, no other venue, no journal, no end of an order."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from tallystick.connect.client import Client
from tallystick.connect.errors import Refused
from tallystick.connect.history import told_since
from tallystick.connect.http import Answer
from tallystick.connect.port import Context, Order
from tallystick.connect.trading_rules import TradingRule
from tallystick.core.lifecycle import DONE, REJECTED, SUBMITTED, TRADE_REVERTED
from tallystick.dialects.sophic.connector import SophicConnector
from tallystick.testing.bots import TEN
from tallystick.testing.paper import PaperVenue
from tallystick.testing.paper_connector import PaperConnector
from tallystick.testing.stories import grammar_faults, text
from tallystick.testing.virtual import run, until
from tallystick.tracker.observations import (
    ANSWER,
    CANCEL_NOT_FOUND,
    OPERATOR,
    UNKNOWN_STATUS,
    AllFills,
    Amendment,
    CancelReport,
    FillReport,
    NotFound,
    Observation,
    OpenOrders,
    OrderReport,
    Position,
    Refusal,
    TradeReport,
    Unanswered,
)

HUGE = 10**78
TEXTS = ["", "v1", "p1", "x" * 1024, "\x00", "\ud800", "💥", "\n<html>", "~1", "~2"]
AMOUNTS = [0, 1, -1, 10, 2**63, 2**64, -(2**64), HUGE, -HUGE]
TIMES = [0, 1, 2**53, 2**62]


def any_observation(chance: random.Random, venue: int, client_id: str) -> Any:
    """Anything that a connector may come to say, of the right types and with no sense."""
    amount, time, word = (lambda each=each: chance.choice(each) for each in (AMOUNTS, TIMES, TEXTS))
    whose = (venue, chance.choice([client_id, client_id, *TEXTS]), word(), time(), chance.randint(1, OPERATOR))
    state = chance.randint(0, TRADE_REVERTED)
    made: list[Observation] = [
        OrderReport(*whose, chance.randint(UNKNOWN_STATUS, REJECTED), amount(), amount(), amount(), amount(), word()),
        FillReport(
            *whose, word(), amount(), amount(), amount(), amount(), amount(), word(), chance.choice([0, 77]), 0, state
        ),
        TradeReport(*whose, word(), state),
        Refusal(*whose, word(), word()),
        Unanswered(*whose, word()),
        CancelReport(*whose, chance.randint(0, CANCEL_NOT_FOUND), word()),
        NotFound(*whose),
        AllFills(*whose),
        Amendment(*whose, amount(), amount()),
    ]
    reports = [each for each in made if isinstance(each, OrderReport)]
    fills = [each for each in made if isinstance(each, FillReport)]
    others = [OpenOrders(venue, time(), reports, fills, chance.random() < 0.5), Position(venue, word(), word())]
    return chance.choice([*made, *others])


@pytest.mark.parametrize("seed", range(12))
def test_whatever_a_venue_says_the_journal_goes_on_and_another_venue_trades(seed: int):
    async def scenario():
        chance = random.Random(seed)
        bad, good = PaperVenue(), PaperVenue()
        async with Client() as client:
            raving = await client.add(PaperConnector(bad, "bad"))
            trading = await client.add(PaperConnector(good, "good"))
            events = client.events()
            for _ in range(5):
                order_id = raving.buy("ACME-USD", TEN)
                for _ in range(200):
                    raving._runtime.desk.observe([any_observation(chance, 1, order_id)])
                await client.store.settled()
                assert client.store.stopped is None
            order_id = trading.buy("ACME-USD", TEN)
            async for event in events:
                if event.order_id == order_id:
                    break
            told = [each[2] async for each in told_since(client.store.storage.journal, "", client.store.state.sequence)]
            assert grammar_faults(told) == []

    run(scenario)


class Raving(PaperConnector):
    """What it makes of an order is ``said``."""

    def __init__(self, venue: PaperVenue, said: Any, **capabilities: Any) -> None:
        super().__init__(venue, "paper", **capabilities)
        self.said = said

    async def place(self, orders: Sequence[Order]) -> Sequence[Observation]:
        if isinstance(self.said, Exception):
            raise self.said
        return self.said


LONG = "<html>" + "x" * 5000


@pytest.mark.parametrize("code", ["insufficient_funds", LONG], ids=["a word", "a page"])
def test_a_refusal_ends_the_order_however_long_the_venue_goes_on_about_it(code: str):
    async def scenario():
        paper = PaperVenue()
        async with Client() as client:
            venue = await client.add(Raving(paper, Refused(code, LONG)))
            told = [event async for event in venue.events(venue.buy("ACME-USD", TEN))]
            assert [type(each).__name__ for each in told] == ["MarketOrderFailureEvent"]
            assert told[0].error_type.startswith(code[:10])
            assert LONG.startswith(told[0].error_message)

    run(scenario)


class Nameless(PaperConnector):
    """It fails at whatever is ``broken``."""

    def __init__(self, venue: PaperVenue, broken: str) -> None:
        super().__init__(venue)
        self.broken = broken

    def identify(self, order: Order) -> str:
        if self.broken == "identify":
            raise KeyError("a bug")
        return super().identify(order)

    def enter(self, context: Context) -> None:
        if self.broken == "enter":
            raise KeyError("a bug")
        super().enter(context)

    async def cancel(self, orders: Sequence[Order]) -> Sequence[Observation]:
        if self.broken == "cancel":
            return [CancelReport(self.number, orders[0].client_id, "", self.now, ANSWER, 99)]
        if self.broken == "cancels of others":
            return [CancelReport(self.number, "", "v1000", self.now, ANSWER, DONE)]
        return await super().cancel(orders)

    async def close(self) -> None:
        if self.broken == "close":
            await asyncio.Event().wait()


def test_an_order_that_a_connector_cannot_name_fails_and_is_not_sent():
    async def scenario():
        paper = PaperVenue()
        async with Client() as client:
            venue = await client.add(Nameless(paper, "identify"))
            told = [event async for event in venue.events(venue.buy("ACME-USD", TEN))]
            assert [text(each) for each in told] == ["Failure not_sent"]
            await asyncio.sleep(60)
            assert not paper.orders

    run(scenario)


def test_a_connector_that_cannot_be_entered_is_tried_again(caplog: pytest.LogCaptureFixture):
    async def scenario():
        connector = Nameless(PaperVenue(), "enter")
        async with Client() as client:
            venue = await client.add(connector, ready_seconds=1)
            assert not venue.is_ready
            connector.broken = ""
            assert await venue.until_ready(20)

    run(scenario)
    assert any("its connector failed at starting" in each.getMessage() for each in caplog.records)


@pytest.mark.parametrize("broken", ["cancel", "cancels of others"])
def test_nonsense_about_a_cancel_is_no_answer_to_it(broken: str):
    async def scenario():
        paper = PaperVenue()
        async with Client() as client:
            venue = await client.add(Nameless(paper, broken))
            order_id = venue.buy("ACME-USD", TEN)
            await until(lambda: paper.orders)
            results = await venue.cancel(order_id, timeout=5)
            assert {each: results[each].outcome for each in results} == {order_id: "UNKNOWN"}

    run(scenario)


def test_a_connector_that_does_not_close_keeps_nobody_from_leaving():
    async def scenario():
        began = asyncio.get_running_loop().time()
        async with Client() as client:
            for name in ("a", "b"):
                stuck = Nameless(PaperVenue(), "close")
                stuck.name = name
                await client.add(stuck)
        assert asyncio.get_running_loop().time() - began < 8

    run(scenario)


def test_what_is_said_of_orders_that_were_never_sent_is_counted():
    async def scenario():
        async with Client() as client:
            venue = await client.add(PaperConnector(PaperVenue()))
            assert venue.dropped == 0
            venue._runtime.desk.observe([NotFound(1, "nobody's", "", 1, ANSWER)])
            assert venue.dropped == 1

    run(scenario)


def test_a_failure_says_why_also_where_the_venue_does_not():
    async def scenario():
        paper = PaperVenue()
        async with Client() as client:
            venue = await client.add(Raving(paper, []))
            desk = venue._runtime.desk
            order_id = venue.buy("ACME-USD", TEN)
            desk.observe([OrderReport(1, order_id, "v1", desk.now(), ANSWER, REJECTED)])
            (told,) = [event async for event in venue.events(order_id)]
            assert (told.error_type, told.error_message) == (
                "rejected",
                "the venue says that it was rejected, and not why",
            )
            order_id = venue.buy("ACME-USD", TEN)
            await asyncio.sleep(1)
            desk.observe([OrderReport(1, order_id, "v2", desk.now(), ANSWER, SUBMITTED)])
            await asyncio.sleep(1)
            desk.observe([OpenOrders(1, desk.now(), [], [], fills_complete=True)])
            told = [event async for event in venue.events(order_id)][-1]
            assert (told.error_type, told.certainty) == ("absent", "INFERRED")
            assert told.error_message.startswith("the venue had the request")

    run(scenario)


def market(name: str, **changes: Any) -> TradingRule:
    return TradingRule(name, name, "X", "USD", **{"price_scale": 2, "unit_scale": 3, "cash_scale": 2, **changes})


def test_a_market_that_cannot_be_is_left_out_and_the_others_are_traded():
    class Listing(PaperConnector):
        async def markets(self) -> Sequence[Any]:
            bad = [market("A", unit_scale=10**9), market("B", price_scale=-1), market("C", units_min=None), "D"]
            return [*bad, *await super().markets()]

    async def scenario():
        paper = PaperVenue()
        async with Client() as client:
            venue = await client.add(Listing(paper))
            assert list(venue.markets) == ["ACME-USD"]
            venue.buy("ACME-USD", TEN)
            await until(lambda: paper.orders)

    run(scenario)


class Canned:
    """See Http: each path has its answer."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = {path: msgspec.json.encode(answer) for path, answer in answers.items()}

    async def request(self, method: str, path: str, **_more: Any) -> Answer:
        return Answer(200, {}, self.answers[path.partition("?")[0]], 0.001)

    async def close(self) -> None: ...


GOOD = {
    "id": "ins_1",
    "symbol": "ACME",
    "trading_currency": "USD",
    "decimal_precision": 3,
    "trading_increment": "0.001",
}
BAD: list[dict[str, Any]] = [
    {"decimal_precision": 1000},
    {"decimal_precision": -1},
    {"trading_increment": "1e9"},
    {"trading_increment": None},
    {"symbol": 7},
]


def test_an_instrument_that_cannot_be_is_left_out_and_the_others_are_traded():
    listed = [{**GOOD, "id": f"ins_bad{number}", **change} for number, change in enumerate(BAD)]
    canned = Canned({"/auth/token": {"access_token": "t", "expires_in": 60}, "/instruments": [*listed, GOOD]})

    async def scenario():
        connector = SophicConnector(
            url="", client_id="c", client_secret="s", account="a", open_http=lambda _url: canned
        )
        await connector.start()
        assert [rule.symbol for rule in await connector.markets()] == ["ins_1"]
        await connector.close()

    run(scenario)
