"""Idempotency-Key: a request that is repeated is carried out once and answered as at first (specs/sophic.md §5)."""

import asyncio
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tallystick.dialects.sophic.sandbox import sandbox_policy
from tallystick.facts.codes import BUY_ONLY, BUY_SELL, NOT_TRADING
from tallystick.facts.commands import ChangeMarket, Transfer
from tests.running import RunningServer
from tests.sophic.customer import DEADLINE_SECONDS, Customer, assert_error, order_body
from tests.sophic.floor import DEMO, Floor

ORDERS = "/accounts/acc_demo/orders"
REPLAYED = "idempotent-replayed"
BUY = order_body("buy", "100.00")


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    with Floor(tmp_path / "data") as floor:
        yield floor


def post(floor: Floor, key: str | None, body: bytes = BUY, path: str = ORDERS, token: str = DEMO) -> httpx.Response:
    headers = {} if key is None else {"idempotency-key": key}
    return floor.send("POST", path, token=token, content=body, headers=headers)


def assert_replayed(first: httpx.Response, again: httpx.Response) -> None:
    assert REPLAYED not in first.headers
    assert again.headers[REPLAYED] == "true"
    assert (again.status_code, again.content) == (first.status_code, first.content)


def test_without_a_key_each_request_is_an_order_of_its_own(floor: Floor) -> None:
    assert post(floor, None).json()["id"] != post(floor, None).json()["id"]


def test_a_repetition_gets_the_same_bytes_though_the_order_has_gone_on(floor: Floor) -> None:
    """At pace 0 the first answer shows the order filled and its trades executed; by now they have settled."""
    first = post(floor, "a", order_body("buy", "12345.67"))
    floor.wait(0.05)
    assert floor.read(f"{ORDERS}/{first.json()['id']}")["status"] == "settled"
    assert_replayed(first, post(floor, "a", order_body("buy", "12345.67")))
    assert len(floor.read(ORDERS)) == 1


@pytest.mark.parametrize("pace", [0, 0.01, 1000], ids=["filled at once", "placed, settled later", "placed for ever"])
@pytest.mark.parametrize("side", ["buy", "sell"])
def test_whatever_the_first_answer_showed_is_shown_again(tmp_path: Path, pace: float, side: str) -> None:
    with Floor(tmp_path / "data", sandbox_policy(pace)) as floor:
        body = order_body(side, "7.00", "ins_world")
        first = post(floor, "a", body)
        floor.wait(0.1)
        assert_replayed(first, post(floor, "a", body))


@pytest.mark.parametrize(
    "again",
    [
        b'{"cash_amount":"100.00","side":"buy","order_type":"market","instrument":"ins_acme"}',
        b' {"instrument" : "ins_acme",\n"order_type":"market", "side":"buy", "cash_amount":"100.00" }\n',
        rb'{"instrument":"ins_\u0061cme","order_type":"market","side":"buy","cash_amount":"100.00"}',
        b'{"instrument":"ins_acme","order_type":"market","side":"buy","cash_amount":"100.00","quantity":null}',
    ],
    ids=["fields in another order", "other white space", "other escapes", "a default that is written out"],
)
def test_the_same_request_written_differently_is_a_repetition(floor: Floor, again: bytes) -> None:
    assert_replayed(post(floor, "a"), post(floor, "a", again))


@pytest.mark.parametrize(
    "other",
    [
        order_body("buy", "100.01"),
        order_body("buy", "100.0"),
        order_body("buy", "100.00", "ins_world"),
        order_body("sell", "1.00"),
        order_body("buy", "100.00", "ins_other"),
    ],
    ids=["another amount", "the same amount in other digits", "another instrument", "another side", "none"],
)
def test_another_request_under_the_same_key_is_a_conflict_and_does_nothing(floor: Floor, other: bytes) -> None:
    first = post(floor, "a")
    conflict = ("header.Idempotency-Key", "idempotency_key_reused")
    assert_error(post(floor, "a", other), 409, "idempotency_key_reused", [conflict])
    assert_replayed(first, post(floor, "a"))
    assert len(floor.read(ORDERS)) == 1


def test_the_token_is_no_part_of_the_request(floor: Floor) -> None:
    """A client whose token has run out repeats with a new one."""
    old, new = floor.client("one"), ""
    floor.account("acc_one", "one")
    path = "/accounts/acc_one/orders"
    first = post(floor, "a", path=path, token=old)
    new = floor.token("one")
    assert new != old
    assert_replayed(first, post(floor, "a", path=path, token=new))


def test_the_same_key_means_something_else_to_another_account_and_to_another_client(floor: Floor) -> None:
    other = floor.client("other")
    floor.account("acc_second", "demo")
    floor.account("acc_other", "other")
    answers = [
        post(floor, "a"),
        post(floor, "a", path="/accounts/acc_second/orders"),
        post(floor, "a", path="/accounts/acc_other/orders", token=other),
    ]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert not any(REPLAYED in answer.headers for answer in answers)


REFUSED = {
    "too little cash": (order_body("buy", "900000.00"), 400, "insufficient_funds"),
    "too few units": (order_body("sell", "900.00"), 400, "insufficient_units"),
    "no such instrument": (order_body("buy", "1.00", "ins_other"), 400, "not_found"),
}


@pytest.mark.parametrize("title", REFUSED)
def test_a_refusal_is_given_again_though_it_would_not_be_refused_now(floor: Floor, title: str) -> None:
    body, status, code = REFUSED[title]
    first = post(floor, "a", body)
    assert_error(first, status, code)
    state = floor.state
    world, demo = state.account_named["world"].number, state.account_named["acc_demo"].number
    floor.ask(Transfer(world, demo, "USD", 100_000_000))
    floor.ask(Transfer(world, demo, "ACME", 10**9))
    assert_replayed(first, post(floor, "a", body))
    assert REPLAYED not in post(floor, "b", body).headers


def test_the_instrument_is_shown_again_as_it_was_though_its_status_has_changed_since(floor: Floor) -> None:
    acme = floor.state.market_named["ins_acme"].number
    floor.ask(ChangeMarket(acme, BUY_ONLY))
    first = post(floor, "a")
    assert first.json()["instrument"]["trading_status"] == "buy_only"
    floor.ask(ChangeMarket(acme, BUY_SELL))
    assert_replayed(first, post(floor, "a"))
    assert post(floor, "b").json()["instrument"]["trading_status"] == "buy_sell"


def test_a_refusal_for_a_halt_outlives_the_halt(floor: Floor) -> None:
    acme = floor.state.market_named["ins_acme"].number
    floor.ask(ChangeMarket(acme, NOT_TRADING))
    first = post(floor, "a")
    assert_error(first, 400, "instrument_not_trading")
    floor.ask(ChangeMarket(acme, BUY_SELL))
    assert_replayed(first, post(floor, "a"))
    assert post(floor, "b").status_code == 201


@pytest.mark.parametrize(
    "bad",
    [b"{", order_body("buy", "-1"), order_body("buy", "1.001"), order_body("sell", "0.001", "ins_tbill")],
    ids=["no JSON", "a bad amount", "too many decimals for its currency", "off the increment"],
)
def test_a_fault_of_form_is_not_kept_so_the_key_can_be_used_again(floor: Floor, bad: bytes) -> None:
    answer = post(floor, "a", bad)
    assert_error(answer, 400, "invalid_request")
    assert REPLAYED not in post(floor, "a", bad).headers
    assert post(floor, "a").status_code == 201


@pytest.mark.parametrize("key", ["k", "k" * 255, "two words", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"])
def test_a_key_is_of_printable_ascii(floor: Floor, key: str) -> None:
    assert_replayed(post(floor, key), post(floor, key))


@pytest.mark.parametrize(
    "headers",
    [
        [(b"idempotency-key", b"")],
        [(b"idempotency-key", b"k" * 256)],
        [(b"idempotency-key", "schlüssel".encode())],
        [(b"idempotency-key", b"a\x7fb")],
        [(b"idempotency-key", b"a\tb")],
        [(b"idempotency-key", b"a"), (b"idempotency-key", b"b")],
    ],
    ids=["empty", "of 256 characters", "not ASCII", "with a delete", "with a tab", "twice"],
)
def test_what_is_no_key_is_refused(floor: Floor, headers: list[tuple[bytes, bytes]]) -> None:
    answer = floor.run(
        floor.http.request("POST", ORDERS, content=BUY, headers=[(b"authorization", b"Bearer sandbox"), *headers])
    )
    assert_error(answer, 400, "invalid_request", [("header.Idempotency-Key", "invalid_param")])


@pytest.mark.parametrize(
    ("body", "status"), [(BUY, 201), (order_body("buy", "900000.00"), 400)], ids=["accepted", "refused"]
)
def test_twins_get_the_same_answer_and_only_one_of_them_is_the_first(floor: Floor, body: bytes, status: int) -> None:
    async def at_once() -> list[httpx.Response]:
        headers = {"idempotency-key": "a"}
        return await asyncio.gather(
            *(floor.send_later("POST", ORDERS, content=body, headers=headers) for _ in range(100))
        )

    answers = floor.run(at_once())
    assert {answer.status_code for answer in answers} == {status}
    assert len({answer.content for answer in answers}) == 1
    assert [REPLAYED in answer.headers for answer in answers].count(False) == 1
    assert len(floor.read(ORDERS)) == (status == 201)


def test_what_was_put_off_is_not_kept(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 says that nothing was done, so the next attempt is the first."""
    with monkeypatch.context() as patch:
        patch.setattr("tallystick.server.disk.DiskSpace.is_low", lambda _disk: True)
        for _ in range(2):
            answer = post(floor, "a")
            assert_error(answer, 503, "disk_low", [])
            assert answer.headers["retry-after"] == "1"
            assert REPLAYED not in answer.headers
    first = post(floor, "a")
    assert first.status_code == 201
    assert_replayed(first, post(floor, "a"))


def test_the_journal_has_no_key_in_it(floor: Floor) -> None:
    """Somebody's key may be a secret of theirs."""
    post(floor, "canary-3b1f")
    sequence = floor.state.sequence
    bodies = [floor.host.journal.body("sophic", number) for number in range(1, sequence + 1)]
    assert not any(b"canary" in body for body in bodies)


def post_each(server: RunningServer, keys: list[str]) -> list[tuple[int, Any]]:
    """An order under each of the keys, many at a time; (0, None) for one that got no answer."""

    async def one(client: httpx.AsyncClient, key: str) -> tuple[int, Any]:
        try:
            answer = await client.post(f"{server.account}/orders", content=BUY, headers={"idempotency-key": key})
        except httpx.TransportError:
            return 0, None
        return answer.status_code, json.loads(answer.content)

    async def all_of_them() -> list[tuple[int, Any]]:
        headers = {"authorization": f"Bearer {DEMO}"}
        async with httpx.AsyncClient(headers=headers, timeout=DEADLINE_SECONDS) as client:
            return await asyncio.gather(*(one(client, key) for key in keys))

    return asyncio.run(all_of_them())


@pytest.mark.slow
def test_a_key_a_hundred_times_at_once_and_again_after_a_kill_is_one_order(tmp_path: Path) -> None:
    options = ("--pace", "0.2", "--prices", "fixed")
    with RunningServer(tmp_path / "data", *options) as server, ThreadPoolExecutor(1) as pool:
        first = post_each(server, ["a"] * 100)
        under_fire = pool.submit(post_each, server, [f"b{number % 20}" for number in range(400)])
        with Customer(server) as customer:
            while len(customer.orders()) < 5:
                time.sleep(0.001)
        server.kill()
        answered = {body["id"] for status, body in under_fire.result() if status == 201}
    with RunningServer(tmp_path / "data", *options) as server, Customer(server) as customer:
        again = post_each(server, ["a"] * 20)
        repeated = post_each(server, [f"b{number % 20}" for number in range(60)])
        orders = customer.orders(limit=1000)
    assert "Traceback" not in server.log
    assert {status for status, _ in [*first, *again, *repeated]} == {201}
    assert all(body == first[0][1] for _, body in [*first, *again])
    assert answered <= {body["id"] for _, body in repeated}
    assert len(orders) == 21
