"""The examples run as they stand, and the documentation shows what they do."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tallystick.testing.report import main
from tests.running import RunningServer

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def run_example(name: str, *arguments: str) -> str:
    found = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / name), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=dict(os.environ),
        check=False,
    )
    assert found.returncode == 0, found.stderr
    return found.stdout


def test_the_bot(tmp_path: Path):
    with RunningServer(tmp_path / "data", "--pace", "0.1", "--prices", "fixed") as server:
        for _ in range(2):  # the second time with the journal of the first
            told = run_example("bot.py", server.url, str(tmp_path / "bot")).splitlines()
            assert [line.split()[0] for line in told if "Updated" not in line] == [
                "BuyOrderCreatedEvent",
                "OrderFilledEvent",
                "BuyOrderCompletedEvent",
            ]


def test_a_trader_at_the_exchange(tmp_path: Path):
    with RunningServer(tmp_path / "data") as server:
        for _ in range(2):
            told = run_example("exchange.py", server.url, str(tmp_path / "trader")).splitlines()
            assert [line.split()[::2] for line in told if "Updated" not in line] == [
                ["BuyOrderCreatedEvent", "0.000000000"],
                ["OrderFilledEvent", "0.250000000"],
                ["OrderCancelledEvent", "0.250000000"],
            ]


def test_a_connector_of_one_s_own():
    told = [line.split() for line in run_example("own_connector.py").splitlines()]
    assert [line[3] for line in told if line[1] == "BuyOrderCompletedEvent"] == [
        f"{units}.000" for units in range(1, 7)
    ]


def test_a_connector_of_one_s_own_under_the_conformance_kit():
    run_example("try_own_connector.py")
    assert main([f"{EXAMPLES}/try_own_connector.py:subject", "--case", "lost answer"]) == 0


def test_every_example_is_run_here():
    run = {"bot.py", "exchange.py", "own_connector.py", "try_own_connector.py"}
    assert {path.name for path in EXAMPLES.glob("*.py")} == run


@pytest.mark.parametrize("page", ["README.md", "docs/client.md", "docs/bluefin.md"])
def test_what_the_pages_show_is_what_runs(page: str):
    shown = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    assert shown
    lines = {line.strip() for name in ("bot.py", "exchange.py") for line in (EXAMPLES / name).read_text().splitlines()}
    for line in "".join(shown).splitlines():
        assert line.strip() in lines
