"""What could be wrong in a journal about halts, prerequisites, failures, keys and settlements is found, and named.

Each case is one entry forged after a history that is right: right links, right numbers, one fact that cannot be.
"""

from functools import cache

import pytest

from tallystick.core.keys import account_key, market_key, order_key
from tallystick.dialects.sophic.policy import Policy
from tallystick.facts.codes import (
    BUY,
    CASH,
    CLOSED_SHORT,
    COMPLIANCE,
    EXACT,
    MARKET_ORDER,
    NOT_TRADING,
    PRICE_FEED,
    REVIEWED,
    SCOPE_ACCOUNT,
    SCOPE_MARKET,
    SCOPE_ORDERS,
    SUSPENDED,
)
from tallystick.facts.commands import (
    CancelOrders,
    ChangeAccount,
    ChangeMarket,
    DefineAsset,
    DefineMarket,
    ExecutePart,
    FailExecution,
    Hold,
    PlaceOrder,
)
from tallystick.facts.common import Cause
from tallystick.facts.venue import (
    AccountChanged,
    CancelFinished,
    CancelRefused,
    CancelRequested,
    Entry,
    ExecutionFailed,
    Leg,
    MarketChanged,
    Obligation,
    OrderCancelled,
    OrderFilled,
    OrderPlaced,
    OrderRefused,
    OrderSettled,
    OrderWaiting,
    PrerequisiteCleared,
    SettlementFailed,
    TradeMade,
    TradeSettled,
    encode,
)
from tallystick.journal.errors import DamagedJournal
from tallystick.journal.record import Record
from tallystick.readers.verify_entries import EntryAudit
from tallystick.venue.calendar import FixedDelay
from tests.stage import ACME, ALICE, BOB, SECOND, STREET, USD, Stage

BOND = 2
OPEN, TRADED, FILLED, REVIEW, HALTED, SUSPENDED_ONE = range(1, 7)
"""Bob's order that is open; one of his that has traded; one that is filled; one of Alice's that waits for compliance;
one in a market that was halted, and Alice's, who was suspended: their sweeps have not begun."""
OF_ORDERS, OF_MARKET, OF_ACCOUNT = 1, 2, 3
"""The requests: for an order of Bob's that is cancelled, for the market, and for the account."""


@cache
def history() -> Stage:
    stage = Stage(Policy(FixedDelay(1_000 * SECOND), trade_interval_us=1_000 * SECOND))
    stage.do(DefineAsset("BOND", 3))
    stage.do(DefineMarket("ins_bond", "BOND", "A bond", "BOND", "USD", 2, 10))
    stage.do(Hold(3))
    stage.quote("30.00")
    stage.buy("50.00", BOB)
    stage.buy("60.00", BOB)
    stage.do(ExecutePart(TRADED, 100))
    stage.buy("70.00", BOB)
    stage.do(FailExecution(OPEN, True))
    stage.do(ExecutePart(FILLED))
    stage.do(ChangeAccount(ALICE, flags=REVIEWED))
    stage.buy("10.00")
    stage.do(PlaceOrder(BOB, BOND, BUY, MARKET_ORDER, CASH, 500))
    stage.buy("20.00")
    stage.buy("30.00", BOB)
    stage.do(CancelOrders((7,)))
    stage.buy("5000.00", BOB, client_key="k", fingerprint="f")
    stage.do(ChangeMarket(BOND, NOT_TRADING))
    stage.do(ChangeAccount(ALICE, SUSPENDED))
    return stage


def keys_of(event) -> list[int]:
    keys = [account_key(event.account)] if event.account else []
    keys += [order_key(event.order)] if event.order else []
    keys += [market_key(event.market)] if event.market else []
    return keys


def forged(*events, time=0) -> Entry:
    state = history().state
    keys = dict.fromkeys(key for event in events for key in keys_of(event))
    links = tuple(each for key in keys for each in (key, state.last(key)))
    return Entry(state.sequence + 1, time or state.time + 1, Cause("forged"), links, events)


def audit() -> EntryAudit:
    taken = EntryAudit("stage")
    for entry in history().entries:
        taken.take(Record(entry.sequence, 1, encode(entry), b""))
    return taken


def cancelled(order: int, request: int, reason="asked") -> OrderCancelled:
    kept = history().state.orders[order]
    return OrderCancelled(kept.account, order, kept.market, kept.leaves, kept.reserved, reason, request)


def filled(order: int, verdict: int, reason="", request=0) -> OrderFilled:
    kept = history().state.orders[order]
    return OrderFilled(kept.account, order, kept.market, kept.leaves, kept.reserved, verdict, reason, request)


def placed(account: int, market: int) -> OrderPlaced:
    return OrderPlaced(account, history().state.orders_made + 1, market, BUY, 1, CASH, 100, 100, USD, 100, 0)


def trade(order: int) -> TradeMade:
    kept = history().state.orders[order]
    leg = Leg(order, kept.account, 100, 10, 100, 0, 100)
    owed = (Obligation(kept.account, STREET, USD, 100),)
    return TradeMade(kept.account, order, kept.market, history().state.trades_made + 1, 1, 30, (leg,), owed, 0)


def refusal(number: int, key="another") -> OrderRefused:
    return OrderRefused(BOB, 0, ACME, number, key, "f", "insufficient_funds", "No.", "size")


LATER = 10**15
WRONG = {
    "a sweep ends an order that came after it": (
        lambda: [placed(BOB, ACME), MarketChanged(0, 0, ACME, 1), *_sweep_beyond()],
        "which that is not about",
    ),
    "a sweep of a market ends another market's order": (
        lambda: [cancelled(OPEN, OF_MARKET)],
        "answers request 2 with order 1, which that is not about",
    ),
    "a sweep of an account ends another account's order": (
        lambda: [cancelled(OPEN, OF_ACCOUNT)],
        "answers request 3 with order 1, which that is not about",
    ),
    "a request for one order ends another": (
        lambda: [cancelled(OPEN, OF_ORDERS)],
        "answers request 1 with order 1, which that is not about",
    ),
    "a request for one order refuses another": (
        lambda: [CancelRefused(BOB, TRADED, ACME, OF_ORDERS, "order_has_trades")],
        "answers request 1 with order 2, which that is not about",
    ),
    "an order ended for a request that is nowhere": (
        lambda: [cancelled(OPEN, 77)],
        "cannot be folded: KeyError",
    ),
    "a sweep is finished before it has ended every order": (
        lambda: [CancelFinished(0, 0, BOND, OF_MARKET)],
        "it finishes request 2, and order 5 is still open",
    ),
    "an account's sweep is finished before it has ended every order": (
        lambda: [CancelFinished(ALICE, 0, 0, OF_ACCOUNT)],
        "it finishes request 3, and order 4 is still open",
    ),
    "a sweep is finished twice": (
        lambda: [cancelled(HALTED, OF_MARKET), *[CancelFinished(0, 0, BOND, OF_MARKET)] * 2],
        "cannot be folded: KeyError",
    ),
    "a request for orders is finished": (
        lambda: [CancelFinished(0, 0, 0, OF_ORDERS)],
        "cannot be folded: KeyError",
    ),
    "a request's number is left out": (
        lambda: [CancelRequested(0, 0, BOND, 9, SCOPE_MARKET, (), 8)],
        "its CancelRequested has number 9, 4 is next",
    ),
    "two refusals with one number": (
        lambda: [refusal(2), refusal(2, "third")],
        "its OrderRefused has number 2, 3 is next",
    ),
    "a refusal with a number that was used": (lambda: [refusal(1)], "its OrderRefused has number 1, 2 is next"),
    "a refusal without a key": (lambda: [refusal(2, "")], "refusal 2 is on record without a key"),
    "an order placed in a halted market": (lambda: [placed(BOB, BOND)], "places an order in market 2, which is not"),
    "an order placed for a suspended account": (
        lambda: [placed(ALICE, ACME)],
        "it places an order for account 4, which is suspended",
    ),
    "an order placed in the very entry that halts its market": (
        lambda: [MarketChanged(0, 0, ACME, NOT_TRADING), placed(BOB, ACME)],
        "it places an order in market 1, which is not trading",
    ),
    "a trade in the very entry that suspends its account": (
        lambda: [AccountChanged(BOB, 0, 0, SUSPENDED, 0, ""), trade(OPEN)],
        "it trades for account 5, which is suspended",
    ),
    "a trade in a market that is halted": (
        lambda: [MarketChanged(0, 0, ACME, NOT_TRADING), trade(OPEN)],
        "it trades in market 1, which is not trading",
    ),
    "compliance cleared of an order that does not wait": (
        lambda: [PrerequisiteCleared(BOB, OPEN, ACME, COMPLIANCE, PRICE_FEED, LATER)],
        "clears prerequisite 2 of order 1, which waits for 0",
    ),
    "a price cleared of an order that waits for compliance": (
        lambda: [PrerequisiteCleared(ALICE, REVIEW, ACME, PRICE_FEED, COMPLIANCE, LATER)],
        "clears prerequisite 1 of order 4, which waits for 2",
    ),
    "compliance cleared twice": (
        lambda: [PrerequisiteCleared(ALICE, REVIEW, ACME, COMPLIANCE, PRICE_FEED, LATER)] * 2,
        "clears prerequisite 2 of order 4, which waits for 1",
    ),
    "an open order waits again": (
        lambda: [OrderWaiting(BOB, OPEN, ACME, PRICE_FEED, LATER)],
        "an order that is OPEN cannot WAIT",
    ),
    "an execution fails that is not under way": (
        lambda: [ExecutionFailed(ALICE, REVIEW, ACME, "no_route", LATER)],
        "fails to execute an order that is not executing",
    ),
    "a failed execution is tried again at once": (
        lambda: [ExecutionFailed(BOB, OPEN, ACME, "no_route", 1)],
        "to be tried again at 1, which is no later",
    ),
    "a settlement fails of a trade that is nowhere": (
        lambda: [SettlementFailed(BOB, TRADED, ACME, 99, "no_delivery", LATER)],
        "cannot be folded: KeyError",
    ),
    "a failed settlement is tried again at once": (
        lambda: [SettlementFailed(BOB, TRADED, ACME, 1, "no_delivery", 1)],
        "to be tried again at 1, which is no later",
    ),
    "a settlement fails after it has settled": (
        lambda: [TradeSettled(BOB, TRADED, ACME, 1), SettlementFailed(BOB, TRADED, ACME, 1, "late", LATER)],
        "fails to settle a trade that is not executed",
    ),
    "closed short without a reason": (
        lambda: [filled(TRADED, CLOSED_SHORT)],
        "is filled with verdict 4 for the reason ''",
    ),
    "filled in full, and for a reason": (
        lambda: [filled(TRADED, EXACT, "no_route")],
        "is filled with verdict 1 for the reason 'no_route'",
    ),
    "filled exactly, with something left": (lambda: [filled(TRADED, EXACT)], "is filled exactly, and releases"),
    "closed short without a trade": (
        lambda: [filled(OPEN, CLOSED_SHORT, "no_route")],
        "it closes order 1 short, which has no trade",
    ),
    "said to be settled before its trade is": (
        lambda: [OrderSettled(BOB, FILLED, ACME)],
        "it says that order 3 is settled, and it is not",
    ),
    "said to be settled twice": (
        lambda: [OrderSettled(BOB, 7, ACME)],
        "it says again that order 7 is settled",
    ),
}


def _sweep_beyond() -> list:
    """Bob's new order, ended by the sweep of the account's orders that were there before it."""
    number = history().state.orders_made + 1
    return [OrderCancelled(BOB, number, ACME, 100, 100, "market_not_trading", OF_MARKET)]


@pytest.mark.parametrize("case", WRONG)
def test_an_entry_that_no_venue_would_write(case):
    events, reason = WRONG[case]
    taken, entry = audit(), forged(*events())
    with pytest.raises(DamagedJournal) as raised:
        taken.take(Record(entry.sequence, 1, encode(entry), b""))
    assert reason in str(raised.value)
    assert f"sequence {entry.sequence}" in str(raised.value)


RIGHT = {
    "swept, and finished": lambda: [cancelled(HALTED, OF_MARKET), CancelFinished(0, 0, BOND, OF_MARKET)],
    "asked for, and ended, in one entry": lambda: [
        CancelRequested(0, 0, 0, 4, SCOPE_ORDERS, (OPEN,)),
        cancelled(OPEN, 4),
    ],
    "halted, and swept, in one entry": lambda: [
        MarketChanged(0, 0, ACME, NOT_TRADING),
        CancelRequested(0, 0, ACME, 4, SCOPE_MARKET, (), 7),
        cancelled(OPEN, 4),
        filled(TRADED, CLOSED_SHORT, "market_not_trading", 4),
        cancelled(REVIEW, 4),
        cancelled(SUSPENDED_ONE, 4),
        CancelFinished(0, 0, ACME, 4),
    ],
    "resumed, and ordered": lambda: [MarketChanged(0, 0, BOND, 1), placed(BOB, BOND)],
    "nothing to sweep": lambda: [
        CancelRequested(STREET, 0, 0, 4, SCOPE_ACCOUNT, (), 7),
        CancelFinished(STREET, 0, 0, 4),
    ],
    "cleared": lambda: [PrerequisiteCleared(ALICE, REVIEW, ACME, COMPLIANCE, PRICE_FEED, LATER)],
    "failed": lambda: [ExecutionFailed(BOB, OPEN, ACME, "no_route", LATER)],
    "settled": lambda: [TradeSettled(BOB, FILLED, ACME, 2), OrderSettled(BOB, FILLED, ACME)],
    "refused": lambda: [refusal(2), refusal(3, "third")],
}


@pytest.mark.parametrize("case", RIGHT)
def test_the_forger_can_write_what_is_right(case):
    taken, entry = audit(), forged(*RIGHT[case]())
    taken.take(Record(entry.sequence, 1, encode(entry), b""))
    taken.look_at_everything()


def test_a_journal_that_ends_in_the_middle_of_a_sweep_is_whole():
    taken = audit()
    taken.look_at_everything()
    assert list(taken.state.sweeps) == [OF_MARKET, OF_ACCOUNT]


# --- A state that a fold would not make, as from a snapshot that was tampered with ---


def _no_waiting(state):
    state.waiting.clear()


def _retry_of_the_filled(state):
    state.order_retries[FILLED] = state.order_retries[OPEN]


def _retry_of_nothing(state):
    state.trade_retries[99] = state.order_retries[OPEN]


def _no_sweep(state):
    state.sweeps.popitem()


def _another_key(state):
    state.accounts[BOB].keys["x"] = OPEN


def _more_quantity(state):
    state.orders[TRADED].progress.quantity += 10


STATES = {
    _no_waiting: "what is pending and what waits differ, at order 4",
    _retry_of_the_filled: "order 3 is to be tried again, and it is not open",
    _retry_of_nothing: "trade 99 is to be settled again, and it is not executed",
    _no_sweep: "the requests [2, 3] are not finished, and [2] are carried out",
    _another_key: "account 5 has a key for 1, which was not asked under it",
    _more_quantity: "order 2 has amounts that are not the sums of its fills",
}


@pytest.mark.parametrize("tamper", STATES, ids=lambda tamper: tamper.__name__)
def test_a_state_in_which_something_does_not_hold(tamper):
    taken = audit()
    tamper(taken.state)
    with pytest.raises(DamagedJournal) as raised:
        taken.look_at_everything()
    assert STATES[tamper] in str(raised.value)
