"""One server, a healthy endpoint, and beside it one of each kind of specs/reliability.md R11 that misbehaves."""

import asyncio
import socket
import struct
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from time import monotonic, sleep
from typing import Any, NamedTuple

import pytest

from tests.deliver.certificate import certificate
from tests.deliver.customer import EVENTS_OF_A_BUY, POLL_SECONDS, Client, served
from tests.deliver.receiver import Answer, Receiver

ORDERS = 20
EVENTS = ORDERS * len(EVENTS_OF_A_BUY)
OK = b"HTTP/1.1 200 OK\r\n"
CHUNK = b"x" * 65_536
sent_of_endless = [0]


async def reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def ten_gigabytes(writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"content-length: 10000000000\r\n\r\n")
    while True:
        writer.write(CHUNK)
        await writer.drain()
        sent_of_endless[0] += len(CHUNK)


async def drop_by_drop(writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"x: ")
    while True:
        writer.write(b"y")
        await writer.drain()
        await asyncio.sleep(0.2)


class Kind(NamedTuple):
    """What it does, and the ``status`` and ``error`` of the first attempt; ``waits``: it is given the whole 15 s."""

    case: str
    answer: Answer | Sequence[Answer]
    status: int | None
    error: str | None
    waits: bool = False


KINDS = (
    Kind("it answers after 29 s", [29.0, 200], None, "timeout", waits=True),
    Kind("it hangs", [600.0], None, "timeout", waits=True),
    Kind("it answers drop by drop", drop_by_drop, None, "timeout", waits=True),
    Kind("it resets the connection", reset, None, "connection"),
    Kind("it answers 500", 500, 500, "http"),
    Kind("it answers 410", 410, 410, "http"),
    Kind("it answers 429", b"HTTP/1.1 429 No\r\nretry-after: 7200\r\ncontent-length: 0\r\n\r\n", 429, "http"),
    Kind("it answers 503", b"HTTP/1.1 503 No\r\nretry-after: 7200\r\ncontent-length: 0\r\n\r\n", 503, "http"),
    Kind("it redirects", b"", 307, "http"),
    Kind("its body has ten gigabytes", ten_gigabytes, 200, None),
    Kind("its certificate is nobody's", 200, None, "tls"),
    Kind("it does not speak HTTP", b"SSH-2.0-OpenSSH_9.6\r\n", None, "response"),
)


def first_attempts(client: Client, webhook: str) -> list[dict[str, Any]]:
    sent = client.get(f"/webhooks/{webhook}/deliveries", limit=1000)
    return [each["attempts"][0] for each in sent if each["attempts"]]


@pytest.mark.slow
def test_none_of_them_costs_the_healthy_one_anything_and_each_is_on_record(tmp_path: Path) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(served(tmp_path, TALLYSTICK_WEBHOOKS_RETRY_SCALE="1"))
        client = stack.enter_context(Client(server))
        healthy = stack.enter_context(Receiver())
        webhooks: dict[str, str] = {}
        for kind in KINDS:
            tls = certificate(tmp_path, "127.0.0.1")[0] if kind.error == "tls" else None
            answer = kind.answer
            if kind.status == 307:
                away = f"HTTP/1.1 307 Away\r\nlocation: {healthy.url}/redirected\r\ncontent-length: 0\r\n\r\n"
                answer = away.encode()
            receiver = stack.enter_context(Receiver(lambda _received, answer=answer: answer, tls))
            url = receiver.url.replace("http:", "https:") if tls else receiver.url
            webhooks[kind.case] = client.register(url)["id"]
        well = client.register(healthy.url)
        for _ in range(ORDERS):
            client.buy()
        received = healthy.wait(lambda got: len([each for each in got if "order" in each.event["name"]]) >= ORDERS * 4)

        # It has everything while those that hang still hang.
        assert all(first_attempts(client, webhooks[kind.case]) == [] for kind in KINDS if kind.waits)
        received = healthy.wait(lambda got: len({each.headers.get("event-id") for each in got}) >= EVENTS)
        assert {each.path for each in received} == {"/hooks"}
        assert {each.headers["webhook-attempt"] for each in received} == {"1"}
        for each in received:
            each.verify(well["secret"])
        for kind in KINDS:
            judge(client, kind, webhooks[kind.case])
        assert sent_of_endless[0] < EVENTS * (16 << 20), "only as much as buffers hold was ever read"
        assert "Traceback" not in server.log


def judge(client: Client, kind: Kind, webhook: str) -> None:
    deadline = monotonic() + 40
    while not (attempts := first_attempts(client, webhook)):
        assert monotonic() < deadline, kind
        sleep(POLL_SECONDS)
    for attempt in attempts:
        response, error = attempt["response"], attempt["error"]
        assert (response and response["status"], error and error["error_type"]) == (kind.status, kind.error), kind
        begun, ended = (datetime.fromisoformat(attempt[name]) for name in ("created_at", "modified_at"))
        assert not kind.waits or (ended - begun).total_seconds() > 14.9
    found = client.get(f"/webhooks/{webhook}")
    assert (found["is_active"], found["inactive_reason"]) == ((False, "gone") if kind.status == 410 else (True, None))
    if kind.status in (429, 503):
        made = client.get(f"/webhooks/{webhook}/deliveries", limit=1000)
        assert len(attempts) <= 4, "the others wait, for the endpoint asked for that"
        assert len(made) >= EVENTS
        for each in made:
            if each["attempts"]:
                until = datetime.fromisoformat(each["next_attempt_at"])
                assert (until - datetime.fromisoformat(each["modified_at"])).total_seconds() >= 7200
