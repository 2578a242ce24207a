"""Makes a golden journal: `python -m tests.golden.make NAME`, once for each release, to be read for ever.

It holds a brokerage's life and, in a stream of its own, trades that another party confirms and reverts, so that every
kind of event is in it. What is committed is never made again; a new one is added beside it.
"""

import json
import sys
from pathlib import Path

from msgspec import structs

from tallystick.core.lifecycle import TRADE_EXECUTED, TRADE_PENDING, TRADE_SETTLED
from tallystick.facts.codes import CUSTOMER, LIMIT_ORDER, SELL, STAKE, WORLD
from tallystick.facts.commands import CancelOrders
from tallystick.facts.common import Cause
from tallystick.facts.venue import (
    AccountOpened,
    AssetDefined,
    CancelRefused,
    CancelRequested,
    Entry,
    Leg,
    MarketDefined,
    Obligation,
    OrderCancelled,
    OrderExpired,
    OrderOpened,
    OrderPlaced,
    TradeConfirmed,
    TradeMade,
    TradeReverted,
    TradeSettled,
    Transferred,
    VenueOpened,
    encode,
)
from tallystick.journal.port import Append
from tallystick.journal.sqlite import SqliteJournal
from tallystick.venue.ambient import Ambient
from tallystick.venue.draft import Draft
from tallystick.venue.snapshot import state_hash
from tallystick.venue.state import State
from tallystick.venue.timers import Timers
from tests.golden.projection import projection
from tests.stage import BOB, SECOND, Stage

FOLDER = Path(__file__).parent


def brokerage() -> tuple[list[Entry], State]:
    """Orders that wait, trade in parts, settle, are cancelled, refused a cancel, repeated, and leave the state."""
    stage = Stage(retain_us=40 * SECOND)
    stage.buy("100.00", client_key="mine", fingerprint="f")
    stage.wait(2)
    stage.quote("97.31")
    stage.sell("10.00", account=BOB)
    stage.wait(2)
    stage.buy("1900.00", account=BOB)
    stage.wait(2)
    stage.do(CancelOrders((1, 3), by="ops:ann", reason="asked by phone"))
    stage.buy("20.00")
    stage.do(CancelOrders((4,), by="ops:ann", reason="instrument halted"))
    stage.wait(30)
    for cash in ("33.33", "44.44", "0.02"):
        stage.buy(cash)
    stage.wait(45)
    stage.buy("55.55", account=BOB)
    return stage.entries, stage.state


def confirmed_elsewhere() -> tuple[list[Entry], State]:
    """Two makers and a taker whose trades another party confirms or reverts; one maker cancels meanwhile."""
    state, ambient, timers = State(), Ambient(), Timers()
    entries: list[Entry] = []

    def let(*events: object) -> None:
        draft = Draft(state, ambient, timers, state.time + 1_000)
        for event in events:
            draft.emit(event)
        entry = draft.seal(Cause("golden", "somebody", "zażółć gęślą jaźń"))
        assert entry is not None
        entries.append(entry)

    def trade(number: int, status: int, first: int, second: int) -> TradeMade:
        both = first + second
        legs = (Leg(1, 2, first, first, first, 0, first), Leg(2, 3, second, second, second, 0, second))
        legs = (*legs, Leg(3, 4, both, both, both, 0, both))
        owed = (Obligation(2, 1, 1, first), Obligation(3, 1, 1, second), Obligation(4, 1, 1, both))
        return TradeMade(4, 3, 1, number, status, 2**70, legs, owed, 99, 12)

    let(VenueOpened(0, 0, 0, "chain", "0011223344556677", 3_600_000_000, 64))
    let(AssetDefined(0, 0, 0, 1, "USDC", 6), AssetDefined(0, 0, 0, 2, "BET", 6))
    let(AccountOpened(1, 0, 0, "house", WORLD), *(AccountOpened(n, 0, 0, f"a{n}", CUSTOMER) for n in (2, 3, 4)))
    let(MarketDefined(0, 0, 1, "m", "M", "A match", 2, 1, 2, 1))
    for number, account, size in ((1, 2, 100), (2, 3, 50), (3, 4, 2**66), (4, 4, 7)):
        let(Transferred(account, 0, 0, 1, account, 1, size))
        let(
            OrderPlaced(account, number, 1, SELL, LIMIT_ORDER, STAKE, size, size, 1, size, 0),
            OrderOpened(account, number, 1, 0),
        )
    let(trade(1, TRADE_PENDING, 10, 10))
    let(TradeConfirmed(4, 3, 1, 1, 55))
    let(TradeSettled(4, 3, 1, 1))
    let(trade(2, TRADE_PENDING, 20, 5))
    let(CancelRequested(0, 0, 0, 1, 1, (1,)), OrderCancelled(2, 1, 1, 70, 70, "asked", 1))
    let(TradeReverted(4, 3, 1, 2, (20, 0, 0)))
    let(CancelRequested(2, 0, 0, 2, 1, (1,)), CancelRefused(2, 1, 1, 2, "order_closed"))
    let(OrderExpired(4, 4, 1, 7, 7))
    let(structs.replace(trade(3, TRADE_SETTLED, 0, 5), legs=(Leg(2, 3, 5, 5, 5, 0, 5), Leg(3, 4, 5, 5, 5, 0, 5)),
                        obligations=(Obligation(3, 1, 1, 5), Obligation(4, 1, 1, 5))))  # fmt: skip
    let(structs.replace(trade(4, TRADE_EXECUTED, 0, 6), legs=(Leg(2, 3, 6, 6, 6, 0, 6), Leg(3, 4, 6, 6, 6, 0, 6)),
                        obligations=(Obligation(3, 1, 1, 6), Obligation(4, 1, 1, 6))))  # fmt: skip
    return entries, state


def make(name: str) -> None:
    path = FOLDER / f"{name}.db"
    assert not path.exists(), "a golden journal is never made again"
    journal = SqliteJournal(path)
    expected = {}
    for stream, (entries, state) in {"brokerage": brokerage(), "chain": confirmed_elsewhere()}.items():
        bodies = [encode(entry) for entry in entries]
        third = len(bodies) // 3
        for first, part in ((0, bodies[:third]), (third, bodies[third:])):
            journal.append([Append(stream, first, part)])
        expected[stream] = {"hash": state_hash(state), "state": projection(state)}
    journal.close()
    (FOLDER / f"{name}.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    make(sys.argv[1])
