"""A real server from a file: what it logs, the ids of its requests, whether it is ready, and how it ends."""

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import httpx
import pytest

from tests.running import RunningServer
from tests.sophic.customer import Customer, until
from tests.sophic.raw_http import connect, exchange, post_head

CANARY = "canary-0123456789"
ORDER = b'{"instrument":"ins_acme","order_type":"market","side":"buy","cash_amount":"1.00"}'

FILE = """
[log]
format = "json"
level = "debug"
[ops]
bind = "127.0.0.1:0"
[sandbox]
enabled = true
prices = "fixed"
pace = 0
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tallystick.toml"
    path.write_text(FILE)
    return path


@pytest.fixture
def server(tmp_path: Path, file: Path) -> Iterator[RunningServer]:
    with RunningServer(tmp_path / "data", "--config", str(file)) as running:
        yield running


def records(server: RunningServer) -> list[dict[str, str]]:
    """Its log; that each line is a JSON object is part of what is tested."""
    return [json.loads(line) for line in server.log.splitlines()]


def operators(server: RunningServer) -> str:
    """Where its operators are served."""
    [said] = [record["message"] for record in records(server) if record["message"].startswith("listening")]
    return said.split(", ")[1]


def is_refused(server: RunningServer) -> bool:
    address = urlsplit(server.url)
    try:
        socket.create_connection((address.hostname, address.port), 10).close()
    except ConnectionRefusedError:
        return True
    return False


def read_all(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


class InFlight:
    """An order whose body the server is waiting for."""

    def __init__(self, server: RunningServer) -> None:
        self._connection = connect(server.url)
        self._connection.sendall(post_head(f"content-length: {len(ORDER)}", "expect: 100-continue"))
        assert self._connection.recv(1000).startswith(b"HTTP/1.1 100 ")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._connection.close()

    def finish(self) -> bytes:
        """Send the body; the whole answer, to the end of the connection."""
        self._connection.sendall(ORDER)
        return self.read()

    def read(self) -> bytes:
        return read_all(self._connection)


def test_what_the_file_says_is_what_is_served(server: RunningServer) -> None:
    with Customer(server) as customer:
        assert customer.place("buy", "1.00")["trades"], "pace 0"


def test_from_beginning_to_end_the_log_is_json(server: RunningServer) -> None:
    with Customer(server) as customer:
        customer.place("buy", "1.00")
    assert server.stop() == 0
    messages = [record["message"] for record in records(server)]
    for venue, message in zip(("sophic", "bluefin"), messages, strict=False):
        assert re.fullmatch(rf"recovered: {venue} at entry 0, epoch 1, .*", message)
    assert messages[2].startswith("listening: ")
    assert messages[-2:] == ["stopping: 0 requests are in flight", "stopped"]


def test_an_answer_has_the_id_of_its_request_and_so_has_the_log(server: RunningServer) -> None:
    given = httpx.get(f"{server.account}/orders", headers={"request-id": "mine-1", "authorization": "Bearer sandbox"})
    assert given.headers["request-id"] == "mine-1"
    made = [httpx.get(f"{server.url}/{path}", headers={"request-id": "two words"}) for path in ("healthz", "nowhere")]
    ids = [answer.headers["request-id"] for answer in made]
    assert all(re.fullmatch(r"req_[0-9a-f]+_[0-9a-f]+", each) for each in ids)
    assert len(set(ids)) == 2
    told = [(record["request_id"], record["message"], record["status"]) for record in records(server) if "ms" in record]
    assert told == [
        ("mine-1", "GET /sophic/accounts/acc_demo/orders", 200),
        (ids[0], "GET /healthz", 200),
        (ids[1], "GET /nowhere", 404),
    ]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nx: " + b"x" * 70_000, 431),
        (b"GET / HTTP/1.1\r\nbad header\r\n\r\n", 400),
    ],
    ids=["not HTTP", "a head without end", "a header that is none"],
)
def test_what_has_not_become_a_request_gets_an_id_too(server: RunningServer, sent: bytes, status: int) -> None:
    answer = exchange(server.url, [sent])
    assert answer is not None
    assert answer.status == status
    assert answer.headers["request-id"].startswith("req_")
    assert set(json.loads(answer.body)) == {"code", "detail"}


def test_requests_in_one_packet_each_get_their_own_id_back(server: RunningServer) -> None:
    heads = b"".join(b"GET /healthz HTTP/1.1\r\nhost: x\r\nrequest-id: mine-%d\r\n\r\n" % at for at in range(5))
    with connect(server.url) as connection:
        connection.sendall(heads.replace(b"mine-4\r\n", b"mine-4\r\nconnection: close\r\n"))
        said = read_all(connection)
    assert re.findall(rb"request-id: (\S+)", said) == [b"mine-%d" % at for at in range(5)]


def test_no_secret_reaches_the_log_even_at_debug(tmp_path: Path, file: Path) -> None:
    """Not when it is right, not when it is wrong, not in a query, and not where a WebSocket is asked for."""
    with RunningServer(tmp_path / "data", "--config", str(file), "--token", CANARY) as server:
        for headers in ({"authorization": f"Bearer {CANARY}"}, {"authorization": f"Bearer x{CANARY}"}):
            httpx.get(f"{server.account}/orders?token={CANARY}", headers=headers)
        upgrade = [
            f"GET /sophic/stream?token={CANARY} HTTP/1.1",
            "host: x",
            "connection: upgrade",
            "upgrade: websocket",
            "sec-websocket-version: 13",
            "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
            f"authorization: Bearer {CANARY}",
        ]
        answer = exchange(server.url, ["\r\n".join([*upgrade, "\r\n"]).encode()])
        assert answer is not None
        exchange(server.url, [f"GET / HTTP/1.1\r\nauthorization {CANARY}\r\n\r\n".encode()])
        server.stop()
        assert len(records(server)) > 4
        assert CANARY not in server.log


# --- Ready or not ---


def test_ready_is_who_takes_orders_and_the_operators_see_it_too(server: RunningServer) -> None:
    for url in (server.url, operators(server)):
        answer = httpx.get(f"{url}/readyz")
        assert (answer.status_code, answer.json()) == (200, {"status": "ready", "reasons": []})
        assert httpx.get(f"{url}/healthz").status_code == 200


def test_with_the_disk_almost_full_it_is_healthy_but_not_ready(tmp_path: Path, file: Path) -> None:
    with RunningServer(tmp_path / "data", "--config", str(file), "--disk-low", str(1 << 30)) as server:
        answer = httpx.get(f"{server.url}/readyz")
        assert (answer.status_code, answer.json()["reasons"]) == (503, ["sophic: disk_low", "bluefin: disk_low"])
        assert httpx.get(f"{server.url}/healthz").status_code == 200


def test_operators_are_served_apart_from_clients(server: RunningServer) -> None:
    assert httpx.get(f"{operators(server)}/sophic/accounts/acc_demo/orders").status_code == 404


# --- Ending ---


def test_a_signal_drains_what_is_in_flight_is_answered_and_nothing_new_is_taken(server: RunningServer) -> None:
    door = operators(server)
    with InFlight(server) as order:
        server._process.send_signal(signal.SIGTERM)
        until(lambda: is_refused(server))
        answer = httpx.get(f"{door}/readyz")
        assert (answer.status_code, answer.json()["reasons"]) == (503, ["draining"])
        said = order.finish()
    assert said.startswith(b"HTTP/1.1 201 ")
    assert b"connection: close" in said
    assert server.wait() == 0
    assert "stopping: 1 requests are in flight" in server.log
    with RunningServer(server.data, "--prices", "fixed") as again, Customer(again) as customer:
        [kept] = customer.orders()
        assert kept["id"].encode() in said


def test_what_does_not_end_in_time_is_told_and_left(tmp_path: Path, file: Path) -> None:
    file.write_text(f"{FILE}\n[server]\ndrain_seconds = 0.3\n")
    with RunningServer(tmp_path / "data", "--config", str(file)) as server, InFlight(server) as order:
        assert server.stop() == 0
        assert order.read().startswith(b"HTTP/1.1 503 ")


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_second_signal_ends_it_at_once_and_what_was_acknowledged_is_there(
    server: RunningServer, second: signal.Signals
) -> None:
    with Customer(server) as customer:
        acknowledged = customer.place("buy", "1.00")
    with InFlight(server):
        server._process.send_signal(signal.SIGTERM)
        until(lambda: is_refused(server))
        server._process.send_signal(second)
        assert server.wait() == 128 + second
    with RunningServer(server.data, "--prices", "fixed") as again, Customer(again) as customer:
        assert [order["id"] for order in customer.orders()] == [acknowledged["id"]]


# --- Refusing to begin ---


def refusal(data: Path, *options: str) -> list[str]:
    """What a server says that does not begin."""
    ended = subprocess.run(
        [sys.executable, "-m", "tallystick", "serve", "--port", "0", "--data", str(data), *options],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    return ended.stderr.splitlines()


def test_all_that_is_wrong_is_said_and_nothing_is_made(tmp_path: Path, file: Path) -> None:
    file.write_text('[server]\nprot = 1\n[log]\nformat = "xml"\n')
    said = refusal(tmp_path / "data", "--config", str(file))
    assert [line.split(":")[:2] for line in said] == [["tallystick", " server.prot"], ["tallystick", " log.format"]]
    assert not (tmp_path / "data").exists()


def test_a_sandbox_is_not_opened_to_other_machines(tmp_path: Path) -> None:
    said = refusal(tmp_path / "data", "--host", "0.0.0.0")
    assert [line.split(":")[1] for line in said] == [" sandbox.enabled", " ops.bind"]
    assert not (tmp_path / "data").exists()


def test_other_machines_are_not_let_in_before_there_is_a_client(tmp_path: Path, file: Path) -> None:
    file.write_text('[server]\nhost = "0.0.0.0"\n[ops]\nbind = "127.0.0.1:0"\n')
    [said] = refusal(tmp_path / "data", "--config", str(file))
    assert "server.host: no client could sign in; let one in first: tallystick client add" in said


def test_without_a_sandbox_its_token_opens_nothing(tmp_path: Path, file: Path) -> None:
    file.write_text("")
    with RunningServer(tmp_path / "data", "--config", str(file)) as server:
        for shown in ("Bearer sandbox", "Bearer", "bearer  sandbox"):
            answer = httpx.get(f"{server.account}/orders", headers={"authorization": shown})
            assert answer.status_code == 401
        assert server.stop() == 0


def test_a_port_of_the_operators_in_use_is_named(tmp_path: Path, file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        file.write_text(f'[sandbox]\nenabled = true\n[ops]\nbind = "127.0.0.1:{port}"\n')
        [said] = refusal(tmp_path / "data", "--config", str(file))
    assert f"Port {port} is in use" in said
    assert "ops.bind" in said
    assert not (tmp_path / "data").exists()
