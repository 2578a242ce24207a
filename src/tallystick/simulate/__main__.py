"""``python -m tallystick.simulate --seeds 1000``."""

import sys
from argparse import ArgumentParser

from tallystick.simulate.run import main

if __name__ == "__main__":
    parser = ArgumentParser(prog="tallystick simulate", description="Run simulated worlds and audit them.")
    parser.add_argument("--seeds", type=int, default=1000, help="how many (default: 1000)")
    parser.add_argument("--first-seed", type=int, default=1, help="the first of them (default: 1)")
    parser.add_argument("--trace", action="store_true", help="print every step")
    parser.add_argument("--jobs", type=int, default=None, help="processes (default: one for each core)")
    given = parser.parse_args()
    sys.exit(main(given.seeds, given.first_seed, given.trace, given.jobs))
