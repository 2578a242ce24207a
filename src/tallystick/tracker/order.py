"""One tracked order: the evidence of it as far as it counts, what is believed of it, and what was announced.

The evidence is kept as a join: each field is a maximum, a union or an "or" over everything that was heard, so it is the
same in whatever order things were heard, and however often. What is believed follows from it (``belief.judge``).
"""

from typing import Any, Final

from mypy_extensions import mypyc_attr

from tallystick.core.lifecycle import FILLED, SUBMITTED, TRADE_SETTLED
from tallystick.facts.client_codes import (
    CANCELLED,
    COMPLETED,
    CONFIRMED,
    CREATED,
    END_CANCELLED,
    END_EXPIRED,
    END_FILLED,
    END_OR_CANCELLED,
    END_OR_EXPIRED,
    EXPIRED,
    FAILED,
)
from tallystick.facts.client_terms import OrderIntended
from tallystick.tracker.fill import EXECUTED, REVERTED, Account, Aside, Fill
from tallystick.tracker.kept import Kept
from tallystick.tracker.profile import Profile
from tallystick.tracker.sums import Sums

TOLD_CREATED: Final = 1 << CREATED
TOLD_END: Final = 1 << COMPLETED | 1 << CANCELLED | 1 << EXPIRED | 1 << FAILED
VERSIONS_MAX: Final = 16
FINAL_WORDS: Final = END_FILLED | END_CANCELLED | END_EXPIRED | END_OR_CANCELLED | END_OR_EXPIRED


class Seldom:
    """What few orders have.

    ``misses`` and ``absences`` are as in OrderMissed. ``doubt``, ``refusal`` and ``cancel`` are the newest: (as of,
    reason), (as of, code, detail) and (as of, outcome, reason), with 0 for never; ``fills_at`` is as of when all fills
    were listed. ``versions`` are the newest changes of its terms, (as of, size, price), the newest last; ``price`` is
    that of the version that counts, ``size_max`` the most that its size ever was. ``sums`` is what a venue that says
    sums said. ``aside``, ``words`` and ``disputed`` are in quarantine; a word has (newest time, how often said).
    """

    __slots__ = (
        "absences",
        "aside",
        "cancel",
        "disputed",
        "doubt",
        "fills_at",
        "ids",
        "misses",
        "price",
        "refusal",
        "size_max",
        "sums",
        "versions",
        "words",
    )

    def __init__(self) -> None:
        self.misses: tuple[int, ...] = ()
        self.absences: tuple[int, ...] = ()
        self.doubt: tuple[int, str] = (0, "")
        self.refusal: tuple[int, str, str] = (0, "", "")
        self.cancel: tuple[int, int, str] = (0, 0, "")
        self.ids: Final[list[str]] = []  # beyond the first
        self.fills_at = 0
        self.versions: tuple[tuple[int, int, int], ...] = ()
        self.price = 0
        self.size_max = 0
        self.sums: Sums | None = None
        self.aside: Final[dict[Account, Aside]] = {}
        self.words: Final[dict[str, tuple[int, int]]] = {}
        self.disputed: Final[list[str]] = []

    @property
    def needs_weighing(self) -> bool:
        """A fill must be weighed with what is in quarantine, a changed size, or a sum that it may be part of."""
        return bool(self.aside or self.versions) or self.sums is not None


@mypyc_attr(acyclic=True)
class TrackedOrder:
    """``consumed`` and ``pending`` count in the size kind, ``quantity`` in units, ``notional`` in the currency: sums of
    its fills, those inferred too. ``size`` is as the venue last changed it. ``told`` are the announcements made, as
    bits. ``look`` is for the writer's agenda alone.

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
        number: Kept,
        venue: Kept,
        client_id: str,
        size: int,
        tolerance: int,
        profile: Profile,
        time: int,
    ) -> None:
        self.terms: Final = terms
        self.number: Final = number
        self.venue: Final = venue
        self.client_id: Final = client_id
        self.size = size
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

    @property
    def is_settled(self) -> bool:
        """It is closed, and each of its fills is settled or reverted."""
        fills = {} if self.fills is None else self.fills
        seldom = self.seldom
        is_named = seldom is None or seldom.sums is None or not (seldom.sums.consumed or seldom.sums.pending)
        return self.status >= FILLED and is_named and all(fill.state >= TRADE_SETTLED for fill in fills.values())

    @property
    def price(self) -> int:
        """Its limit, as the venue last changed it; 0 for none."""
        if self.seldom is not None and self.seldom.versions:
            return self.seldom.price
        price: int = self.terms.price
        return price

    @property
    def room(self) -> int:
        """The most that may be filled of it: what it was larger than once may have been filled then."""
        size = self.size if self.seldom is None else max(self.size, self.seldom.size_max)
        return size + self.tolerance

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
        """It existed then; what denied it before is void. After a final word nothing that denies it matters.

        What a fill says of that time may be older than what a list lacks, so only a word makes absences void for good.
        """
        if heard > self.heard:
            self.heard = heard
        seldom = self.seldom
        if seldom is None or not (seldom.misses or seldom.absences):
            return
        if self.ends & FINAL_WORDS:
            seldom.misses = ()
            seldom.absences = ()
        else:
            seldom.misses = tuple([time for time in seldom.misses if time > self.heard])
            if self.word:
                seldom.absences = tuple([time for time in seldom.absences if time > self.word_at])

    def learn(self, venue_id: str) -> None:
        if self.venue_id:
            self.rarely().ids.append(venue_id)
        else:
            self.venue_id = venue_id

    def count(self, fill: Fill) -> None:
        """Its sums have this fill in them, in the place of one with the same trade id."""
        trade = fill.trade
        fills = self.fills
        if fills is None:
            self.fills = {trade: fill}
        else:
            before = fills.get(trade)
            if before is not None:
                self._add(before, -1)
            fills[trade] = fill
        self._add(fill, 1)
        if self.seldom is not None:
            self.seldom.aside.pop(fill.account, None)
            self._renew()

    def set_aside(self, reason: int, fill: Fill) -> None:
        """This account of a fill is in quarantine, and in no sum."""
        fills = self.fills
        if fills is not None and (before := fills.get(fill.trade)) is not None and before.account == fill.account:
            self._add(before, -1)
            del fills[fill.trade]
        self.rarely().aside[fill.account] = Aside(reason, fill)
        self._renew()

    def amend(self, as_of: int, size: int, price: int) -> None:
        """One more version of its terms is known. Of very many the newest are kept, and the most that it ever was."""
        seldom = self.rarely()
        seldom.versions = tuple(sorted({*seldom.versions, (as_of, size, price)})[-VERSIONS_MAX:])
        seldom.size_max = max(seldom.size_max, size, self.size)
        self._renew()

    def infer(self, told_notional: int, matched_at: int, matched: int, amounts: tuple[int, int, int, int]) -> None:
        """So much was said to be filled, of which ``amounts`` (consumed, quantity, notional, pending) have no names."""
        sums = self.summed()
        sums.told_notional = told_notional
        sums.matched_at = matched_at
        sums.matched = matched
        self.consumed += amounts[0] - sums.consumed
        self.quantity += amounts[1] - sums.quantity
        self.notional += amounts[2] - sums.notional
        self.pending += amounts[3] - sums.pending
        sums.consumed, sums.quantity, sums.notional, sums.pending = amounts
        self._renew()

    @property
    def sums(self) -> Sums | None:
        """What its venue said in sums, if it says any."""
        return None if self.seldom is None else self.seldom.sums

    def summed(self) -> Sums:
        """The same, kept from now on."""
        seldom = self.rarely()
        sums = seldom.sums
        if sums is None:
            sums = Sums()
            seldom.sums = sums
        return sums

    def rarely(self) -> Seldom:
        """What few orders have, and this one from now on."""
        seldom = self.seldom
        if seldom is None:
            seldom = Seldom()
            self.seldom = seldom
        return seldom

    def _renew(self) -> None:
        """The newest version of its terms counts under which fits what is filled; the newer ones are contradicted."""
        seldom = self.seldom
        if seldom is None or not seldom.versions:
            return
        size, price = self.terms.size, self.terms.price
        for version in seldom.versions:
            if version[1] > 0 and version[2] >= 0 and version[1] + self.tolerance >= self.consumed + self.pending:
                size, price = version[1], version[2]
        self.size = size
        seldom.price = price

    def _add(self, fill: Fill, sign: int) -> None:
        states = fill.states
        if states & EXECUTED:
            self.consumed += sign * fill.consumed
            self.quantity += sign * fill.quantity
            self.notional += sign * fill.notional
        elif not states & REVERTED:
            self.pending += sign * fill.consumed


def terms_order(terms: Any, profile: Profile, time: int) -> TrackedOrder:
    """The order that was intended with these terms, at ``time``."""
    client_id: str = terms.client_id
    return TrackedOrder(terms, terms.order, terms.venue, client_id, terms.size, terms.tolerance, profile, time)
