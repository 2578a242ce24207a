"""The auditor: what a client was promised and what it saw, held against what the server says after a crash."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Final, NamedTuple

from tests.crash.books import Json, judge_order, require

STAGES: Final = {"placed": 0, "pending": 1, "executing": 2, "filled": 3, "settled": 4}
NEVER_CHANGES: Final = (
    "id",
    "account",
    "instrument",
    "order_type",
    "purpose",
    "side",
    "cash_amount",
    "net_cash_amount",
    "quantity",
    "currency",
    "automatic_rollover",
    "created_at",
)


class Terms(NamedTuple):
    """What a request asks for: ``amount`` is cash for a buy, units for a sell."""

    instrument: str
    side: str
    amount: Decimal


class Heard:
    """What a client heard in one life of the server: acknowledgements, silence, and what else it saw, in its order."""

    def __init__(self) -> None:
        self.acknowledged: Final[list[Json]] = []
        self.unknown: Final[list[Terms]] = []
        self.seen: Final[list[Json]] = []
        self.refused = 0


class Auditor:
    """Remembers over all crashes. ``check`` only looks; ``learn`` makes what was found the next standard."""

    def __init__(self) -> None:
        self._known: Final[set[str]] = set()
        self._last: Final[dict[str, Json]] = {}
        self._unknown: Counter[Terms] = Counter()

    def hear(self, heard: Heard) -> None:
        """Take down what the client heard; what it saw while the server lived is as binding as a promise."""
        for order in heard.acknowledged:
            require(order["id"] not in self._known, "an id was given twice", order)
            self._known.add(order["id"])
            self._last[order["id"]] = order
        for order in heard.seen:
            self._look(order)
            self._last[order["id"]] = order
        self._unknown = Counter(heard.unknown)

    def check(self, orders: list[Json]) -> None:
        """``orders``, all of them and newest first, keep every promise and hold nothing that was never asked for."""
        found = {order["id"]: order for order in orders}
        require(len(found) == len(orders), "an order is listed twice")
        lost = [self._last[each] for each in self._last if each not in found]
        require(not lost, f"{len(lost)} orders that were acknowledged or seen are lost", *lost[:3])
        most = len(self._known) + self._unknown.total()
        require(len(self._known) <= len(orders) <= most, f"{len(orders)} orders, at most {most} were asked for")
        strangers = Counter(terms_of(order) for order in orders if order["id"] not in self._known)
        doubled = strangers - self._unknown
        require(not doubled, "orders that nobody can have asked for, or not so often", *doubled.items())
        times = [order["created_at"] for order in orders]
        require(times == sorted(set(times), reverse=True), "orders are not listed newest first")
        for order in orders:
            judge_order(order)
            self._look(order)

    def learn(self, orders: list[Json]) -> int:
        """From now on these are all there are: an unanswered request that is not among them was never carried out.

        Gives how many unanswered requests were carried out.
        """
        before = len(self._known)
        self._known.update(order["id"] for order in orders)
        self._last.update((order["id"], order) for order in orders)
        self._unknown = Counter()
        return len(self._known) - before

    def _look(self, order: Json) -> None:
        before = self._last.get(order["id"])
        if before is not None:
            judge_progress(before, order)


def terms_of(order: Json) -> Terms:
    amount = order["cash_amount"] if order["side"] == "buy" else order["quantity"]
    return Terms(order["instrument"]["id"], order["side"], Decimal(amount))


def judge_progress(before: Json, after: Json) -> None:
    """An order at two moments: its terms stay, its status only moves on, its trades stay and may settle."""
    for field in NEVER_CHANGES:
        require(before[field] == after[field], f"{field} changed", before, after)
    require(moves_on(before["status"], after["status"]), "the status moved back", before, after)
    require(before["modified_at"] <= after["modified_at"], "modified_at moved back", before, after)
    kept = after["trades"][: len(before["trades"])]
    require(len(kept) == len(before["trades"]), "a trade is lost", before, after)
    for old, new in zip(before["trades"], kept, strict=True):
        settles = old["status"] == "executed" and new["status"] == "settled"
        changed = {field for field in old if old[field] != new[field]}
        require(changed <= ({"status", "settled_at"} if settles else set()), "a trade changed", old, new)


def moves_on(before: str, after: str) -> bool:
    """Cancelled is an end of its own: only an order without trades comes to it."""
    if "cancelled" in (before, after):
        return after == "cancelled" and before in ("placed", "pending", "executing", "cancelled")
    return STAGES[before] <= STAGES[after]


def ids(orders: Iterable[Json]) -> set[str]:
    return {order["id"] for order in orders}
