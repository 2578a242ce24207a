"""The neutral API of a real server: the same events in three encodings, orders as they are and as they were."""

import json
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import httpx
import pytest
from websockets.sync.client import connect

from tallystick.deliver.sse import SentEvent, SseReader
from tests.running import RunningServer
from tests.sophic.customer import Customer

TOKEN = {"authorization": "Bearer sandbox"}
SSE = {"accept": "text/event-stream"}
ORDERS = 12


class Caller:
    def __init__(self, server: RunningServer, base: str = "/v1") -> None:
        self.url = f"{server.url}{base}"
        self.http = httpx.Client(base_url=self.url, headers=TOKEN, timeout=20)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()

    def get(self, path: str, **query: Any) -> Any:
        answer = self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def events(self, path: str = "/events", limit: int = 7, **query: Any) -> list[Any]:
        """All there are, page by page."""
        found: list[Any] = []
        position = "start"
        while True:
            page = self.get(path, after=position, limit=limit, **query)
            found += page["events"]
            if page["position"] == position:
                return found
            position = page["position"]

    def sent(self, count: int, last: str = "", query: str = "after=start") -> list[SentEvent]:
        """The first so many events of the stream."""
        found: list[SentEvent] = []
        reader = SseReader()
        headers = SSE | ({"last-event-id": last} if last else {})
        with self.http.stream("GET", f"/events?{query}", headers=headers) as stream:
            for chunk in stream.iter_bytes():
                found += reader.feed(chunk)
                if len(found) >= count:
                    break
        return found[:count]


def shown(events: list[SentEvent]) -> list[tuple[str, str]]:
    """What events say, without how far other venues had been read by then."""
    return [(each.name, each.data) for each in events]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    data = tmp_path_factory.mktemp("neutral") / "data"
    with RunningServer(data, "--pace", "0", "--prices", "fixed") as running, Customer(running) as customer:
        for _ in range(ORDERS):
            customer.place("buy", "10.00")
        customer.until_settled()
        yield running
        assert "Traceback" not in running.log


@pytest.fixture
def caller(server: RunningServer) -> Iterator[Caller]:
    with Caller(server) as found:
        yield found


def test_the_three_encodings_show_the_same_events(caller: Caller) -> None:
    listed = caller.events()
    assert len(listed) == 6 * ORDERS
    assert caller.events(limit=1000) == listed
    streamed = caller.sent(len(listed))
    assert [json.loads(each.data) for each in streamed] == listed
    assert [each.name for each in streamed] == [each["kind"] for each in listed]
    found: list[Any] = []
    with connect(f"{caller.url.replace('http', 'ws')}/events?after=start", additional_headers=TOKEN) as socket:
        while len(found) < len(listed):
            found += json.loads(socket.recv())["events"]
    assert found == listed


def test_a_stream_goes_on_after_any_event(caller: Caller) -> None:
    whole = caller.sent(6 * ORDERS)
    for cut in (1, 5, 6, 7, 40, 6 * ORDERS - 1):
        assert shown(caller.sent(len(whole) - cut, last=whole[cut - 1].id)) == shown(whole[cut:])


def test_operators_see_everything_at_a_door_of_their_own(server: RunningServer, caller: Caller) -> None:
    with Caller(server, "/ops/v1") as operator:
        assert operator.events() == caller.events()
    assert httpx.get(f"{server.url}/ops/v1/events", headers={"authorization": "Bearer no"}).status_code == 401


def test_every_venue_of_the_server_can_be_asked_for(server: RunningServer) -> None:
    with Caller(server, "/ops/v1") as operator:
        assert operator.get("/orders", venue="bluefin") == {"orders": [], "next": None}
        assert {each["venue"] for each in operator.events()} == {"sophic"}
        assert {part.partition(".")[0] for part in operator.get("/events")["position"].split("~")} == {
            "bluefin",
            "sophic",
        }


def test_an_order_as_of_each_of_its_events(caller: Caller) -> None:
    order = caller.get("/orders", limit=1)["orders"][0]
    events = caller.events(f"/orders/{order['id']}/events")
    assert events == caller.events(order=order["id"])
    seen = [caller.get(f"/orders/{order['id']}", as_of=each["position"]) for each in events]
    assert [(each["kind"], was["status"], was["final"]) for each, was in zip(events, seen, strict=True)] == [
        ("order_placed", "placed", False),
        ("order_opened", "open", False),
        ("trade_made", "open", False),
        ("order_filled", "filled", False),
        ("trade_settled", "filled", True),
        ("order_settled", "filled", True),
    ]
    assert [each["size"]["consumed"] for each in seen] == ["0.00", "0.00", *["10.00"] * 4]
    assert seen[-1] == order
    assert caller.http.get(f"/orders/{order['id']}", params={"as_of": "start"}).status_code == 404
    unknown = caller.http.get(f"/orders/{order['id']}", params={"as_of": "sophic.0"})
    assert (unknown.status_code, unknown.json()["code"]) == (410, "position_unknown")


def test_orders_as_of_a_position_are_those_there_were(caller: Caller) -> None:
    listed = caller.get("/orders")["orders"]
    assert [each["placed_at"] for each in listed] == sorted((each["placed_at"] for each in listed), reverse=True)
    placed = [each for each in caller.events() if each["kind"] == "order_placed"]
    for count, event in enumerate(placed, start=1):
        then = caller.get("/orders", as_of=event["position"])["orders"]
        assert [each["id"] for each in then] == [each["id"] for each in listed[-count:]]
        assert then[0]["status"] == "placed"
        live = caller.get("/orders", as_of=event["position"], status="live")["orders"]
        assert event["order"] in [each["id"] for each in live]


def test_orders_in_pages_and_by_status(caller: Caller) -> None:
    found: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = caller.get("/orders", limit=5, **after)
        found += [each["id"] for each in page["orders"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert found == [each["id"] for each in caller.get("/orders")["orders"]]
    assert caller.get("/orders", status="live")["orders"] == []
    assert len(caller.get("/orders", status="filled", account="acc_demo", venue="sophic")["orders"]) == len(found)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/orders?status=lost", 400, "invalid_request"),
        ("/orders?venue=nowhere", 400, "invalid_request"),
        ("/orders?as_of=yesterday", 410, "position_unknown"),
        ("/orders?limit=0", 400, "invalid_request"),
        ("/orders?colour=red", 400, "invalid_request"),
        ("/orders/ord_1", 404, "not_found"),
        ("/orders/ord_1/events", 404, "not_found"),
        ("/orders/ord_1/", 404, "not_found"),
        ("/events?after=nowhere", 410, "position_unknown"),
        ("/event", 404, "not_found"),
    ],
)
def test_what_cannot_be_asked_for(caller: Caller, path: str, status: int, code: str) -> None:
    answer = caller.http.get(path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/json"


def test_after_a_restart_the_same_positions_name_the_same(tmp_path: Any) -> None:
    options = ("--pace", "0", "--prices", "fixed")
    with RunningServer(tmp_path / "data", *options) as server:
        with Customer(server) as customer, Caller(server) as caller:
            customer.place("buy", "10.00")
            customer.until_settled()
            before = caller.sent(6)
        server.kill()
    with (
        RunningServer(tmp_path / "data", *options) as server,
        Customer(server) as customer,
        Caller(server) as caller,
    ):
        customer.place("buy", "10.00")
        customer.until_settled()
        assert shown(caller.sent(12)[:6]) == shown(before)
        assert shown(caller.sent(9, last=before[2].id)[:3]) == shown(before[3:])
