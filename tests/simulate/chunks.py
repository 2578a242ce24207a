"""The seeds that the tests run, in chunks; TALLYSTICK_SEEDS says how many in all, TALLYSTICK_FIRST_SEED where from."""

import os

from tallystick.simulate.run import run

SEEDS = int(os.environ.get("TALLYSTICK_SEEDS", "2000"))
FIRST = int(os.environ.get("TALLYSTICK_FIRST_SEED", "1"))
CHUNK = 50


def half(which: int) -> list[range]:
    """The chunks of the even (0) or odd (1) half."""
    starts = range(FIRST, FIRST + SEEDS, CHUNK)
    return [range(start, min(start + CHUNK, FIRST + SEEDS)) for start in starts][which::2]


def violations(seeds: range) -> list[str]:
    """What the auditor objects to in them, with the command that shows it."""
    results = (run(seed) for seed in seeds)
    return [
        f"{result.rule}: {result.detail} (tallystick simulate --first-seed {result.seed} --seeds 1 --trace)"
        for result in results
        if result.rule
    ]
