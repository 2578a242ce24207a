"""Records: a venue's state as plain values, one record for each thing in it, for snapshots and for tables.

Like events, a record's fields are only ever appended, with defaults.
"""

from typing import Final

import msgspec
from msgspec import Struct

from tallystick.facts.codes import ACTIVE
from tallystick.facts.venue import AssetDefined, MarketDefined, OrderPlaced, OrderRefused, TradeMade, Transferred


class HeadRecord(Struct, frozen=True, array_like=True, gc=False, tag=1):
    """The venue itself, after the entry ``sequence``."""

    name: str
    key_check: str
    sequence: int
    time: int
    orders_made: int
    trades_made: int
    requests_made: int
    retain_us: int
    retire_max: int
    left_at: int
    refusals_made: int = 0


class AssetRecord(Struct, frozen=True, array_like=True, gc=False, tag=2):
    terms: AssetDefined


class MarketRecord(Struct, frozen=True, array_like=True, gc=False, tag=3):
    """``changes`` of its status are (since when, from then on), oldest first."""

    terms: MarketDefined
    last: int
    changes: tuple[tuple[int, int], ...] = ()


class BalanceRecord(Struct, frozen=True, array_like=True, gc=False):
    asset: int
    settled: int
    receivable: int
    payable: int
    reserved: int


class AccountRecord(Struct, frozen=True, array_like=True, gc=False, tag=4):
    number: int
    name: str
    role: int
    last: int
    balances: tuple[BalanceRecord, ...]
    status: int = ACTIVE
    flags: int = 0
    owner: str = ""
    touched: int = 0
    milestones: tuple[int, ...] = ()
    transfers: tuple[Transferred, ...] = ()
    leverage: tuple[tuple[int, int], ...] = ()


class OrderRecord(Struct, frozen=True, array_like=True, gc=False, tag=5):
    terms: OrderPlaced
    status: int
    reserved: int
    due: int
    placed: int
    updated: int
    last: int
    consumed: int
    pending: int
    released: int
    quantity: int
    notional: int
    fees: int
    executed: int
    held: int
    trades: tuple[int, ...]


class TradeRecord(Struct, frozen=True, array_like=True, gc=False, tag=6):
    """``holders`` counts the orders of its legs that are still in the state."""

    terms: TradeMade
    status: int
    due: int
    made: int
    settled: int
    holders: int


class RequestRecord(Struct, frozen=True, array_like=True, gc=False, tag=7):
    number: int
    scope: int
    made: int
    outcomes: tuple[tuple[int, int], ...]
    reasons: tuple[tuple[int, str], ...]
    subject: int = 0
    through: int = 0
    reason: str = ""
    done: int = 0
    finished: bool = True


class LeavingRecord(Struct, frozen=True, array_like=True, gc=False, tag=8):
    """An order (or, negative, a cancel request) that is done since ``time`` and leaves the state some time after."""

    time: int
    number: int


class WaitingRecord(Struct, frozen=True, array_like=True, gc=False, tag=9):
    """What a PENDING order waits for, and until when."""

    order: int
    prerequisite: int
    deadline: int


class RefusalRecord(Struct, frozen=True, array_like=True, gc=False, tag=10):
    terms: OrderRefused
    made: int


class RetryRecord(Struct, frozen=True, array_like=True, gc=False, tag=11):
    """An order, or a trade, that failed ``attempts`` times so far, the last time for ``reason``."""

    order: int
    trade: int
    attempts: int
    reason: str


class BookRecord(Struct, frozen=True, array_like=True, gc=False, tag=12):
    """What rests in a market and what stands by for its price, each in the order of its turns, and its last price."""

    market: int
    resting: tuple[int, ...]
    standby: tuple[int, ...]
    traded: int


StateRecord = (
    HeadRecord
    | AssetRecord
    | MarketRecord
    | AccountRecord
    | OrderRecord
    | TradeRecord
    | RequestRecord
    | LeavingRecord
    | WaitingRecord
    | RefusalRecord
    | RetryRecord
    | BookRecord
)

encode: Final = msgspec.json.Encoder().encode
decode: Final = msgspec.json.Decoder(StateRecord).decode
