"""The interpreted and the compiled exchange are one program: the same commands, the same bytes, the same state."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.exchange import crowd
from tools.compile_pure import COMPILED, SOURCE, is_current

ROOT = SOURCE.parent


def came_of(package_root: Path, seed: int) -> dict:
    command = [sys.executable, "-m", crowd.__name__, str(seed), "3000"]
    environment = os.environ | {"PYTHONPATH": str(package_root), "PYTHONHASHSEED": "random"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.skipif(not is_current(COMPILED), reason="build/compiled is not that of these sources; run: make compile")
@pytest.mark.parametrize("seed", [1, 2])
def test_both_builds_write_the_same_journal_and_reach_the_same_state(seed):
    interpreted, compiled = came_of(SOURCE, seed), came_of(COMPILED, seed)
    assert (interpreted.pop("compiled"), compiled.pop("compiled")) == (False, True)
    assert interpreted == compiled


def test_the_life_they_are_compared_by_leaves_out_nothing_that_an_exchange_does():
    came = came_of(SOURCE, 1)
    assert came["trades"] > 500
    assert len(set(came["hashes"])) == 1
    wanted = "OrderPlaced OrderOpened OrderWaiting OrderTriggered OrderRested OrderFilled OrderCancelled OrderExpired"
    wanted += " OrderRefused TradeMade CancelRequested CancelRefused LeverageChanged"
    assert set(wanted.split()) <= set(came["kinds"])
