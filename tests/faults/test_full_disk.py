"""A disk that really is full: a server under load on a small file system, which fills up and has room again."""

import asyncio
import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from signal import SIGTERM
from typing import Any

import aiohttp
import httpx
import pytest

from tests.crash.books import judge_money, judge_rest
from tests.crash.client import HEADERS, Reader
from tests.crash.journal_audit import audit_journal, stages
from tests.faults.waiting import DEADLINE_SECONDS, grows, until
from tests.running import RunningServer

SIZE = 12 << 20
CONNECTIONS = 16

pytestmark = pytest.mark.slow


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder that is a file system of its own, with room for SIZE bytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root on Linux may mount a small file system")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no small file system could be mounted: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Take all the room that is left; gives the file that has it."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return ballast


class Crowd:
    """Connections that place small orders without a pause. ``placed`` are the orders acknowledged, ``refusals`` the
    codes of all other answers."""

    def __init__(self, server: RunningServer) -> None:
        self.placed: list[dict[str, Any]] = []
        self.refusals: Counter[str] = Counter()
        self.retry_after: set[str | None] = set()
        self._url = f"{server.account}/orders"
        self._healthz = f"{server.url}/healthz"
        self._leaving = False

    @asynccontextmanager
    async def pressing(self) -> AsyncIterator[aiohttp.ClientSession]:
        timeout = aiohttp.ClientTimeout(total=DEADLINE_SECONDS)
        async with aiohttp.ClientSession(headers=HEADERS, timeout=timeout) as session:
            pressing = [asyncio.create_task(self._press(session)) for _ in range(CONNECTIONS)]
            yield session
            self._leaving = True
            await asyncio.gather(*pressing)

    async def is_healthy(self, session: aiohttp.ClientSession) -> bool:
        async with session.get(self._healthz) as response:
            healthy = response.status == 200
            assert (await response.json())["status"] == ("ok" if healthy else "stopped: disk_full")
            return healthy

    async def shown(self, session: aiohttp.ClientSession, order: dict[str, Any]) -> int:
        async with session.get(f"{self._url}/{order['id']}") as response:
            return response.status

    async def _press(self, session: aiohttp.ClientSession) -> None:
        body = {"instrument": "ins_acme", "order_type": "market", "side": "buy", "cash_amount": "1.00"}
        while not self._leaving:
            async with session.post(self._url, json=body) as response:
                answer = await response.json()
                if response.status == 201:
                    self.placed.append(answer)
                else:
                    self.refusals[f"{response.status} {answer['code']}"] += 1
                    self.retry_after.add(response.headers.get("retry-after"))


def test_a_full_disk_under_load_loses_nothing_and_serves_again_when_there_is_room(small_disk: Path) -> None:
    async def ordeal(server: RunningServer) -> Crowd:
        crowd = Crowd(server)
        async with crowd.pressing() as session:
            for _ in range(2):
                await grows(lambda: len(crowd.placed), by=200)
                ballast = fill(small_disk)
                await grows(crowd.refusals.total, by=200)
                assert not await crowd.is_healthy(session)
                assert await crowd.shown(session, crowd.placed[-1]) == 200
                ballast.unlink()
                await until(lambda: crowd.is_healthy(session))
            await grows(lambda: len(crowd.placed), by=200)
        return crowd

    with RunningServer(small_disk, "--pace", "0.02", "--prices", "fixed", "--disk-low", "0") as server:
        crowd = asyncio.run(ordeal(server))
        assert (set(crowd.refusals), crowd.retry_after) == ({"503 storage_unavailable"}, {"1"})
        with Reader(server) as reader:
            report = reader.at_rest()
        judge_money(report)
        judge_rest(report)
        # Each refusal said that nothing was done, so what is there is exactly what was acknowledged.
        assert {order["id"] for order in report.orders} == {order["id"] for order in crowd.placed}
        assert len(report.orders) == len(crowd.placed)
        assert server.stop() in (0, -SIGTERM)
        assert server.log.count("Free space on its disk") == 2
        assert server.log.count("the venues go on") == 2
        assert "Traceback" not in server.log
    assert stages(audit_journal(small_disk)) == Counter(order["status"] for order in report.orders)


def test_a_server_killed_while_its_disk_is_full_comes_back_with_what_it_acknowledged(small_disk: Path) -> None:
    async def ordeal(server: RunningServer) -> Crowd:
        crowd = Crowd(server)
        async with crowd.pressing():
            await grows(lambda: len(crowd.placed), by=100)
            fill(small_disk)
            await grows(crowd.refusals.total, by=100)
        return crowd

    options = ("--pace", "1000", "--prices", "fixed", "--disk-low", "0")
    with RunningServer(small_disk, *options) as server:
        crowd = asyncio.run(ordeal(server))
        server.kill()
    (small_disk / "ballast").unlink()
    with RunningServer(small_disk, *options) as server, Reader(server) as reader:
        assert {order["id"] for order in reader.orders()} == {order["id"] for order in crowd.placed}


def test_with_little_room_orders_are_refused_before_the_disk_is_full(tmp_path: Path) -> None:
    with RunningServer(tmp_path / "data", "--disk-low", str(1 << 42)) as server:
        body = {"instrument": "ins_acme", "order_type": "market", "side": "buy", "cash_amount": "1.00"}
        answer = httpx.post(f"{server.account}/orders", json=body, headers=HEADERS)
        assert (answer.status_code, answer.json()["code"]) == (503, "disk_low")
        assert answer.headers["retry-after"] == "1"
        assert httpx.get(f"{server.account}/orders", headers=HEADERS).json() == []
        assert httpx.get(f"{server.url}/healthz").status_code == 200
