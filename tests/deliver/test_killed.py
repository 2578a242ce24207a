"""kill -9 in the middle of 10,000 deliveries, of the server or of a sender on its own: every event arrives."""

import signal
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from tallystick.deliver.lane import WINDOW
from tests.deliver.customer import EVENTS_OF_A_BUY, Client, served
from tests.deliver.receiver import Receiver
from tests.deliver.sender import RunningSender
from tests.running import RunningServer

ORDERS = 1696
EVENTS = ORDERS * len(EVENTS_OF_A_BUY)


def place(server: RunningServer, orders: int) -> None:
    """From eight clients at once; ``orders`` is a multiple of eight."""

    def some() -> None:
        with Client(server) as client:
            for _ in range(orders // 8):
                client.buy("0.10")

    threads = [threading.Thread(target=some) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def everything(client: Client) -> list[str]:
    """The ids of all events, oldest first, once the last order is settled."""
    found: list[str] = []
    position = "start"
    deadline = time.monotonic() + 60
    while len(found) < EVENTS:
        page = client.get("/stream", after=position, limit=1000)
        found += [each["id"] for each in page["events"]]
        position = page["position"]
        assert time.monotonic() < deadline
    return found


def judge(client: Client, receiver: Receiver, secret: str, webhook: str, kills: int) -> None:
    """Everything has arrived, signed, with one id for all attempts; and what is on record says so."""
    events = everything(client)
    received = receiver.wait(lambda got: len({each.headers["event-id"] for each in got}) >= len(events), 90)
    assert {each.headers["event-id"] for each in received} == set(events)
    ids = {(each.headers["event-id"], each.headers["webhook-id"]) for each in received}
    assert len(ids) == len(events)
    repeated = len(received) - len(events)
    assert repeated <= kills * WINDOW  # what was sent while the last commit was under way
    for each in received[:: len(received) // 50]:
        each.verify(secret)
    deadline = time.monotonic() + 20
    while client.get(f"/webhooks/{webhook}/deliveries", status="pending", limit=1):
        assert time.monotonic() < deadline
    assert not client.get(f"/webhooks/{webhook}/deliveries", status="failed", limit=1)
    attempts = Counter(each.headers["webhook-id"] for each in received)
    newest = client.get(f"/webhooks/{webhook}/deliveries", limit=1000)
    assert all(each["status"] == "succeeded" for each in newest)
    assert all(len(each["attempts"]) <= attempts[each["id"]] for each in newest)


@pytest.mark.slow
def test_the_server_is_killed(tmp_path: Path) -> None:
    with Receiver() as receiver:
        with served(tmp_path) as server, Client(server) as client:
            webhook = client.register(receiver.url)
            placing = threading.Thread(target=place, args=(server, ORDERS // 2))
            placing.start()
            placing.join()
            receiver.wait(lambda got: len(got) > 500)
            server.kill()
        with served(tmp_path) as server, Client(server):
            count = len(receiver.received)
            receiver.wait(lambda got: len(got) > min(count + 500, EVENTS // 2 - 500))
            server.kill()
        with served(tmp_path) as server, Client(server) as client:
            place(server, ORDERS - ORDERS // 2)
            judge(client, receiver, webhook["secret"], webhook["id"], kills=2)
            assert "Traceback" not in server.log


@pytest.mark.slow
def test_a_sender_on_its_own_is_killed_and_the_server_too(tmp_path: Path) -> None:
    with (
        Receiver() as receiver,
        served(tmp_path, TALLYSTICK_WEBHOOKS_SENDS="false") as server,
        Client(server) as client,
    ):
        webhook = client.register(receiver.url)
        with RunningSender(server):
            place(server, ORDERS // 2)
            receiver.wait(lambda got: len(got) > 500)
        count = len(receiver.received)
        place(server, ORDERS // 4)
        assert len(receiver.received) <= count + 32
        sender = RunningSender(server)
        with sender:
            receiver.wait(lambda got: len(got) > count + 500)
            port = server.url.rpartition(":")[2]
            server.kill()
            with (
                served(tmp_path, "--port", port, TALLYSTICK_WEBHOOKS_SENDS="false") as server,
                Client(server) as client,
            ):
                place(server, ORDERS // 4)
                judge(client, receiver, webhook["secret"], webhook["id"], kills=2)
                assert sender.end(signal.SIGTERM) == 0
                assert "Traceback" not in sender.log


def test_of_two_senders_one_waits_for_the_other(tmp_path: Path) -> None:
    with (
        Receiver() as receiver,
        served(tmp_path, TALLYSTICK_WEBHOOKS_SENDS="false") as server,
        Client(server) as client,
    ):
        webhook = client.register(receiver.url)
        with RunningSender(server):
            client.buy()
            receiver.wait_for(6)
            second = RunningSender(server)
            while "waiting for it to end" not in second.log:
                assert second.process.poll() is None
            client.buy()
            receiver.wait_for(12)
        with second:
            client.buy()
            received = receiver.wait(lambda got: len({each.headers["event-id"] for each in got}) == 18)
            assert second.end(signal.SIGTERM) == 0
        for each in received:
            each.verify(webhook["secret"])
