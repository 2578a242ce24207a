"""What is not sent, and says so: webhooks of a client that is disabled, of an older journal, of a sender in trouble."""

import asyncio
import logging
import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import apsw
import httpx
import pytest

from tallystick.deliver import service
from tallystick.deliver.addresses import Reach
from tallystick.deliver.book import Book
from tallystick.deliver.courier import Policy
from tallystick.deliver.hub import Hub
from tallystick.deliver.sealing import Sealer
from tallystick.deliver.service import Service
from tallystick.server.keys import CLIENT, KeyTable
from tests.deliver.customer import EVENTS_OF_A_BUY, Client, served
from tests.deliver.receiver import Receiver
from tests.deliver.sender import RunningSender
from tests.deliver.virtual import SECRET, MemoryFeed
from tests.running import RunningServer

OPS = {"authorization": "Bearer sandbox"}
RIVAL = "acc_rival"


def soon(what: Callable[[], bool], seconds: float = 20) -> None:
    """Return when it is so."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def of_webhooks(server: RunningServer) -> dict[str, Any]:
    return dict(httpx.get(f"{server.url}/healthz").json()["webhooks"]["sophic"])


# --- A client that is disabled ---


def rival(server: RunningServer, data: Path) -> Client:
    """A second client, with an account that has money."""
    table = KeyTable(data)
    secret = table.add(CLIENT, "rival", 0)
    table.close()
    venue = f"{server.url}/ops/venues/sophic"
    money = {"direction": "deposit", "asset": "USD", "amount": "100.00", "reference": "r", "reason": "test"}
    for path, body in (
        ("accounts", {"name": RIVAL, "owner": "rival", "reason": "test"}),
        (f"accounts/{RIVAL}/transfers", money),
    ):
        answer = httpx.post(f"{venue}/{path}", json=body, headers=OPS)
        assert answer.status_code in (200, 201), answer.text
    form = {"grant_type": "client_credentials", "client_id": "rival", "client_secret": secret}
    return Client(server, httpx.post(f"{server.url}/sophic/auth/token", data=form).json()["access_token"])


def switch(data: Path, *, enabled: bool) -> None:
    table = KeyTable(data)
    if enabled:
        table.enable(CLIENT, "rival")
    else:
        table.disable(CLIENT, "rival", 0)
    table.close()


@pytest.mark.parametrize("sends", ["true", "false"], ids=["by the server", "by a sender of its own"])
def test_nothing_is_sent_to_a_disabled_client_and_all_of_it_when_it_is_enabled(tmp_path: Path, sends: str) -> None:
    settings = {"TALLYSTICK_WEBHOOKS_RETRY_SCALE": "0.005", "TALLYSTICK_WEBHOOKS_SENDS": sends}
    status = 500
    with ExitStack() as stack:
        receiver = stack.enter_context(Receiver(lambda _received: status))
        server = stack.enter_context(served(tmp_path, **settings))
        sender = None if sends == "true" else stack.enter_context(RunningSender(server))

        def log() -> str:
            return server.log if sender is None else sender.log

        client = stack.enter_context(rival(server, server.data))
        client.register(receiver.url)
        order = {"instrument": "ins_acme", "order_type": "market", "side": "buy", "cash_amount": "1.00"}
        assert client.http.post(f"/accounts/{RIVAL}/orders", json=order).status_code == 201
        receiver.wait_for(len(EVENTS_OF_A_BUY))

        switch(server.data, enabled=False)
        soon(lambda: "webhooks of rival are held back" in log())
        if sender is None:
            assert of_webhooks(server) == {"status": "sending", "held_back": 1}
        else:
            assert of_webhooks(server)["status"] == "elsewhere"
        time.sleep(1)  # what was under way has ended
        before = len(receiver.received)
        status = 204
        time.sleep(2)  # the third attempts are due by now
        assert len(receiver.received) == before

        switch(server.data, enabled=True)
        receiver.wait(lambda received: len({each.event["name"] for each in received[before:]}) == len(EVENTS_OF_A_BUY))
        assert "webhooks of rival go on" in log()


# --- A journal that is older than the file of webhooks ---


def test_a_restored_journal_is_told_of_and_what_it_goes_on_with_is_sent(tmp_path: Path) -> None:
    data, older = tmp_path / "data", tmp_path / "older"
    with Receiver() as receiver:
        with served(tmp_path) as server, Client(server) as client:
            client.settled(client.buy())
        shutil.copytree(data, older)
        with served(tmp_path) as server, Client(server) as client:
            client.register(receiver.url)
            for _ in range(20):
                client.settled(client.buy())
            receiver.wait_for(20 * len(EVENTS_OF_A_BUY))
        for file in older.glob("sophic.deliveries.db*"):
            file.unlink()
        for file in data.glob("sophic.deliveries.db*"):
            shutil.copy(file, older / file.name)
        shutil.rmtree(data)
        older.rename(data)
        before = len(receiver.received)
        with served(tmp_path) as server, Client(server) as client:
            order = client.buy()
            client.settled(order)
            receiver.wait(lambda received: order["id"] in {each.event["resource"]["id"] for each in received[before:]})
            assert "the journal is older than its webhooks' file" in server.log


# --- A sender in trouble ---


def serving(tmp_path: Path, feed: MemoryFeed) -> Service:
    policy = Policy(reach=Reach(everywhere=True))
    return Service(tmp_path / "deliveries.db", Hub(feed), SECRET, lambda *_: feed.happen(""), policy, Sealer())


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not what():  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)


def test_a_sender_that_fails_as_a_whole_says_so_and_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(service, "AGAIN_SECONDS", 0.05)
    troubles = [OSError("too many open files"), OSError("too many open files")]

    def book(path: Path) -> Book:
        if troubles:
            raise troubles.pop()
        return Book(path)

    async def scene() -> list[str]:
        sending = serving(tmp_path, MemoryFeed())
        monkeypatch.setattr(service, "Book", book)
        found = [sending.status]
        sending.start()
        await until(lambda: len(troubles) < 2)
        found.append(sending.status)
        await until(lambda: sending.status == "sending")
        await sending.stop()
        return [*found, sending.status]

    with caplog.at_level(logging.ERROR):
        assert asyncio.run(scene()) == ["stopped", "failing", "stopped"]
    assert "sending webhooks failed, and begins anew" in caplog.text


def test_the_second_of_two_senders_says_that_it_waits(tmp_path: Path) -> None:
    async def scene() -> None:
        one, other = (serving(tmp_path, MemoryFeed()) for _ in range(2))
        one.start()
        await until(lambda: one.status == "sending")
        other.start()
        await until(lambda: other.status == "waiting")
        await one.stop()
        await until(lambda: other.status == "sending")
        await other.stop()

    asyncio.run(scene())


def test_a_file_that_cannot_be_written_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        feed = MemoryFeed()
        sending = serving(tmp_path, feed)
        sending.start()
        await until(lambda: sending.status == "sending")
        other = apsw.Connection(str(tmp_path / "deliveries.db"))
        other.set_busy_timeout(5000)
        other.execute("BEGIN IMMEDIATE")  # as a disk that is full would, after BUSY_MS
        await until(lambda: sending.status == "unrecorded")
        other.execute("ROLLBACK")
        other.close()
        await until(lambda: sending.status == "sending")
        await sending.stop()

    monkeypatch.setattr("tallystick.deliver.book.BUSY_MS", 20)
    monkeypatch.setattr("tallystick.deliver.sender.PRUNE_SECONDS", 0.05)
    monkeypatch.setattr("tallystick.deliver.recorder.RETRY_SECONDS", 0.05)
    asyncio.run(scene())


def test_a_sandbox_that_sends_shows_it(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        soon(lambda: of_webhooks(server) == {"status": "sending", "held_back": 0})
