"""Anything that traders may ask of an exchange, at random and by a seed, and what came of it.

``python -m tests.exchange.crowd SEED COMMANDS`` prints it as JSON.
"""

import json
import random
import sys
from hashlib import blake2b

from tallystick.facts.codes import (
    AT_OR_ABOVE,
    AT_OR_BELOW,
    BUY,
    CANCEL_BOTH,
    CANCEL_MAKER,
    CANCEL_TAKER,
    FILL_OR_KILL,
    GOOD_TILL_TIME,
    IMMEDIATE_OR_CANCEL,
    POST_ONLY,
    REDUCE_ONLY,
    SELL,
)
from tallystick.facts.venue import encode
from tallystick.venue import engine
from tallystick.venue.snapshot import state_hash
from tests.exchange.floor import E9, ETH, Floor

SIDES = (BUY, SELL)


def crowd(floor: Floor, seed: int, count: int) -> None:
    """Random orders, cancels, changes of leverage and passing time, of four traders around one price."""
    rng = random.Random(seed)
    traders = list(floor.accounts)
    for trader in traders:
        floor.deposit(trader, 50_000)
    for _ in range(count):
        trader, what = rng.choice(traders), rng.random()
        if what < 0.1:
            floor.cancel(trader, *(f"hash {rng.randint(1, floor.hashes + 1)}" for _ in range(rng.randint(0, 3))))
        elif what < 0.12:
            floor.leverage(trader, rng.choice((2, 5, 10)))
        elif what < 0.17:
            floor.wait(rng.random() * 20)
        elif what < 0.18:
            floor.restart()
        else:
            place_anything(floor, rng, trader)


def place_anything(floor: Floor, rng: random.Random, trader: str) -> None:
    stop = rng.random() < 0.15
    chosen = floor.state.accounts[floor.accounts[trader]].leverage.get(ETH, 5 * E9) / E9
    floor.place(
        trader,
        rng.choice(SIDES),
        rng.choice((0.01, 0.5, 1, 2, 3)),
        at=0 if rng.random() < 0.15 else 3000 + rng.randint(-6, 6),
        stop=3000 + rng.randint(-6, 6) if stop else 0,
        when=rng.choice((AT_OR_ABOVE, AT_OR_BELOW)) if stop else 0,
        tif=rng.choice((GOOD_TILL_TIME,) * 4 + (IMMEDIATE_OR_CANCEL, FILL_OR_KILL)),
        flags=rng.choice((0, 0, 0, 0, POST_ONLY, REDUCE_ONLY)),
        self_trade=rng.choice((CANCEL_TAKER, CANCEL_MAKER, CANCEL_BOTH)),
        expires=floor.now + rng.randint(1, 60_000_000) if rng.random() < 0.2 else 0,
        leverage=rng.choice((2, 5, 10)) if rng.random() < 0.03 else chosen,
    )


def main(seed: int, count: int) -> None:
    floor = Floor(audited=False)
    crowd(floor, seed, count)
    digest = blake2b(digest_size=16)
    for entry in floor.entries:
        digest.update(encode(entry))
    came = {
        "compiled": not engine.__file__.endswith(".py"),
        "entries": len(floor.entries),
        "trades": floor.state.trades_made,
        "kinds": sorted({type(event).__name__ for entry in floor.entries for event in entry.events}),
        "journal": digest.hexdigest(),
        "hashes": [state_hash(floor.state), state_hash(floor.readers)],
    }
    print(json.dumps(came))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
