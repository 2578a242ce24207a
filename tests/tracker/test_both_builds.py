"""The interpreted and the compiled tracker are one program: the same evidence, the same bytes, the same questions."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tallystick.facts.client import ClientEvent
from tests.tracker import seeded_orders
from tools.compile_pure import COMPILED, SOURCE, is_current

STEPS = 4_000
NEEDS_A_SECOND_HOLDER = {"IdDisputed", "OrderRecalled"}


def lives_under(package_root: Path, seed: int) -> dict[str, Any]:
    """What came of seeded lives with the ``tallystick`` that stands in ``package_root``."""
    command = [sys.executable, "-m", seeded_orders.__name__, str(seed), str(STEPS)]
    environment = os.environ | {"PYTHONPATH": str(package_root), "PYTHONHASHSEED": "random"}
    done = subprocess.run(command, cwd=SOURCE.parent, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.skipif(not is_current(COMPILED), reason="build/compiled is not that of these sources; run: make compile")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_both_builds_write_the_same_journal_and_ask_the_same_questions(seed: int) -> None:
    interpreted, compiled = lives_under(SOURCE, seed), lives_under(COMPILED, seed)

    assert (interpreted.pop("compiled"), compiled.pop("compiled")) == (False, True)
    assert interpreted == compiled


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_lives_they_are_compared_by_leave_little_out_and_can_be_read_again(seed: int) -> None:
    lives = seeded_orders.live(seed, STEPS)

    assert len(set(lives["states"])) == 1
    assert set(lives["kinds"]) >= {kind.__name__ for kind in ClientEvent.__args__} - NEEDS_A_SECOND_HOLDER
    assert len(lives["questions"]) > 100
