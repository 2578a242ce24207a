"""Fixtures for pytest, found by it wherever Tallystick is installed (docs/testing.md)."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tallystick.testing import PaperVenue, Sandbox, VirtualClock


@pytest.fixture
def virtual_clock() -> "VirtualClock":
    """``virtual_clock.run(scenario)``: nobody waits, and what happens when is the same in every run."""
    from tallystick.testing import VirtualClock

    return VirtualClock()


@pytest.fixture
def tallystick_venue() -> "PaperVenue":
    """A venue in memory that fills, refuses and loses as it is told; ``connector()`` makes what a bot connects with."""
    from tallystick.testing import PaperVenue

    return PaperVenue()


@pytest.fixture
def tallystick_sandbox(tmp_path: Path) -> "Iterator[Sandbox]":
    """A real server on a free port, with a data folder of its own; it ends with the test."""
    from tallystick.testing import Sandbox

    with Sandbox(tmp_path / "tallystick", "--pace", "0", "--prices", "fixed") as sandbox:
        yield sandbox
