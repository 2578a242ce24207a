"""Anything that traders may ask of an exchange, at random and by a seed, and what came of it.

``python -m tests.exchange.crowd SEED COMMANDS`` prints it as JSON.
"""

import json
import random
import sys
from hashlib import blake2b

from tallystick.facts.codes import (
    ACTIVE,
    AT_OR_ABOVE,
    AT_OR_BELOW,
    BUY,
    BUY_ONLY,
    BUY_SELL,
    CANCEL_BOTH,
    CANCEL_MAKER,
    CANCEL_TAKER,
    FILL_OR_KILL,
    GOOD_TILL_TIME,
    IMMEDIATE_OR_CANCEL,
    NOT_TRADING,
    POST_ONLY,
    REDUCE_ONLY,
    SELL,
    SELL_ONLY,
    SUSPENDED,
)
from tallystick.facts.commands import ChangeAccount, ChangeMarket, Quote, Transfer
from tallystick.facts.venue import encode
from tallystick.venue import engine
from tallystick.venue.snapshot import state_hash
from tests.exchange.floor import E9, ETH, Floor

SIDES = (BUY, SELL)


TRADERS = "ann bob cat dan eve fay gus hal"
MARKETS = 4


def wide_floor(audited: bool = False) -> Floor:
    """A floor for a crowd: more markets than one, of every scale, and more traders."""
    return Floor(TRADERS, audited=audited, markets=MARKETS)


def crowd(floor: Floor, seed: int, count: int) -> None:
    """Random orders, cancels, changes of leverage, quotes, payments, halts and passing time, by all its traders."""
    rng = random.Random(seed)
    traders = list(floor.accounts)
    for trader in traders:
        floor.deposit(trader, 50_000)
    for _ in range(count):
        ask_anything(floor, rng, traders)


def ask_anything(floor: Floor, rng: random.Random, traders: list[str]) -> None:
    trader, what = rng.choice(traders), rng.random()
    market = rng.choice((ETH, ETH, *range(1, len(floor.state.markets) + 1)))
    if what < 0.1:
        hashes = (f"hash {rng.randint(1, floor.hashes + 1)}" for _ in range(rng.randint(0, 3)))
        floor.cancel(trader, *hashes, market=market, standby=rng.random() < 0.2)
    elif what < 0.12:
        floor.leverage(trader, rng.choice((1, 2, 5, 10, 20)), market)
    elif what < 0.15:
        floor.wait(rng.random() * 20)
    elif what < 0.17:
        floor.now += rng.randint(1, 20_000_000)  # nobody is woken yet
    elif what < 0.18:
        floor.restart()
    elif what < 0.19:
        floor.do(Quote(market, rng.choice((0, around(floor, rng, market)))))
    elif what < 0.20:
        payer, payee = rng.choice(((1, floor.accounts[trader]), (floor.accounts[trader], 1)))
        floor.do(Transfer(payer, payee, "USDC", rng.randint(1, 20_000) * E9))
    elif what < 0.205:
        operate(floor, rng, trader, market)
    else:
        place_anything(floor, rng, trader, market)


def operate(floor: Floor, rng: random.Random, trader: str, market: int) -> None:
    """Something is stopped for a moment, or is not to be taken."""
    if rng.random() < 0.5:
        floor.do(ChangeMarket(market, rng.choice((NOT_TRADING, BUY_ONLY, SELL_ONLY))))
        place_anything(floor, rng, trader, market)
        floor.wait(rng.random())
        floor.do(ChangeMarket(market, BUY_SELL))
    else:
        floor.do(ChangeAccount(floor.accounts[trader], SUSPENDED))
        place_anything(floor, rng, rng.choice(list(floor.accounts)), market)
        floor.wait(rng.random())
        floor.do(ChangeAccount(floor.accounts[trader], ACTIVE))


def around(floor: Floor, rng: random.Random, market: int) -> int:
    """A price near the market's last, or far away, where nothing rests yet, at its scale."""
    if market == ETH:
        return (3000 + rng.randint(-6, 6)) * E9
    most = floor.state.markets[market].contract.price_max
    middle = most // 1000
    return max(1, rng.choice((middle + rng.randint(-6, 6), middle + rng.randint(-6, 6), rng.randint(1, most))))


def size_of(floor: Floor, rng: random.Random, market: int) -> int:
    """One unit of the smallest, or as much as some thousands of money buy."""
    if market == ETH:
        return round(rng.choice((0.01, 0.5, 1, 2, 3)) * E9)
    known = floor.state.markets[market]
    worth = max(1, rng.randint(1, 5_000) * E9 * known.parity // (known.contract.price_max // 1000))
    return max(1, min(rng.choice((1, 3, worth, worth)), known.contract.quantity_max))


def place_anything(floor: Floor, rng: random.Random, trader: str, market: int = ETH) -> None:
    stop = rng.random() < 0.15
    account = floor.state.accounts[floor.accounts[trader]]
    chosen = account.leverage.get(market, 5 * E9) / E9
    again = rng.random() < 0.03
    floor.place(
        trader,
        rng.choice(SIDES),
        size_of(floor, rng, market) / E9,
        at=0 if rng.random() < 0.15 else around(floor, rng, market) / E9,
        stop=around(floor, rng, market) / E9 if stop else 0,
        when=rng.choice((AT_OR_ABOVE, AT_OR_BELOW)) if stop else 0,
        tif=rng.choice((GOOD_TILL_TIME,) * 4 + (IMMEDIATE_OR_CANCEL, FILL_OR_KILL)),
        flags=rng.choice((0, 0, 0, 0, POST_ONLY, REDUCE_ONLY)),
        self_trade=rng.choice((CANCEL_TAKER, CANCEL_MAKER, CANCEL_BOTH)),
        expires=floor.now + rng.randint(1, 60_000_000) if rng.random() < 0.2 else 0,
        leverage=rng.choice((1, 2, 5, 10, 20)) if rng.random() < 0.03 else chosen,
        market=market,
        hash=f"hash {rng.randint(1, floor.hashes + 1)}" if again else f"hash {floor.hashes + 1}",
    )


def main(seed: int, count: int) -> None:
    floor = wide_floor()
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
