"""Imports point downwards, pure rooms stay pure, and the rule that says so can fail."""

from pathlib import Path

import pytest

from tools.import_rule import ORDER, offences

SOURCE = Path(__file__).resolve().parents[2] / "src"


def test_every_import_of_the_package_obeys_the_rule() -> None:
    assert offences(SOURCE) == []


def test_every_room_stands_in_the_order_once() -> None:
    rooms = [room for level in ORDER for room in level]
    assert len(rooms) == len(set(rooms))


# file, what it says, the objection ("" where it is allowed)
CASES = [
    ("core/order.py", "from tallystick.venue import state", "core may not import venue, which is above it"),
    ("core/order.py", "import tallystick.cli.main", "core may not import cli, which is above it"),
    ("core/order.py", "from ..venue.state import State", "core may not import venue, which is above it"),
    ("core/__init__.py", "from ..facts import codes", "core may not import facts, which is above it"),
    ("facts/venue.py", "def late():\n    import tallystick.server", "facts may not import server, which is above it"),
    ("venue/engine.py", "from tallystick.tracker import belief", "venue and tracker may not import each other"),
    ("deliver/feed.py", "import tallystick.connect.port", "deliver and connect may not import each other"),
    ("testing/venue.py", "from tallystick import simulate", "testing and simulate may not import each other"),
    ("sequencer.py", "from tallystick.server.app import app", "sequencer may not import server, which is above it"),
    ("dialects/sx/api.py", "from ..bluefin import rules", "dialects.sx may not import dialects.bluefin"),
    ("dialects/sx/api.py", "from tallystick.dialects import bluefin", "dialects.sx may not import dialects.bluefin"),
    ("core/ids.py", "import random", "core is pure and may not import random"),
    ("core/ids.py", "from os import path", "core is pure and may not import os"),
    ("core/ids.py", "import collections, time", "core is pure and may not import time"),
    ("tracker/belief.py", "import msgspec", "tracker is pure and may not import msgspec"),
    ("cupboard/odds.py", "", "cupboard is in no room of the order"),
    ("server/app.py", "import tallystick.cupboard", "tallystick.cupboard is in no room of the order"),
    ("server/app.py", "from tallystick import Venue", "tallystick.Venue is in no room of the order"),
    ("venue/engine.py", "from tallystick.core import lifecycle\nfrom ..facts import codes\nfrom . import state", ""),
    ("core/ids.py", "from __future__ import annotations\nimport hashlib\nfrom collections.abc import Iterator", ""),
    ("dialects/sx/api.py", "from . import rules\nfrom tallystick.dialects.sx.wire import Order", ""),
    ("server/app.py", "import asyncio\nfrom tallystick import __version__, readers", ""),
    ("__init__.py", "from tallystick.cli.main import main", ""),
]


@pytest.mark.parametrize(("file", "source", "objection"), CASES)
def test_an_import_is_judged_by_where_it_stands(tmp_path: Path, file: str, source: str, objection: str) -> None:
    path = tmp_path / "tallystick" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)

    found = offences(tmp_path)

    if objection:
        assert len(found) == 1
        assert objection in found[0]
        assert found[0].startswith(f"tallystick/{file}:")
    else:
        assert found == []
