"""What the evidence of an order comes to: its status and how sure it is, and whether fills of it are missing.

Everything here follows from the evidence alone, never from the order in which it came (docs/design.md §5). A timeout is
no evidence; AMBIGUOUS and LOST end nothing, and any better evidence leads out of them, both ways.
"""

from tallystick.core.lifecycle import CANCELLED, EXPIRED, FILLED, OPEN, REJECTED, SUBMITTED
from tallystick.facts.client_codes import (
    AMBIGUOUS,
    BY_FILLS,
    BY_STATUS,
    CONFIRMED,
    END_AMOUNT,
    END_CANCELLED,
    END_EXPIRED,
    END_FILLED,
    END_REJECTED,
    INFERRED,
    LOST,
)
from tallystick.tracker.order import Seldom, TrackedOrder


def judge(order: TrackedOrder) -> tuple[int, int]:
    """(status, certainty). The venue's words for an end first, the strongest of them; then proof of life; then the
    rest."""
    ends = order.ends
    if ends & END_FILLED:
        return FILLED, CONFIRMED
    if order.profile.completion == BY_FILLS and order.is_full:
        return FILLED, CONFIRMED
    if ends & END_CANCELLED:
        return CANCELLED, CONFIRMED
    if ends & END_EXPIRED:
        return EXPIRED, CONFIRMED
    word = order.word
    traded = order.consumed > 0 or order.pending > 0
    seldom = order.seldom
    if word or traded:
        if seldom is None:
            return (OPEN if traded else word), (CONFIRMED if word else INFERRED)
        return _living(order, seldom, OPEN if traded else word)
    if ends & END_REJECTED:
        return REJECTED, CONFIRMED
    if seldom is None:
        return SUBMITTED, CONFIRMED
    if is_lost(order, seldom):
        return SUBMITTED, LOST
    return SUBMITTED, (AMBIGUOUS if seldom.doubt[0] else CONFIRMED)


def _living(order: TrackedOrder, seldom: Seldom, status: int) -> tuple[int, int]:
    """It was accepted, and no end was heard of. A complete snapshot without it, with all of its fills, ends it."""
    if seldom.absent > order.heard + order.profile.slack_us:
        return (FILLED if order.is_full else CANCELLED), INFERRED
    if is_lost(order, seldom):
        return status, LOST
    return status, (CONFIRMED if order.word else INFERRED)


def is_lost(order: TrackedOrder, seldom: Seldom) -> bool:
    """The venue denied it often enough, for long enough, since it was last heard of."""
    misses = seldom.misses
    profile = order.profile
    return (
        len(misses) >= profile.lost_misses
        and bool(misses)
        and misses[len(misses) - 1] - order.heard >= profile.lost_after_us
    )


def lacks_fills(order: TrackedOrder) -> bool:
    """The venue said that more is filled than the fills come to, or a fill is still pending."""
    return order.told_consumed > order.consumed or order.told_quantity > order.quantity or order.pending > 0


def is_complete(order: TrackedOrder) -> bool:
    """Whether an order that is FILLED has all of its fills, as its venue says complete (specs/hummingbot.md §7)."""
    if lacks_fills(order) or order.consumed == 0:
        return False
    return order.profile.completion == BY_STATUS or bool(order.ends & END_AMOUNT) or order.is_full


def contradictions(order: TrackedOrder) -> list[str]:
    """What the venue said of the order that cannot all be true, as sentences; fills in quarantine are in ``aside``."""
    found: list[str] = []
    ends = order.ends
    heard = [name for bit, name in _END_NAMES if ends & bit]
    if len(heard) > 1:
        found.append("it was said to be " + " and ".join(heard))
    if ends & END_REJECTED and (order.word or order.consumed or order.pending or heard):
        found.append("it was refused, and lives")
    fills = [] if order.fills is None else [order.fills[trade] for trade in sorted(order.fills)]
    both = [fill.trade for fill in fills if fill.states & _REVERTED and fill.states & _EXECUTED]
    found.extend([f"trade {trade} was said to be executed and reverted" for trade in both])
    seldom = order.seldom
    if seldom is not None:
        found.extend([f"its status was said to be {word!r}" for word, _ in sorted(seldom.words)])
        found.extend([f"its id {venue_id} is another order's" for venue_id in sorted(seldom.disputed)])
    return found


_END_NAMES = ((END_FILLED, "filled"), (END_CANCELLED, "cancelled"), (END_EXPIRED, "expired"))
_EXECUTED = 0b0110
_REVERTED = 0b1000
