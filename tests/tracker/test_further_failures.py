"""The second half of tests/tracker/test_failures.py: rows from the tenth on, of amounts, terms, clocks and restarts."""

import pytest

from tests.tracker.desk import Desk

SCENARIOS = {
    "10: what comes at one moment is told one by one, and nothing is overwritten": """
        place 10                 |
        fill a 4 @2              |
        fill b 6 @2              |
        open @2                  | Created Filled a Filled b         = OPEN 10
        filled of 10 @2          | Completed                         = FILLED 10
        restart                  |                                   = FILLED 10
        open @2                  |                                   = FILLED 10
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
    "13: a fill of the larger order comes before the news that it is larger": """
        place 10                 |
        open                     | Created                           = OPEN
        fill a 10                | Filled a                          = OPEN 10
        fill b 2                 | Updated(quarantine)               = OPEN 10
        amended 15               | Filled b Updated(terms)           = OPEN 12
        leaves 3                 |
        filled of 12             | Completed                         = FILLED 12
    """,
    "13: the newest version of its terms counts, whenever it is heard of": """
        place 10                 |
        open                     | Created                           = OPEN
        amended 6 @5             | Updated(terms)                    = OPEN
        leaves 6                 |
        amended 8 @4             |                                   = OPEN
        amended 6 @5             |                                   = OPEN
        leaves 6                 |
        restart                  |                                   = OPEN
        leaves 6                 |
        cancelled of 0           | Cancelled                         = CANCELLED
    """,
    "13: a size below what is filled is shown, and the version before it stays": """
        place 10                 |
        open                     | Created                           = OPEN
        fill a 6                 | Filled a                          = OPEN 6
        amended 8                | Updated(terms)                    = OPEN 6
        amended 5                | Updated(quarantine)               = OPEN 6
        leaves 2                 |
        amended 0                | Updated(quarantine)               = OPEN 6
        fill b 2                 | Filled b                          = OPEN 8
        filled of 8              | Completed                         = FILLED 8
    """,
    "13: a fill in flight when the size was lowered": """
        place 10                 |
        open                     | Created                           = OPEN
        amended 5                | Updated(terms)                    = OPEN
        fill a 7 @1              | Filled a Updated(quarantine terms) = OPEN 7
        leaves 3                 |
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
        cancelled of 0           | Cancelled                         = CANCELLED
        wait 25                  |
        asks nothing             |
    """,
    "16: a venue whose clock is ahead of ours: what we ask later is older, until our clock has come there": """
        place 10                 |
        open @9                  | Created                           = OPEN
        snapshot complete        |                                   = OPEN
        not-found                |                                   = OPEN
        fill a 4 @10             | Filled a                          = OPEN 4
        wait 9                   |
        snapshot complete        | Cancelled(inferred)               = CANCELLED INFERRED 4
    """,
    "16: a venue whose clock is behind ours: what it says counts, however old it seems": """
        place 10                 |
        open @-60                | Created                           = OPEN
        fill a 4 @-59            | Filled a                          = OPEN 4
        expired of 4 @-58        | Expired                           = EXPIRED 4
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
    "17: cancelled with a fill in flight, which is then undone": """
        place 10                 |
        open                     | Created                           = OPEN
        fill a 4 pending         | Updated(fills)                    = OPEN
        fill b 2 pending         | Updated(fills)                    = OPEN
        cancelled of 0           | Cancelled                         = CANCELLED
        wait 5                   |
        asks fills               |
        trade a reverted         | Updated(fills)                    = CANCELLED
        trade b executed         | Filled b(late)                    = CANCELLED 2
        trade a reverted         |                                   = CANCELLED 2
        wait 5                   |
        asks nothing             |
    """,
    "18: what an order may still take is given up once, when it ends, but for what is pending": """
        place 10                 |                                   = SUBMITTED
        leaves 10                |
        open                     | Created                           = OPEN
        fill a 3                 | Filled a                          = OPEN 3
        fill b 2 pending         | Updated(fills)                    = OPEN 3
        leaves 5                 |
        cancel requested         | Updated(cancel)                   = OPEN 3
        leaves 5                 |
        cancelled of 3           | Cancelled                         = CANCELLED 3
        leaves 0                 |
        cancelled of 3           |                                   = CANCELLED 3
        trade b reverted         | Updated(fills)                    = CANCELLED 3
        leaves 0                 |
    """,
    "19: filled is not settled: it is when every one of its trades is": """
        place 10                 |
        open                     | Created                           = OPEN
        fill a 4                 | Filled a                          = OPEN 4
        trade a settled          | Updated(fills)                    = OPEN 4
        settled? no              |
        fill b 6                 | Filled b                          = OPEN 10
        filled of 10             | Completed                         = FILLED 10
        settled? no              |
        trade b settled          | Updated(fills)                    = FILLED 10
        settled? yes             |
        restart                  |                                   = FILLED 10
        settled? yes             |
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
