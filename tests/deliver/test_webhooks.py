"""Webhooks as a client sees them: registered over REST, received over sockets, judged by the stock library."""

import re
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tallystick.deliver.schedule import WAITS_SECONDS
from tests.deliver.customer import EVENTS_OF_A_BUY, Client, delivered, served
from tests.deliver.receiver import Received, Receiver
from tests.running import RunningServer

SEEDS_EXAMPLE = (
    rb'\{"id":"evt_[0-9a-z]{13}","name":"order\.filled","resource":\{"id":"ord_[0-9a-z]{13}","resource_type":"order"\},'
    rb'"data":\{\},"created_at":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"\}'
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with served(tmp_path_factory.mktemp("webhooks")) as running:
        yield running
        assert "Traceback" not in running.log
        assert "ERROR" not in running.log


@pytest.fixture
def client(server: RunningServer) -> Iterator[Client]:
    with Client(server) as found:
        yield found
        for webhook in found.get("/webhooks"):
            found.http.delete(f"/webhooks/{webhook['id']}")


def test_an_orders_life_arrives_signed_and_thin_as_in_the_seed(client: Client) -> None:
    with Receiver() as receiver:
        webhook = client.register(receiver.url)
        order = client.buy()
        received = receiver.wait_for(len(EVENTS_OF_A_BUY))
    for each in received:
        each.verify(webhook["secret"])
        assert each.headers["content-type"] == "application/json"
        assert each.headers["event-id"] == each.event["id"]
        assert re.fullmatch("whd_[0-9a-z]{13}", each.headers["webhook-id"])
        assert client.http.get(f"/events/{each.event['id']}").content == each.body
    assert sorted(each.event["name"] for each in received) == sorted(EVENTS_OF_A_BUY)
    (filled,) = [each for each in received if each.event["name"] == "order.filled"]
    assert re.fullmatch(SEEDS_EXAMPLE, filled.body)
    assert filled.event["resource"]["id"] == order["id"]
    assert order["id"].encode() not in b"".join(each.body for each in received if b'"trade' in each.body)


def test_what_is_read_after_an_event_is_at_least_as_new(server: RunningServer, client: Client) -> None:
    """The order is fetched while the endpoint still holds its answer back."""
    least = {"order.placed": 0, "order.executing": 1, "order.filled": 2, "order.settled": 3}
    words = {"placed": 0, "pending": 0, "executing": 1, "filled": 2, "settled": 3}
    seen: list[tuple[str, str]] = []

    def fetch(received: Received) -> int:
        event = received.event
        if event["name"] in least:
            path = f"{server.account}/orders/{event['resource']['id']}"
            order = httpx.get(path, headers={"authorization": "Bearer sandbox"}, timeout=30).json()
            seen.append((event["name"], order["status"]))
        return 200

    with Receiver(fetch) as receiver:
        client.register(receiver.url)
        for _ in range(5):
            client.buy()
        receiver.wait_for(5 * len(EVENTS_OF_A_BUY))
    assert len(seen) == 20
    assert all(words[status] >= least[name] for name, status in seen)


def test_attempts_are_there_to_be_looked_at_while_they_fail_and_when_they_succeed(client: Client) -> None:
    answers = iter([500, b"HTTP/1.1 ", 302])
    with Receiver(lambda _received: next(answers, 200)) as receiver:
        webhook = client.register(receiver.url, description="a shaky one")
        sent = client.http.post(f"/webhooks/{webhook['id']}/test", json={"event": {"name": "order.filled"}})
        assert sent.status_code == 202
        assert (sent.json()["status"], sent.json()["event"], sent.json()["attempts"]) == ("pending", None, [])
        received = receiver.wait_for(4)
        found = delivered(client, webhook["id"], "succeeded")
    assert [each.headers["webhook-attempt"] for each in received] == ["1", "2", "3", "4"]
    assert len({each.headers["webhook-id"] for each in received} | {found["id"]}) == 1
    assert len({each.body for each in received}) == 1
    assert "event-id" not in received[0].headers
    for each in received:
        each.verify(webhook["secret"])
    assert [each["outcome"] for each in found["attempts"]] == ["failed", "failed", "failed", "succeeded"]
    assert [(each["response"] or {}).get("status") for each in found["attempts"]] == [500, None, 302, 200]
    assert [(each["error"] or {}).get("error_type") for each in found["attempts"]] == [
        "http",
        "connection",
        "http",
        None,
    ]
    assert found["succeeded_at"]
    assert found["payload"] == received[0].event
    assert client.get(f"/webhooks/{webhook['id']}/deliveries/{found['id']}") == found


def test_all_in_vain_is_failed_and_can_be_sent_again(client: Client) -> None:
    with Receiver(lambda _received: 500) as receiver:
        webhook = client.register(receiver.url)
        client.http.post(f"/webhooks/{webhook['id']}/test", json={"event": {"name": "x"}})
        failed = delivered(client, webhook["id"], "failed")
        assert len(failed["attempts"]) == 10
        assert len({each.body for each in receiver.received}) == 1
        timestamps = [int(each.headers["webhook-timestamp"]) for each in receiver.received]
        assert timestamps == [
            int(datetime.fromisoformat(each["created_at"]).timestamp()) for each in failed["attempts"]
        ]
        assert len(set(timestamps)) > 1
        assert len({each.headers["webhook-signature"] for each in receiver.received}) == len(set(timestamps))
        for each in receiver.received:
            each.verify(webhook["secret"])
        ended = [datetime.fromisoformat(each["modified_at"]).timestamp() for each in failed["attempts"]]
        begun = [datetime.fromisoformat(each["created_at"]).timestamp() for each in failed["attempts"]]
        waits = [later - earlier for earlier, later in zip(ended, begun[1:], strict=False)]
        assert all(wait >= 0.00001 * least for wait, least in zip(waits, WAITS_SECONDS, strict=True))
        assert failed["failed_at"]
        assert failed["next_attempt_at"] is None
        assert client.get(f"/webhooks/{webhook['id']}")["failing_since"]
        receiver.answer = lambda _received: 204
        again = client.http.post(f"/webhooks/{webhook['id']}/deliveries/{failed['id']}/resend")
        assert again.status_code == 202
        found = delivered(client, webhook["id"], "succeeded")
    assert found["id"] == failed["id"]
    assert len(found["attempts"]) == 11
    assert client.get(f"/webhooks/{webhook['id']}")["failing_since"] is None


def test_everything_since_a_time_can_be_sent_again(client: Client) -> None:
    client.settled(client.buy())
    begin = client.get("/events", limit=6)[-1]["created_at"]
    expected = {each["id"] for each in client.get("/events", limit=6)}
    with Receiver() as receiver:
        webhook = client.register(receiver.url)
        answer = client.http.post(f"/webhooks/{webhook['id']}/replay", json={"since": begin})
        assert answer.status_code == 202
        received = receiver.wait_for(6)
    assert {each.headers["event-id"] for each in received} == expected


def test_rotating_a_secret_leaves_no_gap(client: Client) -> None:
    with Receiver() as receiver:
        webhook = client.register(receiver.url)
        path = f"/webhooks/{webhook['id']}"
        rotated = client.http.post(f"{path}/rotate-secret", json={}).json()
        assert rotated["secret"] != webhook["secret"]
        assert rotated["old_secret_until"]
        client.http.post(f"{path}/test", json={"event": {"name": "x"}})
        (both,) = receiver.wait_for(1)
        both.verify(webhook["secret"], rotated["secret"])
        assert len(both.headers["webhook-signature"].split()) == 2
        twice = client.http.post(f"{path}/rotate-secret")
        assert (twice.status_code, twice.json()["code"]) == (409, "rotation_under_way")
        final = client.http.post(f"{path}/rotate-secret", json={"overlap_seconds": 0}).json()
        client.http.post(f"{path}/test", json={"event": {"name": "x"}})
        received = receiver.wait_for(2)
        received[1].verify(final["secret"])
        assert len(received[1].headers["webhook-signature"].split()) == 1


def test_while_it_is_paused_nothing_is_sent_and_nothing_is_made_up_for(client: Client) -> None:
    with Receiver(lambda received: 200 if received.event["name"] == "back" else 500) as receiver:
        webhook = client.register(receiver.url)
        path = f"/webhooks/{webhook['id']}"
        client.http.post(f"{path}/test", json={"event": {"name": "x"}})
        receiver.wait_for(1)
        paused = client.http.put(path, json={"is_active": False}).json()
        assert (paused["is_active"], paused["inactive_reason"]) == (False, "paused")
        assert delivered(client, webhook["id"], "failed")["next_attempt_at"] is None
        client.buy()
        for what in ("test", "replay"):
            body = {"event": {"name": "x"}} if what == "test" else {"since": "2026-01-01T00:00:00Z"}
            assert client.http.post(f"{path}/{what}", json=body).json()["code"] == "webhook_inactive"
        assert client.http.put(path, json={"is_active": True}).json()["is_active"]
        count = len(receiver.received)
        client.http.post(f"{path}/test", json={"event": {"name": "back"}})
        received = receiver.wait(lambda received: received[-1].event["name"] == "back")
    assert all(each.event["name"] == "x" for each in received[:-1])
    assert len(received) == count + 1
    assert len(client.get(f"{path}/deliveries")) == 2


def test_one_that_is_gone_is_disabled(client: Client) -> None:
    with Receiver(lambda received: 410 if received.path == "/hooks" else 200) as receiver:
        gone = client.register(receiver.url)
        client.register(receiver.url.replace("/hooks", "/others"))
        client.http.post(f"/webhooks/{gone['id']}/test", json={"event": {"name": "x"}})
        received = receiver.wait(lambda received: any(each.event["name"] == "webhook.disabled" for each in received))
    found = client.get(f"/webhooks/{gone['id']}")
    assert (found["is_active"], found["inactive_reason"]) == (False, "gone")
    notice = next(each for each in received if each.event["name"] == "webhook.disabled")
    assert notice.path == "/others"
    assert notice.event["resource"] == {"id": gone["id"], "resource_type": "webhook"}
    assert notice.event["data"] == {"reason": "gone"}


def test_changing_the_url_sends_what_is_on_its_way_to_the_new_one(client: Client) -> None:
    with Receiver(lambda _received: 500) as old, Receiver() as new:
        webhook = client.register(old.url)
        client.http.post(f"/webhooks/{webhook['id']}/test", json={"event": {"name": "x"}})
        old.wait_for(1)
        changed = client.http.put(f"/webhooks/{webhook['id']}", json={"url": new.url, "description": "moved"}).json()
        assert (changed["url"], changed["description"]) == (new.url, "moved")
        (received,) = new.wait_for(1)
        received.verify(webhook["secret"])


def test_a_deleted_one_is_gone(client: Client) -> None:
    with Receiver() as receiver:
        webhook = client.register(receiver.url)
        assert client.http.delete(f"/webhooks/{webhook['id']}").status_code == 200
        assert client.http.get(f"/webhooks/{webhook['id']}").status_code == 404
        assert client.get("/webhooks") == []
        client.buy()
        other = client.register(receiver.url)
        client.http.post(f"/webhooks/{other['id']}/test", json={"event": {"name": "x"}})
        assert [each.event["name"] for each in receiver.wait_for(1)] == ["x"]


def test_deliveries_are_paged_and_filtered(client: Client) -> None:
    with Receiver() as receiver:
        webhook = client.register(receiver.url)
        client.buy()
        receiver.wait_for(6)
        delivered(client, webhook["id"], "succeeded")
        path = f"/webhooks/{webhook['id']}/deliveries"
        everything = client.get(path)
        first = client.http.get(path, params={"limit": 4})
        assert first.json() == everything[:4]
        rest = client.http.get(re.search("<(.*)>", first.headers["link"])[1].removeprefix("/sophic"))
        assert rest.json() == everything[4:]
        assert "link" not in rest.headers
        assert client.get(path, ending_before=everything[-1]["id"], limit=2) == everything[-3:-1]
        assert client.get(path, status="failed") == []


@pytest.mark.parametrize(
    ("case", "body", "path"),
    [
        ("no URL", {}, "body.url"),
        ("another scheme", {"url": "ftp://example.com"}, "body.url"),
        ("a password", {"url": "https://a:b@example.com"}, "body.url"),
        ("an unknown ordering", {"url": "https://example.com", "ordering": "fifo"}, "body.ordering"),
        ("an unknown field", {"url": "https://example.com", "secret": "whsec_mine"}, "body.secret"),
        ("a URL of the wrong type", {"url": 1}, "body.url"),
        ("no object", [], "body"),
    ],
)
def test_what_cannot_be_registered(client: Client, case: str, body: Any, path: str) -> None:
    answer = client.http.post("/webhooks", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert [each["path"] for each in answer.json()["params"]] == [path]
    assert client.get("/webhooks") == []


def test_nobody_has_endless_webhooks(client: Client) -> None:
    for number in range(32):
        client.register(f"http://127.0.0.1:1/{number}")
    answer = client.http.post("/webhooks", json={"url": "http://127.0.0.1:1/"})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_webhooks")


def test_the_secret_is_shown_once_and_lies_in_a_file_of_its_owners(server: RunningServer, client: Client) -> None:
    with Receiver() as receiver:
        webhook = client.register(receiver.url)
        client.buy()
        receiver.wait_for(6)
        path = f"/webhooks/{webhook['id']}"
        shown = [client.http.get(each).text for each in ("/webhooks", path, f"{path}/deliveries")]
        shown.append(client.http.put(path, json={"description": "x"}).text)
    bare = webhook["secret"].removeprefix("whsec_")
    assert all(bare not in text for text in (*shown, server.log))
    for file in server.data.iterdir():
        if file.is_file() and "deliveries" in file.name:
            assert file.stat().st_mode & 0o077 == 0, file
        elif file.is_file():
            assert bare.encode() not in file.read_bytes()


def test_the_file_can_be_looked_at_with_any_tool(server: RunningServer, client: Client) -> None:
    with sqlite3.connect(server.data / "sophic.deliveries.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (attempts,) = connection.execute("SELECT attempts FROM deliveries LIMIT 1").fetchone()
    connection.close()
    assert isinstance(msgspec.json.decode(attempts), list)


def test_another_client_finds_none_of_it(server: RunningServer, client: Client, tmp_path: Path) -> None:
    assert client.http.get("/webhooks/whk_0000000000000").status_code == 404
    webhook = client.register("http://127.0.0.1:1/")
    from tallystick.server.keys import CLIENT, KeyTable

    table = KeyTable(server.data)
    secret = table.add(CLIENT, "rival", 0)
    reader = table.add(CLIENT, "reader", 0, ("events:read",))
    table.close()

    def token(name: str, secret: str) -> str:
        form = {"grant_type": "client_credentials", "client_id": name, "client_secret": secret}
        return str(httpx.post(f"{server.url}/sophic/auth/token", data=form).json()["access_token"])

    path = f"/webhooks/{webhook['id']}"
    with Client(server, token("rival", secret)) as rival, Client(server, token("reader", reader)) as reading:
        assert rival.get("/webhooks") == []
        for method, each, body in (
            ("GET", path, None),
            ("PUT", path, {"is_active": False}),
            ("DELETE", path, None),
            ("POST", f"{path}/test", {"event": {"name": "x"}}),
            ("POST", f"{path}/replay", {"since": "2026-01-01T00:00:00Z"}),
            ("POST", f"{path}/rotate-secret", {}),
            ("GET", f"{path}/deliveries", None),
        ):
            assert rival.http.request(method, each, json=body).status_code == 404, each
            assert reading.http.request(method, each, json=body).status_code == 403, each
    assert client.get(path)["is_active"]


def test_the_document_describes_webhooks_too(client: Client) -> None:
    paths = client.get("/openapi.json")["paths"]
    assert {"post", "get"} <= paths["/webhooks"].keys()
    assert {"get", "put", "delete"} <= paths["/webhooks/{webhook_id}"].keys()
    assert "409" in paths["/webhooks/{webhook_id}/rotate-secret"]["post"]["responses"]
    for path, methods in paths.items():
        if path.startswith("/webhooks"):
            assert all(each["security"] == [{"oauth2": ["webhooks:write"]}] for each in methods.values())
