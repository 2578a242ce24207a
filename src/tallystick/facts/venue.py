"""The facts of a venue: what its journal says happened.

An event carries every amount, date, posting and reason, so that applying it only assigns, adds and indexes
(docs/design.md §3). Amounts are integers at their asset's scale, prices at their market's, times are microseconds since
the epoch, `due` is when the subject wants to be looked at again (0: never).

Codes, each for ever: 1-19 reference data and accounts, 20-39 orders, 40-59 trades, 60-69 cancel requests.
Reserved: 44 a bust (an executed trade undone, with reversing postings).
"""

from typing import Final

import msgspec
from msgspec import Struct

from tallystick.facts.codes import BUY_SELL, OWNED
from tallystick.facts.common import Cause, Event

EVENTS_PER_ENTRY_MAX: Final = 1024
UNCHANGED: Final = -1


class AssetDefined(Event, frozen=True, gc=False, tag=1):
    """A currency or a unit that the ledger keeps; ``scale`` is its number of decimals."""

    asset: int
    name: str
    scale: int
    kind: int = OWNED


class Contract(Struct, frozen=True, array_like=True, gc=False):
    """The terms of a perpetual contract. Rates are parts of 10**9, prices at the market's scale, quantities the unit's.

    A position is a balance of the market's unit, and what it cost a balance of ``basis``. Limit prices are multiples of
    ``tick``. The margin of a position is its notional / leverage, never less than ``initial_margin`` of it.
    """

    basis: int
    tick: int
    price_min: int
    price_max: int
    quantity_max: int
    market_quantity_max: int
    maker_fee: int
    taker_fee: int
    initial_margin: int
    maintenance_margin: int
    leverage: int


class MarketDefined(Event, frozen=True, gc=False, tag=2):
    """An instrument: ``unit`` is traded for ``currency``; quantities are multiples of ``increment``.

    ``name`` is its public id, ``title`` what people call it, ``status`` what it takes orders for from the start. An
    order is for ``quantity_min`` units, or ``cash_min`` of cash in steps of ``cash_increment`` (0: any); ``pros_only``
    is for professionals. ``traits`` are names and texts that no rule looks at.
    """

    name: str
    symbol: str
    title: str
    unit: int
    currency: int
    price_scale: int
    increment: int
    status: int = BUY_SELL
    pros_only: bool = False
    quantity_min: int = 0
    cash_min: int = 0
    cash_increment: int = 0
    traits: tuple[tuple[str, str], ...] = ()
    contract: Contract | None = None


class VenueOpened(Event, frozen=True, gc=False, tag=3):
    """The first fact of a venue. ``key_check`` is a digest of the secret from which its public ids are made.

    An order that is closed and settled leaves the state ``retain_us`` later, at most ``retire_max`` with one entry.
    """

    name: str
    key_check: str
    retain_us: int
    retire_max: int


class MarketChanged(Event, frozen=True, gc=False, tag=4):
    """What the market takes orders for, from now on."""

    status: int


class AccountOpened(Event, frozen=True, gc=False, tag=10):
    """A ledger account. ``name`` is its public id, unique at the venue; ``owner`` the client whose it is."""

    name: str
    role: int
    owner: str = ""
    flags: int = 0


class Transferred(Event, frozen=True, gc=False, tag=11):
    """Settled funds moved from one account to another: deposits, withdrawals, corrections.

    ``reference`` is its sender's word for it, which a customer's account knows again for a while.
    """

    payer: int
    payee: int
    asset: int
    amount: int
    reference: str = ""


class AccountChanged(Event, frozen=True, gc=False, tag=12):
    """What the account is from now on, as a whole."""

    status: int
    flags: int
    owner: str


class LeverageChanged(Event, frozen=True, gc=False, tag=13):
    """The leverage of the account's positions and orders in the market from now on, in parts of 10**9."""

    leverage: int


class Instructions(Struct, frozen=True, array_like=True, gc=False):
    """How an order is worked in a book.

    ``price`` is its limit (0: none), ``expires`` when it ends by itself (0: never), ``trigger`` the price that its
    market has to reach before it is worked at all (0: none), ``trigger_when`` from which side. ``signed`` is when its
    owner signed it, in the venue's time (0: unknown). ``names`` are words of its owner and its venue for it, which no
    rule looks at.
    """

    price: int
    time_in_force: int
    flags: int = 0
    self_trade: int = 0
    expires: int = 0
    trigger: int = 0
    trigger_when: int = 0
    leverage: int = 0
    signed: int = 0
    names: tuple[str, ...] = ()


class OrderPlaced(Event, frozen=True, gc=False, tag=20):
    """Accepted: the order's terms, which never change, and its reservation.

    ``tradeable`` is the part of ``size`` that is traded when fees are inside it, else the size itself; ``fee_bps`` is
    the rate that was agreed, in hundredths of a percent of the notional.
    ``client_key`` is the owner's word for the order, unique in the account; ``fingerprint`` tells a repetition of the
    same request from another one under the same key. Only what is worked in a book has ``instructions``.
    """

    side: int
    order_type: int
    kind: int
    size: int
    tradeable: int
    reserve_asset: int
    reserved: int
    due: int
    client_key: str = ""
    fingerprint: str = ""
    fee_bps: int = 0
    instructions: Instructions | None = None


class OrderWaiting(Event, frozen=True, gc=False, tag=21):
    """Accepted, but a prerequisite is missing; after ``deadline`` (0: never) it waits no longer."""

    prerequisite: int
    due: int
    deadline: int = 0


class OrderOpened(Event, frozen=True, gc=False, tag=22):
    """Submitted for execution."""

    due: int


class ExecutionFailed(Event, frozen=True, gc=False, tag=23):
    """An attempt to execute failed for a ``reason`` that may pass: the order is tried again when it is due."""

    reason: str
    due: int


class OrderFilled(Event, frozen=True, gc=False, tag=24):
    """The station that executes is done; what was not used is released, and the rest of the reservation voided.

    One that is closed short says the ``reason``, and the cancel ``request`` that it is the answer to.
    """

    released: int
    voided: int
    verdict: int
    reason: str = ""
    request: int = 0


class OrderCancelled(Event, frozen=True, gc=False, tag=25):
    released: int
    voided: int
    reason: str
    request: int = 0


class OrderExpired(Event, frozen=True, gc=False, tag=26):
    released: int
    voided: int


class OrderRefused(Event, frozen=True, gc=False, tag=27):
    """A request was refused, and that is on record: so that what came under its owner's key is refused in the same
    words when it comes again (specs/sophic.md §5), or because the refusal itself is told as an event, of an order that
    has ``names`` and nothing else (seeds/002)."""

    refusal: int
    client_key: str
    fingerprint: str
    code: str
    detail: str
    field: str
    names: tuple[str, ...] = ()


class OrderSettled(Event, frozen=True, gc=False, tag=28):
    """Closed, and each of its fills settled or reverted. Said once, of an order that had fills; it is a consequence,
    not a status of its own."""


class PrerequisiteCleared(Event, frozen=True, gc=False, tag=29):
    """What a PENDING order waited for is there; it may wait for something else now (``then``, 0: nothing)."""

    prerequisite: int
    then: int
    due: int
    deadline: int = 0


class OrderTriggered(Event, frozen=True, gc=False, tag=30):
    """The market reached the order's trigger ``price``: it is worked from now on, under a reservation of its own."""

    price: int
    reserved: int


class OrderRested(Event, frozen=True, gc=False, tag=31):
    """What is left of the order rests in the book, behind all that rests at its price; if it was not open, it is now.
    It expires when it is due."""

    due: int


class OrdersReached(Event, frozen=True, gc=False, tag=32):
    """The market reached the trigger price of these ``orders``, and the entry has no room to work them. They stand by
    no longer: each goes on when it is ``due``, wherever the price is then. ``price`` is the value that decided it."""

    price: int
    orders: tuple[int, ...]
    due: int


class Leg(Struct, frozen=True, array_like=True, gc=False):
    """One order's part of a trade, which is a fill.

    ``consumed`` counts in the order's size kind; ``posted`` is what it takes from the order's reservation; ``realised``
    is the profit, or the loss, that it makes of a position.
    """

    order: int
    account: int
    consumed: int
    quantity: int
    notional: int
    fee: int
    posted: int
    liquidity: int = 0
    realised: int = 0


class Obligation(Struct, frozen=True, array_like=True, gc=False):
    """What one party of an executed trade owes another until it settles."""

    payer: int
    payee: int
    asset: int
    amount: int


class TradeMade(Event, frozen=True, gc=False, tag=40):
    """A trade begins, PENDING, EXECUTED or at once SETTLED (``status``); ``due`` is when it wants to be looked at: to
    settle, or to be asked for.

    The keys name the leg that took; every leg is routed to its own order and account. ``price`` is the value that
    decided it. ``order_due`` is when the taking order wants to go on, UNCHANGED for when it wanted to before.
    """

    trade: int
    status: int
    price: int
    legs: tuple[Leg, ...]
    obligations: tuple[Obligation, ...]
    due: int
    value_date: int = 0
    order_due: int = UNCHANGED


class TradeConfirmed(Event, frozen=True, gc=False, tag=41):
    """A pending trade is executed: its obligations are owed from now on, its reservations posted."""

    trade: int
    due: int


class TradeReverted(Event, frozen=True, gc=False, tag=42):
    """A pending trade is undone as a whole. ``voided`` is, for each leg, what its closed order no longer reserves."""

    trade: int
    voided: tuple[int, ...]


class TradeSettled(Event, frozen=True, gc=False, tag=43):
    """The obligations of an executed trade are discharged."""

    trade: int


class SettlementFailed(Event, frozen=True, gc=False, tag=45):
    """An executed trade could not be settled; it is tried again when it is due, for as long as it takes."""

    trade: int
    reason: str
    due: int


class CancelRequested(Event, frozen=True, gc=False, tag=60):
    """Somebody asked for orders to be cancelled; each outcome follows as a fact of its own.

    ``orders`` names them, or the event's market or account all of its orders up to the number ``through``.
    """

    request: int
    scope: int
    orders: tuple[int, ...] = ()
    through: int = 0
    reason: str = ""


class CancelRefused(Event, frozen=True, gc=False, tag=61):
    """This order is not cancelled. It never touches a status. Without an order it is about what was asked for by the
    ``name``, or about the whole request."""

    request: int
    reason: str
    name: str = ""


class CancelFinished(Event, frozen=True, gc=False, tag=62):
    """Every order in the scope of a market's or an account's request has its outcome."""

    request: int


VenueEvent = (
    AssetDefined
    | MarketDefined
    | VenueOpened
    | MarketChanged
    | AccountOpened
    | Transferred
    | AccountChanged
    | LeverageChanged
    | OrderPlaced
    | OrderWaiting
    | OrderOpened
    | ExecutionFailed
    | OrderFilled
    | OrderCancelled
    | OrderExpired
    | OrderRefused
    | OrderSettled
    | PrerequisiteCleared
    | OrderTriggered
    | OrderRested
    | OrdersReached
    | TradeMade
    | TradeConfirmed
    | TradeReverted
    | TradeSettled
    | SettlementFailed
    | CancelRequested
    | CancelRefused
    | CancelFinished
)


class Entry(Struct, frozen=True, array_like=True, gc=False):
    """The journal's unit: one decided command. The event at index i happened at ``time + i``.

    ``links`` is the index: for each key the entry touches, the key and the sequence of the entry that touched it
    before (0: none), flat. Walking them back from a key's newest entry finds all of its entries, and only those.
    """

    sequence: int
    time: int
    cause: Cause
    links: tuple[int, ...]
    events: tuple[VenueEvent, ...]

    def touched(self) -> tuple[int, ...]:
        """The keys it touches."""
        return self.links[::2]

    def previous(self, key: int) -> int:
        """The sequence of the entry that touched ``key`` before this one; KeyError if this one does not touch it."""
        for position in range(0, len(self.links), 2):
            if self.links[position] == key:
                return self.links[position + 1]
        raise KeyError(key)


def event_number(sequence: int, index: int) -> int:
    """A number for one event, unique at its venue and growing."""
    return sequence * EVENTS_PER_ENTRY_MAX + index


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Entry)


def encode(entry: Entry) -> bytes:
    """The entry as the journal keeps it: JSON, positional."""
    return _encoder.encode(entry)


def decode(body: bytes) -> Entry:
    """The inverse of ``encode``; raises msgspec.DecodeError for what no version of this program wrote."""
    return _decoder.decode(body)
