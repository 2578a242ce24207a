"""A server killed while it starts leaves a folder that starts, with one demo world: nothing missing, nothing twice."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.crash.books import judge_money, judge_rest
from tests.crash.client import Reader
from tests.crash.journal_audit import audit_journal, deeds, read_journal
from tests.crash.startup import Moment, Starting, moments
from tests.running import RunningServer

LONG = int(os.environ.get("TALLYSTICK_CRASH_KILLS", "6")) > 6
MOMENTS = moments(range(1, 26) if LONG else (1, 7, 11, 15, 18, 20, 21, 22))

pytestmark = pytest.mark.slow


def world_after_start(data: Path) -> list[Any]:
    """Start on the folder as it is, judge the world over the API and in the journal, and give what made it."""
    with RunningServer(data) as server:
        with Reader(server) as reader:
            report = reader.still()
        server.stop()
    assert report.orders == []
    judge_money(report)
    judge_rest(report)
    audit_journal(data)
    return deeds(read_journal(data))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """What makes the world of a server that nobody disturbs."""
    return world_after_start(tmp_path_factory.mktemp("undisturbed") / "data")


@pytest.mark.parametrize("moment", MOMENTS, ids=[moment.name for moment in MOMENTS])
def test_a_kill_during_the_first_start_leaves_a_folder_that_starts(
    moment: Moment, world: list[Any], tmp_path: Path
) -> None:
    Starting(tmp_path / "data").kill_when(moment)
    assert world_after_start(tmp_path / "data") == world


def test_kills_at_ever_later_moments_of_one_folder_leave_one_world(world: list[Any], tmp_path: Path) -> None:
    for moment in MOMENTS:
        Starting(tmp_path / "data").kill_when(moment)
    assert world_after_start(tmp_path / "data") == world
