"""The words that the facts of the client half use, as stable numbers. What both halves say is in ``facts/codes.py``.

A number never changes its meaning; a new meaning is a new number.
"""

from typing import Final

# How a venue says that an order is complete (specs/hummingbot.md §7).
BY_STATUS: Final = 1  # its word FILLED alone, never an amount
BY_BOTH: Final = 2  # its word FILLED, and fills that sum up
BY_FILLS: Final = 3  # fills that sum up; the word only confirms
COMPLETION_NAMES: Final = ("", "by_status", "by_both", "by_fills")

# How a venue tells of fills.
FILLS_NAMED: Final = 0  # each with its trade's id
FILLS_SUMMED: Final = 1  # as sums alone: fills are inferred, and no id ever comes
FILLS_SUMMED_FIRST: Final = 2  # as sums at first; the ids can be asked for
FILLS_NAMES: Final = ("named", "summed", "summed_first")

# How sure we are of an order's status. The last two end nothing.
CONFIRMED: Final = 0
INFERRED: Final = 1
AMBIGUOUS: Final = 2  # we sent it and do not know
LOST: Final = 3  # the venue denies it, repeatedly
CERTAINTY_NAMES: Final = ("CONFIRMED", "INFERRED", "AMBIGUOUS", "LOST")

# Who provided the liquidity of a fill.
LIQUIDITY_UNKNOWN: Final = 0
MAKER: Final = 1
TAKER: Final = 2
LIQUIDITY_NAMES: Final = ("", "maker", "taker")

# Why evidence is in quarantine.
IMPOSSIBLE: Final = 1  # a fill of nothing, or of less
CONTRADICTS: Final = 2  # another account of a trade that we were told of differently
EXCESS: Final = 3  # more than the order's size and tolerance hold
ASIDE_NAMES: Final = ("", "impossible", "contradicts", "excess")

# What listeners are told.
CREATED: Final = 1
FILLED: Final = 2
COMPLETED: Final = 3
CANCELLED: Final = 4
EXPIRED: Final = 5
FAILED: Final = 6
UPDATED: Final = 7
ANNOUNCEMENT_NAMES: Final = ("", "Created", "Filled", "Completed", "Cancelled", "Expired", "Failed", "Updated")

# What is particular about an announcement, as bits.
LATE: Final = 1  # a fill after the terminal event
FROM_EVIDENCE: Final = 2  # nobody said it in these words; it follows from what they said
INCOMPLETE: Final = 4  # completed without all fills, because they did not come in time
ANNOUNCEMENT_FLAG_NAMES: Final = ("late", "inferred", "incomplete")

# What an UPDATED is about, as bits.
STATUS_CHANGED: Final = 1
CERTAINTY_CHANGED: Final = 2
CANCEL_CHANGED: Final = 4
FILLS_CHANGED: Final = 8  # a fill that is pending, reverted, settled or corrected
QUARANTINE_CHANGED: Final = 16
IDS_CHANGED: Final = 32
TERMS_CHANGED: Final = 64
CHANGE_NAMES: Final = ("status", "certainty", "cancel", "fills", "quarantine", "ids", "terms")

# The words of an end that were heard of an order, as bits; AMOUNT and TOLD say that one came with its amount.
END_FILLED: Final = 1
END_CANCELLED: Final = 2
END_EXPIRED: Final = 4
END_REJECTED: Final = 8
END_AMOUNT: Final = 16  # FILLED did
END_TOLD: Final = 32  # CANCELLED or EXPIRED did
END_OR_CANCELLED: Final = 64  # one word for both: REJECTED if it never lived, else CANCELLED
END_OR_EXPIRED: Final = 128  # likewise: REJECTED, or EXPIRED
