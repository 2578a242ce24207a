"""The facts of the client half: what one process's journal says of its orders, at all of its venues.

Two things are kept apart (docs/design.md §5). *Belief* is the join of all evidence about an order: StatusBelieved,
FillBelieved and the others below 40 carry what is believed from now on, so that applying one only assigns and adds.
*Announced* is what listeners were told; it is said once and never taken back, and is journaled with the evidence that
caused it. Who stores the position (sequence, index) of the last one it handled misses none and sees none twice.

Amounts are integers: units at the market's ``unit_scale``, cash and stakes at its ``cash_scale``, prices at its
``price_scale``, a fee at the scale of its own asset (``fee_scale``). Times are microseconds since the epoch, on the
clock of this process; ``as_of`` is the time that evidence speaks of. All events of an entry happened at its time.

Codes, each for ever: 1-19 reference data and 20 an order's terms (client_terms.py), 21-39 belief, 40-49 announcements,
50-59 streams, 60-69 leaving, 70-79 the kill switch.
"""

from typing import Final

import msgspec
from msgspec import Struct

from tallystick.facts.client_records import OrderRecord
from tallystick.facts.client_terms import Fact, MarketListed, OrderIntended, VenueJoined
from tallystick.facts.common import Cause

EVENTS_PER_ENTRY_MAX: Final = 1024


# --- Belief -----------------------------------------------------------------------------------------------------------


class StatusBelieved(Fact, frozen=True, gc=False, tag=21):
    """What is believed of the order's status, as a whole.

    ``word`` is the newest word of an order that lives, said as of ``word_at``; while there is none (0), that is when
    the venue last said that it has the request. ``ends`` are the words of an end that were heard (bits of
    client_codes); ``heard`` is the time of the newest evidence that it exists.
    ``told_consumed`` and ``told_quantity`` are the most that the venue said to be filled.
    """

    status: int
    certainty: int
    word: int
    word_at: int
    ends: int
    heard: int
    told_consumed: int
    told_quantity: int


class FillBelieved(Fact, frozen=True, gc=False, tag=22):
    """A fill counts, in this form; in the place of the one with the same trade id, if there is one.

    ``states`` are the trade's states that were heard, as bits. ``consumed`` counts in the order's size kind.
    ``status``, ``certainty`` and ``heard`` are the order's after it. The same account of it leaves quarantine.
    """

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
    status: int
    certainty: int
    heard: int


class FillSetAside(Fact, frozen=True, gc=False, tag=23):
    """An account of a fill is in quarantine: shown, and not counted. If it counted before, it no longer does.

    Fields are as in FillBelieved; ``told`` says that listeners know of the trade.
    """

    reason: int
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
    told: bool = False


class WordSetAside(Fact, frozen=True, gc=False, tag=25):
    """The venue said something of the order that nobody here knows. It is kept as it came, once for each word.

    ``as_of`` is the newest time of it, and ``count`` how often it was said anew.
    """

    word: str
    as_of: int
    count: int = 1


class IdLearned(Fact, frozen=True, gc=False, tag=26):
    """The venue's id for the order; it may have several."""

    venue_id: str


class IdDisputed(Fact, frozen=True, gc=False, tag=27):
    """The venue gave this order an id that is another's. The other keeps it."""

    venue_id: str
    holder: int


class SubmitDoubted(Fact, frozen=True, gc=False, tag=28):
    """The request was sent and has no answer that says what became of it."""

    reason: str
    as_of: int


class SubmitRefused(Fact, frozen=True, gc=False, tag=29):
    """The venue refused the order, or the request never left. A StatusBelieved follows if nothing speaks against it."""

    code: str
    detail: str
    as_of: int


class CancelBelieved(Fact, frozen=True, gc=False, tag=30):
    """The newest that is known of the requests to cancel the order. It never touches its status."""

    outcome: int
    reason: str
    as_of: int


class OrderMissed(Fact, frozen=True, gc=False, tag=31):
    """The venue says that it does not have the order: when it said so since the order was last ``heard`` of, and when
    it was neither open nor had fills that we do not know, since its last word (``absences``); the newest, in order."""

    misses: tuple[int, ...]
    absences: tuple[int, ...] = ()


class OrdersConfirmed(Fact, frozen=True, gc=False, tag=32):
    """Each of the orders is as it was, as of that time."""

    as_of: int
    orders: tuple[int, ...]


class FillsListed(Fact, frozen=True, gc=False, tag=34):
    """Every fill until ``as_of`` was reported."""

    as_of: int


class TermsBelieved(Fact, frozen=True, gc=False, tag=35):
    """The venue has changed the order's terms as of that time. The newest count under which what is filled fits."""

    as_of: int
    size: int
    price: int


class SumsBelieved(Fact, frozen=True, gc=False, tag=36):
    """What a venue that says sums said to be filled, beyond the fills that have names; in the place of what it was.

    ``told_notional`` is the most that it said, ``matched`` what it newest said to be filled and pending together.
    ``consumed``, ``quantity``, ``notional`` and ``pending`` follow from that and count, until fills with names do.
    """

    told_notional: int
    matched_at: int
    matched: int
    consumed: int
    quantity: int
    notional: int
    pending: int


# --- Announcements ----------------------------------------------------------------------------------------------------


class Announced(Fact, frozen=True, gc=False, tag=40):
    """Listeners are told. ``trade`` is the fill that a FILLED is about, ``changed`` what an UPDATED is about.

    Where fills follow from sums, a FILLED has its own amounts, and ``trade`` is a name of ours (``~1``, ``~2``) unless
    the venue's was known. A fill that gets its name later is not told again.
    """

    what: int
    flags: int = 0
    trade: str = ""
    changed: int = 0
    consumed: int = 0
    quantity: int = 0
    notional: int = 0
    price: int = 0


# --- Streams ----------------------------------------------------------------------------------------------------------


class StreamBroken(Fact, frozen=True, gc=False, tag=50):
    """Messages of a stream may be missing up to ``as_of``. The venue is not trusted until a snapshot is newer."""

    stream: str
    reason: str
    as_of: int


class SnapshotTaken(Fact, frozen=True, gc=False, tag=51):
    """All open orders of the venue were seen, as of that time."""

    as_of: int


class StreamPositioned(Fact, frozen=True, gc=False, tag=52):
    """Everything of a stream up to ``position``, the venue's own word, is in the journal."""

    stream: str
    position: str


# --- Leaving and coming back ------------------------------------------------------------------------------------------


class OrdersLeft(Fact, frozen=True, gc=False, tag=60):
    """Nothing more is expected of these orders: they leave the state, for tables that can be made anew."""

    orders: tuple[int, ...]


class OrderRecalled(Fact, frozen=True, gc=False, tag=33):
    """An order that had left is tracked again, because evidence of it came."""

    record: OrderRecord


# --- The kill switch --------------------------------------------------------------------------------------------------


class PlacingKilled(Fact, frozen=True, gc=False, tag=70):
    """Nothing is placed at the venue any more, for this reason, until PlacingReleased; restarts change nothing."""

    reason: str


class PlacingReleased(Fact, frozen=True, gc=False, tag=71):
    """Orders are placed again."""


# --- The entry --------------------------------------------------------------------------------------------------------

ClientEvent = (
    VenueJoined
    | MarketListed
    | OrderIntended
    | StatusBelieved
    | FillBelieved
    | FillSetAside
    | WordSetAside
    | IdLearned
    | IdDisputed
    | SubmitDoubted
    | SubmitRefused
    | CancelBelieved
    | OrderMissed
    | OrdersConfirmed
    | OrderRecalled
    | FillsListed
    | TermsBelieved
    | SumsBelieved
    | Announced
    | StreamBroken
    | SnapshotTaken
    | StreamPositioned
    | OrdersLeft
    | PlacingKilled
    | PlacingReleased
)


class Entry(Struct, frozen=True, array_like=True, gc=False):
    """The journal's unit: one decided input, at most EVENTS_PER_ENTRY_MAX events.

    ``links`` is as in the venue's: for each order the entry is about, its key and the sequence of the entry that was
    about it before (0: none), flat.
    """

    sequence: int
    time: int
    cause: Cause
    links: tuple[int, ...]
    events: tuple[ClientEvent, ...]


_decoder = msgspec.json.Decoder(Entry)

encode: Final = msgspec.json.Encoder().encode
"""An entry, or a record, as the journal keeps it: JSON, positional."""


def decode(body: bytes) -> Entry:
    """The inverse of ``encode`` for an entry; raises msgspec.DecodeError for what no version of this program wrote."""
    return _decoder.decode(body)
