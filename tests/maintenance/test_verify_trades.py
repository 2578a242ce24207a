"""Trades of several orders, pending until they are confirmed or reverted, pass the audit as a venue writes them."""

import pytest

from tallystick.facts.codes import BUY, CUSTOMER, LIMIT_ORDER, SELL, STAKE
from tallystick.facts.common import Cause
from tallystick.facts.venue import (
    AccountOpened,
    AssetDefined,
    Leg,
    MarketDefined,
    Obligation,
    OrderCancelled,
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
from tallystick.journal.errors import DamagedJournal
from tallystick.journal.record import Record
from tallystick.readers.verify_entries import EntryAudit
from tallystick.venue.ambient import Ambient
from tallystick.venue.draft import Draft
from tallystick.venue.snapshot import state_hash
from tallystick.venue.state import State
from tallystick.venue.timers import Timers

HOUSE, MAKER, TAKER = 1, 2, 3
USD, BET = 1, 2
PENDING, EXECUTED, SETTLED = 0, 1, 2


class Writer:
    """A venue's writer without rules: it emits what it is told, and everything is audited at once."""

    def __init__(self) -> None:
        self.state = State()
        self.audit = EntryAudit("sx")
        self.write(VenueOpened(0, 0, 0, "sx", "", 1_000_000, 64))
        self.write(AssetDefined(0, 0, 0, USD, "USD", 2), AssetDefined(0, 0, 0, BET, "BET", 2))
        self.write(*(AccountOpened(number, 0, 0, f"a{number}", CUSTOMER + (number == 1)) for number in (1, 2, 3)))
        self.write(MarketDefined(0, 0, 1, "m", "M", "A match", BET, USD, 2, 1))
        for number, account, side in ((1, MAKER, SELL), (2, TAKER, BUY)):
            self.write(
                Transferred(account, 0, 0, HOUSE, account, USD, 100),
                OrderPlaced(account, number, 1, side, LIMIT_ORDER, STAKE, 100, 100, USD, 100, 0),
                OrderOpened(account, number, 1, 0),
            )

    def write(self, *events: object) -> None:
        draft = Draft(self.state, Ambient(), Timers(), self.state.time + 2_000_000)
        for event in events:
            draft.emit(event)
        entry = draft.seal(Cause("test"))
        assert entry is not None
        self.audit.take(Record(entry.sequence, 1, encode(entry), b""))
        self.audit.look_at_everything()
        assert state_hash(self.audit.state) == state_hash(self.state)


def trade(number: int, status: int, consumed: int) -> TradeMade:
    legs = tuple(Leg(order, account, *[consumed] * 3, 0, consumed) for order, account in ((1, MAKER), (2, TAKER)))
    owed = tuple(Obligation(account, HOUSE, USD, consumed) for account in (MAKER, TAKER))
    return TradeMade(TAKER, 2, 1, number, status, 100, legs, owed, 0)


CANCEL_THE_REST = OrderCancelled(MAKER, 1, 1, 40, 40, "asked")
FATES = {
    "executed, settled": [[trade(1, EXECUTED, 60)], [TradeSettled(TAKER, 2, 1, 1)]],
    "settled at once": [[trade(1, SETTLED, 60)], [CANCEL_THE_REST]],
    "confirmed, settled": [
        [trade(1, PENDING, 60)],
        [TradeConfirmed(TAKER, 2, 1, 1, 0)],
        [TradeSettled(TAKER, 2, 1, 1)],
    ],
    "made and confirmed in one entry": [[trade(1, PENDING, 60), TradeConfirmed(TAKER, 2, 1, 1, 0)]],
    "reverted while open": [[trade(1, PENDING, 60)], [TradeReverted(TAKER, 2, 1, 1, (0, 0))]],
    "reverted once a leg is closed": [
        [trade(1, PENDING, 60)],
        [CANCEL_THE_REST],
        [TradeReverted(TAKER, 2, 1, 1, (60, 0))],
    ],
    "confirmed once a leg is closed": [
        [trade(1, PENDING, 60)],
        [CANCEL_THE_REST],
        [TradeConfirmed(TAKER, 2, 1, 1, 0)],
        [TradeSettled(TAKER, 2, 1, 1)],
        [Transferred(MAKER, 0, 0, HOUSE, MAKER, USD, 1)],  # with which order 1 leaves, and its trade stays
    ],
}


@pytest.mark.parametrize("fate", FATES)
def test_a_trade_of_two_orders(fate):
    writer = Writer()
    for events in FATES[fate]:
        writer.write(*events)


def test_a_closed_leg_that_keeps_what_its_reverted_fill_held():
    writer = Writer()
    writer.write(trade(1, PENDING, 60))
    writer.write(CANCEL_THE_REST)
    with pytest.raises(DamagedJournal, match="order 1 reserves 60, its pending fills will take 0"):
        writer.write(TradeReverted(TAKER, 2, 1, 1, (0, 0)))
