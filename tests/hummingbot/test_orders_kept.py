"""Where a tracker keeps its orders: active, cached, lost, and found late; and what is brought back after a restart."""

import asyncio
import json
from decimal import Decimal

import pytest

from tallystick.dialects.hummingbot import ClientOrderTracker, ExchangeBase, OrderState, OrderUpdate
from tallystick.dialects.hummingbot.book import Book
from tallystick.dialects.hummingbot.timed_cache import TimedCache
from tests.hummingbot.told import Impatient, Told, order, trade, update

# what happens; active, cached, lost, all, fillable, updatable
PLACES = [
    ("OPEN=v1", "active all fillable updatable"),
    ("OPEN=v1, CANCELED", "cached all fillable"),
    ("OPEN=v1, miss, miss, miss, miss", "lost fillable updatable"),
    ("OPEN=v1, miss, miss, miss, miss, CANCELED", ""),
    ("OPEN=v1, miss, miss, miss, miss, OPEN", "lost fillable updatable"),
    ("OPEN=v1, miss, miss, miss, miss, miss", ""),
]


@pytest.mark.parametrize(("happens", "places"), PLACES)
def test_where_an_order_is_listed(happens: str, places: str) -> None:
    async def play() -> None:
        told = Told()
        await told.live(happens)
        tracker = told.tracker
        views = {
            "active": tracker.active_orders,
            "cached": tracker.cached_orders,
            "lost": tracker.lost_orders,
            "all": tracker.all_orders,
            "fillable": tracker.all_fillable_orders,
            "updatable": tracker.all_updatable_orders,
        }
        assert " ".join(name for name, view in views.items() if "o1" in list(view)) == places
        for by_exchange_id, view in (
            (tracker.all_fillable_orders_by_exchange_order_id, tracker.all_fillable_orders),
            (tracker.all_updatable_orders_by_exchange_order_id, tracker.all_updatable_orders),
        ):
            assert list(by_exchange_id) == ["v1"] * len(view)
            assert ("v1" in by_exchange_id) == ("o1" in view)

    asyncio.run(play())


def test_the_orders_of_a_view_may_end_while_it_is_gone_through() -> None:
    async def play() -> None:
        told = Told()
        for number in range(3):
            told.tracker.start_tracking_order(order(order_id=f"o{number}"))
        for each in told.tracker.all_orders.values():
            told.tracker.stop_tracking_order(each.client_order_id)
        assert told.tracker.active_orders == {}
        assert len(told.tracker.all_orders) == 3

    asyncio.run(play())


def test_denials_are_counted_until_the_order_is_heard_of_again() -> None:
    async def play() -> None:
        told = Told()
        await told.live("OPEN, miss, miss")
        assert told.tracker._order_not_found_records == {"o1": 2}
        await told.hear("OPEN")
        assert told.tracker._order_not_found_records == {}

    asyncio.run(play())


def test_the_limit_of_denials_can_be_changed() -> None:
    async def play() -> None:
        told = Told(lost_order_count_limit=7)
        await told.live("OPEN, miss")
        told.tracker.lost_order_count_limit = 1
        assert told.letters == "C"
        await told.hear("miss")
        assert told.letters == "C !"

    asyncio.run(play())


def test_orders_are_restored_as_they_were_saved_and_nothing_is_told_again() -> None:
    async def play() -> None:
        before = Told()
        await before.live("OPEN=v1, fill 4")
        lost = order(order_id="o2", exchange_order_id="v2", initial_state=OrderState.FAILED)
        over = order(order_id="o3", initial_state=OrderState.CANCELED)
        saved = {each.client_order_id: each.to_json() for each in (*before.tracker.active_orders.values(), lost, over)}

        after = Told()
        after.tracker.restore_tracking_states(json.loads(json.dumps(saved)))
        assert list(after.tracker.active_orders) == ["o1"]
        assert list(after.tracker.lost_orders) == ["o2"]
        assert after.letters == ""

        after.tracker.process_trade_update(trade("t1", "4"))  # told before
        after.tracker.process_trade_update(trade("t2", "6"))
        await after.hear("FILLED")
        assert after.letters == "F D"
        await after.tracker.process_order_update(OrderUpdate("ACME-USD", 1, OrderState.OPEN, "o2"))
        assert list(after.tracker.lost_orders) == ["o2"]
        await after.tracker.process_order_update(OrderUpdate("ACME-USD", 1, OrderState.CANCELED, "o2"))
        assert after.tracker.lost_orders == {}
        assert after.letters == "F D"

    asyncio.run(play())


def test_what_was_executed_counts_though_its_fills_were_not_saved() -> None:
    async def play() -> None:
        told = Told()
        subject = order(initial_state=OrderState.PARTIALLY_FILLED)
        subject.executed_amount_base = Decimal(4)
        await told.live("fill 6, FILLED", subject)
        assert told.letters == "F D"
        assert subject.executed_amount_base == 10

    asyncio.run(play())


@pytest.mark.parametrize("state", [OrderState.FILLED, OrderState.CANCELED, OrderState.FAILED])
def test_the_end_of_an_order_that_is_over_when_it_comes_is_not_told(state: OrderState) -> None:
    async def play() -> None:
        told = Told()
        subject = await told.live(f"{state.name}, {state.name}=v1, fill 10", order(initial_state=state))
        assert told.letters == "F"
        assert subject.current_state is state or subject.is_filled

    asyncio.run(play())


def test_an_order_that_is_tracked_twice_is_one_order() -> None:
    async def play() -> None:
        told = Told(tracker_class=ClientOrderTracker)
        subject = await told.live("OPEN, fill 4")
        filled = told.tracker.process_order_update(update(OrderState.FILLED))
        await asyncio.sleep(0)
        told.tracker.start_tracking_order(subject)
        await told.hear("fill 6, FILLED")
        await filled
        assert told.letters == "C F F D"

    asyncio.run(play())


def test_another_order_with_the_same_client_id_takes_the_place_of_the_first() -> None:
    async def play() -> None:
        told = Told()
        first = await told.live("OPEN=v1, CANCELED")
        second = await told.live("OPEN=v2, fill 10, FILLED")
        assert told.letters == "C X C F D"
        assert first.is_cancelled
        assert second.is_filled

    asyncio.run(play())


class _Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 1_700_000_000.0
        monkeypatch.setattr("time.monotonic", lambda: self.seconds)
        monkeypatch.setattr("time.time_ns", lambda: int(self.seconds * 1e9))


def test_a_cache_keeps_so_many_for_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = _Clock(monkeypatch)
    cache = TimedCache[int](maxsize=2, ttl=30.0)
    cache["a"] = 1
    clock.seconds += 20
    cache["b"] = 2
    cache["a"] = 3
    cache["c"] = 4
    assert dict(cache) == {"a": 3, "c": 4}
    clock.seconds += 29
    assert len(cache) == 2
    clock.seconds += 1
    assert "a" not in cache
    assert list(cache) == []


@pytest.mark.parametrize(
    "happens", ["OPEN=v1, CANCELED", "OPEN=v1, FILLED", "FAILED", "OPEN=v1, miss, miss, miss, miss, miss"]
)
def test_nothing_is_kept_of_an_order_that_has_been_over_for_long(happens: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def play() -> None:
        told = Told()
        await told.live(happens)
        book: Book = told.tracker._book
        assert book.find("o1", None) is not None
        for _ in range(4):
            clock.seconds += 301
            book.tidy()
        assert book.find("o1", None) is None
        assert book.find(None, "v1") is None
        assert not book._followed
        assert not book._tracker.state.orders

    clock = _Clock(monkeypatch)
    asyncio.run(play())


def test_an_order_that_is_put_into_the_cache_by_hand_is_found_and_followed() -> None:
    async def play() -> None:
        told = Told()
        subject = order(initial_state=OrderState.CANCELED)
        told.tracker._cached_orders["o1"] = subject
        assert told.tracker.fetch_cached_order("o1") is subject
        await told.tracker.process_order_update(update(OrderState.OPEN))
        assert subject.is_cancelled
        assert told.letters == ""

    asyncio.run(play())


def test_a_tracker_may_be_told_things_before_its_loop_runs() -> None:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        tracker = Impatient(ExchangeBase())
        subject = order()
        tracker.start_tracking_order(subject)
        future = tracker.process_order_update(update(OrderState.OPEN))
        tracker.process_trade_update(trade("t1", "10"))
        assert subject.is_open
        loop.run_until_complete(future)
        loop.run_until_complete(tracker.process_order_update(update(OrderState.FILLED)))
        assert subject.current_state is OrderState.FILLED
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def test_an_update_that_cannot_be_taken_is_reported_and_raises_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def play() -> None:
        tracker = ClientOrderTracker(ExchangeBase())
        tracker.start_tracking_order(order())
        await tracker.process_order_update(OrderUpdate("ACME-USD", 1, None, "o1"))  # type: ignore[arg-type]

    asyncio.run(play())
    assert "Unhandled error in background task" in caplog.text
