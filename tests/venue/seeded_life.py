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
from tallystick.core.lifecycle import FILLED, OPEN, PENDING, TRADE_EXECUTED
from tallystick.dialects.sophic.policy import Policy
from tallystick.dialects.sophic.rules import SophicRules
from tallystick.facts.codes import BUY, CASH, COUNTERPARTY, CUSTOMER, FEES, MARKET_ORDER, SELL, UNITS, WORLD
from tallystick.facts.commands import (
    CancelOrders,
    ChangeAccount,
    ChangeMarket,
    ClearPrerequisite,
    DefineAsset,
    DefineMarket,
    ExecutePart,
    FailExecution,
    Hold,
    OpenAccount,
    OpenVenue,
    PlaceOrder,
    Quote,
    SettleTrade,
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
    price_stale_us=12 * HOUR_US,
    review_over=80_000 * 10**8,
    prerequisite_us=20 * HOUR_US,
    retry_us=HOUR_US // 5,
    settlement_retry_us=3 * HOUR_US,
)


def beginning() -> Iterator[Any]:
    yield OpenVenue("life", "", "", "", RETAIN_US)
    for name, scale in SCALES.items():
        yield DefineAsset(name, scale)
    roles = {"world": WORLD, "street": COUNTERPARTY, "fees": FEES} | dict.fromkeys(("alice", "bob", "carol"), CUSTOMER)
    for name, role in roles.items():
        yield OpenAccount(name, role)
    for unit, increment in (("ACME", 100), ("WEI", 1)):
        traits = (("issuer", "Żółć"), ("isin", ""))
        yield DefineMarket(f"ins_{unit.lower()}", unit, unit, unit, "USD", 4, increment, cash_min=50, traits=traits)
    for customer in (ALICE, BOB, CAROL):
        for asset, scale in SCALES.items():
            yield Transfer(WORLD_ACCOUNT, customer, asset, 100_000 * 10**scale)


def command(chance: random.Random, now: int, walks: list[RandomWalk], state: State) -> Any:
    """Any command at all; now and then one that must be refused."""
    newest = state.orders_made
    account, market = chance.choice((ALICE, BOB, CAROL, CAROL, HOUSE)), chance.choice((1, 2))
    roll = chance.random()
    if roll < 0.33:
        key = f"key {chance.randrange(30)}" if chance.random() < 0.3 else ""
        cash = chance.choice((0, 1, 999, 1_000_000, 10**9))
        size = chance.choice((cash, chance.randint(0, cash)))
        return PlaceOrder(account, market, BUY, MARKET_ORDER, CASH, size, key, key and f"{size}")
    if roll < 0.55:
        quantity = chance.randrange(10 ** (10 if market == 1 else 22)) // 100 * chance.choice((100, 100, 100, 1))
        return PlaceOrder(account, market, SELL, MARKET_ORDER, UNITS, quantity)
    if roll < 0.62:
        orders = (newest + 1 - chance.randrange(chance.choice((2, 2, 50))) for _ in range(chance.randint(1, 3)))
        return CancelOrders(tuple(orders), "operator", "asked")
    if roll < 0.7:
        reference = f"wire {chance.randrange(50)}" if chance.random() < 0.3 else ""
        cents = chance.choice((500, 700)) if reference else chance.randint(-5, 10**6)
        return Transfer(account, chance.choice((ALICE, BOB, CAROL)), "USD", cents, reference=reference)
    if roll < 0.88:
        return Quote(market, walks[market - 1].price(now) if chance.random() < 0.9 else 0)
    return operation(chance, account, market, state)


def operation(chance: random.Random, account: int, market: int, state: State) -> Any:
    """Something that an operator, or somebody who tests, may ask."""
    status = chance.choice((PENDING, OPEN, FILLED))
    order = chance.choice([0, *(number for number, order in state.orders.items() if order.status == status)])
    trade = chance.choice([0, *(number for number, trade in state.trades.items() if trade.status == TRADE_EXECUTED)])
    match chance.randrange(20):
        case 0:
            return ChangeMarket(market, chance.choice((1, 2, 3, 4)), "operator", "news")
        case 1 | 2 | 3 | 4:
            return ChangeMarket(market, 1, "operator")
        case 5:
            return ChangeAccount(account, chance.choice((1, 2, None)), chance.choice((0, 1, 2, 4, 8)), "owner")
        case 6 | 7 | 8 | 9:
            return ChangeAccount(account, 1, 0, by="operator")
        case 10 | 11:
            return ClearPrerequisite(order, chance.random() < 0.8, "operator")
        case 12:
            return ExecutePart(order, chance.choice((0, 100)), chance.choice((0, 0, 1_200_000)), "tester")
        case 13 | 14:
            return FailExecution(order, chance.random() < 0.7, "tester", chance.choice(("", "no_route")))
        case 15 | 16:
            return SettleTrade(trade, chance.random() < 0.7, "operator")
    return Hold(chance.randint(1, 4), market, chance.random() < 0.95)


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
        decide(command(chance, now, walks, engine.state))
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
