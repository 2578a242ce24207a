"""An order as of any position is what it was then: folded from its entries alone, held against the venue's state."""

import random
from typing import Any

import msgspec
import pytest

from tallystick.core.ids import IdCodec
from tallystick.core.lifecycle import TRADE_EXECUTED
from tallystick.dialects.sophic.rules import SophicRules
from tallystick.facts.commands import OpenVenue
from tallystick.facts.venue import OrderCancelled, TradeConfirmed, TradeReverted, TradeSettled, decode, event_number
from tallystick.readers.index import Index
from tallystick.readers.past import seen_at, seen_now
from tallystick.readers.readers import Readers
from tallystick.server.neutral.port import Venue
from tallystick.server.neutral.sight import Viewer
from tallystick.server.neutral.view import View
from tallystick.venue.engine import Engine
from tallystick.venue.fold import apply
from tallystick.venue.prices import RandomWalk
from tests.exchange.crowd import crowd
from tests.exchange.floor import Floor
from tests.neutral.exchange import MAKER, SECRET, TAKER, Exchange
from tests.venue.seeded_life import HOUR_US, POLICY, START_US, beginning, command

EVERYBODY = Viewer(None)
NEVER_LEAVES = 10**15


def life(seed: int, commands: int) -> list[Any]:
    """A venue's entries; nothing leaves its state."""
    chance, now = random.Random(seed), START_US
    walks = [RandomWalk(seed + number, 1_250_000, 9_000, HOUR_US) for number in (1, 2)]
    engine = Engine(SophicRules(POLICY))
    first, *others = beginning()
    entries: list[Any] = []

    def decide(asked: Any) -> None:
        entries.append(engine.decide(asked, now).entry)
        while (due := engine.wake(now)) is not None:
            entries.append(due)

    for asked in (OpenVenue(first.name, "", retain_us=NEVER_LEAVES), *others):
        decide(asked)
    for _ in range(commands):
        now += chance.randrange(HOUR_US // 2)
        decide(command(chance, now, walks, engine.state))
    return [entry for entry in entries if entry is not None]


def held_against_every_moment(entries: list[Any]) -> int:
    """Apply the events one by one; after each, the order it names is what it is as of that event, for ever."""
    readers = Readers()
    index = Index(readers, lambda sequence: entries[sequence - 1])
    view = View(Venue("life", readers, index, IdCodec(SECRET, "life", "ord"), IdCodec(SECRET, "life", "trd")))
    then: dict[tuple[int, int], bytes] = {}
    for entry in entries:
        for at, event in enumerate(entry.events):
            apply(readers.state, event, entry.time + at)
            readers.state.retain_us = NEVER_LEAVES
            for number in {event.order, *(leg.order for leg in getattr(event, "legs", ()))} - {0}:
                seen = seen_now(readers, number)
                assert seen is not None
                then[number, event_number(entry.sequence, at)] = msgspec.json.encode(view.order(seen, EVERYBODY))
        for key in entry.touched():
            readers.state.touch(key, entry.sequence)
        readers.state.close_entry(entry.sequence, entry.time + len(entry.events) - 1)
    for (number, position), shown in then.items():
        seen = seen_at(index, number, position)
        assert seen is not None
        assert msgspec.json.encode(view.order(seen, EVERYBODY)) == shown
    return len(then)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_brokerages_life(seed: int) -> None:
    assert held_against_every_moment(life(seed, 3000)) > 1500


@pytest.mark.parametrize("seed", [1, 2])
def test_an_exchanges_crowd(seed: int) -> None:
    floor = Floor(audited=False)
    crowd(floor, seed, 400)
    assert held_against_every_moment(floor.entries) > 500


def test_trades_between_two_orders_that_are_confirmed_reverted_and_cancelled_meanwhile() -> None:
    exchange = Exchange("sx")
    maker, taker = exchange.place(MAKER), exchange.place(TAKER, 200)
    first, second = exchange.trade(maker, taker, 60), exchange.trade(maker, taker, 40)
    exchange.let(TradeConfirmed(TAKER, taker, 1, first, 0))
    exchange.let(OrderCancelled(MAKER, maker, 1, 0, 0, "asked"))
    exchange.let(TradeReverted(TAKER, taker, 1, second, (40, 0)))
    exchange.let(TradeSettled(TAKER, taker, 1, first))
    exchange.trade(exchange.place(MAKER), taker, 100, TRADE_EXECUTED)
    assert held_against_every_moment([decode(body) for body in exchange.entries]) > 10


def test_before_it_was_placed_there_is_no_order() -> None:
    exchange = Exchange("sx")
    before = event_number(exchange.state.sequence, 1023)
    number = exchange.place(MAKER)
    assert seen_at(exchange.venue.index, number, before) is None
    assert seen_at(exchange.venue.index, number, before + 1) is not None
    assert seen_at(exchange.venue.index, 99, before) is None
