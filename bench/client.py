"""The load: buys and sells over keep-alive connections, from a process that does as little as it can for each.

``closed``: every connection sends the next order when the last is answered. ``open``: orders are sent when they are
due, whatever the server does, and their latency counts from then (so that a stalled server cannot hide behind a client
that waits for it). Run by ``bench.processes.ask``.
"""

import gc
import json
import os
import select
import sys
from collections import Counter, deque
from collections.abc import Sequence
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from socket import IPPROTO_TCP, TCP_NODELAY, create_connection, socket
from time import perf_counter, process_time
from typing import Any, Final

from bench.flush import percentile

ACCOUNT: Final = "acc_demo"
TOKEN: Final = "sandbox"
KEY_DIGITS: Final = 12
BODIES: Final = (
    '{"instrument":"ins_acme","order_type":"market","side":"buy","cash_amount":"0.10"}',
    '{"instrument":"ins_acme","order_type":"market","side":"sell","quantity":"0.0001"}',
)
CREATED: Final = b"HTTP/1.1 201"
LENGTH: Final = b"content-length: "
GRACE_SECONDS: Final = 2.0


def request(body: str, token: str, more: str = "", account: str = ACCOUNT) -> bytes:
    """The bytes of one request."""
    head = (
        f"POST /sophic/accounts/{account}/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n{more}"
    )
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


class Requests:
    """Buys and sells in turn. ``keyed`` gives each an Idempotency-Key of its own."""

    def __init__(self, token: str, keyed: bool, account: str = ACCOUNT) -> None:
        key = f"Idempotency-Key: {'0' * KEY_DIGITS}\r\n" if keyed else ""
        self._requests: Final = tuple(request(body, token, key, account) for body in BODIES)
        self._at: Final = self._requests[0].find(b"0" * KEY_DIGITS) if keyed else 0
        self._sent = 0

    def next(self) -> bytes:
        """The next order's bytes."""
        self._sent += 1
        order = self._requests[self._sent % len(self._requests)]
        if not self._at:
            return order
        return order[: self._at] + b"%0*d" % (KEY_DIGITS, self._sent) + order[self._at + KEY_DIGITS :]


def granted_token(port: int) -> str:
    """A token as a client gets it, for the sandbox's client."""
    form = f"grant_type=client_credentials&client_id=demo&client_secret={TOKEN}"
    asked = (
        "POST /sophic/auth/token HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(form)}\r\n\r\n{form}"
    )
    with create_connection(("127.0.0.1", port), timeout=GRACE_SECONDS) as connected:
        connected.sendall(asked.encode())
        answer = b""
        while data := connected.recv(65536):
            answer += data
    return str(json.loads(answer.partition(b"\r\n\r\n")[2])["access_token"])


class Connection:
    """One keep-alive connection with at most one request under way, sent or due at ``since``."""

    __slots__ = ("_buffer", "_requests", "_socket", "created", "since")

    def __init__(self, connected: socket, requests: Requests) -> None:
        self._socket: Final = connected
        self._requests: Final = requests
        self._buffer = b""
        self.since = 0.0
        self.created = False

    def send(self, since: float) -> None:
        """Send the next order."""
        self.since = since
        self._socket.send(self._requests.next())

    def receive(self) -> int:
        """Read what is there: the answer's size once it is whole (``created`` says whether it was 201), else 0."""
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("the server closed a connection")
        if self._buffer:
            data = self._buffer + data
        head = data.find(b"\r\n\r\n")
        if head >= 0:
            at = data.index(LENGTH) + len(LENGTH)
            if len(data) >= head + 4 + int(data[at : data.index(b"\r", at)]):
                self._buffer = b""
                self.created = data.startswith(CREATED)
                if not self.created:
                    refusals[data[9:12].decode()] += 1
                return len(data)
        self._buffer = data
        return 0


refusals: Final[Counter[str]] = Counter()


class Usage:
    """Shares of a core, from construction to ``read``: this process's, the server's, and that of everything else."""

    def __init__(self, server: int) -> None:
        self._server = server
        self._begin = self._now()

    def read(self) -> dict[str, float]:
        took, client, server, busy = (now - then for now, then in zip(self._now(), self._begin, strict=True))
        return {
            "seconds": took,
            "client_share": client / took,
            "server_share": server / took,
            "others_share": max(0.0, busy - client - server) / took,
        }

    def _now(self) -> tuple[float, float, float, float]:
        return perf_counter(), process_time(), cpu_seconds(self._server), busy_seconds()


def cpu_seconds(process: int) -> float:
    """CPU time of a process, all its threads; nan where the system does not say."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def busy_seconds() -> float:
    """CPU time of everything on the machine; nan where the system does not say."""
    try:
        user, nice, system, _idle, _waiting, *rest = map(int, Path("/proc/stat").read_text().split(maxsplit=9)[1:9])
    except OSError:
        return float("nan")
    return (user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK")


def connect(
    port: int, count: int, keyed: bool, accounts: Sequence[tuple[str, str]] = ()
) -> tuple[DefaultSelector, list[Connection]]:
    """``keyed``: with a granted token, and a key for each order. ``accounts``, with tokens: one for each connection."""
    selector = DefaultSelector()
    connections = []
    shared = Requests(granted_token(port) if keyed else TOKEN, keyed)
    for number in range(count):
        account, token = accounts[number] if accounts else (ACCOUNT, TOKEN)
        requests = Requests(token, keyed, account) if accounts else shared
        connected = create_connection(("127.0.0.1", port), timeout=GRACE_SECONDS)
        connected.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        connected.settimeout(0)
        connection = Connection(connected, requests)
        selector.register(connected, EVENT_READ, connection)
        connections.append(connection)
    return selector, connections


def closed(
    port: int, server: int, connections: int, warm: float, seconds: float, keyed: bool = False
) -> dict[str, Any]:
    """As fast as the server answers: after ``warm`` seconds, what ``seconds`` gave."""
    selector, all_of_them = connect(port, connections, keyed)
    latencies: list[float] = []
    begin = perf_counter()
    for connection in all_of_them:
        connection.send(begin)
    usage: Usage | None = None
    size = 0
    while (now := perf_counter()) < begin + warm + seconds:
        if usage is None and now >= begin + warm:
            usage = Usage(server)
            latencies.clear()
        for key, _ in selector.select(GRACE_SECONDS):
            connection = key.data
            if answered := connection.receive():
                now = perf_counter()
                latencies.append(now - connection.since)
                size = answered
                connection.send(now)
    assert usage is not None
    used = usage.read()
    return {"rate": len(latencies) / used["seconds"], "answer_bytes": size, **used, **_latencies(latencies)}


def open_loop(
    port: int,
    server: int,
    connections: int,
    rate: int,
    warm: float,
    seconds: float,
    accounts: Sequence[tuple[str, str]] = (),
) -> dict[str, Any]:
    """``rate`` orders a second, evenly; latency is from when each was due. What was due in ``warm`` is not counted."""
    selector, all_of_them = connect(port, connections, keyed=False, accounts=accounts)
    idle = deque(all_of_them)
    total, first_counted = round(rate * (warm + seconds)), round(rate * warm)
    latencies: list[float] = []
    late: list[float] = []
    usage: Usage | None = None
    begin = now = perf_counter()
    sent = answered = 0
    while answered < total and now < begin + warm + seconds + GRACE_SECONDS:
        while sent < total and idle and begin + sent / rate <= now:
            due = begin + sent / rate
            idle.popleft().send(due)
            if sent >= first_counted:
                usage = usage or Usage(server)
                late.append(now - due)
            sent += 1
        wait = begin + sent / rate - perf_counter() if idle and sent < total else GRACE_SECONDS
        # The selector counts in milliseconds, select() in microseconds.
        if select.select([selector.fileno()], [], [], max(wait, 0))[0]:
            for key, _ in selector.select(0):
                if key.data.receive():
                    answered += 1
                    idle.append(key.data)
                    if key.data.since >= begin + warm:
                        latencies.append(perf_counter() - key.data.since)
        now = perf_counter()
    assert usage is not None
    # What was never answered waited at least until now.
    unanswered = total - first_counted - len(latencies)
    latencies.extend([GRACE_SECONDS] * unanswered)
    return {
        "unanswered": unanswered,
        "late_ms": percentile(late, 0.99) * 1000,
        **usage.read(),
        **_latencies(latencies),
    }


def _latencies(latencies: list[float]) -> dict[str, Any]:
    return {
        "answers": len(latencies),
        "p50_ms": percentile(latencies, 0.5) * 1000,
        "p99_ms": percentile(latencies, 0.99) * 1000,
        "worst_ms": max(latencies, default=float("nan")) * 1000,
        "refusals": dict(refusals),
    }


def main() -> None:
    """One question, one answer."""
    gc.disable()
    question = json.loads(sys.argv[1])
    run = closed if question.pop("loop") == "closed" else open_loop
    print(json.dumps(run(**question)))


if __name__ == "__main__":
    main()
