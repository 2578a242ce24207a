"""The one lifecycle of an order, a trade and a cancel request, as data: (status, event) -> status, the guard beside it.

Both halves use these tables: the venue to decide, the client to believe. The diagrams in ``docs/lifecycle.md`` are
drawn from them (docs/design.md §2). Statuses and events are small integers because the hot paths index tuples with
them; their names are in ``ORDER_STATUS_NAMES`` and its siblings, and nowhere else.
"""

from typing import Final

# --- Order status ----------------------------------------------------------------------------------------------------

SUBMITTED: Final = 0  # sent; the venue has not decided
PLACED: Final = 1  # accepted
PENDING: Final = 2  # accepted, waiting for a prerequisite: a price feed, compliance, a trigger price
OPEN: Final = 3  # being worked
FILLED: Final = 4  # the station that executes says it is done
CANCELLED: Final = 5  # ended before it was done, by the venue, its operators or its owner
EXPIRED: Final = 6  # ended by its own time in force
REJECTED: Final = 7  # never accepted

ORDER_STATUS_NAMES: Final = (
    "SUBMITTED",
    "PLACED",
    "PENDING",
    "OPEN",
    "FILLED",
    "CANCELLED",
    "EXPIRED",
    "REJECTED",
)

# --- Order events ----------------------------------------------------------------------------------------------------

PLACE: Final = 0
WAIT: Final = 1
RELEASE: Final = 2  # begin or resume execution
TRADE: Final = 3  # a fill is added, pending or executed
CONFIRM: Final = 4  # a pending fill becomes executed
REVERT: Final = 5  # a pending fill is undone
SETTLE: Final = 6  # an executed fill settles
FILL: Final = 7
CANCEL: Final = 8
EXPIRE: Final = 9
REJECT: Final = 10

ORDER_EVENT_NAMES: Final = (
    "PLACE",
    "WAIT",
    "RELEASE",
    "TRADE",
    "CONFIRM",
    "REVERT",
    "SETTLE",
    "FILL",
    "CANCEL",
    "EXPIRE",
    "REJECT",
)

FORBIDDEN: Final = -1

# --- Guards: what must hold besides the status, checked by whoever applies the event ---------------------------------

ALWAYS: Final = 0
FITS: Final = 1
HAS_PENDING: Final = 2
HAS_EXECUTED: Final = 3
NONE_PENDING: Final = 4

GUARD_TEXTS: Final = (
    "",
    "consumed + pending + new <= size + tolerance",
    "the fill is pending",
    "the fill is executed",
    "nothing pending",
)

ORDER_RULES: Final = (
    # status, event, status after it, guard
    (SUBMITTED, PLACE, PLACED, ALWAYS),
    (SUBMITTED, WAIT, PENDING, ALWAYS),
    (SUBMITTED, RELEASE, OPEN, ALWAYS),
    (SUBMITTED, REJECT, REJECTED, ALWAYS),
    (PLACED, WAIT, PENDING, ALWAYS),
    (PLACED, RELEASE, OPEN, ALWAYS),
    (PLACED, CANCEL, CANCELLED, ALWAYS),
    (PLACED, EXPIRE, EXPIRED, ALWAYS),
    (PENDING, WAIT, PENDING, ALWAYS),
    (PENDING, RELEASE, OPEN, ALWAYS),
    (PENDING, CANCEL, CANCELLED, ALWAYS),
    (PENDING, EXPIRE, EXPIRED, ALWAYS),
    (OPEN, TRADE, OPEN, FITS),
    (OPEN, CONFIRM, OPEN, HAS_PENDING),
    (OPEN, REVERT, OPEN, HAS_PENDING),
    (OPEN, SETTLE, OPEN, HAS_EXECUTED),
    (OPEN, FILL, FILLED, NONE_PENDING),
    (OPEN, CANCEL, CANCELLED, ALWAYS),
    (OPEN, EXPIRE, EXPIRED, ALWAYS),
    (FILLED, SETTLE, FILLED, HAS_EXECUTED),
    (CANCELLED, CONFIRM, CANCELLED, HAS_PENDING),
    (CANCELLED, REVERT, CANCELLED, HAS_PENDING),
    (CANCELLED, SETTLE, CANCELLED, HAS_EXECUTED),
    (EXPIRED, CONFIRM, EXPIRED, HAS_PENDING),
    (EXPIRED, REVERT, EXPIRED, HAS_PENDING),
    (EXPIRED, SETTLE, EXPIRED, HAS_EXECUTED),
)

# --- Trade -----------------------------------------------------------------------------------------------------------

TRADE_PENDING: Final = 0  # matched, waiting for another party's confirmation (a chain)
TRADE_EXECUTED: Final = 1
TRADE_SETTLED: Final = 2
TRADE_REVERTED: Final = 3

TRADE_STATUS_NAMES: Final = ("PENDING", "EXECUTED", "SETTLED", "REVERTED")

TRADE_RULES: Final = (
    (TRADE_PENDING, CONFIRM, TRADE_EXECUTED),
    (TRADE_PENDING, REVERT, TRADE_REVERTED),
    (TRADE_EXECUTED, SETTLE, TRADE_SETTLED),
)

# --- Cancel request, for each order it names -------------------------------------------------------------------------

REQUESTED: Final = 0
DONE: Final = 1
REFUSED: Final = 2
UNKNOWN: Final = 3

CANCEL_OUTCOME_NAMES: Final = ("REQUESTED", "DONE", "REFUSED", "UNKNOWN")

# --- What the client half announces when an order enters a status (seeds/000, seeds/001) -----------------------------

ANNOUNCEMENTS: Final = (
    (PLACED, "BuyOrderCreatedEvent / SellOrderCreatedEvent"),
    (PENDING, "BuyOrderCreatedEvent / SellOrderCreatedEvent"),
    (OPEN, "BuyOrderCreatedEvent / SellOrderCreatedEvent"),
    (FILLED, "BuyOrderCompletedEvent / SellOrderCompletedEvent"),
    (CANCELLED, "OrderCancelledEvent"),
    (EXPIRED, "OrderExpiredEvent"),
    (REJECTED, "MarketOrderFailureEvent"),
)


class LifecycleError(Exception):
    """An event that the lifecycle does not allow. It is a fault of the program or of a journal, never of a user."""


def _table(statuses: int, rules: list[tuple[int, int, int]]) -> tuple[tuple[int, ...], ...]:
    rows: list[list[int]] = [[FORBIDDEN] * len(ORDER_EVENT_NAMES) for _ in range(statuses)]
    for status, event, after in rules:
        rows[status][event] = after
    return tuple([tuple(row) for row in rows])


_ORDER_TABLE: Final[tuple[tuple[int, ...], ...]] = _table(
    len(ORDER_STATUS_NAMES), [(status, event, after) for status, event, after, _guard in ORDER_RULES]
)
_TRADE_TABLE: Final[tuple[tuple[int, ...], ...]] = _table(len(TRADE_STATUS_NAMES), list(TRADE_RULES))


def order_after(status: int, event: int) -> int:
    """The status after ``event``, or ``FORBIDDEN``."""
    return _ORDER_TABLE[status][event]


def advance_order(status: int, event: int) -> int:
    """The status after ``event``; raises LifecycleError where the table has no such pair."""
    after = _ORDER_TABLE[status][event]
    if after == FORBIDDEN:
        raise LifecycleError(f"an order that is {ORDER_STATUS_NAMES[status]} cannot {ORDER_EVENT_NAMES[event]}")
    return after


def advance_trade(status: int, event: int) -> int:
    """The trade's status after CONFIRM, REVERT or SETTLE; raises LifecycleError where it is not allowed."""
    after = _TRADE_TABLE[status][event]
    if after == FORBIDDEN:
        raise LifecycleError(f"a trade that is {TRADE_STATUS_NAMES[status]} cannot {ORDER_EVENT_NAMES[event]}")
    return after


def is_closed(status: int) -> bool:
    """Nothing more can be executed. Amounts may still move while fills are pending."""
    return status >= FILLED
