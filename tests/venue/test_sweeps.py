"""A halt or a suspension ends the orders there are, a slice at a time, however many they are and whatever comes in.

A sweep may end no order but those that were there; each once, each with a fact that names the request.
"""

import pytest

from tallystick.core.keys import account_key, market_key
from tallystick.dialects.sophic.policy import Policy
from tallystick.dialects.sophic.rules import SophicRules
from tallystick.facts.codes import (
    ACTIVE,
    BUY,
    BUY_SELL,
    CASH,
    MARKET_ORDER,
    NOT_TRADING,
    SELL,
    SUSPENDED,
    UNITS,
)
from tallystick.facts.commands import (
    CancelOrders,
    ChangeAccount,
    ChangeMarket,
    DefineAsset,
    DefineMarket,
    PlaceOrder,
    Refused,
)
from tallystick.facts.venue import CancelFinished, OrderCancelled, OrderFilled, decode, encode
from tallystick.venue import sweeps
from tallystick.venue.calendar import FixedDelay
from tallystick.venue.engine import Engine
from tallystick.venue.fold import fold
from tallystick.venue.snapshot import load, state_hash
from tallystick.venue.sweeps import SLICE_ORDERS
from tests.naive import check, dump, through_bytes
from tests.stage import ACME, ALICE, BOB, SECOND, Stage

BOND = 2
HALT, RESUME = ChangeMarket(ACME, NOT_TRADING, "op", "news"), ChangeMarket(ACME, BUY_SELL, "op")
SUSPEND, ACTIVATE = ChangeAccount(ALICE, SUSPENDED, by="op"), ChangeAccount(ALICE, ACTIVE, by="op")
POLICY = Policy(FixedDelay(0), fee_bps=100)


class Crowded(Stage):
    """Very many small orders that wait for a price; the costly comparisons are made by ``compare``."""

    def __init__(self, orders: int = 0, **more) -> None:
        self.is_quiet = False
        super().__init__(POLICY, **more)
        self.do(DefineAsset("BOND", 3))
        self.do(DefineMarket("ins_bond", "BOND", "A bond", "BOND", "USD", 2, 10))
        self.is_quiet = True
        for number in range(orders):
            self.place(ALICE if number % 2 else BOB, BOND if number % 3 == 0 else ACME)

    def place(self, account: int = ALICE, market: int = ACME):
        return self.do(PlaceOrder(account, market, BUY, MARKET_ORDER, CASH, 2))

    def _keep(self, entry) -> None:
        if not self.is_quiet:
            super()._keep(entry)
        elif entry is not None:
            self.entries.append(decode(encode(entry)))
            fold(self.readers, self.entries[-1])

    def compare(self) -> None:
        assert dump(self.readers) == dump(self.state) == dump(load(through_bytes(self.readers)))
        check(self.state)

    def slice(self):
        """One slice of what is to be swept: the numbers of the orders that it ended."""
        entry = self.engine.wake(self.now)
        self._keep(entry)
        return [event.order for event in entry.events if isinstance(event, (OrderCancelled, OrderFilled))]

    def sweep(self) -> list[int]:
        ended: list[int] = []
        while self.state.sweeps:
            ended += self.slice()
        return ended


def open_orders(stage, **wanted) -> list[int]:
    return [
        number
        for number, order in stage.state.orders.items()
        if order.status < 4 and all(getattr(order, name) == value for name, value in wanted.items())
    ]


def test_three_thousand_orders_end_in_slices_that_fit_an_entry():
    stage = Crowded(3_000)
    there = open_orders(stage, market=ACME)
    others = open_orders(stage, market=BOND)
    before = len(stage.entries)
    stage.do(HALT)
    assert 0 < stage.engine.next_due() <= stage.state.time
    assert stage.sweep() == there
    slices = stage.entries[before + 1 :]
    assert [len(entry.events) for entry in slices] == [*[SLICE_ORDERS] * 4, SLICE_ORDERS + 1]
    assert [entry.cause.kind for entry in slices] == ["sweep"] * 5
    request = stage.readers.requests[1]
    assert (request.done, request.finished, request.reason) == (2_000, True, "market_not_trading")
    assert open_orders(stage) == others
    assert stage.cash() == "1000.00 0.00 0.00 10.00"
    stage.compare()


def test_the_last_fact_of_a_sweep_reaches_who_listens_to_its_market_or_account():
    stage = Crowded(10)
    stage.do(HALT)
    stage.do(SUSPEND)
    stage.sweep()
    finished = [entry for entry in stage.entries if isinstance(entry.events[-1], CancelFinished)]
    assert [market_key(ACME) in entry.touched() for entry in finished] == [True, False]
    assert account_key(ALICE) in finished[1].touched()


def test_an_empty_sweep_is_finished_at_once():
    stage = Crowded()
    for command in (HALT, SUSPEND):
        stage.do(command)
        assert stage.slice() == []
    assert [request.finished for request in stage.readers.requests.values()] == [True, True]
    assert stage.engine.next_due() == 0
    stage.compare()


def test_commands_in_between_are_decided_and_none_is_ended_twice():
    stage = Crowded(2_000)
    there = set(open_orders(stage, market=ACME))
    stage.do(HALT)
    first = stage.slice()
    asked = sorted(there - set(first))[5:8]
    stage.do(CancelOrders(tuple(asked), "op", "asked"))
    assert isinstance(stage.place(), Refused)
    made = stage.place(BOB, BOND).number
    rest = stage.sweep()
    assert set(first) | set(rest) | set(asked) == there
    assert not set(asked) & set(rest)
    assert [request.finished for request in stage.readers.requests.values()] == [True, True]
    assert stage.readers.requests[1].done == len(there) - 3
    assert stage.status(made) == "PENDING"
    stage.compare()


@pytest.mark.parametrize("slices", [0, 1, 3, 4])
@pytest.mark.parametrize("from_snapshot", [False, True])
def test_after_a_crash_in_the_middle_it_goes_on_and_ends(slices, from_snapshot):
    stage = Crowded(3_000)
    there = open_orders(stage, market=ACME)
    stage.do(HALT)
    ended = [number for _ in range(slices) for number in stage.slice()]
    rules = SophicRules(POLICY)
    if from_snapshot:
        engine = Engine(rules, load(through_bytes(stage.readers)))
        engine.recover(())
    else:
        engine = Engine(rules)
        engine.recover(stage.entries)
    assert state_hash(engine.state) == state_hash(stage.readers)
    assert 0 < engine.next_due() <= engine.state.time
    stage.engine = engine
    assert ended + stage.sweep() == there
    assert stage.readers.requests[1].done == len(there)
    stage.compare()


def test_resumed_while_it_sweeps_the_old_orders_end_and_the_new_ones_live():
    stage = Crowded(2_000)
    there = open_orders(stage, market=ACME)
    stage.do(HALT)
    ended = stage.slice()
    stage.do(RESUME)
    new = stage.place().number
    assert ended + stage.sweep() == there
    assert (stage.status(new), stage.readers.requests[1].through) == ("PENDING", 2_000)
    stage.compare()


def test_halted_again_while_it_sweeps_the_second_ends_what_came_in_between():
    stage = Crowded(1_000)
    there = open_orders(stage, market=ACME)
    stage.do(HALT)
    stage.slice()
    stage.do(RESUME)
    new = stage.place().number
    stage.do(HALT)
    stage.sweep()
    assert [request.done for request in stage.readers.requests.values()] == [len(there), 1]
    assert stage.status(new) == "CANCELLED"
    stage.compare()


def test_a_market_and_an_account_at_once_share_what_is_in_both():
    stage = Crowded(3_000)
    of_market, of_account = set(open_orders(stage, market=ACME)), set(open_orders(stage, account=ALICE))
    stage.do(HALT)
    stage.slice()
    stage.do(SUSPEND)
    stage.sweep()
    done = [request.done for request in stage.readers.requests.values()]
    assert done == [len(of_market), len(of_account - of_market)]
    assert open_orders(stage) == open_orders(stage, market=BOND, account=BOB)
    assert len(open_orders(stage)) == 500
    stage.compare()


def test_an_accounts_orders_end_also_when_most_of_its_orders_have_left():
    stage = Crowded(retain_us=SECOND)
    for _ in range(1_200):
        stage.place()
    kept = [1, 2, 700, 1_199, 1_200]
    gone = [number for number in range(1, 1_201) if number not in kept]
    for start in range(0, len(gone), 500):
        stage.do(CancelOrders(tuple(gone[start : start + 500])))
    stage.now += 2 * SECOND
    for _ in range(30):
        stage.do(PlaceOrder(BOB, ACME, SELL, MARKET_ORDER, UNITS, 10))
    assert len(stage.state.orders) == len(kept) + 30
    stage.do(SUSPEND)
    assert stage.sweep() == kept
    stage.compare()


def test_a_sweep_that_looks_far_looks_a_bounded_way_at_once(monkeypatch):
    monkeypatch.setattr(sweeps, "LOOKS_MAX", 100) if not _is_compiled() else pytest.skip("a compiled constant")
    stage = Crowded()
    first = stage.place().number
    for _ in range(1_000):
        stage.place(BOB, BOND)
    last = stage.place().number
    stage.do(HALT)
    wakes, ended = 0, []
    while stage.state.sweeps:
        wakes += 1
        entry = stage.engine.wake(stage.now)
        stage._keep(entry)
        ended += [event.order for event in entry.events if event.order] if entry else []
    assert ended == [first, last]
    assert 10 <= wakes <= 12
    stage.compare()


def test_what_is_due_waits_for_the_sweep_and_then_happens():
    stage = Crowded(900)
    mine = stage.place(BOB, BOND).number
    stage.do(HALT)
    stage.engine.ambient.quote(BOND, 100, stage.now)
    stage.engine.timers.rebuild(stage.state)
    stage.slice()
    assert stage.status(mine) == "PENDING"
    stage.sweep()
    stage.wake()
    assert stage.status(mine) == "FILLED"
    stage.compare()


def test_orders_with_trades_are_closed_short_and_settled_in_one_slice_each_with_two_facts():
    stage = Crowded()
    for _ in range(300):
        stage.do(PlaceOrder(BOB, ACME, SELL, MARKET_ORDER, UNITS, 20))
    policy = Policy(FixedDelay(0), trade_interval_us=60 * SECOND, trade_cash_max=1)
    stage.engine = Engine(SophicRules(policy), load(through_bytes(stage.readers)))
    stage.engine.recover(())
    stage.engine.ambient.quote(ACME, 100, stage.now)
    stage.wait(1)
    assert all(order.progress.trades and order.status == 3 for order in stage.state.orders.values())
    stage.do(HALT)
    assert len(stage.slice()) == 300
    assert len(stage.entries[-1].events) == 601
    assert all(order.is_settled() for order in stage.state.orders.values())
    stage.compare()


def _is_compiled() -> bool:
    return not str(sweeps.__file__).endswith(".py")
