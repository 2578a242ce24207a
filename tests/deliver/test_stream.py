"""Events as streams: the same ones in three encodings, from any position, for whoever may see them."""

import asyncio
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tallystick.access.principal import Denied
from tallystick.deliver.hub import Hub
from tallystick.deliver.reading import HubSource
from tallystick.deliver.sse import SentEvent, SseReader
from tallystick.deliver.stream import ABORT, Limits, Stream
from tests.deliver.customer import EVENTS_OF_A_BUY, Client, served
from tests.deliver.virtual import MemoryFeed
from tests.running import RunningServer

SSE = {"accept": "text/event-stream"}
TOKEN = {"authorization": "Bearer sandbox"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with served(tmp_path_factory.mktemp("stream")) as running, Client(running) as client:
        for _ in range(40):
            order = client.buy()
        client.settled(order)
        yield running
        assert "Traceback" not in running.log


@pytest.fixture
def client(server: RunningServer) -> Iterator[Client]:
    with Client(server) as found:
        yield found


def sent(client: Client, count: int, *, query: str = "after=start", **headers: str) -> list[SentEvent]:
    """The first so many events of the stream."""
    found: list[SentEvent] = []
    reader = SseReader()
    with client.http.stream("GET", f"/stream?{query}", headers=SSE | headers) as stream:
        assert stream.status_code == 200
        for chunk in stream.iter_bytes():
            found += reader.feed(chunk)
            if len(found) >= count:
                break
    return found[:count]


def test_the_three_encodings_show_the_same_events_as_the_list(server: RunningServer, client: Client) -> None:
    listed = [each for page in pages(client, 50) for each in page["events"]]
    assert len(listed) >= 240
    assert [each["id"] for each in listed[::-1]][:1000] == [each["id"] for each in client.get("/events", limit=1000)]
    streamed = sent(client, len(listed))
    assert [json.loads(each.data) for each in streamed] == listed
    assert [(each.id, each.name) for each in streamed] == [(each["id"], each["name"]) for each in listed]
    found: list[Any] = []
    with connect(f"{server.url.replace('http', 'ws')}/sophic/stream?after=start", additional_headers=TOKEN) as socket_:
        while len(found) < len(listed):
            found += json.loads(socket_.recv())["events"]
    assert found == listed


def pages(client: Client, limit: int) -> Iterator[dict[str, Any]]:
    position = "start"
    while True:
        page = client.get("/stream", after=position, limit=limit)
        if not page["events"]:
            return
        yield page
        position = page["position"]


def test_a_stream_that_broke_anywhere_goes_on_without_a_gap_and_without_repeating(client: Client) -> None:
    everything = [each.id for each in sent(client, 240)]
    found: list[str] = []
    while len(found) < 240:
        more = sent(client, min(17, 240 - len(found)), **({"last-event-id": found[-1]} if found else {}))
        found += [each.id for each in more]
    assert found == everything


def test_without_a_position_only_what_is_new_is_shown(client: Client) -> None:
    reader = SseReader()
    found: list[SentEvent] = []
    with client.http.stream("GET", "/stream", headers=SSE) as stream:
        order: dict[str, Any] = {}
        for chunk in stream.iter_bytes():
            found += reader.feed(chunk)
            if not order:
                order = client.buy()
            if len(found) == len(EVENTS_OF_A_BUY):
                break
    assert [each.name for each in found] == list(EVENTS_OF_A_BUY)
    assert json.loads(found[0].data)["resource"]["id"] == order["id"]
    client.settled(order)


def test_it_begins_at_a_time_and_shows_only_what_is_asked_for(client: Client) -> None:
    listed = client.get("/stream", after="start", limit=100)["events"]
    since = client.get("/stream", since=listed[50]["created_at"], limit=10)["events"]
    assert since == listed[50:60]
    named = sent(client, 10, query="after=start&name=order.filled&name=order.settled")
    assert {each.name for each in named} == {"order.filled", "order.settled"}
    resource = listed[0]["resource"]["id"]
    found = client.get("/stream", after="start", resource=resource, limit=1000)["events"]
    assert {each["resource"]["id"] for each in found} == {resource}


@pytest.mark.parametrize(
    ("case", "query", "status", "code"),
    [
        ("an unknown position", "after=evt_0000000000000", 410, "position_unknown"),
        ("no position at all", "after=yesterday", 410, "position_unknown"),
        ("no time", "since=yesterday", 400, "invalid_request"),
        ("an unknown parameter", "from=1", 400, "invalid_request"),
        ("another's events", "owner=rival", 400, "invalid_request"),
        ("a position by its number", "number=1", 400, "invalid_request"),
        ("no limit", "limit=0", 400, "invalid_request"),
        ("a parameter twice", "after=start&after=start", 400, "invalid_request"),
    ],
)
@pytest.mark.parametrize("headers", [{}, SSE])
def test_what_cannot_be_asked_for(
    client: Client, case: str, query: str, status: int, code: str, headers: dict[str, str]
) -> None:
    answer = client.http.get(f"/stream?{query}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_without_a_token_nothing_is_shown(server: RunningServer) -> None:
    url = f"{server.url}/sophic/stream"
    for headers in ({}, SSE, SSE | {"authorization": "Bearer wrong"}):
        answer = httpx.get(url, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
        assert "www-authenticate" in answer.headers
    with pytest.raises(InvalidStatus) as refused:
        connect(url.replace("http", "ws"))
    assert refused.value.response.status_code == 401


def test_a_stopping_server_says_so_and_where_it_goes_on(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        with Client(server) as client:
            client.settled(client.buy())
            reader, found = SseReader(), []
            with (
                connect(f"{server.url.replace('http', 'ws')}/sophic/stream", additional_headers=TOKEN) as waiting,
                client.http.stream("GET", "/stream?after=start", headers=SSE) as stream,
            ):
                chunks = stream.iter_bytes()
                while len(found) < 6:
                    found += reader.feed(next(chunks))
                assert server.stop() == 0
                for chunk in chunks:
                    found += reader.feed(chunk)
                with pytest.raises(ConnectionClosed) as closed:
                    waiting.recv()
        assert found[-1].name == "cut_off"
        assert json.loads(found[-1].data)["code"] == "server_stopping"
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
    with served(tmp_path) as server, Client(server) as client:
        client.settled(client.buy())
        again = sent(client, 6, **{"last-event-id": found[-1].id})
        assert len({each.id for each in again} | {each.id for each in found[:6]}) == 12


def test_those_that_do_not_read_keep_nobody_else_from_reading(server: RunningServer) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    deaf = []
    for _ in range(20):
        connection = socket.create_connection((host, int(port)))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(
            b"GET /sophic/stream?after=start HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n"
            b"authorization: Bearer sandbox\r\n\r\n"
        )
        deaf.append(connection)
    with Client(server) as client:
        assert len(sent(client, 240)) == 240
    for connection in deaf:
        connection.close()


# --- Without a server: what cannot be waited for ---


class Listener:
    """An ASGI server's side of one stream: takes ``room`` messages, and after them at most the goodbye."""

    def __init__(self, stream: Stream, kind: str, room: int, hears_goodbye: bool) -> None:
        self.taken: list[dict[str, Any]] = []
        self.aborted = False
        self._room = room
        self._hears_goodbye = hears_goodbye
        self._connects = kind == "websocket"
        headers = [(b"accept", b"text/event-stream")]
        state = {ABORT: self._abort}
        scope = {"type": kind, "method": "GET", "headers": headers, "query_string": b"after=start", "state": state}
        self.task = asyncio.ensure_future(stream(scope, self._receive, self._send))

    def _abort(self) -> None:
        self.aborted = True

    async def _receive(self) -> dict[str, Any]:
        if self._connects:
            self._connects = False
            return {"type": "websocket.connect"}
        return await asyncio.get_running_loop().create_future()

    async def _send(self, message: Any) -> None:
        is_goodbye = message["type"] == "websocket.close" or b"cut_off" in message.get("body", b"")
        if len(self.taken) >= self._room and not (is_goodbye and self._hears_goodbye):
            await asyncio.get_running_loop().create_future()
        self.taken.append(message)


def listening(
    kind: str,
    limits: Limits,
    room: int,
    hears_goodbye: bool = True,
    admit: Callable[[str | None], str | None] = lambda _authorization: "demo",
) -> Listener:
    """To a feed with 200 happenings."""
    feed = MemoryFeed()
    for _ in range(200):
        feed.happen("demo")
    return Listener(Stream(HubSource(Hub(feed)), admit, limits=limits), kind, room, hears_goodbye)


def test_a_consumer_that_stops_reading_is_cut_off_with_the_position_it_has() -> None:
    """A WebSocket takes two batches of 64 and no more; server-sent events, one, after the head and the greeting."""

    async def scene() -> None:
        socket_ = listening("websocket", Limits(stall_seconds=0.01), room=3)
        await socket_.task
        assert json.loads(socket_.taken[-2]["text"])["position"] == "cur_128"
        assert socket_.taken[-1] == {"type": "websocket.close", "code": 4008, "reason": "slow_consumer cur_128"}
        events = listening("http", Limits(stall_seconds=0.01), room=3)
        await events.task
        assert events.taken[-1]["body"] == (
            b'id: cur_64\nevent: cut_off\ndata: {"code":"slow_consumer","position":"cur_64"}\n\n'
        )
        assert not events.aborted

    asyncio.run(asyncio.wait_for(scene(), 20))


def test_one_that_cannot_even_be_told_is_hung_up_on() -> None:
    async def scene() -> None:
        listener = listening("http", Limits(stall_seconds=0.01), room=3, hears_goodbye=False)
        await listener.task
        assert listener.aborted

    asyncio.run(asyncio.wait_for(scene(), 20))


def test_one_whose_token_ends_is_cut_off() -> None:
    async def scene() -> None:
        answers = iter(["demo", "demo"])

        def admit(_authorization: str | None) -> str:
            found = next(answers, None)
            if found is None:
                raise Denied(401, "unauthorized", "The token has expired.")
            return found

        listener = listening("http", Limits(heartbeat_seconds=0.01, review_seconds=0.02), room=10**6, admit=admit)
        await listener.task
        assert b'event: cut_off\ndata: {"code":"unauthorized"' in listener.taken[-1]["body"]
        assert any(b": nothing new" in each.get("body", b"") for each in listener.taken)

    asyncio.run(asyncio.wait_for(scene(), 20))


@pytest.mark.parametrize("chunk", [1, 7, 10_000])
def test_reading_server_sent_events_in_whatever_pieces_they_come(chunk: int) -> None:
    text = b"retry: 1000\n: hello\n\nid: a\nevent: x\ndata: 1\ndata: 2\n\n"
    text += b"\r\ndata: 3\r\n\r\nid: b\n\ndata:4\n\ndata: not yet\n"
    reader = SseReader()
    found = [event for at in range(0, len(text), chunk) for event in reader.feed(text[at : at + chunk])]
    assert found == [SentEvent("a", "x", "1\n2"), SentEvent("a", "message", "3"), SentEvent("b", "message", "4")]
