"""Events: which the journal gives, their order and shape (seeds/004), and finding them again."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tallystick.dialects.sophic.events import events_of
from tallystick.dialects.sophic.sandbox import sandbox_policy
from tallystick.facts.codes import CASH, COMPLIANCE, CUSTOMER, NOT_TRADING, PENDING_STAGE, PRICE_FEED, REVIEWED
from tallystick.facts.commands import (
    ChangeMarket,
    ClearPrerequisite,
    FailExecution,
    Hold,
    OpenAccount,
    PlaceOrder,
    SettleTrade,
)
from tallystick.facts.common import Cause
from tallystick.facts.venue import (
    CancelFinished,
    CancelRequested,
    Entry,
    ExecutionFailed,
    OrderCancelled,
    OrderFilled,
    OrderOpened,
    OrderPlaced,
    OrderRefused,
    OrderSettled,
    OrderWaiting,
    PrerequisiteCleared,
    SettlementFailed,
    TradeMade,
    TradeSettled,
    Transferred,
)
from tallystick.readers.walk import CHAINS_MAX
from tests.sophic.customer import assert_error
from tests.sophic.floor import DEMO, Floor

K = (4, 7, 2)  # the keys of an event: its account, order and market
MEANINGS = [
    (OrderPlaced(*K, 1, 1, CASH, 100, 100, 1, 100, 0), "order.placed", "order", 7),
    (OrderWaiting(*K, PRICE_FEED, 0), "order.pending", "order", 7),
    (OrderOpened(*K, 0), "order.executing", "order", 7),
    (TradeMade(*K, 9, 1, 100, (), (), 0), "trade.executed", "trade", 9),
    (OrderFilled(*K, 0, 0, 1), "order.filled", "order", 7),
    (TradeSettled(*K, 9), "trade.settled", "trade", 9),
    (OrderSettled(*K), "order.settled", "order", 7),
    (OrderCancelled(*K, 0, 0, "why"), "order.cancelled", "order", 7),
]
SILENT = [
    PrerequisiteCleared(*K, COMPLIANCE, 0, 0),
    ExecutionFailed(*K, "why", 0),
    SettlementFailed(*K, 9, "why", 0),
    OrderRefused(4, 0, 2, 1, "key", "print", "code", "detail", "field"),
    Transferred(4, 0, 0, 1, 4, 1, 100),
    CancelRequested(0, 0, 2, 1, 2),
    CancelFinished(0, 0, 2, 1),
]


@pytest.mark.parametrize(("fact", "name", "kind", "number"), MEANINGS, ids=[each[1] for each in MEANINGS])
def test_a_fact_is_a_public_event_at_its_own_microsecond(fact: Any, name: str, kind: str, number: int) -> None:
    entry = Entry(3, 1_000_000, Cause("test"), (), (SILENT[0], fact))
    (event,) = events_of(entry)
    assert (event.name, event.account, event.resource_type, event.resource) == (name, 4, kind, number)
    assert (event.number, event.time) == (3 * 1024 + 1, 1_000_001)


@pytest.mark.parametrize("fact", SILENT, ids=[type(each).__name__ for each in SILENT])
def test_what_is_nobodys_business_shows_nothing(fact: Any) -> None:
    assert events_of(Entry(3, 1_000_000, Cause("test"), (), (fact,))) == []


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    with Floor(tmp_path / "data") as floor:
        yield floor


def names(floor: Floor, **query: Any) -> list[str]:
    """Oldest first."""
    return [event["name"] for event in reversed(floor.read("/events", limit=1000, **query))]


def test_an_event_has_the_shape_of_the_seed_to_the_byte(floor: Floor) -> None:
    """Its fields in their order; the ids and the time are as ours are."""
    order = floor.place("buy", "100.00")
    (placed,) = floor.read("/events", name="order.placed")
    assert floor.send("GET", "/events?name=order.placed").content == (
        b'[{"id":"%b","name":"order.placed","resource":{"id":"%b","resource_type":"order"},"data":{},"created_at":"%b"}]'
        % (placed["id"].encode(), order["id"].encode(), order["created_at"].encode())
    )
    assert placed["id"].startswith("evt_")


LIVES = {
    "straight through": ("10025.00", ["order.executing", "trade.executed", "trade.executed", "order.filled"]),
    "one trade": ("100.00", ["order.executing", "trade.executed", "order.filled"]),
}


@pytest.mark.parametrize("title", LIVES)
def test_an_order_is_told_step_by_step_with_its_trades_before_what_they_lead_to(floor: Floor, title: str) -> None:
    amount, middle = LIVES[title]
    floor.place("buy", amount)
    floor.wait(0.05)
    trades = middle.count("trade.executed")
    assert names(floor) == ["order.placed", *middle, *["trade.settled"] * trades, "order.settled"]
    times = [event["created_at"] for event in reversed(floor.read("/events"))]
    assert all(before < after for before, after in pairwise(times))


def test_waiting_and_failing_are_told_once(floor: Floor) -> None:
    """A check that passes and then a price that is there: pending once; what is tried again is not told."""
    floor.account("acc_reviewed", "demo", flags=REVIEWED)
    order = floor.place("buy", "100.00", account="acc_reviewed")
    number = floor.state.orders_made
    assert order["status"] == "pending"
    floor.ask(Hold(3))
    floor.ask(ClearPrerequisite(number, True))
    floor.ask(FailExecution(number, True, reason="venue_busy"))
    floor.ask(FailExecution(number, False, reason="venue_gone"))
    assert names(floor) == ["order.placed", "order.pending", "order.executing", "order.cancelled"]


def test_a_settlement_that_fails_is_not_told_until_it_succeeds(tmp_path: Path) -> None:
    with Floor(tmp_path / "data", sandbox_policy(0.01)) as floor:
        floor.ask(Hold(4))
        floor.place("sell", "1.00")
        floor.wait(0.1)
        floor.ask(SettleTrade(1, failed=True))
        assert names(floor)[-1] == "order.filled"
        floor.ask(SettleTrade(1))
        assert names(floor)[-2:] == ["trade.settled", "order.settled"]


def test_an_order_that_a_halt_cancels_is_told_to_its_owner_and_nobody_else(tmp_path: Path) -> None:
    with Floor(tmp_path / "data", sandbox_policy(1000)) as floor:
        other = floor.client("other")
        floor.account("acc_other", "other")
        orders = [floor.place("buy", "1.00"), floor.place("buy", "1.00", account="acc_other", token=other)]
        floor.ask(ChangeMarket(floor.state.market_named["ins_acme"].number, NOT_TRADING))
        floor.wait(0.05)
        for token, order in zip((DEMO, other), orders, strict=True):
            told = floor.read("/events", token=token)
            assert [event["name"] for event in told] == ["order.cancelled", "order.placed"]
            assert {event["resource"]["id"] for event in told} == {order["id"]}


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Floor, list[dict[str, Any]]]]:
    """Orders of two accounts by turns, beside a stranger's; all events of the two, newest first."""
    with Floor(tmp_path_factory.mktemp("history") / "data") as floor:
        stranger = floor.client("stranger")
        floor.account("acc_second", "demo")
        floor.account("acc_stranger", "stranger")
        for number in range(12):
            floor.place("buy", f"{number + 1}.00", account=("acc_demo", "acc_second")[number % 2])
            floor.place("buy", "1.00", account="acc_stranger", token=stranger)
        floor.wait(0.05)
        yield floor, floor.read("/events", limit=1000)


Told = tuple[Floor, list[dict[str, Any]]]


def test_the_accounts_of_a_client_are_told_together_newest_first(history: Told) -> None:
    _, events = history
    assert len(events) == 12 * 6
    assert [each["created_at"] for each in events] == sorted((each["created_at"] for each in events), reverse=True)
    assert len({each["id"] for each in events}) == len(events)


@pytest.mark.parametrize("limit", [1, 7, 71, 72, 73])
def test_pages_lead_through_everything_in_both_directions(history: Told, limit: int) -> None:
    floor, events = history
    forward = floor.pages("/events", limit=limit)
    assert [each for page in forward for each in page] == events
    assert all(len(page) == limit for page in forward[:-1])
    assert 0 < len(forward[-1]) <= limit
    backward = floor.pages("/events", limit=limit, ending_before=events[-1]["id"])
    assert [each for page in reversed(backward) for each in page] == events[:-1]


def test_who_asks_again_after_the_newest_gets_what_is_new_and_nothing_twice(history: Told) -> None:
    floor, events = history
    assert floor.read("/events", ending_before=events[0]["id"]) == []
    assert floor.read("/events", ending_before=events[5]["id"]) == events[:5]
    assert floor.read("/events", ending_before=events[5]["id"], limit=2) == events[3:5]
    assert floor.read("/events", starting_after=events[5]["id"], limit=2) == events[6:8]
    assert floor.read("/events", starting_after=events[-1]["id"]) == []


def test_each_event_is_found_by_its_id(history: Told) -> None:
    floor, events = history
    for event in events:
        assert floor.read(f"/events/{event['id']}") == event


@pytest.mark.parametrize("name", ["order.filled", "trade.executed", "order.cancelled"])
def test_filtering_is_the_same_as_reading_everything_and_leaving_out(history: Told, name: str) -> None:
    floor, events = history
    assert floor.read("/events", name=name) == [each for each in events if each["name"] == name]
    for event in events[:14]:
        resource = event["resource"]["id"]
        about = [each for each in events if each["resource"]["id"] == resource]
        assert floor.read("/events", **{"resource[id]": resource}) == about
        both = [each for each in about if each["name"] == name]
        assert floor.read("/events", **{"resource[id]": resource, "name": name}) == both
        pages = floor.pages("/events", **{"resource[id]": resource, "limit": 1})
        assert [each for page in pages for each in page] == about


def test_times_bound_to_the_microsecond(history: Told) -> None:
    floor, events = history
    for event in (events[0], events[3], events[40], events[-1]):
        at = event["created_at"]
        wanted = {
            "created[gt]": [each for each in events if each["created_at"] > at],
            "created[gte]": [each for each in events if each["created_at"] >= at],
            "created[lt]": [each for each in events if each["created_at"] < at],
            "created[lte]": [each for each in events if each["created_at"] <= at],
        }
        for name, found in wanted.items():
            assert floor.read("/events", limit=1000, **{name: at}) == found
            pages = floor.pages("/events", **{name: at, "limit": 5})
            assert [each for page in pages for each in page] == found
    inner = {"created[gte]": events[20]["created_at"], "created[lt]": events[10]["created_at"]}
    assert floor.read("/events", **inner) == events[11:21]
    assert floor.read("/events", **inner, limit=3, ending_before=events[20]["id"]) == events[17:20]


def test_a_time_may_be_written_with_any_offset_and_far_away(history: Told) -> None:
    floor, events = history
    at = datetime.fromisoformat(events[30]["created_at"])
    elsewhere = at.astimezone(UTC) + timedelta(hours=5)
    assert floor.read("/events", **{"created[gte]": elsewhere.isoformat().replace("+00:00", "+05:00")}) == events[:31]
    assert floor.read("/events", **{"created[gt]": "9999-12-31T23:59:59Z"}) == []
    assert len(floor.read("/events", **{"created[gt]": "0001-01-01T00:00:00Z"})) == len(events)


NO_TIMES = [
    "",
    "now",
    "1773325805",
    "2026-03-12",
    "2026-03-12T14:30:05",
    "2026-13-12T14:30:05Z",
    "2026-03-12T14:30:05Z" * 9,
]


@pytest.mark.parametrize("text", NO_TIMES)
def test_what_is_no_time_is_refused(history: Told, text: str) -> None:
    answer = history[0].send("GET", "/events", params={"created[lt]": text})
    assert_error(answer, 400, "invalid_request", [("query.created[lt]", "invalid_param")])


def test_a_query_is_told_all_its_faults(history: Told) -> None:
    floor, events = history
    answer = floor.send(
        "GET",
        "/events",
        params=[
            ("name", "order.vanished"),
            ("created[gt]", "then"),
            ("created[eq]", "now"),
            ("limit", "1"),
            ("limit", "2"),
            ("starting_after", "evt_x"),
            ("ending_before", events[0]["id"]),
        ],
    )
    params = [
        ("query.created[eq]", "unknown_field"),
        ("query.created[gt]", "invalid_param"),
        ("query.ending_before", "invalid_param"),
        ("query.limit", "invalid_param"),
        ("query.name", "invalid_param"),
        ("query.starting_after", "invalid_param"),
    ]
    assert_error(answer, 400, "invalid_request", params)


def test_many_accounts_are_told_as_few_are(history: Told) -> None:
    """Beyond some number of accounts everything is read instead of their links."""
    floor, events = history
    try:
        for number in range(CHAINS_MAX):
            floor.ask(OpenAccount(f"acc_more_{number}", CUSTOMER, owner="demo"))
        assert floor.read("/events", limit=1000) == events
        pages = floor.pages("/events", limit=10, ending_before=events[-1]["id"])
        assert [each for page in reversed(pages) for each in page] == events[:-1]
    finally:
        for number in range(CHAINS_MAX):
            floor.disown(f"acc_more_{number}")


def test_a_page_stops_after_a_bounded_look_and_leads_on(history: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever filters for what is rare goes through empty pages rather than holding everybody up."""
    floor, events = history
    monkeypatch.setattr("tallystick.dialects.sophic.feed.ENTRIES_MAX", 3)
    for query in ({"name": "order.cancelled"}, {"name": "order.filled"}):
        for cursor in ({}, {"ending_before": events[-1]["id"]}):
            pages = floor.pages("/events", **query, **cursor)
            assert len(pages) > 8
            if "ending_before" in cursor:
                pages.reverse()
            wanted = events if not cursor else events[:-1]
            assert [each for page in pages for each in page] == [
                each for each in wanted if each["name"] == query["name"]
            ]


def test_a_read_after_an_event_is_at_least_as_new_as_the_event(floor: Floor) -> None:
    """What is told is durable, and so is what it is about."""
    for _ in range(5):
        floor.place("buy", "50.00")
        for event in floor.read("/events"):
            resource = event["resource"]
            if event["name"] == "order.settled":
                assert floor.read(f"/accounts/acc_demo/orders/{resource['id']}")["status"] == "settled"
            if resource["resource_type"] == "trade":
                status = floor.read(f"/trades/{resource['id']}")["status"]
                assert status == "settled" or event["name"] == "trade.executed"


def test_a_stage_at_which_orders_are_held_tells_that_they_wait(floor: Floor) -> None:
    floor.ask(Hold(PENDING_STAGE))
    floor.place("buy", "50.00")
    assert names(floor) == ["order.placed", "order.pending"]


def test_a_refusal_on_record_tells_nothing(floor: Floor) -> None:
    account = floor.state.account_named["acc_demo"].number
    floor.ask(PlaceOrder(account, 1, 1, 1, CASH, 10**12, "key", "print"))
    assert names(floor) == []
