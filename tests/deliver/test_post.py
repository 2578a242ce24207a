"""One attempt against receivers that misbehave in every way of specs/reliability.md R11, over real sockets."""

import asyncio
import ssl
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest

from tallystick.deliver.addresses import Reach
from tallystick.deliver.post import Limits, Poster, read_retry_after
from tallystick.deliver.schedule import Outcome
from tests.deliver.certificate import certificate
from tests.deliver.receiver import Answer, Receiver

ANYWHERE = Reach(everywhere=True)
QUICK = Limits(connect_seconds=0.5, answer_seconds=0.5)
OK = b"HTTP/1.1 200 OK\r\n"


async def this_machine(_host: str, _port: int) -> list[str]:
    return ["127.0.0.1"]


def post(url: str, times: int = 1, tls: ssl.SSLContext | None = None, limits: Limits = QUICK) -> list[Outcome]:
    async def attempts() -> list[Outcome]:
        poster = Poster(ANYWHERE, this_machine, tls, limits)
        found = [await poster.post(ANYWHERE.read(url), [("Webhook-Id", "whd_1")], b"{}") for _ in range(times)]
        poster.close()
        await asyncio.sleep(0)
        return found

    return asyncio.run(attempts())


@pytest.mark.parametrize(
    ("case", "answer", "status", "error"),
    [
        ("it answers 204", 204, 204, ""),
        ("it answers 200 and a chunked body", OK + b"transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200, ""),
        ("it says Continue first", b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"content-length: 0\r\n\r\n", 200, ""),
        ("it speaks HTTP/1.0", b"HTTP/1.0 200 OK\r\n\r\nok", 200, ""),
        ("its body never ends", [OK + b"content-length: 999999999999\r\n\r\n" + b"x" * 200_000, 9.0], 200, ""),
        ("it redirects", b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", 302, ""),
        ("it answers 410", 410, 410, ""),
        ("it answers 500", 500, 500, ""),
        ("it hangs", [9.0], 0, "timeout"),
        ("it answers too late", [0.7, 200], 0, "timeout"),
        ("it sends its head drop by drop", [b"HTTP/1.1 2"], 0, "connection"),
        ("it closes without a word", b"", 0, "connection"),
        ("it does not speak HTTP", b"SSH-2.0-OpenSSH_9.6\r\n", 0, "response"),
        ("its head never ends", OK + b"x: " + b"y" * 100_000, 0, "response"),
        ("its head has endless lines", OK + b"x: y\r\n" * 10_000, 0, "response"),
        ("it changes the protocol", b"HTTP/1.1 101 Go\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", 0, "response"),
        ("its length is no number", OK + b"content-length: many\r\n\r\n", 0, "response"),
    ],
)
def test_what_is_made_of_each_answer(case: str, answer: Answer, status: int, error: str) -> None:
    with Receiver(lambda _received: answer) as receiver:
        (outcome,) = post(receiver.url)
    assert (outcome.status, outcome.error) == (status, error)
    assert outcome.is_success == (200 <= status < 300)
    assert bool(outcome.detail) == bool(error)


def test_a_head_that_trickles_is_given_up_in_time() -> None:
    """Slow loris: a byte now and then does not prolong anything."""

    async def attempt() -> tuple[Outcome, float]:
        async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await reader.readuntil(b"\r\n\r\n")
                while True:
                    writer.write(b"H")
                    await asyncio.sleep(0.05)
            except (ConnectionError, asyncio.CancelledError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(drip, "127.0.0.1", 0)
        poster = Poster(ANYWHERE, this_machine, limits=QUICK)
        port = server.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()
        began = loop.time()
        outcome = await poster.post(ANYWHERE.read(f"http://127.0.0.1:{port}/"), [], b"{}")
        took = loop.time() - began
        poster.close()
        server.close()
        await asyncio.sleep(0.1)
        return outcome, took

    outcome, took = asyncio.run(attempt())
    assert outcome.error in ("timeout", "response")
    assert took < 5


def test_nobody_listens() -> None:
    with Receiver() as receiver:
        url = receiver.url
    (outcome,) = post(url)
    assert (outcome.status, outcome.error) == (0, "connection")


def test_a_connection_is_used_again() -> None:
    ports: set[str] = set()
    with Receiver() as receiver:
        outcomes = post(receiver.url, times=5)
        ports.update(each.headers["host"] for each in receiver.received)
        assert receiver.connections == 1
    assert [each.status for each in outcomes] == [204] * 5


def test_a_connection_that_was_closed_meanwhile_costs_no_attempt() -> None:
    """It closes after each answer without having said so."""
    with Receiver(lambda _received: OK + b"content-length: 0\r\n\r\n") as receiver:
        assert [each.status for each in post(receiver.url, times=5)] == [200] * 5


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("", None), ("120", 120), (" 7 ", 7), ("-1", None), ("soon", None), ("1e9", None), ("9" * 30, None)],
)
def test_retry_after_in_seconds(text: str, seconds: int | None) -> None:
    assert read_retry_after(text, 0) == seconds


def test_retry_after_as_a_date() -> None:
    at = datetime(2026, 3, 12, 14, 30, 5, tzinfo=UTC)
    assert read_retry_after(format_datetime(at, usegmt=True), at.timestamp() - 90) == 90
    assert read_retry_after(format_datetime(at, usegmt=True), at.timestamp() + 90) == 0


# --- TLS ---


@pytest.mark.parametrize(
    ("case", "name", "days", "is_trusted", "error"),
    [
        ("its certificate is its own", "hooks.example", 1, True, ""),
        ("its certificate is another's", "other.example", 1, True, "tls"),
        ("its certificate has expired", "hooks.example", -1, True, "tls"),
        ("nobody vouches for its certificate", "hooks.example", 1, False, "tls"),
    ],
)
def test_tls_is_verified(tmp_path: Path, case: str, name: str, days: int, is_trusted: bool, error: str) -> None:
    server, trusting = certificate(tmp_path, name, days)
    with Receiver(tls=server) as receiver:
        url = f"https://hooks.example:{receiver.port}/"
        (outcome,) = post(url, tls=trusting if is_trusted else None, limits=Limits(5, 5))
    assert outcome.error == error
    assert outcome.status == (0 if error else 204)


def test_plain_http_where_tls_is_expected() -> None:
    with Receiver(lambda _received: b"HTTP/1.1 200 OK\r\n\r\n") as receiver:
        (outcome,) = post(f"https://127.0.0.1:{receiver.port}/")
    assert outcome.error in ("tls", "timeout", "connection")
