"""What a connector declares of its venue decides what evidence comes to; tests/tracker/desk.py reads the lines."""

from tallystick.facts.client import Announced
from tallystick.facts.client_codes import BY_BOTH, BY_FILLS, BY_STATUS, FILLS_SUMMED, FILLS_SUMMED_FIRST
from tests.tracker.desk import SECOND, Desk, profile


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


# --- Sums in the place of fills ---------------------------------------------------------------------------------------


def test_what_a_sum_grows_by_is_told_as_a_fill_once_and_named_later():
    Desk(profile(BY_BOTH, fills=FILLS_SUMMED_FIRST)).play("""
        place 10                  |
        open of 0                 | Created                     = OPEN
        open of 4                 | Filled ~1(inferred)         = OPEN 4
        open of 4                 |                             = OPEN 4
        wait 5                    |
        asks fills                |
        fill a 4                  | Updated(fills)              = OPEN 4
        fill a 4                  |                             = OPEN 4
        restart                   |
        open of 3 @4              |                             = OPEN 4
        open of 7                 | Filled ~2(inferred)         = OPEN 7
        fill b 6                  | Filled ~3(inferred) Updated(fills) = OPEN 10
        filled of 10              | Completed                   = FILLED 10
        open of 7 @9              |                             = FILLED 10
    """)


def test_a_fill_that_comes_before_the_sum_is_told_by_its_name():
    Desk(profile(BY_BOTH, fills=FILLS_SUMMED_FIRST)).play("""
        place 10                  |
        fill a 4                  |
        open of 6                 | Created Filled a Filled ~1(inferred)  = OPEN 6
        fill b 2                  | Updated(fills)              = OPEN 6
        fill c 4                  | Filled c                    = OPEN 10
        filled of 10              | Completed                   = FILLED 10
    """)


def test_sums_alone_complete_an_order_and_no_names_are_asked_for():
    Desk(profile(BY_BOTH, fills=FILLS_SUMMED)).play("""
        place 10                  |
        open of 4                 | Created Filled ~1(inferred)  = OPEN 4
        filled of 10              | Filled ~2(inferred) Completed = FILLED 10
        wait 5                    |
        asks nothing              |
    """)


def test_more_than_the_order_is_not_believed_of_a_sum_either():
    Desk(profile(BY_STATUS, fills=FILLS_SUMMED)).play("""
        place 10                  |
        open of 14                | Created Filled ~1(inferred)  = OPEN 10
    """)


def test_of_a_pending_sum_a_part_is_executed_and_the_rest_reverted():
    Desk(profile(BY_BOTH, fills=FILLS_SUMMED_FIRST)).play("""
        place 10                  |
        open of 0 pending 6       | Created Updated(fills)      = OPEN
        leaves 4                  |
        open of 4 pending 0       | Filled ~1(inferred) Updated(fills) = OPEN 4
        leaves 6                  |
        open of 0 pending 6 @2    |                             = OPEN 4
        fill a 4                  | Updated(fills)              = OPEN 4
    """)


def test_a_pending_sum_gets_names_and_executes_by_name_or_by_sum_and_counts_once():
    Desk(profile(BY_BOTH, fills=FILLS_SUMMED_FIRST)).play("""
        place 10                  |
        open of 0 pending 10      | Created Updated(fills)      = OPEN
        leaves 0                  |
        fill a 6 pending          | Updated(fills)              = OPEN
        leaves 0                  |
        cancelled of 0 pending 10 | Cancelled                   = CANCELLED
        trade a executed          | Filled a(late)              = CANCELLED 6
        cancelled of 10 pending 0 | Filled ~1(late inferred) Updated(fills) = CANCELLED 10
        fill b 4                  | Updated(fills)              = CANCELLED 10
    """)


def test_fills_told_by_name_are_not_told_again_when_a_venue_begins_to_say_sums():
    desk = Desk(profile(BY_BOTH))
    desk.play("""
        place 10                  |
        open                      | Created
        fill a 4                  | Filled a                    = OPEN 4
    """)
    desk.join(profile(BY_BOTH, fills=FILLS_SUMMED_FIRST))
    desk.play("""
        open of 5                 | Filled ~1(inferred)         = OPEN 5
        fill b 1                  | Updated(fills)              = OPEN 5
    """)
    told = [event for entry in desk.entries for event in entry.events if type(event) is Announced and event.consumed]
    assert [(event.trade, event.consumed) for event in told] == [("~1", 1)]


# --- Lists in the place of answers ------------------------------------------------------------------------------------


def two_lists() -> Desk:
    return Desk(profile(BY_BOTH, absent_lists=2, absent_us=2 * SECOND))


def test_two_lists_without_it_say_that_an_order_with_a_sign_of_life_was_cancelled():
    two_lists().play("""
        place 10                  |
        open                      | Created                     = OPEN
        fill a 4                  | Filled a                    = OPEN 4
        snapshot complete         |                             = OPEN 4
        asks nothing              |
        snapshot complete @5      |                             = OPEN 4
        asks order                |
        asks open orders          |
        snapshot complete         | Cancelled(inferred)         = CANCELLED INFERRED 4
    """)


def test_two_lists_without_it_and_all_of_its_fills_say_that_an_order_was_filled():
    two_lists().play("""
        place 10                  |
        open                      | Created                     = OPEN
        snapshot complete fill a 10 | Filled a                  = OPEN 10
        snapshot complete         |                             = OPEN 10
        snapshot complete fill a 10 | Completed(inferred)       = FILLED INFERRED 10
    """)


def test_two_lists_without_it_say_that_an_order_that_was_only_received_was_refused():
    two_lists().play("""
        place 10                  |
        snapshot complete         |                             = SUBMITTED
        submitted                 |                             = SUBMITTED
        snapshot complete         |                             = SUBMITTED
        wait 5                    |
        snapshot complete         | Failed(inferred)            = REJECTED INFERRED
        open                      | Updated(status certainty)   = OPEN
    """)


def test_lists_say_nothing_of_an_order_that_the_venue_may_not_have_received_yet():
    two_lists().play("""
        place 10                  |
        unanswered                | Updated(certainty)          = SUBMITTED AMBIGUOUS
        snapshot complete         |                             = SUBMITTED AMBIGUOUS
        wait 5                    |
        snapshot complete         |                             = SUBMITTED AMBIGUOUS
        submitted @2              | Failed(inferred)            = REJECTED INFERRED
    """)


# --- An end without its amount ----------------------------------------------------------------------------------------


def test_what_was_filled_before_an_end_is_asked_for_unless_it_was_said_with_it():
    for end, asked in (("cancel done", "fills"), ("cancelled", "fills"), ("cancelled of 4", "nothing")):
        Desk().play(f"""
            place 10              |
            open                  | Created
            fill a 4              | Filled a
            {end}                 | {"Updated(cancel) " if "done" in end else ""}Cancelled = CANCELLED 4
            wait 3                |
            asks {asked}          |
            all-fills             |                             = CANCELLED 4
            wait 20               |
            asks nothing          |
        """)


def test_a_list_of_fills_older_than_the_end_does_not_answer_for_it():
    Desk().play("""
        place 10                  |
        open                      | Created
        all-fills                 |
        cancel done               | Updated(cancel) Cancelled   = CANCELLED
        wait 3                    |
        asks fills                |
        fill a 4 @4               | Filled a(late)              = CANCELLED 4
        all-fills                 |
        wait 10                   |
        asks nothing              |
    """)
