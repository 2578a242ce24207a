"""Every list of the document is paged alike: newest first, bounded, and led through by its links in both directions."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tallystick.core.lifecycle import FILLED
from tallystick.dialects.sophic.routes import ROUTES
from tallystick.dialects.sophic.slices import SLICE
from tallystick.facts.commands import DefineMarket
from tests.sophic.customer import assert_error, order_body
from tests.sophic.floor import Floor

PAGED = [route.path.format(account_id="acc_demo") for route in ROUTES if route.query]
UNPAGED = ["/accounts/acc_demo/cash-balances"]


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    """Some of everything."""
    with Floor(tmp_path_factory.mktemp("lists") / "data") as floor:
        for number in range(4):
            floor.ask(DefineMarket(f"ins_{number}", f"S{number}", "Some", "TBILL-6M", "USD", 4, 1))
            floor.account(f"acc_{number}", "demo")
        for number in range(8):
            floor.place(*(("buy", f"{number + 10}.00") if number % 2 else ("sell", "0.5")))
        floor.wait(0.05)
        yield floor


def lists() -> list[str]:
    assert {route.path for route in ROUTES if str(route.answer).startswith("list")} == {
        *(route.path for route in ROUTES if route.query),
        *(path.replace("acc_demo", "{account_id}") for path in UNPAGED),
    }
    return PAGED


@pytest.mark.parametrize("path", lists())
def test_pages_lead_through_everything_in_both_directions(floor: Floor, path: str) -> None:
    everything = floor.read(path, limit=1000)
    assert len(everything) >= 3
    assert len({each["id"] for each in everything}) == len(everything)
    for limit in (1, 2, len(everything) - 1, len(everything)):
        forward = floor.pages(path, limit=limit)
        assert [each for page in forward for each in page] == everything
        assert all(len(page) == limit for page in forward[:-1])
        assert forward[-1] != []
        backward = floor.pages(path, limit=limit, ending_before=everything[-1]["id"])
        assert [each for page in reversed(backward) for each in page] == everything[:-1]


@pytest.mark.parametrize("path", lists())
def test_a_page_begins_right_beside_its_cursor(floor: Floor, path: str) -> None:
    everything = floor.read(path, limit=1000)
    middle = everything[1]["id"]
    assert floor.read(path, starting_after=middle, limit=1) == everything[2:3]
    assert floor.read(path, ending_before=middle) == everything[:1]
    assert floor.read(path, ending_before=everything[0]["id"]) == []
    assert floor.read(path, starting_after=everything[-1]["id"]) == []


@pytest.mark.parametrize("path", lists())
def test_cursors_and_limits_that_cannot_be_meant_are_refused(floor: Floor, path: str) -> None:
    first = floor.read(path, limit=1)[0]["id"]
    cases = {
        "limit=0": ["limit"],
        "limit=1001": ["limit"],
        "limit=x&starting_after=y": ["limit", "starting_after"],
        "ending_before=": ["ending_before"],
        f"starting_after={first}&ending_before={first}": ["ending_before"],
        "page=2": ["page"],
        f"starting_after={first}&starting_after={first}": ["starting_after"],
    }
    for query, names in cases.items():
        answer = floor.send("GET", f"{path}?{query}")
        code = "unknown_field" if query == "page=2" else "invalid_param"
        assert_error(answer, 400, "invalid_request", [(f"query.{name}", code) for name in names])


@pytest.mark.parametrize("path", ["/accounts/acc_demo", *UNPAGED, "/instruments/ins_acme", "/openapi.json"])
def test_what_has_no_parameters_takes_none(floor: Floor, path: str) -> None:
    assert_error(floor.send("GET", f"{path}?limit=1"), 400, "invalid_request", [("query.limit", "unknown_field")])


def test_the_newest_is_first(floor: Floor) -> None:
    orders = floor.read("/accounts/acc_demo/orders")
    assert [each["created_at"] for each in orders] == sorted((each["created_at"] for each in orders), reverse=True)
    trades = floor.read("/accounts/acc_demo/trades")
    assert [each["executed_at"] for each in trades] == sorted((each["executed_at"] for each in trades), reverse=True)
    assert floor.read("/accounts")[0]["id"] == "acc_3"
    assert floor.read("/instruments")[0]["id"] == "ins_3"


def test_a_thing_of_a_list_is_what_its_own_path_shows(floor: Floor) -> None:
    for path in PAGED:
        for each in floor.read(path):
            alone = f"/trades/{each['id']}" if path.endswith("/trades") else f"{path}/{each['id']}"
            assert floor.read(alone) == each


def test_trades_are_those_of_the_orders(floor: Floor) -> None:
    trades = {each["id"]: each for each in floor.read("/accounts/acc_demo/trades")}
    assert trades == {
        trade["id"]: trade for order in floor.read("/accounts/acc_demo/orders") for trade in order["trades"]
    }


def test_a_long_page_lets_the_others_go_on_meanwhile(floor: Floor) -> None:
    """However long the list, the loop turns once for each slice of it."""

    async def place_many() -> None:
        body = order_body("buy", "1.00")
        for _ in range(4):
            await asyncio.gather(
                *(floor.send_later("POST", "/accounts/acc_0/orders", content=body) for _ in range(100))
            )

    async def turns_during(path: str) -> int:
        reading = asyncio.ensure_future(floor.send_later("GET", path))
        turns = 0
        while not reading.done():
            turns += 1
            await asyncio.sleep(0)
        assert len((await reading).json()) == 400
        return turns

    floor.run(place_many())
    floor.wait(0.1)
    for path in ("/accounts/acc_0/orders?limit=1000", "/accounts/acc_0/trades?limit=1000"):
        assert floor.run(turns_during(path)) > 400 / SLICE
    assert all(order.status == FILLED for order in floor.state.orders.values())


def test_old_orders_are_listed_from_the_tables_too(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Once what is done has left the state, in both directions, as if it had not."""

    def ids(answer: list[dict[str, Any]]) -> list[str]:
        return [each["id"] for each in answer]

    data = tmp_path_factory.mktemp("old") / "data"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tallystick.server.host.RETAIN_US", 1_000_000)
        floor = Floor(data)
    with floor:
        placed = [floor.place("buy", "1.00")["id"] for _ in range(9)]
        while len(floor.state.orders) == len(placed):
            floor.wait(0.05)
            placed.append(floor.place("buy", "1.00")["id"])
        newest_first = placed[::-1]
        path = "/accounts/acc_demo/orders"
        assert ids(floor.read(path)) == newest_first
        assert ids(floor.read(path, starting_after=newest_first[-8], limit=5)) == newest_first[-7:-2]
        assert ids(floor.read(path, ending_before=newest_first[-2], limit=5)) == newest_first[-7:-2]
        assert len(floor.read("/accounts/acc_demo/trades")) == len(placed)
