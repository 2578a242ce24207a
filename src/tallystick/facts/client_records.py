"""Records of the client half: a process's state as plain values, one record for each thing in it.

Like events, a record's fields are only ever appended, with defaults.
"""

import msgspec
from msgspec import Struct

from tallystick.facts.client_terms import MarketListed, OrderIntended, VenueJoined


class FillRecord(Struct, frozen=True, array_like=True, gc=False):
    """``reason`` is why it is in quarantine, 0 for a fill that counts."""

    trade: str
    states: int
    consumed: int
    quantity: int
    notional: int
    price: int
    fee: int
    fee_asset: str
    fee_scale: int
    liquidity: int
    as_of: int
    reason: int = 0


class BeliefRecord(Struct, frozen=True, array_like=True, gc=False):
    """What is believed of an order: the same for the same evidence, in whatever order it came."""

    terms: OrderIntended
    made: int
    status: int
    certainty: int
    word: int
    word_at: int
    ends: int
    heard: int
    told_consumed: int
    told_quantity: int
    ids: tuple[str, ...]
    fills: tuple[FillRecord, ...]
    aside: tuple[FillRecord, ...]
    words: tuple[tuple[str, int], ...]
    disputed: tuple[str, ...]
    misses: tuple[int, ...]
    absences: tuple[int, ...]
    doubt: tuple[int, str]
    refusal: tuple[int, str, str]
    cancel: tuple[int, int, str]
    fills_at: int
    versions: tuple[tuple[int, int, int], ...]
    size_max: int
    sums: tuple[int, ...]


class OrderRecord(Struct, frozen=True, array_like=True, gc=False, tag=4):
    """An order as a whole: belief, and what was announced. ``told`` and ``told_aside`` are of the Announced kind, as is
    ``said``, what fills came to; ``counts`` are how often each of its unknown words was said. ``updated`` is the time
    and ``last`` the sequence of its last entry."""

    belief: BeliefRecord
    told: int
    told_aside: tuple[str, ...]
    updated: int
    last: int
    counts: tuple[int, ...] = ()
    said: tuple[int, ...] = ()


class HeadRecord(Struct, frozen=True, array_like=True, gc=False, tag=1):
    sequence: int
    time: int
    orders_made: int
    left_at: int = 0


class VenueRecord(Struct, frozen=True, array_like=True, gc=False, tag=2):
    terms: VenueJoined
    broken_at: int
    snapshot_at: int
    positions: tuple[tuple[str, str], ...]
    killed_at: int = 0
    killed: str = ""


class MarketRecord(Struct, frozen=True, array_like=True, gc=False, tag=3):
    terms: MarketListed


StateRecord = HeadRecord | VenueRecord | MarketRecord | OrderRecord

_decoder = msgspec.json.Decoder(StateRecord)


def decode_record(body: bytes) -> StateRecord:
    """The inverse of ``client.encode`` for a record; raises msgspec.DecodeError as ``client.decode`` does."""
    record: StateRecord = _decoder.decode(body)
    return record
