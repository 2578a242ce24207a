"""What an account's stream says of an order's life (specs/bluefin.md §3, §9): one case for each row of the table."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import pytest

from tallystick.dialects.bluefin.frames import Spelling
from tallystick.dialects.bluefin.policy import Policy
from tallystick.facts.codes import (
    AT_OR_ABOVE,
    CANCEL_BOTH,
    CANCEL_TAKER,
    FILL_OR_KILL,
    IMMEDIATE_OR_CANCEL,
    NOT_TRADING,
    POST_ONLY,
    REDUCE_ONLY,
    SUSPENDED,
)
from tallystick.facts.commands import CancelOrders, ChangeAccount, ChangeMarket
from tests.bluefin.hall import Hall, open_hall
from tests.exchange.floor import ETH

ORDERS, TRADES = "AccountOrderUpdate", "AccountTradeUpdate"
IOC, FOK = IMMEDIATE_OR_CANCEL, FILL_OR_KILL


class Row(NamedTuple):
    """``before`` happens before cat listens (ann offers 2 at 3000 and 1 at 3001, bob bids 2 at 2999, always); then
    ``happens``, and this is what cat is told of orders and trades."""

    scenario: str
    happens: Callable[[Hall], object]
    told: list[str]
    before: Callable[[Hall], object] = lambda hall: None


def rests(hall: Hall) -> int:
    return hall.buy("cat", 2, at=2990)


def in_turn(*steps: Callable[[Hall], object]) -> Callable[[Hall], object]:
    return lambda hall: [step(hall) for step in steps]


ROWS = (
    Row("rests", rests, ["OPEN 0 of 2"]),
    Row("full fill at once", lambda hall: hall.buy("cat", 1, at=3000), ["trade LONG 1@3000", "FILLED 1 of 1"]),
    Row(
        "full fill at once, of two",
        lambda hall: hall.buy("cat", 3, at=3001),
        ["trade LONG 2@3000", "trade LONG 1@3001", "FILLED 3 of 3"],
    ),
    Row(
        "part fills, then rests",
        lambda hall: hall.buy("cat", 3, at=3000),
        ["trade LONG 2@3000", "PARTIALLY_FILLED_OPEN 2 of 3"],
    ),
    Row(
        "later fills of a resting order",
        in_turn(lambda hall: hall.sell("dan", 1, at=3000), lambda hall: hall.sell("dan", 1, at=3000)),
        ["trade LONG 1@3000", "PARTIALLY_FILLED_OPEN 3 of 4", "trade LONG 1@3000", "FILLED 4 of 4"],
        before=lambda hall: hall.buy("cat", 4, at=3000),
    ),
    Row(
        "immediate, part filled",
        lambda hall: hall.buy("cat", 3, at=3000, tif=IOC),
        ["trade LONG 2@3000", "PARTIALLY_FILLED_CANCELED 2 of 3"],
    ),
    Row(
        "market, part filled",
        lambda hall: hall.buy("cat", 4, tif=IOC),
        ["trade LONG 2@3000", "trade LONG 1@3001", "PARTIALLY_FILLED_CANCELED 3 of 4"],
    ),
    Row("immediate, not filled", lambda hall: hall.buy("cat", 1, at=2999, tif=IOC), ["INSUFFICIENT_LIQUIDITY 1"]),
    Row("all or nothing, nothing", lambda hall: hall.buy("cat", 4, at=3001, tif=FOK), ["INSUFFICIENT_LIQUIDITY 4"]),
    Row("price 0", lambda hall: hall.buy("cat", 1, at=0.000000001), ["PRICE_OUT_OF_BOUND 1"]),
    Row("off the tick", lambda hall: hall.buy("cat", 1, at=3000.01), ["PRICE_OUT_OF_TICK_SIZE 1"]),
    Row("off the step", lambda hall: hall.buy("cat", 1.001, at=3000), ["QUANTITY_OUT_OF_STEP_SIZE 1.001"]),
    Row("no such market", lambda hall: hall.buy("cat", 1, at=3000, market=7), ["INVALID_SYMBOL 1"]),
    Row("too dear", lambda hall: hall.buy("cat", 100, at=2990), ["INSUFFICIENT_MARGIN 100"]),
    Row("too much leverage", lambda hall: hall.buy("cat", 1, at=2990, leverage=50), ["INVALID_LEVERAGE 1"]),
    Row(
        "duplicate of an order that lives",
        lambda hall: hall.buy("cat", 1, at=2990, hash="once"),
        ["DUPLICATE_ORDER 1"],
        before=lambda hall: hall.buy("cat", 1, at=2990, hash="once"),
    ),
    Row(
        "duplicate of an order that is over",
        lambda hall: hall.buy("cat", 1, at=3000, hash="once"),
        ["DUPLICATE_ORDER 1"],
        before=lambda hall: hall.buy("cat", 1, at=3000, hash="once"),
    ),
    Row(
        "repeats an order that lives, and could not be taken either",
        in_turn(
            lambda hall: hall.buy("cat", 1, at=2990.01, hash="once"),
            lambda hall: hall.buy("cat", 1, at=2990, hash="once", leverage=50),
        ),
        ["DUPLICATE_ORDER 1", "DUPLICATE_ORDER 1"],
        before=lambda hall: hall.buy("cat", 1, at=2990, hash="once"),
    ),
    Row(
        "post-only would trade", lambda hall: hall.buy("cat", 1, at=3000, flags=POST_ONLY), ["POST_ONLY_WOULD_TRADE 1"]
    ),
    Row("stands by", lambda hall: hall.buy("cat", 1, at=3001, stop=3001, when=AT_OR_ABOVE), ["STANDBY 0 of 1"]),
    Row(
        "is triggered and rests",
        lambda hall: hall.buy("dan", 3, at=3001),
        ["OPEN 0 of 1"],
        before=lambda hall: hall.buy("cat", 1, at=3000, stop=3001, when=AT_OR_ABOVE),
    ),
    Row(
        "is triggered and filled",
        lambda hall: hall.buy("dan", 2.5, at=3001),
        ["trade LONG 0.5@3001", "FILLED 0.5 of 0.5"],
        before=lambda hall: hall.buy("cat", 0.5, at=3001, stop=3001, when=AT_OR_ABOVE),
    ),
    Row(
        "is triggered and finds nothing",
        lambda hall: hall.buy("dan", 3, at=3001),
        ["INSUFFICIENT_LIQUIDITY 1"],
        before=lambda hall: hall.buy("cat", 1, stop=3001, when=AT_OR_ABOVE, tif=IOC),
    ),
    Row(
        "is triggered and part filled",
        lambda hall: hall.buy("dan", 2.5, at=3001),
        ["trade LONG 0.5@3001", "PARTIALLY_FILLED_CANCELED 0.5 of 1"],
        before=lambda hall: hall.buy("cat", 1, stop=3001, when=AT_OR_ABOVE, tif=IOC),
    ),
    Row("cancelled", lambda hall: hall.cancel("cat", "hash 4"), ["USER_CANCELLED 2"], before=rests),
    Row(
        "cancelled after a part fill",
        lambda hall: hall.cancel("cat", "hash 4"),
        ["USER_CANCELLED 1"],
        before=lambda hall: hall.buy("cat", 3, at=3000),
    ),
    Row(
        "all on the market",
        lambda hall: hall.cancel("cat"),
        ["USER_CANCELLED_ALL_ON_MARKET 2", "USER_CANCELLED_ALL_ON_MARKET 2"],
        before=in_turn(rests, rests),
    ),
    Row(
        "all that stand by",
        lambda hall: hall.cancel("cat", standby=True),
        ["USER_CANCELLED_ALL_STANDBY_ON_MARKET 1"],
        before=in_turn(rests, lambda hall: hall.buy("cat", 1, at=3001, stop=3001, when=AT_OR_ABOVE)),
    ),
    Row("unknown to cancel", lambda hall: hall.cancel("cat", "none"), ["failed ORDER_NOT_FOUND"]),
    Row("another's to cancel", lambda hall: hall.cancel("cat", "hash 1"), ["failed ORDER_NOT_FOUND"]),
    Row(
        "filled already, to cancel",
        lambda hall: hall.cancel("cat", "hash 4"),
        ["failed ORDER_NOT_FOUND"],
        before=lambda hall: hall.buy("cat", 1, at=3000),
    ),
    Row(
        "cancelled already, to cancel",
        in_turn(lambda hall: hall.cancel("cat", "hash 4"), lambda hall: hall.cancel("cat", "hash 4")),
        ["USER_CANCELLED 2", "failed ORDER_NOT_FOUND"],
        before=rests,
    ),
    Row("cancel on no such market", lambda hall: hall.cancel("cat", "hash 4", market=7), ["failed MARKET_NOT_FOUND"]),
    Row("cancel of all on no such market", lambda hall: hall.cancel("cat", market=7), ["failed MARKET_NOT_FOUND"]),
    Row("cancel of all, of nothing", lambda hall: hall.cancel("cat"), ["failed NO_OPEN_ORDERS_ON_MARKET"]),
    Row(
        "several hashes",
        lambda hall: hall.cancel("cat", "none", "hash 5", "hash 4"),
        ["failed ORDER_NOT_FOUND", "USER_CANCELLED 2", "USER_CANCELLED 2"],
        before=in_turn(rests, rests),
    ),
    Row(
        "expires",
        in_turn(lambda hall: hall.buy("cat", 1, at=2990, expires=hall.now + 1_000_000), lambda hall: hall.wait(2)),
        ["OPEN 0 of 1", "ORDER_EXPIRED 1"],
    ),
    Row(
        "expires while it stands by",
        lambda hall: hall.wait(2),
        ["ORDER_EXPIRED 1"],
        before=lambda hall: hall.buy("cat", 1, at=3001, stop=3001, when=AT_OR_ABOVE, expires=hall.now + 1_000_000),
    ),
    Row(
        "would trade with itself: the maker goes",
        lambda hall: hall.sell("cat", 1, at=2999.5),
        ["SELF_TRADE_PREVENTION 2", "OPEN 0 of 1"],
        before=lambda hall: hall.buy("cat", 2, at=2999.5),
    ),
    Row(
        "would trade with itself: the taker goes",
        lambda hall: hall.sell("cat", 1, at=2999.5, self_trade=CANCEL_TAKER),
        ["SELF_TRADE_PREVENTION 1"],
        before=lambda hall: hall.buy("cat", 2, at=2999.5),
    ),
    Row(
        "would trade with itself after a part fill: both go",
        lambda hall: hall.buy("cat", 3, at=3000.5, self_trade=CANCEL_BOTH),
        ["trade LONG 2@3000", "SELF_TRADE_PREVENTION 2", "PARTIALLY_FILLED_CANCELED 2 of 3"],
        before=lambda hall: hall.sell("cat", 2, at=3000.5),
    ),
    Row(
        "another leverage",
        lambda hall: hall.leverage("cat", 2),
        ["LEVERAGE_UPDATE 2"],
        before=rests,
    ),
    Row(
        "may only reduce what is gone",
        lambda hall: hall.sell("cat", 1, at=2999),
        ["trade SHORT 1@2999", "FILLED 1 of 1", "REDUCE_ONLY_WOULD_OPEN 1"],
        before=in_turn(
            lambda hall: hall.buy("cat", 1, at=3000), lambda hall: hall.sell("cat", 1, at=3010, flags=REDUCE_ONLY)
        ),
    ),
    Row(
        "the market is halted",
        in_turn(lambda hall: hall.do(ChangeMarket(ETH, NOT_TRADING)), lambda hall: hall.wait(1)),
        ["MARKET_NOT_TRADING 2"],
        before=rests,
    ),
    Row(
        "the account is suspended",
        in_turn(lambda hall: hall.do(ChangeAccount(hall.accounts["cat"], SUSPENDED)), lambda hall: hall.wait(1)),
        ["ACCOUNT_DEAUTHORIZED 2"],
        before=rests,
    ),
    Row(
        "an operator cancels it, in words of theirs",
        lambda hall: hall.do(CancelOrders((4,), "op", "asked for by phone")),
        ["UNSPECIFIED 2"],
        before=rests,
    ),
    Row(
        "an operator cancels what is over: nobody asked for that here",
        lambda hall: hall.do(CancelOrders((4,), "op", "by mistake")),
        [],
        before=lambda hall: hall.buy("cat", 1, at=3000),
    ),
)


def play(scene: Callable[[Hall], Awaitable[None]], **options) -> None:
    async def run() -> None:
        async with asyncio.timeout(20), open_hall(**options) as hall:
            hall.sell("ann", 2, at=3000)
            hall.sell("ann", 1, at=3001)
            hall.buy("bob", 2, at=2999)
            await scene(hall)

    asyncio.run(run())


@pytest.mark.parametrize("row", ROWS, ids=[row.scenario for row in ROWS])
def test_an_order_that(row: Row) -> None:
    async def scene(hall: Hall) -> None:
        row.before(hall)
        async with hall.follow("cat", ORDERS, TRADES) as cat:
            row.happens(hall)
            assert await cat.told() == row.told

    play(scene)


def test_a_match_is_told_to_both_each_as_its_own() -> None:
    async def scene(hall: Hall) -> None:
        async with hall.follow("ann") as ann, hall.follow("cat") as cat, hall.follow("dan") as dan:
            hall.buy("cat", 3, at=3001)
            assert await cat.told() == [
                "trade LONG 2@3000",
                "trade LONG 1@3001",
                "trades LONG 3@3000.3333",
                "FILLED 3 of 3",
                "position LONG 3@3000.3333",
                "account OrderMatched",
            ]
            assert await ann.told() == [
                "trade SHORT 2@3000",
                "trades SHORT 2@3000",
                "FILLED 2 of 2",
                "trade SHORT 1@3001",
                "trades SHORT 1@3001",
                "FILLED 1 of 1",
                "position SHORT 3@3000.3333",
                "account OrderMatched",
            ]
            assert await dan.told() == []

    play(scene)


def test_a_deposit_and_a_change_of_leverage_are_told() -> None:
    async def scene(hall: Hall) -> None:
        async with hall.follow("cat") as cat:
            hall.deposit("cat", 5)
            hall.leverage("cat", 2)
            assert await cat.told() == [
                "DEPOSIT 5",
                "account Deposit",
                "position UNSPECIFIED 0@0",
                "account LeverageUpdated",
            ]

    play(scene)


@pytest.mark.parametrize(
    ("spelling", "happens", "told"),
    [
        (
            Spelling(failed_cancel_reason="UNSPECIFIED"),
            lambda hall: hall.cancel("cat", "none"),
            ["UNSPECIFIED ORDER_NOT_FOUND"],
        ),
        (
            Spelling(first_only=True),
            in_turn(rests, rests, lambda hall: hall.cancel("cat"), rests, lambda hall: hall.cancel("cat")),
            [*(["OPEN 0 of 2"] * 2), "USER_CANCELLED_ALL_ON_MARKET 2", "OPEN 0 of 2", "USER_CANCELLED_ALL_ON_MARKET 2"],
        ),
    ],
    ids=["a failed cancel has a reason that strict clients read", "one event for all on a market"],
)
def test_spellings_that_a_switch_serves(spelling, happens, told) -> None:
    async def scene(hall: Hall) -> None:
        async with hall.follow("cat", ORDERS) as cat:
            happens(hall)
            assert await cat.told() == told

    play(scene, spelling=spelling)


def test_an_order_that_took_from_hundreds_is_told_in_one_piece() -> None:
    async def scene(hall: Hall) -> None:
        for _ in range(250):
            hall.sell("dan", 0.01, at=2999.5)
        async with hall.follow("cat", ORDERS, TRADES) as cat, hall.follow("dan", ORDERS) as dan:
            hall.buy("cat", 2.5, at=2999.5)
            told = await cat.told()
            assert told[:-1] == ["trade LONG 0.01@2999.5"] * 250
            assert told[-1] == "FILLED 2.5 of 2.5"
            assert await dan.told() == ["FILLED 0.01 of 0.01"] * 250

    play(scene, policy=Policy(orders_max=250))
