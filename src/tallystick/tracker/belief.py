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
    END_OR_CANCELLED,
    END_OR_EXPIRED,
    END_REJECTED,
    END_TOLD,
    INFERRED,
    LOST,
)
from tallystick.tracker.fill import EXECUTED, REVERTED
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
        if ends & END_OR_CANCELLED:
            return CANCELLED, CONFIRMED
        if ends & END_OR_EXPIRED:
            return EXPIRED, CONFIRMED
        if seldom is None:
            return (OPEN if traded else word), (CONFIRMED if word else INFERRED)
        return _living(order, seldom, OPEN if traded else word)
    if ends & (END_REJECTED | END_OR_CANCELLED | END_OR_EXPIRED):
        return REJECTED, CONFIRMED
    if seldom is None:
        return SUBMITTED, CONFIRMED
    if order.word_at and is_gone(order, seldom):
        return REJECTED, INFERRED
    if is_lost(order, seldom):
        return SUBMITTED, LOST
    return SUBMITTED, (AMBIGUOUS if seldom.doubt[0] and not order.word_at else CONFIRMED)


def _living(order: TrackedOrder, seldom: Seldom, status: int) -> tuple[int, int]:
    """It was accepted, and no end was heard of. Complete lists without it, with all of its fills, end it."""
    if is_gone(order, seldom):
        return (FILLED if order.is_full else CANCELLED), INFERRED
    if is_lost(order, seldom):
        return status, LOST
    return status, (CONFIRMED if order.word else INFERRED)


def is_gone(order: TrackedOrder, seldom: Seldom) -> bool:
    """So many complete lists lack it, over so long, as its venue's absences take to mean something."""
    found = absences(order, seldom)
    profile = order.profile
    return len(found) >= profile.absent_lists and bool(found) and found[len(found) - 1] - found[0] >= profile.absent_us


def absences(order: TrackedOrder, seldom: Seldom) -> list[int]:
    """When complete lists lacked it since the last time at which it was certainly open. A fill may have been its last,
    so an order was open just before it, and no more."""
    if not seldom.absences:
        return []
    since = order.word_at
    if seldom.versions and seldom.versions[len(seldom.versions) - 1][0] > since:
        since = seldom.versions[len(seldom.versions) - 1][0]
    if order.fills is not None:
        for fill in order.fills.values():
            if fill.as_of > since:
                since = fill.as_of - 1
    since += order.profile.slack_us
    return [time for time in seldom.absences if time > since]


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


def lacks_amount(order: TrackedOrder) -> bool:
    """It ended before it was full, nobody said with how much filled, and its fills were not all listed since."""
    if not CANCELLED <= order.status <= EXPIRED or order.ends & END_TOLD or order.certainty == INFERRED:
        return False
    return order.seldom is None or order.seldom.fills_at < order.heard


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
    both = [fill.trade for fill in fills if fill.states & REVERTED and fill.states & EXECUTED]
    found.extend([f"trade {trade} was said to be executed and reverted" for trade in both])
    seldom = order.seldom
    if seldom is not None:
        found.extend([_unknown(word, seldom.words[word][1]) for word in sorted(seldom.words)])
        found.extend([f"its size was said to become {size}, at {price}" for _, size, price in overruled(order)])
        found.extend([f"its id {venue_id} is another order's" for venue_id in sorted(seldom.disputed)])
    return found


def overruled(order: TrackedOrder) -> list[tuple[int, int, int]]:
    """The versions of its terms that are newer than the one that counts: more than their size is filled already."""
    if order.seldom is None:
        return []
    found: list[tuple[int, int, int]] = []
    for version in reversed(order.seldom.versions):
        if version[1] == order.size and version[2] == order.price:
            break
        found.append(version)
    return found


def _unknown(word: str, count: int) -> str:
    return f"its status was said to be {word!r}" + (f", {count} times" if count > 1 else "")


_END_NAMES = ((END_FILLED, "filled"), (END_CANCELLED, "cancelled"), (END_EXPIRED, "expired"))
