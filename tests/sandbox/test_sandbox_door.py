"""The sandbox door, beside what tests/ops/test_scenarios.py shows: prices, holds, funds, and the clock."""

import re
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tallystick.access.principal import Denied
from tallystick.dialects.sophic.policy import Policy
from tallystick.server.doors.sandbox import sandbox_router
from tallystick.venue.calendar import SettlementCalendar, date_text
from tests.ops.behind_the_doors import HOUR, HOUR_US, Doors, opened

DAY = 24 * HOUR


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    with opened(tmp_path_factory.mktemp("sandbox") / "data") as found:
        yield found


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Doors]:
    with opened(tmp_path / "data") as found:
        yield found


BAD = [
    ("markets/ins_acme/price", {}, ["body.mode"]),
    ("markets/ins_acme/price", {"mode": "set"}, ["body.price"]),
    ("markets/ins_acme/price", {"mode": "freeze", "price": "1.00"}, ["body.price"]),
    ("markets/ins_acme/price", {"mode": "set", "price": "-1.00"}, ["body.price"]),
    ("markets/ins_acme/price", {"mode": "set", "price": "1.001"}, ["body.price"]),
    ("hold", {"stage": "filled"}, ["body.stage"]),
    ("hold", {"stage": "placed", "market": "ins_none"}, ["body.market"]),
    ("release", {}, ["body.stage"]),
    ("clock/advance", {"seconds": -1}, ["body.seconds"]),
    ("clock/advance", {"seconds": "1"}, ["body.seconds"]),
    ("clock/advance", {"seconds": 366 * 86_400 + 1}, ["body.seconds"]),
    ("accounts", {"funds": {"EUR": "1.00"}}, ["body.funds.EUR"]),
    ("accounts", {"funds": {"USD": "1.001"}}, ["body.funds.USD"]),
    ("accounts", {"funds": {"USD": 1}, "flags": ["odd"]}, ["body.flags", "body.funds"]),
    ("accounts/acc_alice/fund", {"asset": "USD", "amount": "0"}, ["body.amount"]),
]


@pytest.mark.parametrize(("path", "body", "params"), BAD)
def test_a_bad_body_is_told_with_every_fault_and_changes_nothing(
    doors: Doors, path: str, body: dict[str, Any], params: list[str]
) -> None:
    accounts, prices = doors.look("/accounts"), sandbox(doors)["prices"][0]["price"]
    answer = doors.try_sandbox(f"/{path}", **body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request"), answer.text
    assert sorted(each["path"] for each in answer.json()["params"]) == params
    assert (doors.look("/accounts"), sandbox(doors)["prices"][0]["price"]) == (accounts, prices)


UNKNOWN = [
    ("venues/nowhere/hold", "unknown_venue"),
    ("venues/sophic/markets/ins_none/price", "unknown_market"),
    ("venues/sophic/orders/ord_none/execute", "unknown_order"),
    ("venues/sophic/orders/ord_none/fail", "unknown_order"),
    ("venues/sophic/orders/ord_none/prerequisite", "unknown_order"),
    ("venues/sophic/trades/trd_none/settle", "unknown_trade"),
    ("venues/sophic/trades/trd_none/fail-settlement", "unknown_trade"),
    ("venues/sophic/accounts/acc_none/fund", "unknown_account"),
]


@pytest.mark.parametrize(("path", "code"), UNKNOWN)
def test_what_does_not_exist_is_a_404_that_says_what(doors: Doors, path: str, code: str) -> None:
    answer = doors.request("POST", f"/sandbox/{path}", None, json={})
    assert (answer.status_code, answer.json()["code"]) == (404, code)


def test_a_guard_may_stand_before_it(doors: Doors) -> None:
    class Closed:
        def operator(self, authorization: str | None) -> str:
            raise Denied(401, "unauthorized", "no")

    assert len(sandbox_router(doors.host, Closed()).routes) == len(sandbox_router(doors.host).routes)


PAGES = """
    host           | origin                     | sec-fetch-site | status
    127.0.0.1:8420 |                            |                | 200
    anything       |                            |                | 200
    127.0.0.1:8420 |                            | none           | 200
    127.0.0.1:8420 | http://127.0.0.1:8420      | same-origin    | 200
    LOCALHOST:8420 | http://localhost:8420      |                | 200
    [::1]:8420     | http://[::1]:8420          |                | 200
    127.0.0.1:8420 | http://evil.example        |                | 403
    127.0.0.1:8420 | http://evil.example        | cross-site     | 403
    127.0.0.1:8420 |                            | cross-site     | 403
    127.0.0.1:8420 | http://127.0.0.1:3000      | same-site      | 403
    127.0.0.1:8420 | http://127.0.0.1:8420.evil |                | 403
    127.0.0.1:8420 | null                       |                | 403
    127.0.0.1:8420 | http://[                   |                | 403
    evil.example   | http://evil.example        | same-origin    | 403
"""


@pytest.mark.parametrize("row", PAGES.strip().splitlines()[1:])
def test_no_page_from_elsewhere_drives_the_sandbox_and_programs_are_not_hindered(doors: Doors, row: str) -> None:
    host, origin, site, status = (cell.strip() for cell in row.split("|"))
    headers = {"host": host, "origin": origin, "sec-fetch-site": site}
    sent = {name: value for name, value in headers.items() if value}
    held = sandbox(doors)["held"]
    for method, path in (("POST", "hold"), ("POST", "release"), ("GET", "")):
        body: dict[str, Any] = {"json": {"stage": "settlement"}} if method == "POST" else {}
        whole = f"/sandbox/venues/sophic/{path}".rstrip("/")
        answer = doors.run(doors._client.request(method, whole, headers=sent, **body))
        assert answer.status_code == int(status), answer.text
        if status == "403":
            assert answer.json()["code"] == "cross_origin"
            assert sandbox(doors)["held"] == held


def test_an_account_is_opened_with_its_funds_and_may_trade_at_once(fresh: Doors) -> None:
    account = fresh.sandbox("/accounts", owner="bob", funds={"USD": "500.00", "ACME": "1.500"})
    assert (account["owner"], account["role"], account["status"]) == ("bob", "customer", "active")
    assert [each["settled"] for each in account["balances"]] == ["500.00", "1.500"]
    order = fresh.place("buy", "100.00", account=account["id"])
    fresh.wait(7)
    assert fresh.order(order)["final"]
    assert fresh.balance("USD", account["id"]) == "400.01 0.00 0.00 0.00"


# --- Prices ---


def test_each_way_of_pricing_says_what_it_is(fresh: Doors) -> None:
    def price(**body: str) -> tuple[str, str | None]:
        shown = fresh.sandbox("/markets/ins_acme/price", **body)
        assert shown == sandbox(fresh)["prices"][0]
        return shown["mode"], shown["price"]

    assert price(mode="set", price="90.5") == ("set", "90.50")
    assert price(mode="freeze") == ("frozen", "90.50")
    assert price(mode="silence") == ("silent", "90.50")
    assert price(mode="set", price="0") == ("set", None)
    answer = fresh.try_sandbox("/markets/ins_acme/price", mode="freeze")
    assert (answer.status_code, answer.json()["code"]) == (409, "price_unknown")
    assert price(mode="set", price="7.00") == ("set", "7.00")
    # Nobody has a price for it unless somebody sets one.
    assert price(mode="follow") == ("following", None)


def test_a_part_is_executed_at_the_price_that_is_named(fresh: Doors) -> None:
    fresh.sandbox("/hold", stage="executing")
    order = fresh.place("sell", "1.00")
    fresh.wait(1)
    fresh.sandbox(f"/orders/{order}/execute", quantity="0.25", price="80.00")
    shown = fresh.sandbox(f"/orders/{order}/execute", quantity="0.25")
    assert [(each["price"], each["legs"][0]["notional"]) for each in shown["trades"]] == [
        ("80.00", "20.00"),
        ("100.00", "25.00"),
    ]
    for body in ({"quantity": "0.51"}, {"quantity": "0.005"}):
        answer = fresh.try_sandbox(f"/orders/{order}/execute", **body)
        assert [each["path"] for each in answer.json()["params"]] == ["body.quantity"], body
    fresh.sandbox("/markets/ins_acme/price", mode="set", price="0")
    answer = fresh.try_sandbox(f"/orders/{order}/execute")
    assert (answer.status_code, answer.json()["code"]) == (409, "price_unknown")
    assert fresh.sandbox(f"/orders/{order}/execute", price="120.00")["status"] == "filled"


# --- Holds ---


def test_what_is_held_and_what_has_stopped_there_is_shown(fresh: Doors) -> None:
    fresh.sandbox("/hold", stage="placed", market="ins_acme")
    fresh.sandbox("/hold", stage="settlement")
    first = fresh.place("buy", "100.00")
    shown = fresh.wait(1)
    assert shown["held"] == [
        {"stage": "placed", "market": "ins_acme", "stopped": [first]},
        {"stage": "settlement", "market": None, "stopped": []},
    ]
    fresh.ops(f"/orders/{first}/cancel")
    assert sandbox(fresh)["held"][0]["stopped"] == []
    fresh.sandbox("/release", stage="placed", market="ins_acme")
    second = fresh.place("buy", "100.00")
    fresh.wait(8)
    (trade,) = fresh.order(second)["trades"]
    assert sandbox(fresh)["held"] == [{"stage": "settlement", "market": None, "stopped": [trade["id"]]}]
    assert fresh.sandbox("/release", stage="settlement")["held"] == []
    assert fresh.order(second)["final"]


def test_a_hold_of_one_market_leaves_the_others_alone(fresh: Doors) -> None:
    terms = {"symbol": "N", "title": "N", "unit": "ACME", "currency": "USD", "price_scale": 2, "increment": "0.010"}
    fresh.ops("/markets", name="ins_new", **terms)
    fresh.sandbox("/markets/ins_new/price", mode="set", price="100.00")
    fresh.sandbox("/hold", stage="executing", market="ins_new")
    held, free = fresh.place("buy", "100.00", market="ins_new"), fresh.place("buy", "100.00")
    fresh.wait(3)
    assert [fresh.order(order)["status"] for order in (held, free)] == ["open", "filled"]
    # Holding all as well: it goes on only when neither holds it any more.
    fresh.sandbox("/hold", stage="executing")
    fresh.sandbox("/release", stage="executing", market="ins_new")
    assert fresh.order(held)["status"] == "open"
    fresh.sandbox("/release", stage="executing")
    assert fresh.order(held)["status"] == "filled"


# --- The clock ---


def test_what_falls_due_on_the_way_happens_at_its_own_time_and_in_order(fresh: Doors) -> None:
    orders = [fresh.place("buy", amount) for amount in ("2500.00", "100.00")]
    begun = time_of(sandbox(fresh)["time"])
    fresh.wait(100)
    times = [time_of(entry["time"]) for entry in fresh.look("/entries", limit=1000)["entries"]]
    assert times == sorted(times)
    assert time_of(sandbox(fresh)["time"]) - begun >= 100 * HOUR
    for order, trades in zip(orders, (3, 1), strict=True):
        made = [time_of(each["executed_at"]) - begun for each in fresh.order(order)["trades"]]
        settled = [time_of(each["settled_at"]) - begun for each in fresh.order(order)["trades"]]
        assert [round(each / HOUR) for each in made] == list(range(2, 2 + trades))
        assert [round(each / HOUR) for each in settled] == list(range(7, 7 + trades))


def test_advances_at_the_same_time_add_up(fresh: Doors) -> None:
    begun = time_of(sandbox(fresh)["time"])
    path = "/sandbox/venues/sophic/clock/advance"
    answers = fresh.together([("POST", path, {"seconds": HOUR})] * 5)
    assert {answer.status_code for answer in answers} == {200}
    assert round((time_of(sandbox(fresh)["time"]) - begun) / HOUR) == 5
    assert round(sandbox(fresh)["ahead_seconds"] / HOUR) == 5


def test_time_ends_where_the_calendars_do(fresh: Doors) -> None:
    year = {"seconds": 365 * 86_400}
    while (answer := fresh.try_sandbox("/clock/advance", **year)).status_code == 200:
        assert answer.json()["time"] < "2100"
    assert [each["path"] for each in answer.json()["params"]] == ["body.seconds"]
    assert answer.json()["code"] == "invalid_request"
    order = fresh.place("buy", "100.00")
    fresh.wait(7)
    assert fresh.order(order)["final"]


@pytest.mark.parametrize(("seconds", "is_told"), [(HOUR, True), (10, False)])
def test_a_start_tells_of_a_journal_that_is_ahead_of_the_wall_clock(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, seconds: float, is_told: bool
) -> None:
    with opened(tmp_path / "data") as doors:
        doors.sandbox("/clock/advance", seconds=seconds)
        doors.sandbox("/accounts", owner="bob")
    assert "ahead" not in caplog.text
    with opened(tmp_path / "data", with_world=False):
        told = [record for record in caplog.records if "ahead of the wall clock" in record.getMessage()]
    assert [record.levelname for record in told] == ["WARNING"] * is_told
    for record in told:
        [ahead, caught_up] = [int(each) for each in re.findall(r"(\d+) s\b", record.getMessage())]
        assert HOUR - 60 < ahead <= HOUR
        assert caught_up == 10 * ahead


def test_trades_settle_on_business_days_however_far_the_clock_is_moved(tmp_path: Path) -> None:
    tuesday = next_tuesday()
    friday, monday = tuesday + 3, tuesday + 6
    calendar = SettlementCalendar(2, weekend=(5, 6), holidays=[friday], cutoff_us=17 * HOUR_US)
    with opened(tmp_path / "data", Policy(calendar)) as doors:
        doors.sandbox("/clock/advance", seconds=tuesday * DAY + 12 * HOUR - time_of(sandbox(doors)["time"]))
        at_noon = doors.place("buy", "100.00")
        doors.wait(6)
        after_the_cut_off = doors.place("buy", "100.00")
        doors.wait(18)
        on_wednesday = doors.place("sell", "1.00")
        orders = (at_noon, after_the_cut_off, on_wednesday)
        dates = [doors.order(order)["trades"][0]["value_date"] for order in orders]
        assert dates == [date_text(tuesday + 2), date_text(monday), date_text(monday)]
        doors.wait(11)
        assert [doors.order(order)["final"] for order in orders] == [False, False, False]
        doors.wait(2)
        assert [doors.order(order)["final"] for order in orders] == [True, False, False]
        doors.wait(4 * 24)
        assert [doors.order(order)["final"] for order in orders] == [True, True, True]


def next_tuesday() -> int:
    """The day number of the first one that has not begun yet; 1970-01-01 was a Thursday."""
    tomorrow = int(time.time()) // DAY + 1
    return tomorrow + (5 - tomorrow) % 7


def sandbox(doors: Doors) -> Any:
    answer = doors.request("GET", "/sandbox/venues/sophic", None)
    assert answer.status_code == 200
    (listed,) = doors.request("GET", "/sandbox/venues", None).json()["venues"]
    assert (listed["name"], listed["held"]) == ("sophic", answer.json()["held"])
    return answer.json()


def time_of(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
