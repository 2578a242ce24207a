"""A venue's life made of a seed: run it as a program, and it prints what came of it as JSON. No test by itself.

Thousands of commands, right and wrong, over weeks of venue time; quantities of ``WEI`` and its amounts leave 64 bits.
"""

import json
import random
import sys
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import Any

from tallystick.cli.build_info import is_compiled
from tallystick.dialects.sophic.rules import Policy, SophicRules
from tallystick.facts.codes import BUY, CASH, COUNTERPARTY, CUSTOMER, FEES, MARKET_ORDER, SELL, UNITS, WORLD
from tallystick.facts.commands import (
    CancelOrders,
    DefineAsset,
    DefineMarket,
    OpenAccount,
    OpenVenue,
    PlaceOrder,
    Quote,
    Transfer,
)
from tallystick.facts.venue import decode, encode
from tallystick.venue.calendar import SettlementCalendar, day_number
from tallystick.venue.engine import Engine
from tallystick.venue.fold import fold
from tallystick.venue.prices import RandomWalk
from tallystick.venue.snapshot import state_hash
from tallystick.venue.state import State
from tests.naive import check, dump

HOUR_US = 3_600_000_000
RETAIN_US = 5 * 24 * HOUR_US
START_US = day_number(2026, 2, 25) * 24 * HOUR_US
WORLD_ACCOUNT, STREET, HOUSE, ALICE, BOB, CAROL = range(1, 7)
SCALES = {"USD": 2, "ACME": 6, "WEI": 18}
POLICY = Policy(
    SettlementCalendar(2, holidays=[day_number(2026, 3, 6)], settle_at_us=16 * HOUR_US, cutoff_us=15 * HOUR_US),
    fee_bps=25,
    submit_after_us=HOUR_US // 7,
    execute_after_us=HOUR_US // 3,
    trade_interval_us=HOUR_US // 2,
    trade_cash_max=20_000_000,
)


def beginning() -> Iterator[Any]:
    yield OpenVenue("life", "", "", "", RETAIN_US)
    for name, scale in SCALES.items():
        yield DefineAsset(name, scale)
    roles = {"world": WORLD, "street": COUNTERPARTY, "fees": FEES} | dict.fromkeys(("alice", "bob", "carol"), CUSTOMER)
    for name, role in roles.items():
        yield OpenAccount(name, role)
    for unit, increment in (("ACME", 100), ("WEI", 1)):
        yield DefineMarket(f"ins_{unit.lower()}", unit, unit, unit, "USD", 4, increment)
    for customer in (ALICE, BOB, CAROL):
        for asset, scale in SCALES.items():
            yield Transfer(WORLD_ACCOUNT, customer, asset, 100_000 * 10**scale)


def command(chance: random.Random, now: int, walks: list[RandomWalk], newest: int) -> Any:
    """Any command at all; now and then one that must be refused. ``newest`` is the number of the last order."""
    account, market = chance.choice((ALICE, BOB, CAROL, CAROL, HOUSE)), chance.choice((1, 2))
    roll = chance.random()
    if roll < 0.35:
        key = f"key {chance.randrange(500)}" if chance.random() < 0.3 else ""
        cash = chance.choice((0, 1, 999, 1_000_000, 10**9))
        return PlaceOrder(account, market, BUY, MARKET_ORDER, CASH, chance.randint(0, cash), key, key and f"{cash}")
    if roll < 0.6:
        quantity = chance.randrange(10 ** (10 if market == 1 else 22)) // 100 * chance.choice((100, 100, 100, 1))
        return PlaceOrder(account, market, SELL, MARKET_ORDER, UNITS, quantity)
    if roll < 0.7:
        orders = (newest + 1 - chance.randrange(chance.choice((2, 2, 50))) for _ in range(chance.randint(1, 3)))
        return CancelOrders(tuple(orders), "operator", "asked")
    if roll < 0.8:
        return Transfer(account, chance.choice((ALICE, BOB, CAROL)), "USD", chance.randint(-5, 10**6))
    return Quote(market, walks[market - 1].price(now) if chance.random() < 0.9 else 0)


def live(seed: int, commands: int) -> dict[str, Any]:
    """What came of it: the kinds of events; digests of the entries, the answers, and of the state and its replay."""
    chance, now = random.Random(seed), START_US
    walks = [RandomWalk(seed + number, 1_250_000, 9_000, HOUR_US) for number in (1, 2)]
    engine = Engine(SophicRules(POLICY))
    answers: list[str] = []
    bodies: list[bytes] = []

    def decide(asked: Any) -> None:
        decision = engine.decide(asked, now)
        answers.append(repr(decision.answer))
        if decision.entry is not None:
            bodies.append(encode(decision.entry))
        bodies.extend(encode(entry) for entry in _due(lambda: engine.wake(now)))

    for asked in beginning():
        decide(asked)
    for _ in range(commands):
        now += chance.randrange(HOUR_US // 2)
        decide(command(chance, now, walks, engine.state.orders_made))
    replayed = State()
    kinds: set[str] = set()
    for entry in map(decode, bodies):
        fold(replayed, entry)
        kinds.update(type(event).__name__ for event in entry.events)
    check(engine.state)
    return {
        "compiled": is_compiled(),
        "entries": len(bodies),
        "kinds": sorted(kinds),
        "refusals": sorted({answer.split("'")[1] for answer in answers if answer.startswith("Refused")}),
        "repetitions": sum(answer.startswith("Exists") for answer in answers),
        "journal": digest(bodies),
        "answers": digest(answer.encode() for answer in answers),
        "orders": [engine.state.orders_made, len(engine.state.orders)],
        "hashes": [state_hash(state) for state in (engine.state, replayed)],
        "states": [digest([repr(dump(state)).encode()]) for state in (engine.state, replayed)],
    }


def _due(wake: Callable[[], Any]) -> Iterator[Any]:
    while (entry := wake()) is not None:
        yield entry


def digest(pieces: Iterable[bytes]) -> str:
    """Of the pieces, each with its length before it."""
    whole = sha256()
    for piece in pieces:
        whole.update(len(piece).to_bytes(8, "big"))
        whole.update(piece)
    return whole.hexdigest()


if __name__ == "__main__":
    print(json.dumps(live(int(sys.argv[1]), int(sys.argv[2]))))
