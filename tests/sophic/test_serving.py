"""Serving: beginning, ending gently or under load, beginning again, and refusing to begin, each with a clear word."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import which

import httpx
import pytest

from tests.running import RunningServer
from tests.sophic.customer import Customer, until

LOAD_THREADS = 8


def refused(data: Path, *options: str) -> str:
    """The message of a server that must not start: exit code other than 0, nothing on stdout, no traceback."""
    with subprocess.Popen(
        [sys.executable, "-m", "tallystick", "serve", "--port", "0", "--data", str(data), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        if said:
            process.kill()
        _, message = process.communicate(timeout=30)
    assert said == "", "it started"
    assert process.returncode != 0
    assert "Traceback" not in message
    return " ".join(message.split())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_health_tells_that_it_takes_orders_and_how_far_it_is(data: Path) -> None:
    with RunningServer(data, "--pace", "1000", "--prices", "fixed") as server, Customer(server) as customer:
        before = httpx.get(f"{server.url}/healthz")
        assert before.status_code == 200
        assert before.json()["status"] == "ok"
        customer.place("buy", "1.00")
        after = httpx.get(f"{server.url}/healthz").json()
        assert after["venues"]["sophic"]["sequence"] == before.json()["venues"]["sophic"]["sequence"] + 1


def test_a_second_server_on_the_same_folder_is_refused_and_the_first_goes_on(data: Path) -> None:
    with RunningServer(data, "--prices", "fixed") as server, Customer(server) as customer:
        message = refused(data)
        assert f"in use by process {server.pid}" in message
        assert str(data) in message
        assert customer.place("buy", "1.00")["status"] == "placed"


def test_a_port_in_use_is_refused_and_the_folder_let_go_of(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        message = refused(data, "--port", port)
        assert "is in use" in message
        assert port in message
    with RunningServer(data) as server:
        assert httpx.get(f"{server.url}/healthz").status_code == 200


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_signal_ends_it_quietly_with_exit_code_0(data: Path, signal_number: signal.Signals) -> None:
    with RunningServer(data, "--prices", "fixed") as server, Customer(server) as customer:
        customer.place("buy", "1.00")
        os.kill(server.pid, signal_number)
        server._process.communicate(timeout=30)
        assert server._process.returncode == 0
        assert [line for line in server.log.splitlines() if " INFO " not in line] == []


def test_a_stop_under_load_drains_and_the_next_start_has_everything(data: Path) -> None:
    def order_until_it_ends(server: RunningServer) -> list[str]:
        accepted: list[str] = []
        with Customer(server) as customer:
            while True:
                try:
                    answer = customer.try_place("buy", "1.00")
                except httpx.TransportError:
                    return accepted
                if answer.status_code == 503:
                    return accepted
                assert answer.status_code == 201
                accepted.append(answer.json()["id"])

    with RunningServer(data, "--pace", "0", "--prices", "fixed") as server, ThreadPoolExecutor(LOAD_THREADS) as pool:
        running = [pool.submit(order_until_it_ends, server) for _ in range(LOAD_THREADS)]
        with Customer(server) as customer:
            until(lambda: len(customer.orders(limit=1000)) > 20 * LOAD_THREADS)
        code = server.stop()
        accepted = [order_id for each in running for order_id in each.result()]
        assert "Traceback" not in server.log

    with RunningServer(data, "--pace", "0", "--prices", "fixed") as server, Customer(server) as customer:
        customer.until_settled()
        assert len(accepted) == len(set(accepted)) > 20 * LOAD_THREADS
        for order_id in accepted:
            assert customer.order(order_id)["status"] == "settled"
        assert "Traceback" not in server.log
    assert code == 0


def test_a_restart_shows_the_same_bytes(data: Path) -> None:
    with RunningServer(data, "--pace", "0", "--prices", "fixed") as server, Customer(server) as customer:
        customer.place("buy", "12345.67", "ins_world")
        customer.place("sell", "12.5")
        customer.place("buy", "0.50", "ins_tbill")
        customer.until_settled()
        before = customer.everything()
        server.stop()
    with RunningServer(data, "--pace", "0", "--prices", "walk") as server, Customer(server) as customer:
        assert customer.everything() == before
        server.kill()
    with RunningServer(data, "--pace", "1", "--prices", "fixed") as server, Customer(server) as customer:
        assert customer.everything() == before


def test_orders_go_on_after_a_kill_where_they_were(data: Path) -> None:
    with RunningServer(data, "--pace", "0.2", "--prices", "fixed") as server, Customer(server) as customer:
        first = customer.place("buy", "7500.00")
        until(lambda: customer.order(first["id"])["trades"])
        second = customer.place("sell", "3")
        server.kill()
    with RunningServer(data, "--pace", "0", "--prices", "fixed") as server, Customer(server) as customer:
        customer.until_settled()
        assert [order["id"] for order in customer.orders()] == [second["id"], first["id"]]
        assert customer.order(first["id"])["created_at"] == first["created_at"]
        assert (customer.order(first["id"])["traded_notional"], customer.order(first["id"])["fees"]) == (
            "7481.29",
            "18.71",
        )
        assert customer.cash()["total"] == "92874.06"  # - 7481.29 - 18.71 + 375.00 - 0.94
        assert customer.cash()["reserved"] == "0.00"


@pytest.mark.parametrize("secret", [bytes(32), None], ids=["another", "none"])
def test_the_secret_of_another_folder_is_refused(data: Path, secret: bytes | None) -> None:
    with RunningServer(data) as server:
        server.stop()
    key = data / "secret.key"
    right = key.read_bytes()
    key.unlink()
    if secret is not None:
        key.write_bytes(secret)
    message = refused(data)
    assert "secret.key does not belong to this journal" in message
    key.write_bytes(right)
    with RunningServer(data) as server:
        assert httpx.get(f"{server.url}/healthz").status_code == 200


def test_a_secret_of_the_wrong_length_is_refused(data: Path) -> None:
    data.mkdir()
    (data / "secret.key").write_bytes(b"short")
    assert "secret.key has 5 bytes instead of 32" in refused(data)


def test_a_journal_that_is_none_is_refused_and_left_as_it_is(data: Path) -> None:
    data.mkdir()
    (data / "journal.db").write_bytes(b"dear diary " * 1000)
    assert "journal.db" in refused(data)
    assert (data / "journal.db").read_bytes() == b"dear diary " * 1000


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    folder = tmp_path / "prices"
    folder.mkdir()
    return folder


def test_recorded_prices_are_what_orders_trade_at(data: Path, prices: Path) -> None:
    (prices / "ins_acme.csv").write_text("time,price\n2020-01-01T00:00:00Z,20.5\n")
    with RunningServer(data, "--pace", "0", "--prices", str(prices)) as server, Customer(server) as customer:
        order = customer.place("sell", "2")
        assert [trade["price"] for trade in order["trades"]] == ["20.5000"]
        assert (order["traded_notional"], order["fees"]) == ("41.00", "0.11")


def test_an_order_is_pending_while_there_is_no_price_and_goes_on_when_there_is(data: Path, prices: Path) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    (prices / "ins_acme.csv").write_text(f"{tomorrow.strftime('%Y-%m-%dT%H:%M:%SZ')},100\n")
    with RunningServer(data, "--pace", "0", "--prices", str(prices)) as server, Customer(server) as customer:
        order = customer.place("buy", "1002.50")
        assert (order["status"], order["trades"]) == ("pending", [])
        assert (customer.cash()["reserved"], customer.cash()["total"]) == ("1002.50", "100000.00")
        server.stop()
    with RunningServer(data, "--pace", "0", "--prices", "fixed") as server, Customer(server) as customer:
        customer.until_settled()
        settled = customer.order(order["id"])
        assert (settled["created_at"], settled["traded_quantity"]) == (order["created_at"], "8.000000")
        assert (settled["traded_notional"], settled["fees"]) == ("1000.00", "2.50")
        assert (customer.cash()["reserved"], customer.cash()["total"]) == ("0.00", "98997.50")


BAD_RECORDINGS = {
    "a price that is none": (b"time,price\n2020-01-01T00:00:00Z,1.5\n2020-01-02T00:00:00Z,cheap\n", "line 3"),
    "a time that is none": (b"time,price\nyesterday,1.5\n", "line 2"),
    "three columns": (b"1,1.5\n2,1.5,1.6\n", "line 2"),
    "a negative price": (b"1,-1.5\n", "line 1"),
    "too many decimals": (b"1,1.5\n\n2,1.00001\n", "line 3"),
    "times that do not grow": (b"2,1.5\n2,1.6\n", "line 2"),
    "nothing at all": (b"", "line 1"),
    "an open quote": (b'1,"1.5\n', "line 1"),
}


@pytest.mark.parametrize("title", BAD_RECORDINGS)
def test_a_bad_recording_is_refused_naming_its_line(data: Path, prices: Path, title: str) -> None:
    content, line = BAD_RECORDINGS[title]
    (prices / "ins_acme.csv").write_bytes(content)
    assert line in refused(data, "--prices", str(prices))


def test_a_bad_recording_is_refused_naming_its_file(data: Path, prices: Path) -> None:
    (prices / "ins_acme.csv").write_text("1,1.5\n")
    (prices / "ins_world.csv").write_text("1,cheap\n")
    assert "ins_world.csv" in refused(data, "--prices", str(prices))


def test_a_recording_that_is_not_text_is_refused(data: Path, prices: Path) -> None:
    (prices / "ins_acme.csv").write_bytes(b"1,1.5\n2,\xff\xfe\n")
    assert "ins_acme.csv" in refused(data, "--prices", str(prices))


def test_a_recording_for_no_instrument_is_refused_rather_than_ignored(data: Path, prices: Path) -> None:
    (prices / "ins_amce.csv").write_text("1,1.5\n")
    assert "ins_amce.csv" in refused(data, "--prices", str(prices))


@pytest.mark.parametrize(
    "options",
    [
        ("--prices", "no-such-folder"),
        ("--pace", "nan"),
        ("--pace", "-1"),
        ("--pace", "inf"),
        ("--pace", "fast"),
        ("--port", "65536"),
        ("--port", "-1"),
        ("--token", ""),
        ("--token", "two words\n"),
        ("--token", "gehe\u00efm"),
    ],
    ids=lambda options: " ".join(options).strip(),
)
def test_an_option_that_cannot_be_meant_is_refused(data: Path, options: tuple[str, str]) -> None:
    """A token that no client can send, or an empty one, would lock everybody out without a word."""
    assert options[0].strip("-") in refused(data, *options)


def test_a_data_folder_that_is_a_file_is_refused(data: Path) -> None:
    data.write_text("")
    assert str(data) in refused(data)


def welcome_lines(process: "subprocess.Popen[str]") -> Iterator[str]:
    assert process.stdout is not None
    for line in process.stdout:
        yield line.rstrip("\n")
        if line.startswith("An order is placed"):
            return


@pytest.mark.skipif(which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("token", ["sandbox", "it's$HOME"], ids=["plain", "to be quoted"])
def test_the_lines_of_the_welcome_work_as_they_stand(data: Path, token: str) -> None:
    """Whoever copies a line must get what it promises, whatever the token is."""
    environment = {**os.environ, "TALLYSTICK_TOKEN": token}
    with subprocess.Popen(
        [sys.executable, "-m", "tallystick", "serve", "--port", "0", "--data", str(data), "--prices", "fixed"],
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    ) as process:
        try:
            lines = [line.strip() for line in welcome_lines(process) if line.strip().startswith("curl ")]
            answers = [subprocess.run(line, shell=True, capture_output=True, text=True, check=True) for line in lines]
        finally:
            process.terminate()
    assert len(lines) == 5
    balances, buy, sell, orders, positions = (answer.stdout for answer in answers)
    assert '"total":"100000.00"' in balances
    assert '"status":"placed"' in buy
    assert '"side":"buy"' in buy
    assert '"status":"placed"' in sell
    assert '"side":"sell"' in sell
    assert orders.count('"id":"ord_') == 2
    assert '"instrument":"ins_acme"' in positions
