"""What goes wrong with order tracking elsewhere, and what happens here: the rows that a tracker alone can show.

Each scenario is named after a class of failures; tests/tracker/desk.py says how to read its lines.
"""

import pytest

from tallystick.facts.client_codes import BY_BOTH, BY_FILLS, BY_STATUS
from tests.tracker.desk import Desk, profile

SCENARIOS = {
    "1: a fill and the end come before the answer, and a late answer resurrects nothing": """
        place 10                 |                                   = SUBMITTED
        fill a 10                |                                   = SUBMITTED
        filled of 10             | Created(inferred) Filled a Completed = FILLED 10
        open @1                  |                                   = FILLED 10
        open                     |                                   = FILLED 10
    """,
    "1: a fill that is known by our id is enough proof of life": """
        place 10                 |                                   = SUBMITTED
        fill a 4 by client       | Created(inferred) Filled a        = OPEN INFERRED 4
        wait 5                   |
        asks order               |
        open                     | Updated(certainty ids)            = OPEN 4
    """,
    "1: filled and gone before anybody heard of it": """
        place 10                 |                                   = SUBMITTED
        filled of 10             | Created(inferred) Updated(status) = FILLED
        fill a 10                | Filled a Completed                = FILLED 10
    """,
    "2: a submit without an answer is asked for, and found": """
        place 10                 |
        unanswered               | Updated(certainty)                = SUBMITTED AMBIGUOUS
        asks order               |
        asks nothing             |
        open                     | Created                           = OPEN
        asks nothing             |
    """,
    "2: a submit without an answer is asked for, and was refused": """
        place 10                 |
        unanswered               | Updated(certainty)                = SUBMITTED AMBIGUOUS
        refused too_small        | Failed                            = REJECTED
    """,
    "2: evidence that it lives makes a timeout of the same request mean nothing": """
        place 10                 |
        fill a 10 by client      | Created(inferred) Filled a        = OPEN INFERRED 10
        unanswered               |                                   = OPEN INFERRED 10
        filled of 10             | Updated(ids) Completed            = FILLED 10
    """,
    "2: a retry that is refused as a duplicate does not end the order": """
        place 10                 |
        open                     | Created                           = OPEN
        refused duplicate        | Updated(quarantine)               = OPEN
        fill a 10                | Filled a                          = OPEN 10
        filled of 10             | Completed                         = FILLED 10
    """,
    "2: a refusal that was wrong is told as it is, and fills still count": """
        place 10                 |
        refused duplicate        | Failed                            = REJECTED
        open                     | Updated(status quarantine ids)    = OPEN
        fill a 10                | Filled a(late)                    = OPEN 10
    """,
    "3: the cancel is refused because the order was filled": """
        place 10                 |
        open                     | Created                           = OPEN
        cancel                   | Updated(cancel)                   = OPEN
        cancel refused           | Updated(cancel)                   = OPEN
        wait 5                   |
        asks cancel              |
        fill a 10                | Filled a                          = OPEN 10
        filled of 10             | Completed                         = FILLED 10
        cancel refused           | Updated(cancel)                   = FILLED 10
    """,
    "3: a cancel that the venue took is not a cancelled order": """
        place 10                 |
        open                     | Created                           = OPEN
        cancel requested         | Updated(cancel)                   = OPEN
        fill a 4                 | Filled a                          = OPEN 4
        cancelled of 4           | Cancelled                         = CANCELLED 4
        cancel refused @2        |                                   = CANCELLED 4
    """,
    "3: a fill in flight when the order was cancelled comes late": """
        place 10                 |
        open                     | Created                           = OPEN
        cancel done              | Updated(cancel) Cancelled         = CANCELLED
        fill a 6                 | Filled a(late)                    = CANCELLED 6
        fill b 4                 | Filled b(late)                    = CANCELLED 10
    """,
    "4: the order to cancel is gone: asked for, with growing intervals, and no more when it is known": """
        place 10                 |
        open                     | Created                           = OPEN
        cancel                   | Updated(cancel)                   = OPEN
        cancel not-found         | Updated(cancel)                   = OPEN
        wait 5                   |
        asks cancel, order       |
        asks nothing             |
        asks cancel, order       |
        wait 1                   |
        asks nothing             |
        asks cancel, order       |
        expired                  | Expired                           = EXPIRED
        wait 20                  |
        asks nothing             |
    """,
    "5: not found is no end; the order is lost, and found again": """
        place 10                 |
        open                     | Created                           = OPEN
        not-found                |                                   = OPEN
        not-found                |                                   = OPEN
        wait 30                  |
        not-found                | Updated(certainty)                = OPEN LOST
        fill a 4                 | Filled a Updated(certainty)       = OPEN 4
        not-found @4             |                                   = OPEN 4
        cancelled of 4           | Cancelled                         = CANCELLED 4
    """,
    "5: an ambiguous order that the venue denies stays open to proof": """
        place 10                 |
        unanswered               | Updated(certainty)                = SUBMITTED AMBIGUOUS
        not-found                |                                   = SUBMITTED AMBIGUOUS
        not-found                |                                   = SUBMITTED AMBIGUOUS
        wait 30                  |
        not-found                | Updated(certainty)                = SUBMITTED LOST
        open                     | Created                           = OPEN
    """,
    "5: good news between not-founds makes them void": """
        place 10                 |
        open                     | Created                           = OPEN
        not-found                |                                   = OPEN
        not-found                |                                   = OPEN
        wait 60                  |
        open                     |                                   = OPEN
        not-found                |                                   = OPEN
        wait 60                  |
        not-found                |                                   = OPEN
    """,
    "6: nobody says what became of the order, so it is asked for": """
        place 10                 |                                   = SUBMITTED
        submitted                |                                   = SUBMITTED
        asks nothing             |
        wait 4                   |
        asks order               |
        refused post_only        | Failed                            = REJECTED
    """,
    "6: a word that nobody knows is kept, shown and asked about": """
        place 10                 |
        open                     | Created                           = OPEN
        word FROZEN              | Updated(quarantine)               = OPEN
        word FROZEN @3           |                                   = OPEN
        wait 5                   |
        asks order               |
        open                     |                                   = OPEN
        wait 5                   |
        asks nothing             |
    """,
    "7: the same fill from two channels, again after the end, and after a restart": """
        place 10                 |
        open                     | Created                           = OPEN
        fill a 4                 | Filled a                          = OPEN 4
        fill a 4 by client       |                                   = OPEN 4
        restart                  |
        fill a 4                 |                                   = OPEN 4
        fill b 6                 | Filled b                          = OPEN 10
        filled of 10             | Completed                         = FILLED 10
        fill a 4                 |                                   = FILLED 10
        filled of 10             |                                   = FILLED 10
    """,
    "7: two accounts of one trade: the older counts, the other is shown": """
        place 10                 |
        open                     | Created                           = OPEN
        fill a 4                 | Filled a                          = OPEN 4
        fill a 5                 | Updated(quarantine)               = OPEN 4
        fill a 5 @4              |                                   = OPEN 4
    """,
    "8: a gap makes the venue untrusted until all open orders were seen": """
        gap                      |
        trusted no               |
        asks open orders         |
        place 10                 |
        open                     | Created                           = OPEN
        snapshot with @1         |                                   = OPEN
        trusted no               |
        snapshot with            |                                   = OPEN
        trusted yes              |
        gap                      |
        trusted no               |
        snapshot complete        | Cancelled(inferred)               = CANCELLED INFERRED
        trusted yes              |
    """,
    "8: what the snapshot lacks without its fills is asked for": """
        place 10                 |
        open                     | Created                           = OPEN
        snapshot                 |                                   = OPEN
        wait 5                   |
        asks order               |
    """,
    "8: closed by a snapshot, and still fillable; and then found alive after all": """
        place 10                 |
        open                     | Created                           = OPEN
        snapshot complete        | Cancelled(inferred)               = CANCELLED INFERRED
        fill a 4 @2              | Filled a(late)                    = CANCELLED INFERRED 4
        open                     | Updated(status certainty)         = OPEN 4
        filled of 4              | Updated(status)                   = FILLED 4
    """,
    "9: nothing was heard of an open order for long on a healthy stream": """
        gap                      |
        snapshot                 |
        place 10                 |
        open                     | Created                           = OPEN
        wait 20                  |
        asks nothing             |
        wait 30                  |
        asks open orders         |
        snapshot complete        | Cancelled(inferred)               = CANCELLED INFERRED
        asks nothing             |
    """,
    "11: filled before its fills: Completed waits for the last of them, and asks": """
        place 10                 |
        open                     | Created                           = OPEN
        filled of 10             | Updated(status)                   = FILLED
        fill a 4                 | Filled a                          = FILLED 4
        wait 5                   |
        asks fills               |
        fill b 6                 | Filled b Completed                = FILLED 10
        asks nothing             |
    """,
    "11: fills before the status: it is asked for": """
        place 10                 |
        open                     | Created                           = OPEN
        fill a 10                | Filled a                          = OPEN 10
        asks nothing             |
        wait 5                   |
        asks order               |
        filled of 10             | Completed                         = FILLED 10
    """,
    "11: more than the order: the excess is shown and not counted": """
        place 10                 |
        open                     | Created                           = OPEN
        fill a 6                 | Filled a                          = OPEN 6
        fill b 6                 | Updated(quarantine)               = OPEN 6
        fill c 4                 | Filled c                          = OPEN 10
        fill d -3                | Updated(quarantine)               = OPEN 10
        fill e 0                 | Updated(quarantine)               = OPEN 10
        filled of 10             | Completed                         = FILLED 10
    """,
    "12: a closed short order is complete with what the venue says was filled": """
        place 10                 |
        open                     | Created                           = OPEN
        fill a 9                 | Filled a                          = OPEN 9
        filled of 9              | Completed                         = FILLED 9
    """,
    "14: a restart between the request and its answer": """
        place 10                 |                                   = SUBMITTED
        restart                  |                                   = SUBMITTED
        asks open orders, order  |
        open                     | Created                           = OPEN
        restart                  |                                   = OPEN
        filled of 10             | Updated(status)                   = FILLED
        restart                  |                                   = FILLED
        asks open orders, fills  |
        fill a 10                | Filled a Completed                = FILLED 10
    """,
    "15: orders that are over are not asked for": """
        place 10                 |
        open                     | Created                           = OPEN
        cancelled                | Cancelled                         = CANCELLED
        wait 25                  |
        asks nothing             |
    """,
    "17: a fill is pending, and then it is not": """
        place 10                 |
        open                     | Created                           = OPEN
        fill a 10 pending        | Updated(fills)                    = OPEN
        fill a 10 reverted       | Updated(fills)                    = OPEN
        fill b 10 pending        | Updated(fills)                    = OPEN
        filled of 10             | Updated(status)                   = FILLED
        fill b 10                | Filled b Completed                = FILLED 10
        trade b settled          | Updated(fills)                    = FILLED 10
    """,
    "17: cancelled with a fill in flight, which then executes": """
        place 10                 |
        open                     | Created                           = OPEN
        fill a 4 pending         | Updated(fills)                    = OPEN
        cancelled                | Cancelled                         = CANCELLED
        trade a executed         | Filled a(late)                    = CANCELLED 4
    """,
    "17: a trade is settled before its fill was heard of": """
        place 10                 |
        open                     | Created                           = OPEN
        trade a settled          |                                   = OPEN
        fill a 10                | Filled a Updated(fills)           = OPEN 10
    """,
    "20: messages in any order, each of them twice": """
        place 10                 |
        filled of 10 @9          | Created(inferred) Updated(status) = FILLED
        fill b 6 @8              | Filled b                          = FILLED 6
        open @2                  |                                   = FILLED 6
        fill b 6 @8              |                                   = FILLED 6
        fill a 4 @7              | Filled a Completed                = FILLED 10
        open @2                  |                                   = FILLED 10
        filled of 10 @9          |                                   = FILLED 10
    """,
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_failure(name):
    Desk().play(SCENARIOS[name])


def test_nothing_completes_an_order_that_is_said_to_be_cancelled_where_the_word_decides():
    for completion in (BY_STATUS, BY_BOTH):
        Desk(profile(completion)).play("""
            place 10              |
            open                  | Created
            fill a 10             | Filled a    = OPEN 10
            cancelled             | Cancelled   = CANCELLED 10
        """)


def test_fills_alone_complete_an_order_where_they_decide():
    Desk(profile(BY_FILLS)).play("""
        place 10                  |
        open                      | Created
        fill a 10                 | Filled a Completed  = FILLED 10
        cancelled                 |                     = FILLED 10
    """)


def test_the_word_alone_completes_an_order_where_it_decides_once_the_reported_fills_are_there():
    Desk(profile(BY_STATUS)).play("""
        place 10                  |
        open                      | Created
        fill a 9                  | Filled a            = OPEN 9
        filled                    | Completed           = FILLED 9
    """)


def test_a_pending_fill_keeps_an_order_from_completion_whatever_the_word():
    Desk(profile(BY_STATUS)).play("""
        place 10                  |
        open                      | Created
        fill a 6                  | Filled a            = OPEN 6
        fill b 4 pending          | Updated(fills)      = OPEN 6
        filled                    | Updated(status)     = FILLED 6
        trade b executed          | Filled b Completed  = FILLED 10
    """)


def test_absence_counts_only_beyond_what_the_clocks_may_differ_by():
    Desk(profile(BY_BOTH, slack_us=2_000_000)).play("""
        place 10                  |
        open                      | Created
        snapshot complete         |                     = OPEN
        snapshot complete         |                     = OPEN
        snapshot complete         | Cancelled(inferred) = CANCELLED INFERRED
    """)


def test_an_order_is_completed_without_its_fills_when_its_venue_says_how_long_to_wait():
    Desk(profile(BY_BOTH, fills_wait_us=5_000_000)).play("""
        place 10                  |
        open                      | Created
        filled of 10              | Updated(status)        = FILLED
        wait 2                    |
        wait 5                    | Completed(incomplete)  = FILLED
        fill a 10                 | Filled a(late)         = FILLED 10
    """)


def test_an_order_that_has_left_is_recalled_for_a_late_fill_and_leaves_again():
    desk = Desk()
    desk.play("""
        place 10                  |
        open                      | Created
        cancelled                 | Cancelled              = CANCELLED
        wait 60                   |
    """)
    assert not desk.state.orders
    desk.play("""
        fill a 4                  | Filled a(late)         = CANCELLED 4
        fill a 4                  |                        = CANCELLED 4
        wait 60                   |
    """)
    assert not desk.state.orders
    desk.play("fill a 4           |                        = CANCELLED 4")
