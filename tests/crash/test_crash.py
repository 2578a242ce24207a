"""Acknowledged means durable: a real server, killed with kill -9 under load again and again, loses and doubles nothing.

``TALLYSTICK_CRASH_KILLS`` makes it longer and ``TALLYSTICK_CRASH_SEED`` different; ``python -m tests.crash.campaign``
shows its progress.
"""

import os
from pathlib import Path

import pytest

from tests.crash.campaign import Campaign

KILLS = int(os.environ.get("TALLYSTICK_CRASH_KILLS", "6"))
SEED = int(os.environ.get("TALLYSTICK_CRASH_SEED", "1"))


@pytest.mark.slow
def test_a_server_killed_under_load_keeps_its_word(tmp_path: Path) -> None:
    campaign = Campaign(tmp_path, SEED)
    for _ in range(KILLS):
        campaign.crash()
    campaign.end()
    figures = campaign.figures
    print(figures)
    assert figures.acknowledged >= KILLS
    assert figures.unknown > 0, "no kill came while a request was on its way"
    assert figures.stages["placed"] > 0, "no kill came while an order was on its way"
