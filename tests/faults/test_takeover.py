"""A server that stood still while another took its journal over: it is fenced, says so, ends, and wrote nothing."""

import asyncio
import os
from contextlib import suppress
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from typing import Any

import aiohttp
import httpx
import pytest

from tallystick.journal.errors import JournalUnavailable
from tallystick.journal.sqlite import SqliteJournal
from tests.crash.client import HEADERS, Reader
from tests.crash.journal_audit import audit_journal
from tests.faults.waiting import grows
from tests.running import RunningServer

OPTIONS = ("--pace", "1000", "--prices", "fixed")
BODY = {"instrument": "ins_acme", "order_type": "market", "side": "buy", "cash_amount": "1.00"}
CONNECTIONS = 16

pytestmark = pytest.mark.slow


def take_over(data: Path) -> int:
    """Open the journal as another writer would if the folder's lock did not keep it out; the last sequence it found.

    Raises JournalUnavailable if the writer stood still in the middle of a commit.
    """
    journal = SqliteJournal(data / "journal.db")
    last = journal.last("sophic")
    journal.close()
    return last


async def place(session: aiohttp.ClientSession, url: str) -> tuple[int, dict[str, Any]]:
    """An order; 0 if no answer came."""
    try:
        async with session.post(f"{url}/orders", json=BODY) as response:
            return response.status, await response.json()
    except (aiohttp.ClientError, ConnectionError):
        return 0, {}


def test_orders_sent_to_a_server_that_was_taken_over_are_never_acknowledged(tmp_path: Path) -> None:
    async def send_while_it_stands_still(server: RunningServer) -> list[tuple[int, dict[str, Any]]]:
        async with aiohttp.ClientSession(headers=HEADERS) as session:
            sent = [asyncio.create_task(place(session, server.account)) for _ in range(CONNECTIONS)]
            await asyncio.sleep(0)
            os.kill(server.pid, SIGCONT)
            return await asyncio.gather(*sent)

    data = tmp_path / "data"
    with RunningServer(data, *OPTIONS) as server:
        placed = httpx.post(f"{server.account}/orders", json=BODY, headers=HEADERS).json()["id"]
        os.kill(server.pid, SIGSTOP)
        last = take_over(data)
        answers = asyncio.run(send_while_it_stands_still(server))
        told = {(status, answer.get("code", "")) for status, answer in answers}
        assert told <= {(503, "outcome_unknown"), (503, "storage_unavailable"), (0, "")}
        assert (503, "outcome_unknown") in told
        assert server.wait() == os.EX_IOERR
        assert server.log.count("Another writer took the journal over: its epoch is 2, ours is 1.") == 1
        assert "Traceback" not in server.log
    assert audit_journal(data).sequence == last
    with RunningServer(data, *OPTIONS) as server, Reader(server) as reader:
        assert [order["id"] for order in reader.orders()] == [placed]


def test_a_server_taken_over_under_load_acknowledges_nothing_that_is_not_in_the_journal(tmp_path: Path) -> None:
    acknowledged: list[str] = []

    async def press(server: RunningServer, session: aiohttp.ClientSession) -> None:
        while True:
            status, answer = await place(session, server.account)
            if status != 201:
                return
            acknowledged.append(answer["id"])

    async def ordeal(server: RunningServer) -> None:
        async with aiohttp.ClientSession(headers=HEADERS) as session:
            pressing = [asyncio.create_task(press(server, session)) for _ in range(CONNECTIONS)]
            taken = False
            while not taken:
                await grows(lambda: len(acknowledged), by=100)
                os.kill(server.pid, SIGSTOP)
                with suppress(JournalUnavailable):  # it held SQLite's own lock; try at another moment
                    await asyncio.to_thread(take_over, server.data)
                    taken = True
                os.kill(server.pid, SIGCONT)
            await asyncio.gather(*pressing)

    data = tmp_path / "data"
    with RunningServer(data, *OPTIONS) as server:
        asyncio.run(ordeal(server))
        assert server.wait() == os.EX_IOERR
    audit_journal(data)
    with RunningServer(data, *OPTIONS) as server, Reader(server) as reader:
        found = [order["id"] for order in reader.orders()]
        assert len(set(acknowledged)) == len(acknowledged)
        assert set(acknowledged) <= set(found)
        assert len(found) <= len(acknowledged) + CONNECTIONS


def test_a_second_server_on_one_folder_is_refused_and_disturbs_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with RunningServer(data, *OPTIONS) as server:
        with pytest.raises(AssertionError, match=f"in use by process {server.pid}"):
            RunningServer(data, *OPTIONS)
        assert httpx.post(f"{server.account}/orders", json=BODY, headers=HEADERS).status_code == 201
        assert "epoch 2" not in server.log
