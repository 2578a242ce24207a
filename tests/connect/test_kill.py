"""kill -9 of a bot: between the intent and its commit, the commit and the request, the request and its answer, the
answer and its commit. The next process knows what became of every order, and the venue has what the journal says.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tallystick.testing.line import line_to
from tests.running import RunningServer

ROOT = Path(__file__).parents[2]
POINTS = [
    "commit.before:1",  # the venue joins
    "commit.before:3",
    "commit.after:4",
    "commit.before:5",
    "commit.after:6",
    "release.before:5",
    "send.before:1",
    "send.before:3",
    "send.after:1",
    "send.after:2",
    "commit.before:8",
    "commit.after:9",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer(tmp_path_factory.mktemp("venue") / "data", "--pace", "0.05", "--prices", "fixed") as running:
        yield running
        assert "Traceback" not in running.log


def victim(url: str, journal: Path, orders: int, crash_at: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.connect.victim", url, str(journal), str(orders)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "TALLYSTICK_CRASH_AT": crash_at} if crash_at else dict(os.environ),
        text=True,
    )


def orders_of(server: RunningServer) -> set[str]:
    headers = {"authorization": "Bearer sandbox"}
    found: list[dict[str, Any]] = httpx.get(f"{server.account}/orders?limit=1000", headers=headers).json()
    return {order["id"] for order in found}


def check_match(told: list[dict[str, Any]], intended: list[str], made: set[str]) -> None:
    """Each order has one story with one end; what the venue made is what the journal knows."""
    stories: dict[str, list[str]] = {}
    for event in told:
        if not event["text"].startswith("Updated"):
            stories.setdefault(event["order"], []).append(event["text"].split()[0])
    for story in stories.values():
        assert story in (["Failure"], ["Created", "Filled", "Completed"]), story
    known = {event["venue_id"] for event in told if event["venue_id"]}
    assert known == made
    completed = [order for order, story in stories.items() if story[-1] == "Completed"]
    assert len(completed) == len(made)
    marker = told[-1]["order"]
    assert len(set(stories) - {marker} - set(intended)) <= 1  # it may be killed before it has printed the last one


def recover(server: RunningServer, journal: Path, before: set[str], intended: list[str]) -> None:
    output, errors = victim(server.url, journal, 0).communicate(timeout=60)
    told = [each for each in map(json.loads, output.splitlines()) if "text" in each]
    assert told, errors
    check_match(told, intended, orders_of(server) - before)


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_a_bot_that_is_killed_anywhere_knows_everything_afterwards(server: RunningServer, tmp_path: Path, point: str):
    before = orders_of(server)
    first = victim(server.url, tmp_path / "bot", 3, point)
    output, errors = first.communicate(timeout=60)
    assert first.returncode == -signal.SIGKILL, errors
    said = [json.loads(line) for line in output.splitlines()]
    recover(server, tmp_path / "bot", before, [each["intended"] for each in said if "intended" in each])


@pytest.mark.slow
@pytest.mark.parametrize("word", ["hold_answer", "lose_request"])
def test_a_bot_that_is_killed_while_it_waits_for_the_answer(server: RunningServer, tmp_path: Path, word: str):
    async def scenario() -> list[str]:
        async with line_to(server.url) as line:
            line.script.append(word)
            bot = victim(line.url, tmp_path / "bot", 1)
            async with asyncio.timeout(30):
                while not line.posted or (word == "hold_answer" and not line.held.is_set()):  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
            bot.kill()
            output, _ = await asyncio.to_thread(bot.communicate, timeout=30)
            return [json.loads(each)["intended"] for each in output.splitlines() if "intended" in each]

    before = orders_of(server)
    intended = asyncio.run(scenario())
    assert len(intended) == 1
    recover(server, tmp_path / "bot", before, intended)
