"""Webhooks: signed deliveries per second with every attempt on record, and what two bad endpoints cost the others.

One process sends, from a feed in memory to a file on the disk; another receives. *Flood*: everything is there at the
beginning. *Fairness*: 500 events a second to twenty endpoints, with and without one more that hangs and one that fails.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final

import httptools
from uvicorn.loops.auto import auto_loop_factory

from bench.options import Options
from bench.processes import CLIENT_CORE, ask, serving
from bench.report import Figure, Finding, say
from tallystick.deliver.addresses import Reach
from tallystick.deliver.book import Book
from tallystick.deliver.courier import Policy
from tallystick.deliver.endpoints import Endpoints
from tallystick.deliver.feed import Happening, Page, Sink
from tallystick.deliver.hub import Hub
from tallystick.deliver.records import Endpoint
from tallystick.deliver.sealing import Sealer
from tallystick.deliver.service import Service

SECRET: Final = bytes(32)
FLOOD_ENDPOINTS: Final = 8
FLOOD_EVENTS: Final = 30_000
FAIR_ENDPOINTS: Final = 20
FAIR_PER_SECOND: Final = 500
FAIR_SECONDS: Final = 3


class Feed:
    """Of one owner. What is new is handed over at once, the past is in memory."""

    def __init__(self) -> None:
        self.happenings: list[Happening] = []
        self._sink: Sink | None = None

    def happen(self) -> None:
        number, now = len(self.happenings) + 1, time.time_ns()
        body = (
            f'{{"id":"evt_{number:013}","name":"order.filled","resource":{{"id":"ord_{number:013}",'
            f'"resource_type":"order"}},"data":{{}},"created_at":"2026-03-12T14:30:05.000001Z","sent":{now}}}'
        )
        made = Happening(number, f"evt_{number:013}", "order.filled", "ord", "ord", "demo", now // 1000, body.encode())
        self.happenings.append(made)
        if self._sink is not None and self._sink.wants("demo"):
            self._sink.take(made)

    def newest(self) -> int:
        return len(self.happenings)

    def position(self, text: str) -> int:
        return int(text)

    def text(self, position: int) -> str:
        return str(position)

    def position_at(self, time: int) -> int:
        return 0

    async def page(self, owner: str | None, after: int, limit: int) -> Page:
        found = self.happenings[after : after + limit]
        return Page(found, after + len(found))

    def attach(self, sink: Sink) -> None:
        self._sink = sink


def run(options: Options) -> list[Finding]:
    """Both, in one run; the fairness's rounds in turn."""
    floods = [_ask(options, "flood", 0) for _ in range(1 if options.quick else 3)]
    rate, cpu = median(each["rate"] for each in floods), median(each["cpu_us"] for each in floods)
    say(f"  flood: {rate:,.0f} deliveries/s, {cpu:.0f} us of processor time for each")
    alone, together = [], []
    for _ in range(1 if options.quick else 5):
        alone.append(_ask(options, "fair", 0)["p99_ms"])
        together.append(_ask(options, "fair", 2)["p99_ms"])
        say(f"  fairness: p99 {alone[-1]:.1f} ms, beside two bad ones {together[-1]:.1f} ms")
    beside = f"{cpu:.0f} us of the sender's processor time for each; {FLOOD_ENDPOINTS} endpoints, one sender"
    bad, good = median(together), median(alone)
    return [
        Figure("webhooks: signed deliveries, attempts durable", rate, "/s", 5000, 10_000, beside=beside),
        Figure("webhooks: p99 of healthy endpoints", good, "ms"),
        Figure(
            "webhooks: the same beside one that hangs and one that fails, times that",
            bad / good,
            "x",
            1.5,
            1.1,
            at_most=True,
        ),
        Figure("webhooks: the same, more than that", bad - good, "ms", 50, 10, at_most=True),
    ]


def _ask(options: Options, load: str, bad: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=options.folder) as place, _receiving(Path(place)) as port:
        return ask("bench.deliver", {"load": load, "folder": place, "port": port, "bad": bad}, core=CLIENT_CORE)


@contextmanager
def _receiving(folder: Path) -> Iterator[int]:
    with serving(["bench.deliver", "receive"], folder / "log") as receiver:
        yield receiver.port


# --- The sending process ---


async def flood(folder: Path, port: int) -> dict[str, float]:
    """Everything at once to a few endpoints, each of which gets an equal share by its owner: the rate."""
    feed, service = _service(folder, [f"http://127.0.0.1:{port}/ok"] * FLOOD_ENDPOINTS)
    for _ in range(FLOOD_EVENTS // FLOOD_ENDPOINTS):
        feed.happen()
    began, began_cpu = time.perf_counter(), time.process_time()
    service.start()
    book = Book(folder / "deliveries.db")
    wanted = FLOOD_EVENTS // FLOOD_ENDPOINTS * FLOOD_ENDPOINTS
    while _over(book) < wanted:  # noqa: ASYNC110 - the disk tells nobody
        await asyncio.sleep(0.02)
    seconds, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    await service.stop()
    assert _succeeded(book) == wanted
    return {"rate": FLOOD_EVENTS / seconds, "cpu_us": 1e6 * cpu / FLOOD_EVENTS}


async def fair(folder: Path, port: int, bad: int) -> dict[str, float]:
    """Paced, to endpoints that are well, and ``bad`` that are not: milliseconds from the event to its arrival."""
    urls = [f"http://127.0.0.1:{port}/ok"] * FAIR_ENDPOINTS
    urls += [f"http://127.0.0.1:{port}/{path}" for path in ("hang", "fail")[:bad]]
    feed, service = _service(folder, urls)
    service.start()
    await asyncio.sleep(0.5)
    loop = asyncio.get_running_loop()
    began = loop.time()
    events = FAIR_PER_SECOND * FAIR_SECONDS // FAIR_ENDPOINTS  # each goes to all of them
    for number in range(events):
        await asyncio.sleep(max(0, began + number * FAIR_ENDPOINTS / FAIR_PER_SECOND - loop.time()))
        feed.happen()
    await asyncio.sleep(0.5)
    await service.stop()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /report HTTP/1.1\r\ncontent-length: 0\r\n\r\n")
    text = await reader.read(100_000)
    writer.close()
    waits = sorted(json.loads(text.partition(b"\r\n\r\n")[2]))
    assert len(waits) == events * FAIR_ENDPOINTS, len(waits)
    return {"p99_ms": waits[int(len(waits) * 0.99)] / 1000}


def _service(folder: Path, urls: list[str]) -> tuple[Feed, Service]:
    feed, book, endpoints = Feed(), Book(folder / "deliveries.db"), Endpoints(Sealer())
    for url in urls:
        book.change(lambda each, url=url: endpoints.add(each, "demo", url, "", "none", 0, 1))  # type: ignore[misc]
    book.close()

    def notice(_endpoint: Endpoint, _reason: str, _now: int) -> Happening:
        return feed.happenings[0]

    policy = Policy(reach=Reach(everywhere=True))
    return feed, Service(folder / "deliveries.db", Hub(feed), SECRET, notice, policy, Sealer())


def _over(book: Book) -> int:
    """Of what is on record, found without reading it all."""
    made = "SELECT coalesce(max(number), 0) - (SELECT count(*) FROM deliveries WHERE next_at > 0) FROM deliveries"
    return int(book.read(lambda each: each.execute(made).get))


def _succeeded(book: Book) -> int:
    return int(book.read(lambda each: each.execute("SELECT count(*) FROM deliveries WHERE status = 'succeeded'").get))


# --- The receiving process ---


class Receiver(asyncio.Protocol):
    """/ok answers at once, /hang never, /fail with 500, /report with the waits in microseconds."""

    waits: Final[list[int]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._parser = httptools.HttpRequestParser(self)
        self._body = b""
        self._url = b""

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._url = url

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        body, self._body = self._body, b""
        if self._url == b"/ok":
            sent = int(body.rpartition(b":")[2].rstrip(b"}"))
            self.waits.append((time.time_ns() - sent) // 1000)
            self._transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        elif self._url == b"/fail":
            self._transport.write(b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n")
        elif self._url == b"/report":
            text = json.dumps(self.waits).encode()
            self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(text), text))
            self._transport.close()


async def receive() -> None:
    server = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        if sys.argv[1] == "receive":
            runner.run(receive())
        else:
            asked = json.loads(sys.argv[1])
            place = Path(asked["folder"])
            work = flood(place, asked["port"]) if asked["load"] == "flood" else fair(place, asked["port"], asked["bad"])
            print(json.dumps(runner.run(work)))
