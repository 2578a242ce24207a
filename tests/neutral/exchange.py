"""A venue in memory whose trades have two sides: facts go in as they are, and are read as a server reads them."""

from typing import Any

from tallystick.core.ids import IdCodec
from tallystick.core.lifecycle import TRADE_PENDING
from tallystick.facts.codes import BUY, CUSTOMER, LIMIT_ORDER, SELL, STAKE, WORLD
from tallystick.facts.common import Cause
from tallystick.facts.venue import (
    AccountOpened,
    AssetDefined,
    Entry,
    Leg,
    MarketDefined,
    Obligation,
    OrderOpened,
    OrderPlaced,
    TradeMade,
    Transferred,
    decode,
    encode,
)
from tallystick.readers.index import Index
from tallystick.readers.readers import Readers
from tallystick.server.neutral.port import Venue
from tallystick.venue.ambient import Ambient
from tallystick.venue.draft import Draft
from tallystick.venue.state import State
from tallystick.venue.timers import Timers

SECRET = b"0123456789abcdef"
HOUSE, MAKER, TAKER = 1, 2, 3
USD, BET = 1, 2


class Exchange:
    """A maker of the client ``maker`` and a taker of ``taker``, each with 10,000.00 USD."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.state = State()
        self.readers = Readers()
        self.entries: list[bytes] = []
        self.orders = self.trades = 0
        self._timers = Timers()
        index = Index(self.readers, lambda sequence: decode(self.entries[sequence - 1]))
        self.venue = Venue(name, self.readers, index, IdCodec(SECRET, name, "ord"), IdCodec(SECRET, name, "trd"))
        self.let(AssetDefined(0, 0, 0, USD, "USD", 2), AssetDefined(0, 0, 0, BET, "BET", 2))
        self.let(AccountOpened(HOUSE, 0, 0, "house", WORLD))
        for number, owner in ((MAKER, "maker"), (TAKER, "taker")):
            self.let(AccountOpened(number, 0, 0, f"acc_{owner}", CUSTOMER, owner))
            self.let(Transferred(number, 0, 0, HOUSE, number, USD, 1_000_000))
        self.let(MarketDefined(0, 0, 1, "match", "M", "A match", BET, USD, 2, 1))

    def let(self, *events: Any) -> Entry:
        """One entry with these facts."""
        draft = Draft(self.state, Ambient(), self._timers, self.state.time + 10)
        for event in events:
            draft.emit(event)
        entry = draft.seal(Cause("test"))
        assert entry is not None
        self.entries.append(encode(entry))
        self.readers.commit(decode(self.entries[-1]))
        return entry

    def place(self, account: int, size: int = 100) -> int:
        """The number of a new open order."""
        self.orders += 1
        side = SELL if account == MAKER else BUY
        self.let(OrderPlaced(account, self.orders, 1, side, LIMIT_ORDER, STAKE, size, size, USD, size, 0))
        self.let(OrderOpened(account, self.orders, 1, 0))
        return self.orders

    def trade(self, maker: int, taker: int, size: int = 60, status: int = TRADE_PENDING) -> int:
        """The number of a new trade between them."""
        self.trades += 1
        legs = (Leg(maker, MAKER, size, size, size, 0, size), Leg(taker, TAKER, size, size, size, 0, size))
        owed = (Obligation(MAKER, HOUSE, USD, size), Obligation(TAKER, HOUSE, USD, size))
        self.let(TradeMade(TAKER, taker, 1, self.trades, status, 100, legs, owed, 0))
        return self.trades
