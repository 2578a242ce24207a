"""A seed is a whole world: the same digest twice, in another process, and when its commands are decided again."""

import os
import subprocess
import sys

import pytest

from tallystick.facts.commands import PlaceOrder
from tallystick.simulate.process import Parts
from tallystick.simulate.record import Submitted, decide_again, digest, from_bytes, to_bytes
from tallystick.simulate.run import main, run
from tallystick.simulate.world import World

SEED = 5
RUN = "import sys; from tallystick.simulate.run import run; print(*[run(int(seed)).digest for seed in sys.argv[1:]])"
AGAIN = (
    "import sys; from tallystick.simulate.record import decide_again, digest, from_bytes;"
    "print(digest(decide_again(from_bytes(sys.stdin.buffer.read()))))"
)


def in_another_process(program: str, hash_seed: str, *arguments: str, given: bytes = b"") -> str:
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-c", program, *arguments]
    return (
        subprocess.run(command, env=environment, input=given, capture_output=True, check=True).stdout.decode().strip()
    )


@pytest.fixture(scope="module")
def world():
    world = World(SEED, Parts())
    world.run()
    return world


def test_a_seed_gives_the_same_digest_twice_and_another_seed_another():
    assert run(SEED) == run(SEED)
    assert run(SEED).digest != run(SEED + 1).digest


@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_a_seed_gives_the_same_digest_in_another_process(hash_seed):
    seeds = ["1", "2", "3"]
    assert in_another_process(RUN, hash_seed, *seeds).split() == [run(int(seed)).digest for seed in seeds]


@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_recorded_commands_give_the_same_entries_whatever_the_hash_seed(world, hash_seed):
    recording = to_bytes(world.recording)
    expected = digest(decide_again(from_bytes(recording)))
    assert in_another_process(AGAIN, hash_seed, given=recording) == expected


def test_another_command_gives_other_entries(world):
    recording = from_bytes(to_bytes(world.recording))
    before = digest(decide_again(recording))
    for index, step in enumerate(recording.steps):
        if isinstance(step, Submitted) and isinstance(step.command, PlaceOrder):
            recording.steps[index] = Submitted(PlaceOrder(0, 0, 0, 0, 0, 0), step.now)
    assert digest(decide_again(recording)) != before


def test_the_command_counts_and_says_nothing_of_a_clean_run(capsys):
    assert main(20, first_seed=1, jobs=1) == 0
    assert "20 seeds" in capsys.readouterr().out


def test_a_trace_shows_every_step(capsys):
    assert main(1, first_seed=SEED, trace=True) == 0
    shown = capsys.readouterr().out
    assert "PlaceOrder(" in shown
    assert "a process begins with" in shown
