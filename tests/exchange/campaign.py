"""The long form: ``python -m tests.exchange.campaign --commands 2000000``, until something does not hold.

By seeds, each a crowd on two floors: one with the fast book and one with the naive one, which must come to the same
state. Between commands the venue begins anew from its snapshot at random; after some of them everything must add up:
every asset to nothing, fills to trades, no book crossed, no order over its time.
"""

import argparse
import random
from time import monotonic

from tallystick.facts.venue import TradeMade
from tallystick.readers.invariants import state_objection
from tallystick.venue import state as state_room
from tallystick.venue.book import Book
from tallystick.venue.snapshot import state_hash
from tests.exchange.crowd import ask_anything, wide_floor
from tests.exchange.floor import E9, Floor
from tests.exchange.naive_book import NaiveBook

A_SEED = 2_000
LOOK_EVERY = 100


def floor_with(book: type, seed: int, count: int, look: bool) -> Floor:
    """A crowd of ``count`` commands on a floor whose markets have such books."""
    state_room.OrderBook = book
    floor = wide_floor()
    rng = random.Random(seed)
    traders = list(floor.accounts)
    for trader in traders:
        floor.deposit(trader, 50_000)
    for at in range(count):
        ask_anything(floor, rng, traders)
        if look and at % LOOK_EVERY == 0:
            found = objection(floor)
            assert not found, f"seed {seed}, command {at}: {found}"
    return floor


def objection(floor: Floor) -> str:
    """What does not hold of the floor's states, and of the trades since the last look; "" if everything does."""
    for state in (floor.state, floor.readers):
        found = state_objection(state)
        if found:
            return found
    for entry in floor.entries:
        for event in entry.events:
            if isinstance(event, TradeMade) and len({(leg.quantity, leg.notional) for leg in event.legs}) != 1:
                return f"the legs of trade {event.trade} are not of one size"
    floor.entries.clear()
    return cost_without_position(floor)


def cost_without_position(floor: Floor) -> str:
    for market in floor.state.markets.values():
        for account in floor.state.accounts.values():
            held, paid = (account.book.look(asset).settled for asset in (market.unit.number, market.basis))
            if held == 0 and paid and account.role == 1:
                return f"account {account.number} has no position in {market.name}, and a cost of {paid / E9}"
            if held * paid > 0 and account.role == 1:
                return f"account {account.number} holds {held} in {market.name} at less than nothing"
    return ""


def main() -> None:
    reader = argparse.ArgumentParser(prog="python -m tests.exchange.campaign", description=__doc__)
    reader.add_argument("--commands", type=int, default=100_000)
    reader.add_argument("--first-seed", type=int, default=1)
    asked = reader.parse_args()
    begun, done, trades, seed = monotonic(), 0, 0, asked.first_seed
    while done < asked.commands:
        fast = floor_with(Book, seed, A_SEED, look=True)
        naive = floor_with(NaiveBook, seed, A_SEED, look=False)
        hashes = {state_hash(state) for floor in (fast, naive) for state in (floor.state, floor.readers)}
        assert len(hashes) == 1, f"seed {seed}: the books came to different states"
        done, trades, seed = done + A_SEED, trades + fast.state.trades_made, seed + 1
        rate = done / (monotonic() - begun)
        print(f"seed {seed - 1}: {done:,} commands, {trades:,} trades, {rate:,.0f} commands/s", flush=True)


if __name__ == "__main__":
    main()
