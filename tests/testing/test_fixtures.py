"""What users get: fixtures that pytest finds by itself, a bot on a virtual clock, and a page whose example runs."""

import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from urllib.request import urlopen

import pytest

import tallystick
import tallystick.testing
from tallystick.testing import PaperVenue, assert_halves_match, bot, run, until

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "testing.md"


def test_the_example_of_the_page_runs_as_it_stands(tmp_path: Path):
    (tmp_path / "test_bot.py").write_text("\n\n".join(re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:schemathesis", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout


def test_a_bot_that_knows_nothing_of_tests_lives_on_the_virtual_clock(virtual_clock, tallystick_venue):
    async def scenario() -> float:
        async with tallystick.connect(tallystick_venue.connector()) as venue:
            order_id = venue.buy("ACME-USD", Decimal(10))
            tallystick_venue.mute()
            await virtual_clock.until(lambda: tallystick_venue.orders)
            tallystick_venue.fill(order_id, 10)
            return [event.timestamp async for event in venue.events(order_id)][-1]

    began = virtual_clock.run(scenario)
    assert 1_700_000_000 < began < 1_700_000_060, "the events' times are the virtual ones: found by an audit, soon"


def test_a_sandbox_is_a_server_of_its_own(tallystick_sandbox):
    with urlopen(f"{tallystick_sandbox.url}/readyz", timeout=10) as answer:
        assert answer.status == 200
    assert tallystick_sandbox.stop() == 0


def test_halves_that_differ_are_said_in_sentences():
    async def scenario():
        paper = PaperVenue()
        async with bot(paper) as a:
            order_id = a.buy()
            await until(lambda: a.told)
            assert_halves_match(a.client, a.venue, paper)
            paper.mute()
            paper.fill(order_id, 4)
            with pytest.raises(AssertionError, match="quantity is 0 with the client and 4 at the venue"):
                assert_halves_match(a.client, a.venue, paper)
            paper.add("somebody else's", 1000)
            with pytest.raises(AssertionError, match="the client's journal does not"):
                assert_halves_match(a.client, a.venue, paper)

    run(scenario)


def test_every_public_name_is_there():
    for name in tallystick.testing.__all__:
        assert getattr(tallystick.testing, name) is not None
    assert not hasattr(tallystick.testing, "Trial")


def test_pytest_is_needed_by_whoever_runs_it_alone():
    code = (
        "import sys, tallystick.testing as testing\n"
        "assert 'tallystick.connect.client' not in sys.modules\n"
        "import tallystick.testing.report, tallystick.testing.sophic\n"
        "[getattr(testing, name) for name in testing.__all__]\n"
        "assert 'pytest' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
