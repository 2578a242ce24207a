"""The interpreted and the compiled build are one program: the same commands, the same bytes, the same state."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tallystick.facts.venue import VenueEvent
from tests.venue import seeded_life
from tools.compile_pure import COMPILED, SOURCE, is_current

ROOT = SOURCE.parent
COMMANDS = 8_000
NOT_A_BROKERAGES = {
    *("OrderExpired", "TradeConfirmed", "TradeReverted"),
    *("LeverageChanged", "OrderTriggered", "OrderRested", "OrdersReached"),
}


def life_under(package_root: Path, seed: int) -> dict[str, Any]:
    """What came of a seeded life with the ``tallystick`` that stands in ``package_root``."""
    command = [sys.executable, "-m", seeded_life.__name__, str(seed), str(COMMANDS)]
    environment = os.environ | {"PYTHONPATH": str(package_root), "PYTHONHASHSEED": "random"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.skipif(not is_current(COMPILED), reason="build/compiled is not that of these sources; run: make compile")
@pytest.mark.parametrize("seed", [1, 2])
def test_both_builds_write_the_same_journal_and_reach_the_same_state(seed: int) -> None:
    interpreted, compiled = life_under(SOURCE, seed), life_under(COMPILED, seed)

    assert (interpreted.pop("compiled"), compiled.pop("compiled")) == (False, True)
    assert interpreted == compiled
    assert len(set(interpreted["hashes"])) == len(set(interpreted["states"])) == 1


def test_the_life_they_are_compared_by_leaves_nothing_out() -> None:
    life = seeded_life.live(1, COMMANDS)

    assert life["entries"] > COMMANDS // 2
    assert set(life["kinds"]) == {kind.__name__ for kind in VenueEvent.__args__} - NOT_A_BROKERAGES
    assert {"insufficient_funds", "insufficient_units", "invalid_amount", "unknown_account"} <= set(life["refusals"])
    assert {"exists_with_different_terms", "market_not_trading", "account_suspended"} <= set(life["refusals"])
    assert life["repetitions"] > 0
    made, still_there = life["orders"]
    assert 0 < still_there < made
