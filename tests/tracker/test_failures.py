"""What goes wrong with order tracking elsewhere, and what happens here: the rows that a tracker alone can show.

Each scenario is named after a class of failures; tests/tracker/desk.py says how to read its lines.
"""

import pytest

from tests.tracker.desk import Desk

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
        expired of 0             | Expired                           = EXPIRED
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
    "8: its last fill is in the list of open orders, and it is not": """
        place 10                 |
        open                     | Created                           = OPEN
        snapshot complete fill a 4 | Filled a Cancelled(inferred)    = CANCELLED INFERRED 4
    """,
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_failure(name):
    Desk().play(SCENARIOS[name])
