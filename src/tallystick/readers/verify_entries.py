"""One venue's records, judged as they come: each decodes to what was written, follows from those before, and folds to a
state in which everything holds that must (docs/design.md §6).

After each entry only what it touched is looked at; the whole state now and then, and at the end.
"""

from typing import Any, Final

import msgspec

from tallystick.core.keys import account_key, market_key, order_key
from tallystick.facts.venue import (
    EVENTS_PER_ENTRY_MAX,
    AccountOpened,
    AssetDefined,
    CancelRequested,
    Entry,
    MarketDefined,
    OrderPlaced,
    OrderRefused,
    TradeConfirmed,
    TradeMade,
    TradeReverted,
    TradeSettled,
    Transferred,
    decode,
    encode,
)
from tallystick.journal.errors import DamagedJournal
from tallystick.journal.record import Record
from tallystick.readers.invariants import balance_objection, order_objection, state_objection
from tallystick.readers.verify_facts import Facts
from tallystick.venue.fold import fold
from tallystick.venue.state import State

FULL_EVERY: Final = 20_000
"""Entries between two looks at the whole state; at least as many as there are orders in it, so that they cost a share
of the rest."""


class EntryAudit:
    """``state`` is the fold of what was taken; what it ``left`` is the last entry's. Of no use after it raised."""

    def __init__(self, venue: str) -> None:
        self.venue: Final = venue
        self.state: Final = State()
        self.state.left = []
        self.state.left_refusals = []
        self.events = 0
        self._whole = 0

    def take(self, record: Record) -> None:
        """The next record. Raises DamagedJournal, which names its sequence, at whatever is wrong with it."""
        entry = self._decoded(record)
        state = self.state
        last_time, self.events = state.time, self.events + len(entry.events)
        if entry.time <= last_time:
            raise self._wrong(entry, f"its time {entry.time} is not after {last_time}, the last event's")
        touched, facts, found = _Touched(state), Facts(state, entry.time), ""
        for event in entry.events:
            touched.add(event)
            found = found or facts.objection(event)
        self._require(entry, touched.objection or found or _links_objection(state, entry, touched))
        state.left = []
        state.left_refusals = []
        try:
            fold(state, entry)
        except Exception as error:
            raise self._wrong(entry, f"it cannot be folded: {type(error).__name__}: {error}") from error
        self._require(entry, touched.objection_after(entry) or facts.objection_after())
        if entry.sequence - self._whole >= max(FULL_EVERY, len(state.orders)):
            self.look_at_everything()

    def look_at_everything(self) -> None:
        """Judge the whole state. Raises DamagedJournal."""
        found = state_objection(self.state)
        if found:
            since = f"found after this entry, and not there after {self._whole}" if self._whole else "found here"
            raise DamagedJournal(f"{found} ({since})", self.venue, self.state.sequence)
        self._whole = self.state.sequence

    def _decoded(self, record: Record) -> Entry:
        try:
            entry = decode(record.body)
        except msgspec.MsgspecError as error:
            raise DamagedJournal(f"it is no entry: {error}", self.venue, record.sequence) from error
        if entry.sequence != record.sequence:
            raise DamagedJournal(f"its entry says that it is {entry.sequence}", self.venue, record.sequence)
        if not _is_written(entry, record.body):
            raise self._wrong(entry, "encoded again, it is not what was written")
        if not 1 <= len(entry.events) <= EVENTS_PER_ENTRY_MAX:
            raise self._wrong(entry, f"it has {len(entry.events)} events, not 1 to {EVENTS_PER_ENTRY_MAX}")
        return entry

    def _require(self, entry: Entry, objection: str) -> None:
        if objection:
            raise self._wrong(entry, objection)

    def _wrong(self, entry: Entry, reason: str) -> DamagedJournal:
        """``entry`` is named by what it was to do: its cause."""
        return DamagedJournal(f"the entry ({entry.cause.kind}) is wrong, {reason}", self.venue, entry.sequence)


def _is_written(entry: Entry, body: bytes) -> bool:
    """Whether ``body`` is how a version of this program writes the entry: an earlier one wrote fewer fields."""
    again = encode(entry)
    if again == body:
        return True
    written = msgspec.json.decode(body)
    return msgspec.json.encode(written) == body and _begins(msgspec.json.decode(again), written)


def _begins(whole: Any, part: Any) -> bool:
    """Whether ``part`` is ``whole``, but for fields at the end of its arrays, which have their defaults then."""
    if isinstance(whole, list) and isinstance(part, list):
        return len(part) <= len(whole) and all(map(_begins, whole, part))
    return bool(whole == part)


class _Touched:
    """What an entry's events touch: their keys, in the state as it is before; their orders and balances, after."""

    __slots__ = ("_numbers", "_state", "balances", "keys", "objection", "orders")

    def __init__(self, state: State) -> None:
        self._state: Final = state
        self.keys: Final[set[int]] = set()
        self.orders: Final[dict[int, tuple[int, int]]] = {}
        self.balances: Final[set[tuple[int, int]]] = set()
        self.objection = ""
        self._numbers: dict[type, int] | None = None

    def add(self, event: Any) -> None:
        account, order, market = event.account, event.order, event.market
        if account:
            self.keys.add(account_key(account))
        if market:
            self.keys.add(market_key(market))
        if order:
            self._order(order, account, market)
        kind = type(event)
        if kind in _NUMBERED:
            self._number(kind, event)
        if kind is OrderPlaced:
            self.balances.add((account, event.reserve_asset))
        elif kind is TradeMade:
            self._trade(event)
        elif kind is TradeSettled or kind is TradeConfirmed or kind is TradeReverted:
            trade = self._state.trades.get(event.trade)
            if trade is not None:  # else it was made by this entry, or is nowhere, which folding it will tell
                self._trade(trade.terms)
        elif kind is Transferred:
            self.keys.add(account_key(event.payer))
            self.balances.update(((event.payer, event.asset), (event.payee, event.asset)))

    def objection_after(self, entry: Entry) -> str:
        """What does not hold, once the entry is folded, of what it touched."""
        state = self._state
        for number, (account, market) in self.orders.items():
            order = state.orders.get(number)
            if order is None:
                continue  # it has left
            if (order.account, order.market) != (account, market):
                return f"it gives order {number} to account {account} and market {market}"
            found = order_objection(order)
            if found:
                return found
            self.balances.add((account, order.terms.reserve_asset))
        for holder, asset in self.balances:
            found = balance_objection(state, state.accounts[holder], asset, state.accounts[holder].book.look(asset))
            if found:
                return found
        return ""

    def _order(self, number: int, account: int, market: int) -> None:
        self.keys.add(order_key(number))
        if self.orders.setdefault(number, (account, market)) != (account, market):
            self.objection = self.objection or f"it gives order {number} to two accounts or markets"

    def _trade(self, terms: TradeMade) -> None:
        """A trade is routed to the order and account of each of its legs."""
        for leg in terms.legs:
            self.keys.add(account_key(leg.account))
            self._order(leg.order, leg.account, terms.market)
        for due in terms.obligations:
            self.balances.add((due.payer, due.asset))
            self.balances.add((due.payee, due.asset))

    def _number(self, kind: type, event: Any) -> None:
        """Whatever is made has the next number of its kind."""
        state = self._state
        if self._numbers is None:
            self._numbers = {
                AssetDefined: len(state.assets),
                MarketDefined: len(state.markets),
                AccountOpened: len(state.accounts),
                OrderPlaced: state.orders_made,
                OrderRefused: state.refusals_made,
                TradeMade: state.trades_made,
                CancelRequested: state.requests_made,
            }
        expected = self._numbers[kind] = self._numbers[kind] + 1
        number = getattr(event, _NUMBERED[kind])
        if number != expected:
            self.objection = self.objection or f"its {kind.__name__} has number {number}, {expected} is next"


_NUMBERED: Final[dict[type, str]] = {
    AssetDefined: "asset",
    MarketDefined: "market",
    AccountOpened: "account",
    OrderPlaced: "order",
    OrderRefused: "refusal",
    TradeMade: "trade",
    CancelRequested: "request",
}


def _links_objection(state: State, entry: Entry, touched: _Touched) -> str:
    """An entry names just the keys it touches, each with the entry that touched it before."""
    links = entry.links
    if len(links) != 2 * len(touched.keys):
        return f"it touches {len(touched.keys)} keys, and has {len(links) / 2:g} links"
    for position in range(0, len(links), 2):
        key, previous = links[position], links[position + 1]
        if key not in touched.keys:
            return f"it links to key {key}, which it does not touch"
        if previous != state.last(key):
            return f"its link of key {key} goes back to {previous}, not to {state.last(key)}"
    return "" if len(set(links[::2])) == len(touched.keys) else "it links a key twice"
