"""The operations door: who may, what is refused and in which words, and what is on record afterwards."""

import asyncio
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tallystick.access.principal import Denied
from tallystick.facts.codes import NOT_TRADING
from tallystick.facts.commands import ChangeMarket, Transfer
from tallystick.server.operators import Operators
from tests.ops.behind_the_doors import HOUR, Doors, opened


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    with opened(tmp_path_factory.mktemp("ops") / "data") as found:
        yield found


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Doors]:
    with opened(tmp_path / "data") as found:
        yield found


# --- Who may ---


def digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()


class Table:
    """Stands for the key table: one operator, whose token is ``tso_bo``."""

    def operator(self, authorization: str | None) -> str:
        if authorization == "Bearer tso_bo":
            return "bo"
        raise Denied(401, "unauthorized", "no")


@pytest.mark.parametrize(
    ("authorization", "name"),
    [
        ("Bearer tso_ann", "ann"),
        ("bearer  tso_ann ", "ann"),
        ("Bearer tso_bo", "bo"),
        ("Bearer sandbox", "sandbox"),
        ("Bearer tso_cy", None),
        ("Bearer " + digest("tso_ann"), None),
        ("Basic tso_ann", None),
        ("Bearer", None),
        ("", None),
        (None, None),
        ("Bearer \ud800", None),
    ],
)
def test_an_operator_is_known_by_the_token_wherever_it_is_kept(authorization: str | None, name: str | None) -> None:
    operators = Operators(Table(), {"ann": digest("tso_ann")}, sandbox_token="sandbox")
    if name is None:
        with pytest.raises(Denied) as denied:
            operators.operator(authorization)
        assert denied.value.status == 401
    else:
        assert operators.operator(authorization) == name


def test_nobody_is_the_sandbox_operator_where_there_is_no_such_token() -> None:
    for token in ("", "sandbox"):
        with pytest.raises(Denied):
            Operators(None, {}).operator(f"Bearer {token}")


READING = ["accounts", "accounts/acc_alice", "assets", "markets", "markets/ins_acme", "orders", "failing", "sweeps"]
WRITING = ["accounts", "accounts/acc_alice/suspend", "accounts/acc_alice/transfers", "assets", "markets/ins_acme/halt"]


@pytest.mark.parametrize("token", [None, "", "sandbox", "tso_of-ann2"])
def test_without_an_operators_token_nothing_is_shown_or_done(doors: Doors, token: str | None) -> None:
    asked = [("GET", path) for path in [*READING, "entries", "requests/1"]]
    for method, path in [*asked, *(("POST", path) for path in WRITING)]:
        answer = doors.request(
            method, f"/ops/venues/sophic/{path}", token, json={"reason": "x"} if method == "POST" else None
        )
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized"), path
        assert answer.headers["www-authenticate"] == "Bearer"
    assert doors.look("/accounts/acc_alice")["status"] == "active"


# --- What there is not ---

UNKNOWN = [
    ("GET", "venues/nowhere/accounts", "unknown_venue"),
    ("GET", "venues/sophic/accounts/acc_none", "unknown_account"),
    ("POST", "venues/sophic/accounts/acc_none/suspend", "unknown_account"),
    ("POST", "venues/sophic/accounts/acc_none/transfers", "unknown_account"),
    ("GET", "venues/sophic/markets/ins_none", "unknown_market"),
    ("POST", "venues/sophic/markets/ins_none/halt", "unknown_market"),
    ("GET", "venues/sophic/orders/ord_0000000000000", "unknown_order"),
    ("GET", "venues/sophic/orders/7", "unknown_order"),
    ("POST", "venues/sophic/orders/trd_0000000000000/cancel", "unknown_order"),
    ("POST", "venues/sophic/orders/ord_0000000000000/prerequisite", "unknown_order"),
    ("GET", "venues/sophic/trades/trd_0000000000000", "unknown_trade"),
    ("GET", "venues/sophic/requests/99", "unknown_request"),
    ("GET", "venues/sophic/requests/-1", "unknown_request"),
    ("GET", "venues/sophic/requests/%C2%B2", "unknown_request"),
]


@pytest.mark.parametrize(("method", "path", "code"), UNKNOWN)
def test_what_does_not_exist_is_a_404_that_says_what(doors: Doors, method: str, path: str, code: str) -> None:
    answer = doors.request(method, f"/ops/{path}", json={"reason": "x"} if method == "POST" else None)
    assert (answer.status_code, answer.json()["code"]) == (404, code)


# --- What is wrong with a request ---

TRANSFER = {"direction": "deposit", "asset": "USD", "amount": "1.00", "reference": "r1", "reason": "x"}
MARKET = {
    "name": "ins_new",
    "symbol": "NEW",
    "title": "New",
    "unit": "ACME",
    "currency": "USD",
    "price_scale": 2,
    "increment": "0.001",
    "reason": "x",
}
BAD = [
    ("accounts/acc_alice/suspend", {}, ["body.reason"]),
    ("accounts/acc_alice/suspend", {"reason": ""}, ["body.reason"]),
    ("accounts/acc_alice/suspend", {"reason": "  "}, ["body.reason"]),
    ("accounts/acc_alice/suspend", {"reason": "two\nlines"}, ["body.reason"]),
    ("accounts/acc_alice/suspend", {"reason": "x" * 201}, ["body.reason"]),
    ("accounts/acc_alice/suspend", {"reason": 7, "why": "x"}, ["body.reason", "body.why"]),
    ("accounts/acc_alice/transfers", {}, [f"body.{name}" for name in TRANSFER]),
    (
        "accounts/acc_alice/transfers",
        {**TRANSFER, "direction": "away", "amount": 5, "reference": "a b"},
        ["body.direction", "body.amount", "body.reference"],
    ),
    ("accounts/acc_alice/transfers", {**TRANSFER, "asset": "EUR"}, ["body.asset"]),
    ("accounts/acc_alice/transfers", {**TRANSFER, "amount": "0.00"}, ["body.amount"]),
    ("accounts/acc_alice/transfers", {**TRANSFER, "amount": "-1.00"}, ["body.amount"]),
    ("accounts/acc_alice/transfers", {**TRANSFER, "amount": "1.001"}, ["body.amount"]),
    ("accounts/acc_alice/transfers", {**TRANSFER, "amount": "1e3"}, ["body.amount"]),
    ("accounts/acc_alice/transfers", {**TRANSFER, "amount": "9" * 80}, ["body.amount"]),
    ("accounts/acc_alice/flags", {"flags": ["tall"], "reason": "x"}, ["body.flags"]),
    ("accounts/acc_alice/owner", {"owner": "two words", "reason": "x"}, ["body.owner"]),
    ("accounts", {"name": "no spaces", "role": "king", "reason": "x"}, ["body.name", "body.role"]),
    ("accounts", {"name": "x" * 101, "reason": "x"}, ["body.name"]),
    ("assets", {"name": "EUR", "scale": 78, "reason": "x"}, ["body.scale"]),
    ("assets", {"name": "EUR", "scale": True, "reason": "x"}, ["body.scale"]),
    ("markets", {**MARKET, "unit": "NEW"}, ["body.unit"]),
    ("markets", {**MARKET, "increment": "0"}, ["body.increment"]),
    ("markets", {**MARKET, "cash_min": "-1", "cash_increment": "0.001"}, ["body.cash_min", "body.cash_increment"]),
    (
        "markets",
        {**MARKET, "currency": "ACME", "unit": "USD", "price_scale": 0, "increment": "0.01"},
        ["body.price_scale"],
    ),
    ("markets/ins_acme/resume", {"status": "not_trading", "reason": "x"}, ["body.status"]),
]


@pytest.mark.parametrize(("path", "body", "params"), BAD)
def test_a_bad_body_is_told_with_every_fault_and_changes_nothing(
    doors: Doors, path: str, body: dict[str, object], params: list[str]
) -> None:
    before = doors.look("/entries", newest="true", limit=1)
    answer = doors.request("POST", f"/ops/venues/sophic/{path}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request"), answer.text
    assert [each["path"] for each in answer.json()["params"]] == params
    assert all(each["detail"] for each in answer.json()["params"])
    assert doors.look("/entries", newest="true", limit=1) == before


MALFORMED = [
    b"{",
    b"[]",
    b"7",
    b'{"reason":"a","reason":"b"}',
    b'{"reason":"\xff"}',
    b"[" * 30_000,
    b'{"reason":"\\ud800"}',
]


@pytest.mark.parametrize("raw", MALFORMED)
def test_what_is_no_json_object_is_told_so(doors: Doors, raw: bytes) -> None:
    answer = doors.request("POST", "/ops/venues/sophic/accounts/acc_alice/suspend", content=raw)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("path", ["accounts/acc_alice/transfers", "assets", "markets", "prices"])
def test_what_is_missing_is_told_with_what_it_must_be(doors: Doors, path: str) -> None:
    told = {each["path"]: each["detail"] for each in doors.try_ops(f"/{path}").json()["params"]}
    assert not [each for each in told.values() if each == "It must be given: ."]
    if path == "markets":
        assert told["body.unit"] == told["body.currency"] == "It must be given: the name of an asset."


def test_a_body_that_is_too_large_is_not_read(doors: Doors) -> None:
    answer = doors.request("POST", "/ops/venues/sophic/accounts", content=b" " * 70_000)
    assert (answer.status_code, answer.json()["code"]) == (413, "request_too_large")


QUERIES = [
    ("orders?status=done", "query.status"),
    ("orders?limit=0", "query.limit"),
    ("orders?limit=1001", "query.limit"),
    ("orders?limit=1&limit=2", "query.limit"),
    ("orders?account=acc_none", "query.account"),
    ("orders?after=ord_none", "query.after"),
    ("orders?sort=up", "query.sort"),
    ("accounts?role=king", "query.role"),
    ("accounts?after=acc_none", "query.after"),
    ("entries?after=-1", "query.after"),
    ("entries?newest=yes", "query.newest"),
    ("entries?order=ord_none", "query.order"),
    ("failing?limit=1", "query.limit"),
]


@pytest.mark.parametrize(("path", "param"), QUERIES)
def test_a_bad_query_is_told(doors: Doors, path: str, param: str) -> None:
    answer = doors.request("GET", f"/ops/venues/sophic/{path}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert [each["path"] for each in answer.json()["params"]] == [param]


CONFLICTS = [
    ("accounts", {"name": "acc_alice"}, "name_taken"),
    ("assets", {"name": "USD", "scale": 2}, "name_taken"),
    ("markets", {**MARKET, "name": "ins_acme"}, "name_taken"),
    ("accounts/street/suspend", {}, "not_a_customer"),
    ("accounts/house/transfers", {**TRANSFER}, "not_a_customer"),
    ("accounts/acc_alice/transfers", {**TRANSFER, "direction": "withdraw", "amount": "10000.01"}, "insufficient_funds"),
]


@pytest.mark.parametrize(("path", "body", "code"), CONFLICTS)
def test_what_cannot_be_done_now_is_a_conflict(doors: Doors, path: str, body: dict[str, object], code: str) -> None:
    answer = doors.try_ops(f"/{path}", **body)
    assert (answer.status_code, answer.json()["code"]) == (409, code)


def test_a_deposit_needs_somewhere_to_come_from(tmp_path: Path) -> None:
    with opened(tmp_path / "data", with_world=False) as doors:
        doors.ops("/assets", name="USD", scale=2)
        name = doors.ops("/accounts")["id"]
        answer = doors.try_ops(f"/accounts/{name}/transfers", **TRANSFER)
        assert (answer.status_code, answer.json()["code"]) == (409, "not_operating")
        assert "world" in answer.json()["detail"]


# --- What is done ---


def test_an_account_that_is_given_no_name_gets_one_also_when_many_are_opened_at_once(fresh: Doors) -> None:
    body = {"reason": "they all came", "owner": "crowd", "flags": ["professional"]}
    answers = fresh.together([("POST", "/ops/venues/sophic/accounts", body)] * 40)
    assert {answer.status_code for answer in answers} == {201}
    names = [answer.json()["id"] for answer in answers]
    assert len(set(names)) == 40
    assert all(name.startswith("acc_") and len(name) == 17 for name in names)
    listed = fresh.look("/accounts", owner="crowd")
    assert sorted(each["id"] for each in listed["accounts"]) == sorted(names)
    assert listed["accounts"][0]["flags"] == ["professional"]


def test_a_transfer_that_comes_again_under_its_reference_is_not_made_again(fresh: Doors) -> None:
    deposit = {**TRANSFER, "amount": "250.00", "reference": "wire-1"}
    path = "/ops/venues/sophic/accounts/acc_alice/transfers"
    answers = fresh.together([("POST", path, deposit)] * 20)
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert fresh.balance("USD") == "10250.00 0.00 0.00 0.00"
    for change in ({"amount": "250.01"}, {"direction": "withdraw"}, {"asset": "ACME", "amount": "1"}):
        answer = fresh.try_ops("/accounts/acc_alice/transfers", **{**deposit, **change})
        assert (answer.status_code, answer.json()["code"]) == (409, "exists_with_different_terms")
        assert answer.json()["params"][0]["path"] == "body.reference"
    withdrawal = {**deposit, "direction": "withdraw", "reference": "wire-2"}
    assert [fresh.try_ops("/accounts/acc_alice/transfers", **withdrawal).status_code for _ in "12"] == [201, 200]
    assert fresh.balance("USD") == "10000.00 0.00 0.00 0.00"
    other = fresh.ops("/accounts", name="acc_bob")["id"]
    assert fresh.ops(f"/accounts/{other}/transfers", **deposit)["balances"][0]["settled"] == "250.00"


def test_what_is_not_settled_cannot_be_withdrawn(fresh: Doors) -> None:
    fresh.place("sell", "2.00")
    fresh.wait(2)
    (usd,) = [each for each in fresh.look("/accounts/acc_alice")["balances"] if each["asset"] == "USD"]
    assert (usd["available"], usd["withdrawable"]) == ("10198.00", "10000.00")
    answer = fresh.try_ops(
        "/accounts/acc_alice/transfers", **{**TRANSFER, "direction": "withdraw", "amount": "10000.01"}
    )
    assert answer.json()["code"] == "insufficient_funds"


def test_a_market_is_defined_with_all_its_terms(fresh: Doors) -> None:
    fresh.ops("/assets", name="BOND", scale=2)
    terms = {
        "unit": "BOND",
        "status": "buy_only",
        "professionals_only": True,
        "quantity_min": "1.00",
        "cash_min": "500.00",
        "cash_increment": "50.00",
        "increment": "0.25",
        "traits": {"isin": "XS0000000009"},
    }
    shown = fresh.ops("/markets", **{**MARKET, **terms})
    assert shown.items() >= terms.items()
    assert fresh.look("/markets/ins_new") == shown
    assert [each["id"] for each in fresh.look("/markets", after="ins_acme")["markets"]] == ["ins_new"]


# --- What is on record ---


def test_who_did_it_and_why_is_in_the_journal(fresh: Doors) -> None:
    order = fresh.place("buy", "100.00")
    fresh.ops(f"/orders/{order}/cancel", reason="asked by phone")
    fresh.ops("/accounts/acc_alice/flags", flags=["reviewed"], reason="odd pattern")
    fresh.ops("/markets/ins_acme/halt", reason="news pending")
    fresh.wait(0)
    trail = fresh.look("/entries", people="true", by="ann", newest="true", limit=3)["entries"]
    assert [(each["cause"], each["by"], each["reason"]) for each in trail] == [
        ("change market", "ann", "news pending"),
        ("change account", "ann", "odd pattern"),
        ("cancel", "ann", "asked by phone"),
    ]
    (told,) = [each for each in trail[2]["events"] if each["event"] == "order_cancelled"]
    assert (told["order"], told["released"], told["voided"]) == (order, "100.00", "100.00")
    request = trail[0]["events"][1]["request"]
    found = fresh.look(f"/requests/{request}")
    assert (found["by"], found["words"], found["reason"]) == ("ann", "news pending", "market_not_trading")
    assert (found["scope"], found["subject"], found["finished"], found["done"]) == ("market", "ins_acme", True, 0)


def test_an_orders_history_tells_each_attempt_and_who_ended_it(fresh: Doors) -> None:
    fresh.ops("/accounts/acc_alice/flags", flags=["reviewed"])
    order = fresh.place("buy", "100.00")
    fresh.wait(1)
    waits = fresh.order(order)["waits_for"]
    assert waits["prerequisite"] == "compliance"
    assert waits["until"] > fresh.order(order)["updated_at"]
    fresh.sandbox("/hold", stage="executing", market="ins_acme")
    fresh.ops(f"/orders/{order}/prerequisite", passed=True, reason="looks fine")
    fresh.sandbox(f"/orders/{order}/fail", retriable=True, reason="street_closed")
    failing = fresh.look("/failing")
    assert (failing["orders_failing"], failing["trades_failing"]) == (1, 0)
    assert failing["orders"][0]["retry"]["attempts"] == 1
    assert failing["orders"][0]["retry"]["next_at"] > fresh.order(order)["updated_at"]
    fresh.ops("/accounts/acc_alice/suspend", reason="odd pattern")
    fresh.wait(0)
    history = fresh.look(f"/orders/{order}")
    assert [event["event"] for entry in history["entries"] for event in entry["events"]] == [
        "order_placed",
        "order_waiting",
        "prerequisite_cleared",
        "order_opened",
        "execution_failed",
        "order_cancelled",
    ]
    assert ("ann", "looks fine") in [(each["by"], each["reason"]) for each in history["entries"]]
    assert ("sandbox", "street_closed") in [(each["by"], each["reason"]) for each in history["entries"]]
    assert history["ended"]["reason"] == "account_suspended"
    assert fresh.look(f"/requests/{history['ended']['cancel_request']}")["by"] == "ann"
    assert fresh.look("/failing")["orders_failing"] == 0


def test_a_failing_settlement_is_seen_by_its_trade(fresh: Doors) -> None:
    order = fresh.place("buy", "100.00")
    fresh.sandbox("/hold", stage="settlement")
    fresh.wait(7)
    (trade,) = fresh.order(order)["trades"]
    fresh.sandbox(f"/trades/{trade['id']}/fail-settlement", reason="no_delivery")
    (failing,) = fresh.look("/failing")["trades"]
    assert failing == fresh.look(f"/trades/{trade['id']}")
    assert (failing["retry"]["attempts"], failing["retry"]["reason"]) == (1, "no_delivery")
    assert failing["legs"][0]["order"] == order


# --- Long lists ---


def test_pages_of_orders_meet_without_gap_or_overlap(fresh: Doors) -> None:
    orders = [fresh.place("buy", f"{number}.00") for number in range(1, 8)]
    fresh.ops(f"/orders/{orders[3]}/cancel")
    for query, expected in [
        ({}, orders),
        ({"account": "acc_alice"}, orders),
        ({"status": "live"}, orders[:3] + orders[4:]),
        ({"status": "placed", "market": "ins_acme"}, orders[:3] + orders[4:]),
        ({"status": "cancelled"}, [orders[3]]),
        ({"status": "cancelled", "account": "acc_alice"}, [orders[3]]),
        ({"status": "filled"}, []),
    ]:
        seen: list[str] = []
        after: str | None = ""
        while after is not None:
            page = fresh.look("/orders", limit=2, **query, **({"after": after} if after else {}))
            seen += [each["id"] for each in page["orders"]]
            after = page["next"]
        assert seen == expected[::-1], query


def test_orders_that_have_left_the_state_are_still_found(fresh: Doors) -> None:
    order = fresh.place("buy", "100.00")
    fresh.wait(24)
    for _ in range(3):
        fresh.sandbox("/accounts/acc_alice/fund", asset="USD", amount="1.00")
    assert not fresh.host.sophic.state.orders
    assert fresh.order(order)["final"]
    assert [each["id"] for each in fresh.look("/orders", status="filled")["orders"]] == [order]
    assert fresh.look(f"/orders/{order}")["ended"]["verdict"] == "below_increment"
    answer = fresh.try_ops(f"/orders/{order}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (409, "order_closed")


def test_pages_of_the_audit_trail_meet_in_both_directions(fresh: Doors) -> None:
    fresh.place("buy", "100.00")
    fresh.wait(10)
    last = fresh.host.sophic.state.sequence
    for newest in ("false", "true"):
        seen: list[int] = []
        query: dict[str, object] = {}
        while query is not None and query.get("after", 0) is not None:
            page = fresh.look("/entries", newest=newest, limit=4, **query)
            seen += [each["sequence"] for each in page["entries"]]
            query = {"after": page["next"]}
        assert seen == (list(range(1, last + 1)) if newest == "false" else list(range(last, 0, -1)))
    of_alice = fresh.look("/entries", account="acc_alice")["entries"]
    assert all("acc_alice" in str(each["events"]) for each in of_alice)


async def halt_and_deposit(doors: Doors) -> int:
    """Halt the market, and at each turn of the loop deposit a dollar until the halt is carried out; how many."""
    venue = doors.host.sophic
    state = venue.state
    alice, world = state.account_named["acc_alice"].number, state.account_named["world"].number
    asked = [asyncio.ensure_future(venue.ask(ChangeMarket(1, NOT_TRADING, "ann", "fire"), lambda *_answer: None))]
    while not state.requests or state.sweeps:
        if len(asked) < 500:
            asked.append(asyncio.ensure_future(venue.ask(Transfer(world, alice, "USD", 100), lambda *_answer: None)))
        await asyncio.sleep(0)
    await asyncio.gather(*asked)
    return len(asked) - 1


def test_three_thousand_orders_are_ended_a_slice_at_a_time_while_others_are_answered(fresh: Doors) -> None:
    fresh.ops("/markets", **MARKET)
    fresh.sandbox("/markets/ins_new/price", mode="set", price="10.00")
    fresh.place_many(["3.00"] * 3000)
    traded = fresh.place("buy", "5.00", market="ins_new")
    assert fresh.balance("USD") == "10000.00 0.00 0.00 9005.00"
    before = fresh.host.sophic.state.sequence
    transfers = fresh.run(halt_and_deposit(fresh))
    fresh.wait(0)
    assert fresh.look("/sweeps") == {"requests": []}
    found = fresh.look("/requests/1")
    assert (found["done"], found["finished"], found["by"]) == (3000, True, "ann")
    trail = fresh.look("/entries", after=before, limit=1000)["entries"]
    slices = [each for each in trail if each["cause"] == "sweep"]
    assert len(slices) >= 8
    ended = [event for each in slices for event in each["events"]]
    assert {(event["request"], event["by"], event["words"]) for event in ended} == {(1, "ann", "fire")}
    between = [each for each in trail if slices[0]["sequence"] < each["sequence"] < slices[-1]["sequence"]]
    assert len([each for each in between if each["cause"] == "transfer"]) >= 6
    assert max(len(each["events"]) for each in slices) <= 1024
    assert fresh.balance("USD") == f"{10000 + transfers}.00 0.00 0.00 5.00"
    assert fresh.order(traded)["status"] == "placed"


def test_a_stopped_venue_says_that_it_records_nothing(tmp_path: Path) -> None:
    with opened(tmp_path / "data") as doors:
        doors.host.sophic.sequencer.close()
        answer = doors.try_ops("/accounts", name="acc_late")
        assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
        assert answer.headers["retry-after"] == "1"
        (venue,) = doors.request("GET", "/ops/venues").json()["venues"]
        assert venue["status"].startswith("stopped")


def test_a_clock_that_jumped_goes_on_from_there_after_a_restart(tmp_path: Path) -> None:
    with opened(tmp_path / "data") as doors:
        order = doors.place("buy", "100.00")
        doors.wait(6)
        doors.sandbox("/accounts/acc_alice/fund", asset="USD", amount="1.00")
        before = doors.request("GET", "/ops/venues").json()["venues"][0]["time"]
    with opened(tmp_path / "data") as doors:
        after = doors.sandbox("/clock/advance", seconds=0)
        assert after["time"] >= before[:19]
        assert after["ahead_seconds"] > 5 * HOUR
        doors.wait(1.5)
        assert doors.order(order)["final"]


# --- Prices of a feed ---


def quote(doors: Doors, prices: dict[str, str]) -> tuple[int, object]:
    """The status, and the code or what was quoted."""
    answer = doors.request("POST", "/ops/venues/sophic/prices", json={"prices": prices})
    return answer.status_code, answer.json().get("code") or answer.json()["quoted"]


def test_a_feed_quotes_prices_and_an_order_that_waited_goes_on(fresh: Doors) -> None:
    fresh.sandbox("/markets/ins_acme/price", mode="follow")  # it has no source: no price, then
    fresh.sandbox("/clock/advance", seconds=11 * HOUR)
    order = fresh.place("buy", "10.00")
    fresh.sandbox("/clock/advance", seconds=HOUR)
    assert fresh.look(f"/orders/{order}")["order"]["status"] == "pending"
    assert quote(fresh, {"ins_acme": "50.00"}) == (200, ["ins_acme"])
    fresh.sandbox("/clock/advance", seconds=HOUR)
    assert fresh.look(f"/orders/{order}")["order"]["status"] == "filled"


@pytest.mark.parametrize(
    ("prices", "code"),
    [
        ({"ins_acme": "-1"}, "invalid_request"),
        ({"ins_acme": "1.0000001"}, "invalid_request"),
        ({"ins_none": "1", "ins_acme": "7"}, "invalid_request"),
        ({}, "invalid_request"),
    ],
)
def test_a_bad_quote_quotes_nothing(fresh: Doors, prices: dict[str, str], code: str) -> None:
    before = fresh.request("GET", "/sandbox/venues/sophic", token=None).json()["prices"]
    assert quote(fresh, prices) == (400, code)
    assert fresh.request("GET", "/sandbox/venues/sophic", token=None).json()["prices"] == before
