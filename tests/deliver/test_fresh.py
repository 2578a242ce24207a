"""A read made after an event has arrived is at least as new as the event: by whatever way it came, whatever is read."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import msgspec
import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

from tests.deliver.customer import EVENTS_OF_A_BUY, Client, served
from tests.deliver.receiver import Received, Receiver
from tests.deliver.sender import RunningSender
from tests.running import RunningServer

ORDERS = 8
RANKS = {"placed": 0, "pending": 1, "executing": 2, "filled": 3, "settled": 4}
OF_OPERATORS = {"placed": 0, "pending": 1, "open": 2, "executing": 2, "filled": 3}
AUTHORIZATION = {"authorization": "Bearer sandbox"}

Event = dict[str, Any]
Check = Callable[[Event], None]


class Reader:
    """Reads whatever there is to read right after an event, and remembers what was older than it."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, headers=AUTHORIZATION, timeout=30)
        self._lock = threading.Lock()
        self.seen: list[str] = []
        self.stale: list[tuple[str, Event]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def check(self, event: Event) -> None:
        """What is not there at all is older, too."""
        kind, word = event["name"].split(".")
        with self._lock:
            try:
                reads = self._order(event, word) if kind == "order" else self._trade(event, word)
                self.stale += [(path, event) for path, is_fresh in (*reads, *self._events(event)) if not is_fresh]
            except (AssertionError, LookupError) as error:
                self.stale.append((repr(error), event))
            self.seen.append(event["id"])

    def _order(self, event: Event, word: str) -> Iterator[tuple[str, bool]]:
        order = event["resource"]["id"]
        account = "/sophic/accounts/acc_demo"
        yield "order", RANKS[self._get(f"{account}/orders/{order}")["status"]] >= RANKS[word]
        (listed,) = [each for each in self._get(f"{account}/orders?limit=1000") if each["id"] == order]
        yield "orders", RANKS[listed["status"]] >= RANKS[word]
        operated = self._get(f"/ops/venues/sophic/orders/{order}")["order"]
        yield "the operators' order", OF_OPERATORS[operated["status"]] >= OF_OPERATORS.get(word, 3)
        if word in ("filled", "settled"):
            (balance,) = self._get(f"{account}/cash-balances")
            yield "cash", balance["total"] != "100000.00"
            position = self._get(f"{account}/positions/{listed['position']}")
            yield "position", float(position["quantity"]) > 50

    def _trade(self, event: Event, word: str) -> Iterator[tuple[str, bool]]:
        trade = event["resource"]["id"]
        found = self._get(f"/sophic/trades/{trade}")
        yield "trade", word == "executed" or found["status"] == "settled"
        account = f"/sophic/accounts/{found['account']}"
        yield "trades", trade in [each["id"] for each in self._get(f"{account}/trades?limit=1000")]
        order = self._get(f"{account}/orders/{found['order']}")
        yield "the trade's order", trade in [each["id"] for each in order["trades"]]

    def _events(self, event: Event) -> Iterator[tuple[str, bool]]:
        yield "event", self._get(f"/sophic/events/{event['id']}") == event
        yield "events", event in self._get("/sophic/events?limit=1000")
        yield "a page of the stream", event in self._get("/sophic/stream?after=start&limit=1000")["events"]

    def _get(self, path: str) -> Any:
        answer = self._http.get(path)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()


def by_webhook(server: RunningServer, client: Client, check: Check, stack: ExitStack) -> None:
    """The endpoint has not even answered yet."""

    def hold(received: Received) -> int:
        check(received.event)
        return 204

    receiver = stack.enter_context(Receiver(hold))
    client.register(receiver.url)


def by_webhook_of_another_process(server: RunningServer, client: Client, check: Check, stack: ExitStack) -> None:
    by_webhook(server, client, check, stack)
    stack.enter_context(RunningSender(server))


def by_server_sent_events(server: RunningServer, client: Client, check: Check, stack: ExitStack) -> None:
    ready = threading.Event()

    def follow() -> None:
        headers = AUTHORIZATION | {"accept": "text/event-stream"}
        with httpx.stream("GET", f"{server.url}/sophic/stream", headers=headers, timeout=30) as answer:
            ready.set()
            for line in answer.iter_lines():
                if line.startswith("data: ") and "resource" in line:
                    check(msgspec.json.decode(line.removeprefix("data: ")))

    _beside(follow, ready, stack)


def by_websocket(server: RunningServer, client: Client, check: Check, stack: ExitStack) -> None:
    ready = threading.Event()

    def follow() -> None:
        url = f"{server.url.replace('http', 'ws')}/sophic/stream"
        with suppress(ConnectionClosedError), connect(url, additional_headers=AUTHORIZATION) as socket:
            ready.set()
            for message in socket:
                for event in msgspec.json.decode(message)["events"]:
                    check(event)

    _beside(follow, ready, stack)


def _beside(follow: Callable[[], None], ready: threading.Event, stack: ExitStack) -> None:
    thread = threading.Thread(target=follow)
    thread.start()
    stack.callback(thread.join)
    assert ready.wait(20)


@pytest.mark.parametrize("way", [by_webhook, by_webhook_of_another_process, by_server_sent_events, by_websocket])
def test_what_is_read_is_at_least_as_new(tmp_path: Path, way: Callable[..., None]) -> None:
    sends = "false" if way is by_webhook_of_another_process else "true"
    with ExitStack() as stack:
        server = stack.enter_context(served(tmp_path, TALLYSTICK_WEBHOOKS_SENDS=sends))
        client = stack.enter_context(Client(server))
        reader = stack.enter_context(Reader(server.url))
        enough = threading.Event()

        def check(event: Event) -> None:
            reader.check(event)
            if len(set(reader.seen)) >= ORDERS * len(EVENTS_OF_A_BUY):
                enough.set()

        with ExitStack() as ways:
            way(server, client, check, ways)
            for _ in range(ORDERS):
                client.buy()
            assert enough.wait(30)
            assert server.stop() == 0
        assert reader.stale == []


def test_also_when_the_server_was_killed_right_after_the_event(tmp_path: Path) -> None:
    arrived: list[Event] = []
    with Receiver(lambda received: arrived.append(received.event) or 204) as receiver:  # type: ignore[func-returns-value]
        with served(tmp_path) as server, Client(server) as client:
            client.register(receiver.url)
            for _ in range(ORDERS):
                client.buy()
            receiver.wait_for(1)
            server.kill()
        before = list(arrived)
        with served(tmp_path) as server, Reader(server.url) as reader:
            for event in before:
                reader.check(event)
        assert reader.stale == []
        assert before
