"""Makes a golden journal: `python -m tests.golden.make NAME`, once for each release, to be read for ever.

It holds a brokerage's life, another in which operators and a tester have their hands, and trades that another party
confirms and reverts, each in a stream of its own, so that every kind of event is in it. What is committed is never made
again; a new one is added beside it.
"""

import json
import sys
from pathlib import Path

from msgspec import structs

from tallystick.core.lifecycle import TRADE_EXECUTED, TRADE_PENDING, TRADE_SETTLED
from tallystick.dialects.sophic.policy import Policy
from tallystick.facts.codes import (
    AT_OR_BELOW,
    BUY,
    BUY_SELL,
    CASH,
    CUSTOMER,
    LIMIT_ORDER,
    MARKET_ORDER,
    NOT_TRADING,
    PROFESSIONAL,
    REVIEWED,
    SELL,
    SELL_ONLY,
    STAKE,
    SUSPENDED,
    WORLD,
)
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
    PlaceOrder,
    SettleTrade,
    Transfer,
)
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
    OrdersReached,
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
from tallystick.venue.calendar import DAY_US, FixedDelay, day_number
from tallystick.venue.draft import Draft
from tallystick.venue.snapshot import state_hash
from tallystick.venue.state import State
from tallystick.venue.timers import Timers
from tests.exchange.crowd import crowd, wide_floor
from tests.golden.projection import projection
from tests.stage import ACME, ALICE, BOB, SECOND, Stage

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


def operated() -> tuple[list[Entry], State]:
    """Reviews, failures, a halt and a suspension, refusals under a key, late settlements; not all of it ends."""
    policy = Policy(
        FixedDelay(5 * SECOND),
        fee_bps=25,
        trade_interval_us=SECOND,
        trade_cash_max=10_000,
        price_stale_us=30 * SECOND,
        review_over=400 * 10**8,
        prerequisite_us=60 * SECOND,
        retry_us=SECOND,
        settlement_retry_us=3 * SECOND,
    )
    stage = Stage(policy, retain_us=40 * SECOND)
    stage.now = day_number(2026, 3, 2) * DAY_US
    traits = (("isin", "XS0000000000"), ("issuer", "Żółć S.A."))
    stage.do(DefineAsset("BOND", 3))
    bond = DefineMarket(
        "ins_bond", "BOND", "A bond", "BOND", "USD", 2, 10, pros_only=True, cash_min=5_000, traits=traits
    )
    stage.do(bond)
    stage.do(Transfer(1, ALICE, "USD", 50_000, "ops:ann", "wire", reference="wire-1"))
    stage.do(ChangeAccount(ALICE, flags=PROFESSIONAL | REVIEWED, owner="cli_one", by="ops:ann", reason="contract"))
    stage.buy("5000.00", client_key="too much", fingerprint="f")
    stage.do(PlaceOrder(ALICE, 0, BUY, MARKET_ORDER, CASH, 0, "nothing", "g"))
    stage.wait(50)
    stage.quote("31.70")
    stage.buy("100.00", client_key="seen", fingerprint="h")
    stage.buy("33.00")
    stage.do(ClearPrerequisite(1, True, "ops:ann", "looks right"))
    stage.do(ClearPrerequisite(2, False, "ops:bob", "does not"))
    stage.buy("450.00", BOB)
    stage.do(ClearPrerequisite(3, True, "ops:ann"))
    stage.do(FailExecution(3, True, "tester", "no_route"))
    stage.wait(1)
    stage.do(ExecutePart(3, 500, 3_171, "tester"))
    stage.do(SettleTrade(1, True, "tester", "no_delivery"))
    stage.do(SettleTrade(2, False, "ops:ann", "early"))
    stage.do(CancelOrders((1, 3), "ops:ann", "asked by phone"))
    stage.do(FailExecution(3, False, "tester", "security_delisted"))
    stage.wait(8)
    stage.do(Hold(3))
    stage.sell("1.00", BOB)
    stage.do(ExecutePart(4, 300))
    stage.buy("10.00")
    stage.do(ChangeMarket(ACME, NOT_TRADING, "ops:ann", "news"))
    stage.wake()
    stage.do(Hold(3, release=True))
    stage.do(ChangeMarket(ACME, SELL_ONLY, "ops:ann"))
    stage.sell("2.00", BOB)
    stage.do(ChangeMarket(ACME, BUY_SELL, "ops:ann"))
    stage.wait(45)
    stage.buy("5000.00", BOB, client_key="at hand", fingerprint="i")
    stage.buy("20.00")
    stage.do(Hold(3))
    stage.quote("32.00")
    stage.buy("120.00", BOB)
    stage.do(FailExecution(stage.state.orders_made, True, "tester", "no_route"))
    stage.sell("0.50", BOB)
    stage.do(ExecutePart(stage.state.orders_made))
    stage.do(SettleTrade(stage.state.trades_made, True, "tester", "no_delivery"))
    stage.do(ChangeAccount(BOB, SUSPENDED, by="ops:ann", reason="court order"))
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


def exchange() -> tuple[list[Entry], State]:
    """Orders in a book, stop orders, positions, leverage and cancels by hash, in markets of every scale."""
    floor = wide_floor()
    crowd(floor, 1, 150)
    stop = floor.sell("ann", 1, at=3010, stop=2000, when=AT_OR_BELOW)
    engine = floor.engine
    draft = Draft(engine.state, engine.ambient, engine.timers, floor.now)
    draft.emit(OrdersReached(0, 0, 1, 2_000 * 10**9, (stop,), draft.started))  # as where an entry has no more room
    floor._keep(draft.seal(Cause("place")))
    floor.wait(1)
    return floor.entries, floor.state


def lives() -> dict[str, tuple[list[Entry], State]]:
    """Each stream's entries, and the state that they give."""
    return {"brokerage": brokerage(), "operated": operated(), "chain": confirmed_elsewhere(), "exchange": exchange()}


def make(name: str) -> None:
    path = FOLDER / f"{name}.db"
    assert not path.exists(), "a golden journal is never made again"
    journal = SqliteJournal(path)
    expected = {}
    for stream, (entries, state) in lives().items():
        bodies = [encode(entry) for entry in entries]
        third = len(bodies) // 3
        for first, part in ((0, bodies[:third]), (third, bodies[third:])):
            journal.append([Append(stream, first, part)])
        expected[stream] = {"hash": state_hash(state), "state": projection(state)}
    journal.close()
    (FOLDER / f"{name}.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    make(sys.argv[1])
