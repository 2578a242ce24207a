"""One tracked order: the evidence of it as far as it counts, what is believed of it, and what was announced.

The evidence is kept as a join: each field is a maximum, a union or an "or" over everything that was heard, so it is the
same in whatever order things were heard, and however often. What is believed follows from it (``belief.judge``).
"""

from typing import Any, Final

from tallystick.core.lifecycle import FILLED, SUBMITTED, TRADE_EXECUTED, TRADE_PENDING, TRADE_REVERTED, TRADE_SETTLED
from tallystick.facts.client import OrderIntended, VenueJoined
from tallystick.facts.client_codes import (
    BY_BOTH,
    CANCELLED,
    COMPLETED,
    CONFIRMED,
    CREATED,
    END_CANCELLED,
    END_EXPIRED,
    END_FILLED,
    EXPIRED,
    FAILED,
)

TOLD_CREATED: Final = 1 << CREATED
TOLD_END: Final = 1 << COMPLETED | 1 << CANCELLED | 1 << EXPIRED | 1 << FAILED
FINAL_WORDS: Final = END_FILLED | END_CANCELLED | END_EXPIRED

_EXECUTED: Final = 1 << TRADE_EXECUTED | 1 << TRADE_SETTLED
_REVERTED: Final = 1 << TRADE_REVERTED

Account = tuple[str, int, int, int, int]
"""What makes two accounts of a fill the same: trade, consumed, quantity, notional, price."""


class Profile:
    """What the connector declares of its venue, as in VenueJoined; one object that all of its orders share."""

    __slots__ = ("completion", "fills_wait_us", "late_us", "lost_after_us", "lost_misses", "slack_us")

    def __init__(self) -> None:
        self.completion = BY_BOTH
        self.late_us = 0
        self.fills_wait_us = 0
        self.lost_misses = 1
        self.lost_after_us = 0
        self.slack_us = 0

    def become(self, terms: VenueJoined) -> None:
        self.completion = terms.completion
        self.late_us = terms.late_us
        self.fills_wait_us = terms.fills_wait_us
        self.lost_misses = terms.lost_misses
        self.lost_after_us = terms.lost_after_us
        self.slack_us = terms.slack_us


class Fill:
    """One account of a fill. ``states`` are the states of its trade that were heard, as bits; ``as_of`` is the first
    time it was spoken of; ``told`` says that listeners know of its trade. A fill is never changed, only replaced."""

    __slots__ = (
        "as_of",
        "consumed",
        "fee",
        "fee_asset",
        "fee_scale",
        "liquidity",
        "notional",
        "price",
        "quantity",
        "states",
        "told",
        "trade",
    )

    def __init__(
        self,
        trade: str,
        states: int,
        consumed: int,
        quantity: int,
        notional: int,
        price: int,
        fee: int,
        fee_asset: str,
        fee_scale: int,
        liquidity: int,
        as_of: int,
        told: bool,
    ) -> None:
        self.trade: Final = trade
        self.states: Final = states
        self.consumed: Final = consumed
        self.quantity: Final = quantity
        self.notional: Final = notional
        self.price: Final = price
        self.fee: Final = fee
        self.fee_asset: Final = fee_asset
        self.fee_scale: Final = fee_scale
        self.liquidity: Final = liquidity
        self.as_of: Final = as_of
        self.told: Final = told

    @property
    def state(self) -> int:
        """The strongest of its states: settled, executed, reverted, pending."""
        return strongest(self.states)

    @property
    def account(self) -> Account:
        return (self.trade, self.consumed, self.quantity, self.notional, self.price)


def was_executed(states: int) -> bool:
    """Such a trade is told to listeners, in the entry in which it comes to count."""
    return states & _EXECUTED != 0


def strongest(states: int) -> int:
    """The strongest of a trade's states: what is executed was executed, whoever else says it was reverted."""
    if states & 1 << TRADE_SETTLED:
        return TRADE_SETTLED
    if states & 1 << TRADE_EXECUTED:
        return TRADE_EXECUTED
    return TRADE_REVERTED if states & _REVERTED else TRADE_PENDING


class Aside:
    """A fill in quarantine, and why."""

    __slots__ = ("fill", "reason")

    def __init__(self, reason: int, fill: Fill) -> None:
        self.reason: Final = reason
        self.fill: Final = fill


class Seldom:
    """What few orders have.

    ``misses`` are the times, oldest first, at which the venue denied it since it was last heard of; ``absent`` is as in
    OrderMissed. ``doubt``, ``refusal`` and ``cancel`` are the newest: (as of, reason), (as of, code, detail) and
    (as of, outcome, reason), with 0 for never. ``aside``, ``words`` and ``disputed`` are in quarantine.
    """

    __slots__ = ("absent", "aside", "cancel", "disputed", "doubt", "ids", "misses", "refusal", "words")

    def __init__(self) -> None:
        self.misses: tuple[int, ...] = ()
        self.absent = 0
        self.doubt: tuple[int, str] = (0, "")
        self.refusal: tuple[int, str, str] = (0, "", "")
        self.cancel: tuple[int, int, str] = (0, 0, "")
        self.ids: Final[list[str]] = []  # beyond the first
        self.aside: Final[dict[Account, Aside]] = {}
        self.words: Final[list[tuple[str, int]]] = []
        self.disputed: Final[list[str]] = []


class TrackedOrder:
    """``consumed`` and ``pending`` count in the size kind, ``quantity`` in units, ``notional`` in the currency: sums of
    its fills. ``told`` are the announcements made, as bits. ``look`` is for the writer's agenda alone.

    ``updated`` is the time and ``last`` the sequence of its last entry.
    """

    __slots__ = (
        "certainty",
        "client_id",
        "consumed",
        "ends",
        "fills",
        "heard",
        "last",
        "look",
        "made",
        "notional",
        "number",
        "pending",
        "profile",
        "quantity",
        "seldom",
        "size",
        "status",
        "terms",
        "told",
        "told_consumed",
        "told_quantity",
        "tolerance",
        "updated",
        "venue",
        "venue_id",
        "word",
        "word_at",
    )

    def __init__(
        self,
        terms: OrderIntended,
        number: Any,  # an object that every fact of the order shares, not a copy of its value in each
        venue: int,
        client_id: str,
        size: int,
        tolerance: int,
        profile: Profile,
        time: int,
    ) -> None:
        self.terms: Final = terms
        self.number: Final[Any] = number
        self.venue: Final = venue
        self.client_id: Final = client_id
        self.size: Final = size
        self.tolerance: Final = tolerance
        self.profile: Final = profile
        self.made: Final = time
        self.venue_id = ""
        self.status = SUBMITTED
        self.certainty = CONFIRMED
        self.word = 0
        self.word_at = 0
        self.ends = 0
        self.heard = time
        self.told_consumed = 0
        self.told_quantity = 0
        self.consumed = 0
        self.quantity = 0
        self.notional = 0
        self.pending = 0
        self.told = 0
        self.updated = time
        self.last = 0
        self.look = 0
        self.fills: dict[str, Fill] | None = None
        self.seldom: Seldom | None = None

    # --- What it comes to ---

    @property
    def is_closed(self) -> bool:
        """Nothing more is executed, as far as is known."""
        return self.status >= FILLED

    @property
    def is_full(self) -> bool:
        """Its fills come to its size, within the tolerance."""
        return self.consumed >= self.size - self.tolerance

    @property
    def leaves(self) -> int:
        """What may still be executed, in the size kind."""
        return 0 if self.status >= FILLED else max(0, self.size - self.consumed - self.pending)

    def ids(self) -> list[str]:
        """All of the venue's ids for it, in their own order."""
        if self.seldom is None or not self.seldom.ids:
            return [self.venue_id] if self.venue_id else []
        return sorted([self.venue_id, *self.seldom.ids])

    def has_id(self, venue_id: str) -> bool:
        return venue_id == self.venue_id or (self.seldom is not None and venue_id in self.seldom.ids)

    def trades(self) -> list[str]:
        """The ids of all trades that it was said to have, those in quarantine too."""
        found = [] if self.fills is None else list(self.fills)
        if self.seldom is not None and self.seldom.aside:
            found.extend([trade for trade in {account[0] for account in self.seldom.aside} if trade not in found])
        return found

    # --- Its changes: the same for whoever decides and for whoever folds ---

    def hear(self, heard: int) -> None:
        """It existed then; what denied it before is void. After a final word nothing that denies it matters."""
        if heard > self.heard:
            self.heard = heard
        seldom = self.seldom
        if seldom is None or not (seldom.misses or seldom.absent):
            return
        if self.ends & FINAL_WORDS:
            seldom.misses = ()
            seldom.absent = 0
        else:
            seldom.misses = tuple([time for time in seldom.misses if time > self.heard])
            if seldom.absent <= self.heard:
                seldom.absent = 0

    def learn(self, venue_id: str) -> None:
        if self.venue_id:
            self.rarely().ids.append(venue_id)
        else:
            self.venue_id = venue_id

    def count(self, fill: Fill) -> None:
        """Its sums have this fill in them, in the place of one with the same trade id."""
        fills = self.fills
        if fills is None:
            fills = {}
            self.fills = fills
        elif (before := fills.get(fill.trade)) is not None:
            self._add(before, -1)
        fills[fill.trade] = fill
        self._add(fill, 1)
        if self.seldom is not None and self.seldom.aside:
            self.seldom.aside.pop(fill.account, None)

    def set_aside(self, reason: int, fill: Fill) -> None:
        """This account of a fill is in quarantine, and in no sum."""
        fills = self.fills
        if fills is not None and (before := fills.get(fill.trade)) is not None and before.account == fill.account:
            self._add(before, -1)
            del fills[fill.trade]
        self.rarely().aside[fill.account] = Aside(reason, fill)

    def rarely(self) -> Seldom:
        """What few orders have, and this one from now on."""
        seldom = self.seldom
        if seldom is None:
            seldom = Seldom()
            self.seldom = seldom
        return seldom

    def _add(self, fill: Fill, sign: int) -> None:
        states = fill.states
        if states & _EXECUTED:
            self.consumed += sign * fill.consumed
            self.quantity += sign * fill.quantity
            self.notional += sign * fill.notional
        elif not states & _REVERTED:
            self.pending += sign * fill.consumed


def terms_order(terms: Any, profile: Profile, time: int) -> TrackedOrder:
    """The order that was intended with these terms, at ``time``."""
    client_id: str = terms.client_id
    return TrackedOrder(terms, terms.order, terms.venue, client_id, terms.size, terms.tolerance, profile, time)
