"""The Sophic connector told by webhook: over real sockets, against the real server, and against those who pretend."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

import tallystick
from tallystick.connect.client import Client
from tallystick.connect.desk import VenueDesk
from tallystick.deliver.signing import secret_text, signatures
from tallystick.deliver.verifying import NotGenuine, verify
from tallystick.dialects.connectors import connector
from tallystick.dialects.sophic.connector import SophicConnector
from tallystick.dialects.sophic.webhook_receiver import Nudges, WebhookReceiver
from tallystick.testing.stories import text
from tests.running import RunningServer

CREDENTIALS = {"client_id": "demo", "client_secret": "sandbox", "account": "acc_demo"}
TOKEN = {"authorization": "Bearer sandbox"}
SECRET, OTHER = b"s" * 32, b"o" * 32
BODY = b'{"id":"evt_1"}'
NOW = 1_800_000_000
ROOT = Path(__file__).parents[2]
SECONDS = 20.0


# --- Signatures -------------------------------------------------------------------------------------------------------


def test_what_the_stock_library_signs_is_genuine() -> None:
    at = datetime.fromtimestamp(NOW, UTC)
    signed = Webhook(secret_text(SECRET)).sign("msg_1", at, BODY.decode())
    verify([SECRET], "msg_1", str(NOW), signed, BODY, NOW)


@pytest.mark.parametrize("late", [-300, -299.5, 0, 299.9, 300])
def test_five_minutes_are_tolerated_in_either_direction(late: float) -> None:
    verify([SECRET], "msg_1", str(NOW), signatures([SECRET], "msg_1", NOW, BODY), BODY, NOW + late)


def test_while_secrets_are_rotated_either_counts() -> None:
    both = signatures([OTHER, SECRET], "msg_1", NOW, BODY)
    verify([SECRET], "msg_1", str(NOW), both, BODY, NOW)
    verify([OTHER, b"t" * 32], "msg_1", str(NOW), signatures([OTHER], "msg_1", NOW, BODY), BODY, NOW)
    verify([SECRET], "msg_1", str(NOW), "v1a,abc v2,def " + signatures([SECRET], "msg_1", NOW, BODY), BODY, NOW)


GOOD = signatures([SECRET], "msg_1", NOW, BODY)
FORGERIES = [
    ("another secret", "msg_1", str(NOW), signatures([OTHER], "msg_1", NOW, BODY), BODY, NOW),
    ("another body", "msg_1", str(NOW), GOOD, BODY + b" ", NOW),
    ("another id", "msg_2", str(NOW), GOOD, BODY, NOW),
    ("another time", "msg_1", str(NOW + 1), GOOD, BODY, NOW),
    ("too old", "msg_1", str(NOW), GOOD, BODY, NOW + 300.1),
    ("from the future", "msg_1", str(NOW), GOOD, BODY, NOW - 300.1),
    ("no id", "", str(NOW), signatures([SECRET], "", NOW, BODY), BODY, NOW),
    ("no timestamp", "msg_1", "", GOOD, BODY, NOW),
    ("no number", "msg_1", "now", GOOD, BODY, NOW),
    ("a number with a zero before it", "msg_1", f"0{NOW}", GOOD, BODY, NOW),
    ("digits of another script", "msg_1", "१८००००००००", GOOD, BODY, NOW),
    ("a number of a thousand digits", "msg_1", "9" * 1000, GOOD, BODY, NOW),
    ("no signature", "msg_1", str(NOW), "", BODY, NOW),
    ("a signature of another version", "msg_1", str(NOW), GOOD.replace("v1,", "v2,"), BODY, NOW),
    ("a signature without version", "msg_1", str(NOW), GOOD.removeprefix("v1,"), BODY, NOW),
    ("the good one far behind", "msg_1", str(NOW), "v1,x " * 50 + GOOD, BODY, NOW),
    ("something that is no text", "msg_1", str(NOW), "\udcff", BODY, NOW),
]


@pytest.mark.parametrize("row", FORGERIES, ids=[each[0] for each in FORGERIES])
def test_forgeries(row: tuple[str, str, str, str, bytes, float]) -> None:
    with pytest.raises(NotGenuine) as refused:
        verify([SECRET], *row[1:])
    assert GOOD not in str(refused.value)


def test_without_secrets_nothing_is_genuine() -> None:
    with pytest.raises(NotGenuine):
        verify([], "msg_1", str(NOW), GOOD, BODY, NOW)


# --- The receiver -----------------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def headers(delivery: str = "msg_1", at: float | None = None, body: bytes = BODY) -> dict[str, str]:
    timestamp = int(time.time() if at is None else at)
    return {
        "webhook-id": delivery,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signatures([SECRET], delivery, timestamp, body),
    }


async def at_once() -> None:
    """A journal that is durable already."""


def test_a_delivery_is_acknowledged_when_a_look_that_began_after_it_is_done_and_not_before() -> None:
    async def scene() -> None:
        nudges = Nudges()
        url = f"http://127.0.0.1:{free_port()}/hooks"
        receiver = WebhookReceiver("127.0.0.1", int(url.split(":")[2].split("/")[0]), url, nudges)
        receiver.secrets = [SECRET]
        await receiver.start()
        before = nudges.begin()
        async with httpx.AsyncClient() as http:
            posting = asyncio.ensure_future(http.post(url, content=BODY, headers=headers()))
            await nudges.wait(SECONDS)
            await nudges.done(before, at_once)  # a look that began earlier may not have seen it
            assert (await http.post(url, content=BODY)).status_code == 401
            assert not posting.done()
            await nudges.done(nudges.begin(), at_once)
            assert (await posting).status_code == 204
            assert (await http.post(url, content=BODY, headers=headers(at=time.time() - 400))).status_code == 401
            assert (await http.post(url, content=b"x" * 70_000, headers=headers())).status_code == 413
            assert (await http.get(url)).status_code == 405
            assert (await http.post(url + "/else", content=BODY, headers=headers())).status_code == 404
        await receiver.close()
        await receiver.close()

    asyncio.run(asyncio.wait_for(scene(), SECONDS))


def test_one_that_cannot_be_dealt_with_in_time_is_to_come_again() -> None:
    async def scene() -> None:
        nudges = Nudges()
        assert not await nudges.looked(0.01)
        assert nudges.begin() == []

    asyncio.run(scene())


# --- With the real server ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("venue")
    quick = {"TALLYSTICK_WEBHOOKS_RETRY_SCALE": "0.05"}
    with RunningServer(folder / "data", "--pace", "0.02", "--prices", "fixed", environment=quick) as running:
        yield running
        assert "Traceback" not in running.log


def webhooks(server: RunningServer) -> list[dict[str, Any]]:
    return list(httpx.get(f"{server.url}/sophic/webhooks", headers=TOKEN).json())


def deliveries(server: RunningServer, webhook: str) -> list[dict[str, Any]]:
    answer = httpx.get(f"{server.url}/sophic/webhooks/{webhook}/deliveries?limit=1000", headers=TOKEN)
    return list(answer.json())


async def until(look: Any) -> Any:
    async with asyncio.timeout(SECONDS):
        while not (found := look()):  # noqa: ASYNC110 - what it looks at is another process's
            await asyncio.sleep(0.02)
        return found


def settings(port: int, **more: Any) -> dict[str, Any]:
    return CREDENTIALS | {"poll_seconds": 60.0, "webhook": ("127.0.0.1", port, f"http://127.0.0.1:{port}/hooks")} | more


def test_an_order_is_followed_by_webhooks_alone_and_each_is_acknowledged(server: RunningServer, tmp_path: Path) -> None:
    async def scene() -> None:
        told: list[tallystick.Event] = []
        async with Client(tmp_path / "bot") as client:
            client.listen(told.append)
            venue = await client.add(connector("sophic", url=f"{server.url}/sophic", **settings(free_port())))
            order = venue.buy("ACME-USD", Decimal(100))
            await until(lambda: [each for each in told if isinstance(each, tallystick.TERMINAL)])
            texts = [text(each) for each in told if each.order_id == order]
            assert [each for each in texts if not each.startswith("Updated")] == [
                "Created",
                "Filled 0.798",
                "Completed 0.798",
            ]
            ours = client.store.state.venues[1].by_client[order]
            await until(lambda: all(fill.state == 2 for fill in ours.fills.values()))
            (webhook,) = await asyncio.to_thread(webhooks, server)
            sent = await until(
                lambda: (
                    (found := deliveries(server, webhook["id"]))
                    and len(found) == 6
                    and all(each["status"] == "succeeded" for each in found)
                    and found
                )
            )
            assert {len(each["attempts"]) for each in sent} == {1}
        assert webhooks(server) == []  # who closes is sent nothing more

    asyncio.run(scene())


def test_a_delivery_that_is_replayed_or_forged_tells_nobody_anything(server: RunningServer) -> None:
    async def scene() -> None:
        told: list[tallystick.Event] = []
        port = free_port()
        secrets = [secret_text(OTHER), secret_text(SECRET)]
        async with Client() as client:
            client.listen(told.append)
            made = connector("sophic", url=f"{server.url}/sophic", **settings(port, webhook_secrets=secrets))
            assert secrets[0] not in repr(vars(made))
            venue = await client.add(made)
            order = venue.buy("ACME-USD", Decimal(50))
            url = f"http://127.0.0.1:{port}/hooks"
            async with httpx.AsyncClient(timeout=SECONDS) as http:
                genuine = headers()
                while not any(isinstance(each, tallystick.TERMINAL) for each in told):
                    assert (await http.post(url, content=BODY, headers=genuine)).status_code == 204
                    await asyncio.sleep(0.02)
                heard = [text(each) for each in told if each.order_id == order]
                for _ in range(5):
                    assert (await http.post(url, content=BODY, headers=genuine)).status_code == 204
                    forged = genuine | {"webhook-id": "msg_2"}
                    assert (await http.post(url, content=BODY, headers=forged)).status_code == 401
                settled = {"Updated"}
                again = [text(each) for each in told if each.order_id == order][len(heard) :]
                assert {each.split()[0] for each in again} <= settled
        assert webhooks(server) == []  # nothing was registered

    asyncio.run(scene())


def test_a_delivery_waits_for_a_whole_look_and_for_the_journal(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that comes while a look is under way waits for the next, and that for the disk."""
    looking, looked, durable, wanted = asyncio.Event(), asyncio.Event(), asyncio.Event(), asyncio.Event()
    whole = SophicConnector._events

    async def events(self: SophicConnector, position: str) -> Any:
        looking.set()
        await looked.wait()
        return await whole(self, position)

    async def wait_for_the_disk(_self: VenueDesk) -> None:
        wanted.set()
        await durable.wait()

    async def scene() -> None:
        port = free_port()
        url = f"http://127.0.0.1:{port}/hooks"
        async with Client() as client:
            made = connector(
                "sophic", url=f"{server.url}/sophic", **settings(port, webhook_secrets=[secret_text(SECRET)])
            )
            await client.add(made)
            monkeypatch.setattr(SophicConnector, "_events", events)
            monkeypatch.setattr(VenueDesk, "durable", wait_for_the_disk)
            async with httpx.AsyncClient(timeout=SECONDS) as http:
                first = asyncio.ensure_future(http.post(url, content=BODY, headers=headers("msg_1")))
                await looking.wait()
                looking.clear()
                second = asyncio.ensure_future(http.post(url, content=BODY, headers=headers("msg_2")))
                assert (await http.post(url, content=BODY)).status_code == 401
                looked.set()
                await wanted.wait()
                assert (await http.post(url, content=BODY)).status_code == 401
                assert not first.done()
                looked.clear()
                durable.set()
                assert (await first).status_code == 204
                await looking.wait()
                assert (await http.post(url, content=BODY)).status_code == 401
                assert not second.done()
                looked.set()
                assert (await second).status_code == 204

    asyncio.run(asyncio.wait_for(scene(), SECONDS))


def bot(server: RunningServer, journal: Path, port: int, orders: int, crash_at: str = "") -> subprocess.Popen[str]:
    arguments = [server.url, str(journal), str(port), str(orders)]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.connect.hooked_bot", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "TALLYSTICK_CRASH_AT": crash_at} if crash_at else dict(os.environ),
        text=True,
    )


def lines(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("crash_at", ["commit.after:6", "commit.before:7", "commit.before:8", "commit.after:9"])
def test_a_bot_that_is_killed_is_told_of_everything_when_it_comes_back(
    server: RunningServer, tmp_path: Path, crash_at: str
) -> None:
    """What it had not made durable it had not acknowledged; what came while it was down comes again, or is found."""
    port = free_port()
    first = bot(server, tmp_path / "bot", port, 3, crash_at)
    output, errors = first.communicate(timeout=60)
    assert first.returncode == -signal.SIGKILL, errors
    intended = [each["intended"] for each in lines(output) if "intended" in each]
    (webhook,) = webhooks(server)
    output, errors = bot(server, tmp_path / "bot", port, 0).communicate(timeout=60)
    intended += [each["intended"] for each in lines(output) if "intended" in each]
    told = [each for each in lines(output) if "text" in each]
    assert told, errors
    stories: dict[str, list[str]] = {}
    for event in told:
        if not event["text"].startswith("Updated"):
            stories.setdefault(event["order"], []).append(event["text"].split()[0])
    assert len(set(stories) - set(intended)) <= 1  # it may be killed before it has printed the last one
    for story in stories.values():
        assert story in (["Failure"], ["Created", "Filled", "Completed"]), story
    assert webhook["id"] not in [each["id"] for each in webhooks(server)]


@pytest.mark.slow
def test_while_nobody_receives_deliveries_wait_and_are_acknowledged_afterwards(
    server: RunningServer, tmp_path: Path
) -> None:
    port = free_port()
    first = bot(server, tmp_path / "bot", port, 2, "send.after:2")
    first.communicate(timeout=60)
    (webhook,) = webhooks(server)

    async def scene() -> None:
        def unfinished() -> list[Any]:
            return [each for each in deliveries(server, webhook["id"]) if each["status"] == "in_progress"]

        await until(unfinished)
        async with Client(tmp_path / "bot") as client:
            await client.add(connector("sophic", url=f"{server.url}/sophic", **settings(port)))
            (again,) = webhooks(server)
            assert again["id"] == webhook["id"]
            await until(lambda: all(each["status"] == "succeeded" for each in deliveries(server, webhook["id"])))

    asyncio.run(scene())


def test_a_port_that_is_taken_is_said(server: RunningServer) -> None:
    async def scene() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            made = connector("sophic", url=f"{server.url}/sophic", **settings(taken.getsockname()[1]))
            with pytest.raises(tallystick.VenueError, match="webhooks cannot be received at 127"):
                await made.start()
            with suppress(tallystick.VenueError):
                await made.close()

    asyncio.run(scene())
