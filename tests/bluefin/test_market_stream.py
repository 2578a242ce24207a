"""``/ws/market``: what anybody is told of the markets, and that a book put together from its changes is the book."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tallystick.dialects.bluefin.sockets import Limits
from tallystick.facts.codes import BUY, SELL
from tallystick.facts.commands import Quote
from tests.bluefin.hall import MARKET, Hall, open_hall, plain
from tests.exchange.floor import ETH

SIDES = (("bidsE9", BUY), ("asksE9", SELL))


def play(scene: Callable[[Hall], Awaitable[None]], **options) -> None:
    async def run() -> None:
        async with asyncio.timeout(20), open_hall(**options) as hall:
            await scene(hall)

    asyncio.run(run())


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():  # noqa: ASYNC110 - it is about other people's buffers
        await asyncio.sleep(0)


def levels(payload: dict, side: str) -> str:
    return " ".join(f"{plain(quantity)}@{plain(price)}" for price, quantity in payload[side])


def test_each_trade_is_told_once_and_says_nothing_of_who_traded() -> None:
    async def scene(hall: Hall) -> None:
        hall.sell("ann", 2, at=3000)
        hall.sell("bob", 1, at=3001)
        async with hall.watch("Recent_Trade") as watcher:
            hall.buy("cat", 2.5, at=3001)
            hall.sell("cat", 1, at=3010)
            hall.buy("dan", 0.5, at=3001)
            first, second = await watcher.told()
            assert first["event"] == "RecentTradesUpdates"
            told = [first["payload"]["trades"], second["payload"]["trades"]]
            assert [
                [f"{each['side']} {plain(each['quantityE9'])}@{plain(each['priceE9'])}" for each in trades]
                for trades in told
            ] == [
                ["LONG 2@3000", "LONG 0.5@3001"],
                ["LONG 0.5@3001"],
            ]
            assert not {"orderHash", "clientOrderId", "isMaker"} & told[0][0].keys()

    play(scene)


def test_a_sellers_trade_is_told_as_his() -> None:
    async def scene(hall: Hall) -> None:
        hall.buy("ann", 2, at=3000)
        async with hall.watch("Recent_Trade") as watcher:
            hall.sell("cat", 1, at=3000)
            (frame,) = await watcher.told()
            assert frame["payload"]["trades"][0]["side"] == "SHORT"

    play(scene)


def test_a_partial_book_is_sent_at_once_and_when_it_has_changed() -> None:
    async def scene(hall: Hall) -> None:
        for at in range(3000, 3008):
            hall.sell("ann", 1, at=at)
        async with hall.watch("Partial_Depth_5") as watcher:
            first = await watcher.next()
            assert levels(first, "asksE9") == "1@3000 1@3001 1@3002 1@3003 1@3004"
            assert (levels(first, "bidsE9"), first["depthLevel"]) == ("", "5")
            hall.buy("bob", 1, at=3000)
            hall.buy("bob", 1, at=2999)
            second = await watcher.next()
            assert levels(second, "asksE9") == "1@3001 1@3002 1@3003 1@3004 1@3005"
            assert levels(second, "bidsE9") == "1@2999"
            assert second["orderbookUpdateId"] > first["orderbookUpdateId"]

    play(scene)


def test_a_ticker_and_prices_are_sent_at_once_and_when_they_have_changed() -> None:
    async def scene(hall: Hall) -> None:
        async with (
            hall.watch("Ticker") as ticker,
            hall.watch("Ticker_All", symbol="") as all_tickers,
            hall.watch("Oracle_Price") as oracle,
            hall.watch("Market_Price") as market,
        ):
            assert (await ticker.next())["lastPriceE9"] == "0"
            assert [each["symbol"] for each in (await all_tickers.next())["tickerAll"]] == [MARKET]
            assert (await oracle.next())["priceE9"] == "0"
            assert (await market.next())["priceE9"] == "0"
            hall.sell("ann", 1, at=3000)
            hall.buy("bob", 0.5, at=3000)
            shown = await ticker.next()
            assert plain(shown["lastPriceE9"]) == "3000"
            assert plain(shown["openInterestE9"]) == "0.5"
            assert (await all_tickers.next())["tickerAll"] == [shown]
            assert plain((await oracle.next())["priceE9"]) == "3000"
            hall.do(Quote(ETH, 3005 * 10**9))
            hall.buy("bob", 1, at=2998)
            price = await oracle.next()
            assert (plain(price["priceE9"]), price["source"]) == ("3005", "Oracle")
            while plain((await market.next())["priceE9"]) != "2999":
                pass

    play(scene)


@pytest.mark.parametrize(
    ("streams", "symbol"),
    [
        (("Recent_Trade",), "DOGE-PERP"),
        (("Ticker",), ""),
        (("Candlestick_1m_Last",), MARKET),
        (("Everything",), MARKET),
    ],
)
def test_what_is_not_served_is_refused_and_nothing_of_it_is_followed(streams, symbol) -> None:
    async def scene(hall: Hall) -> None:
        async with hall.watch() as watcher:
            answer = await watcher.subscribe("Recent_Trade", *streams, symbol=symbol)
            assert not answer["success"]
            hall.sell("ann", 1, at=3000)
            hall.buy("bob", 1, at=3000)
            assert await watcher.told() == []

    play(scene)


def test_what_is_unsubscribed_is_told_no_more() -> None:
    async def scene(hall: Hall) -> None:
        async with hall.watch("Recent_Trade", "Diff_Depth_10_ms") as watcher, hall.watch("Recent_Trade") as other:
            hall.sell("ann", 1, at=3000)
            assert (await watcher.next())["firstUpdateId"]
            await watcher.subscribe("Recent_Trade", "Diff_Depth_10_ms", method="Unsubscribe")
            hall.buy("bob", 1, at=3000)
            assert len(await other.told()) == 1
            assert await watcher.told() == []

    play(scene)


def test_who_does_not_read_trades_is_closed_and_who_does_not_read_views_gets_the_newest() -> None:
    async def scene(hall: Hall) -> None:
        async with hall.watch("Recent_Trade") as deaf, hall.watch("Partial_Depth_20") as lazy:
            deaf.socket.transport.pause_reading()
            lazy.socket.transport.pause_reading()
            while len(hall.market_stream._sockets) > 1:
                for _ in range(100):
                    hall.sell("ann", 0.01, at=3000)
                    hall.buy("bob", 0.01, at=3000)
                    hall.sell("bob", 0.01, at=3000)
                    hall.buy("ann", 0.01, at=3000)
                await asyncio.sleep(0)
            hall.buy("cat", 1, at=2500)
            lazy.socket.transport.resume_reading()
            while levels(await lazy.next(), "bidsE9") != "1@2500":
                pass

    play(scene, limits=Limits(facts_max=200))


def test_a_change_is_what_rests_there_now_and_nothing_is_a_change_too() -> None:
    async def scene(hall: Hall) -> None:
        async with hall.watch("Diff_Depth_10_ms") as watcher:
            asks = []
            for step in (
                lambda: hall.sell("ann", 2, at=3000),
                lambda: hall.buy("bob", 1, at=3000),
                lambda: hall.cancel("ann"),
                lambda: hall.sell("ann", 1, at=3001, expires=hall.now + 1_000_000),
                lambda: hall.wait(2),
                lambda: hall.sell("ann", 1, at=3002),
                lambda: hall.buy("bob", 2, at=3002),
            ):
                step()
                change = await watcher.next()
                asks.append(levels(change, "asksE9"))
            assert asks == ["2@3000", "1@3000", "0@3000", "1@3001", "0@3001", "1@3002", "0@3002"]
            assert levels(change, "bidsE9") == "1@3002"

    play(scene)


class Kept:
    """A book as a client keeps one: read once, then changed as it is told."""

    def __init__(self, depth) -> None:
        self.update_id = depth.last_update_id
        self.sides = {"bidsE9": dict(depth.bids_e9), "asksE9": dict(depth.asks_e9)}

    def apply(self, change: dict) -> None:
        if change["lastUpdateId"] <= self.update_id:
            return
        assert change["firstUpdateId"] <= self.update_id + 1
        self.update_id = change["lastUpdateId"]
        for side, kept in self.sides.items():
            for price, quantity in change[side]:
                kept.pop(price, None)
                if quantity != "0":
                    kept[price] = quantity


STEPS = some.lists(
    some.one_of(
        some.tuples(
            some.sampled_from(["buy", "sell"]),
            some.sampled_from(["ann", "bob", "cat", "dan"]),
            some.integers(1, 4),
            some.integers(2996, 3004),
        ),
        some.tuples(some.just("cancel"), some.sampled_from(["ann", "bob", "cat", "dan"])),
        some.just(("breathe",)),
        some.just(("read",)),
    ),
    min_size=5,
    max_size=40,
)


@settings(max_examples=25, deadline=None)
@given(STEPS)
def test_a_book_and_its_changes_are_the_book(steps) -> None:
    """Whenever it is read, and however the changes are gathered; each change begins where the one before it ended."""

    async def scene(hall: Hall) -> None:
        async with hall.watch("Diff_Depth_10_ms") as watcher:
            kept = [Kept(hall.data.depth(MARKET, 1000))]
            for step in steps:
                if step[0] == "breathe":
                    await asyncio.sleep(0.012)
                elif step[0] == "read":
                    kept.append(Kept(hall.data.depth(MARKET, 1000)))
                elif step[0] == "cancel":
                    hall.cancel(step[1])
                else:
                    getattr(hall, step[0])(step[1], step[2], at=step[3])
            hall.buy("ann", 1, at=2000)
            last, changes = hall.data.update_id(MARKET), []
            while not changes or changes[-1]["lastUpdateId"] < last:
                changes.append(await watcher.next())
            for before, after in pairwise(changes):
                assert after["firstUpdateId"] == before["lastUpdateId"] + 1
            now = hall.data.depth(MARKET, 1000)
            for each in kept:
                for change in changes:
                    each.apply(change)
                assert each.sides == {"bidsE9": dict(now.bids_e9), "asksE9": dict(now.asks_e9)}

    play(scene)


def test_the_numbers_of_changes_grow_through_a_restart() -> None:
    async def scene(hall: Hall) -> None:
        hall.sell("ann", 1, at=3000)
        before = hall.data.depth(MARKET, 10)
        again = type(hall.data)(hall.desk, hall.data._view)
        again.start()
        assert again.depth(MARKET, 10).last_update_id >= before.last_update_id
        hall.sell("ann", 1, at=3000)
        assert again.depth(MARKET, 10).last_update_id > before.last_update_id

    play(scene)
