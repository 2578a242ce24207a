"""Delivery as a part of the server: begun, guarded, drained, backed up and configured with it."""

import base64
import os
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

from tallystick.cli.main import app
from tallystick.facts.venue import EVENTS_PER_ENTRY_MAX, event_number
from tests.deliver.customer import EVENTS_OF_A_BUY, Client, delivered, served
from tests.deliver.production import Production
from tests.deliver.receiver import Receiver
from tests.running import RunningServer

AUTHORIZATION = {"authorization": "Bearer sandbox"}
KEY = base64.b64encode(bytes(range(32))).decode()
OTHER_KEY = base64.b64encode(bytes(32)).decode()
DELIVERIES = "sophic.deliveries.db"


def tallystick(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "tallystick", *map(str, words)]
    return subprocess.run(line, capture_output=True, text=True, timeout=60, env={**os.environ, **environment})


def command(*words: object) -> Result:
    """The same without a process of its own."""
    return CliRunner().invoke(app, [*map(str, words)])


# --- Stopping ---


def test_who_follows_is_told_where_it_was_when_the_server_is_asked_to_stop(tmp_path: Path) -> None:
    told: list[str] = []

    def follow(server: RunningServer, ready: threading.Event) -> None:
        headers = AUTHORIZATION | {"accept": "text/event-stream"}
        with httpx.stream("GET", f"{server.url}/sophic/stream?after=start", headers=headers, timeout=30) as answer:
            for line in answer.iter_lines():
                told.append(line)
                if line == "event: order.settled":
                    ready.set()

    with served(tmp_path) as server, Client(server) as client:
        client.settled(client.buy())
        ready = threading.Event()
        thread = threading.Thread(target=follow, args=(server, ready))
        thread.start()
        assert ready.wait(20)
        with connect(f"{server.url.replace('http', 'ws')}/sophic/stream", additional_headers=AUTHORIZATION) as socket:
            assert server.stop() == 0
            with pytest.raises(ConnectionClosedError) as closed:
                socket.recv(timeout=20)
        thread.join()
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason.split()[0]) == (1012, "server_stopping")
    assert "event: cut_off" in told
    position = next(line for line in reversed(told) if line.startswith("id: ")).removeprefix("id: ")
    with served(tmp_path) as server, Client(server) as client:
        client.settled(client.buy())
        page = client.get("/stream", after=position)
        assert [each["name"] for each in page["events"]] == list(EVENTS_OF_A_BUY)
        assert client.get("/stream", after=closed.value.rcvd.reason.split()[1])["events"] == page["events"]


def test_an_attempt_that_is_under_way_when_it_stops_is_made_again_with_the_same_id(tmp_path: Path) -> None:
    with Receiver(lambda _received: [600.0]) as receiver:
        with served(tmp_path) as server, Client(server) as client:
            webhook = client.register(receiver.url)
            client.http.post(f"/webhooks/{webhook['id']}/test", json={"event": {"name": "x"}})
            receiver.wait_for(1)
            assert server.stop() == 0
        receiver.answer = lambda _received: 204
        with served(tmp_path) as server, Client(server) as client:
            received = receiver.wait_for(2)
            delivered(client, webhook["id"], "succeeded")
    assert len({each.headers["webhook-id"] for each in received}) == 1


# --- Who may follow what ---


def test_everybodys_events_are_for_operators_alone(tmp_path: Path) -> None:
    production = Production(tmp_path)
    with production.server as server, production.client() as client:
        url = f"{server.url}/ops/venues/sophic/stream"
        for authorization in (None, client.http.headers["authorization"], "Bearer sandbox"):
            headers = {} if authorization is None else {"authorization": authorization}
            assert httpx.get(url, headers=headers).status_code == 401
        answer = httpx.get(url, headers={"authorization": f"Bearer {production.operator}"})
        assert (answer.status_code, answer.json()["events"]) == (200, [])
        assert client.http.get("/stream").status_code == 200
        assert httpx.get(f"{server.url}/sophic/stream").status_code == 401


def test_where_operators_have_an_address_of_their_own_theirs_is_there_alone(tmp_path: Path) -> None:
    production = Production(tmp_path, '[ops]\nbind = "127.0.0.1:0"')
    with production.server as server:
        headers = {"authorization": f"Bearer {production.operator}"}
        assert httpx.get(f"{server.url}/ops/venues/sophic/stream", headers=headers).status_code == 404


def test_a_websocket_with_nothing_behind_it_is_refused(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        for path in ("/sophic/nowhere", "/sophic/stream"):
            with pytest.raises(Exception, match="rejected"):
                connect(f"{server.url.replace('http', 'ws')}{path}").close()
        assert "Traceback" not in server.log


# --- Configuration ---


def secret_lies_open(data: Path, secret: str) -> bool:
    bare = base64.b64decode(secret.removeprefix("whsec_"))
    return any(bare in file.read_bytes() for file in data.glob(f"{DELIVERIES}*"))


def test_with_a_key_secrets_are_encrypted_and_without_it_the_server_does_not_start(tmp_path: Path) -> None:
    with Receiver() as receiver:
        with served(tmp_path, TALLYSTICK_WEBHOOKS_KEY=KEY) as server, Client(server) as client:
            webhook = client.register(receiver.url)
            client.buy()
            received = receiver.wait_for(1)
            received[0].verify(webhook["secret"])
            assert not secret_lies_open(server.data, webhook["secret"])
            assert KEY not in server.log
            assert server.stop() == 0
        for key, sends in (("", "true"), (OTHER_KEY, "true"), (OTHER_KEY, "false")):
            environment = {"TALLYSTICK_WEBHOOKS_KEY": key, "TALLYSTICK_WEBHOOKS_SENDS": sends}
            result = tallystick("serve", "--port", "0", "--data", tmp_path / "data", **environment)
            assert result.returncode == 1
            assert "configure" in result.stderr
            assert "Traceback" not in result.stderr
        with served(tmp_path, TALLYSTICK_WEBHOOKS_KEY=KEY) as server, Client(server) as client:
            client.http.post(f"/webhooks/{webhook['id']}/test", json={"event": {"name": "again"}})
            again = receiver.wait(lambda got: got[-1].event["name"] == "again")
            again[-1].verify(webhook["secret"])


def test_without_a_key_the_secret_lies_in_the_file_of_its_owner(tmp_path: Path) -> None:
    with served(tmp_path) as server, Client(server) as client:
        webhook = client.register("http://127.0.0.1:9/")
        assert server.stop() == 0
        assert secret_lies_open(server.data, webhook["secret"])


@pytest.mark.parametrize("whose", ["serve", "deliver"])
@pytest.mark.parametrize(
    ("case", "make", "words"),
    [
        ("it is something else", lambda file: file.write_text("dear diary" * 1000), "is not a file of"),
        ("it is a folder", lambda file: file.mkdir(), "cannot be reached"),
    ],
)
def test_a_file_that_is_none_is_told_in_a_sentence(
    tmp_path: Path, whose: str, case: str, make: Callable[[Path], object], words: str
) -> None:
    with served(tmp_path) as server:
        assert server.stop() == 0
    for file in server.data.glob(f"{DELIVERIES}*"):
        file.unlink()
    make(server.data / DELIVERIES)
    if whose == "serve":
        errors = tallystick("serve", "--port", "0", "--data", server.data).stderr
    else:
        (tmp_path / "other").mkdir()
        with served(tmp_path / "other") as another:
            errors = command("deliver", "--url", another.url, "--data", server.data).stderr
    assert words in errors.splitlines()[-1]
    assert errors.splitlines()[-1].startswith("tallystick: ")
    assert "Traceback" not in errors


def test_a_sender_that_cannot_work_says_why(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        for options, words in (
            (("--data", tmp_path / "nowhere"), "secret.key"),
            (("--data", server.data, "--token", "wrong"), "401"),
            (("--data", server.data, "--config", tmp_path / "none.toml"), "cannot be read"),
        ):
            result = command("deliver", "--url", server.url, *options)
            assert result.exit_code == 1, options
            assert words in result.stderr
            assert "Traceback" not in result.stderr


# --- Care ---


def test_a_backup_made_under_load_goes_on_where_it_was_and_misses_nothing(tmp_path: Path) -> None:
    """The copied file of deliveries is never ahead of the copied journal, or events would be passed over."""
    copy = tmp_path / "monday"
    over, enough = threading.Event(), threading.Event()

    def place(server: RunningServer) -> None:
        with Client(server) as client:
            for number in range(10**6):
                client.buy("0.10")
                if number == 30:
                    enough.set()
                if over.is_set():
                    return

    with Receiver() as receiver:
        with served(tmp_path) as server, Client(server) as client:
            webhook = client.register(receiver.url)
            placing = threading.Thread(target=place, args=(server,))
            placing.start()
            assert enough.wait(30)
            result = command("journal", "backup", copy, "--data", server.data)
            over.set()
            placing.join()
            assert result.exit_code == 0, result.stderr
            server.kill()
        with sqlite3.connect(copy / DELIVERIES) as connection:
            position, ends = connection.execute("SELECT max(position), count(*) FROM endpoints").fetchone()
        connection.close()
        assert ends == 1
        found = re.search(r"([\d,]+) entries\.", command("journal", "verify", "--data", copy).stdout)
        assert found is not None
        assert 0 < position <= event_number(int(found[1].replace(",", "")), EVENTS_PER_ENTRY_MAX - 1)
        before = len(receiver.received)
        with RunningServer(copy, "--pace", "0", "--prices", "fixed") as server, Client(server) as client:
            client.settled(client.buy())
            everything = set(client.events())
            receiver.wait(lambda got: everything <= {each.headers["event-id"] for each in got})
            receiver.received[-1].verify(webhook["secret"])
            assert len(receiver.received) > before


def test_verifying_compacting_and_rebuilding_leave_webhooks_alone(tmp_path: Path) -> None:
    with served(tmp_path) as server, Client(server) as client:
        webhook = client.register("http://127.0.0.1:9/", description="kept")
        client.settled(client.buy())
        assert server.stop() == 0
    for word in ("verify", "compact", "rebuild", "snapshot"):
        result = command("journal", word, "--data", server.data)
        assert result.exit_code == 0, result.stderr
    with served(tmp_path) as server, Client(server) as client:
        assert client.get(f"/webhooks/{webhook['id']}")["description"] == "kept"
