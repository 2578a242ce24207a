"""Venues that acknowledge first and tell later: ids known beforehand, one word for refusal and end, whole looks."""

from itertools import permutations

import pytest

from tallystick.core.lifecycle import CANCELLED, EXPIRED, OPEN, PENDING
from tallystick.facts.client_codes import BY_FILLS
from tallystick.tracker.observations import STREAM, FillReport, NotFound, OrderReport, Refusal
from tests.tracker.desk import BEGIN, CLIENT_ID, SECOND, VENUE, VENUE_ID, Desk, fill, place, profile


def test_that_its_id_is_known_beforehand_is_no_sign_that_the_venue_has_it():
    Desk().play("""
        place 10                        |
        identified                      |                            = SUBMITTED
        unanswered                      | Updated(certainty)         = SUBMITTED AMBIGUOUS
        snapshot complete               |                            = SUBMITTED AMBIGUOUS
        open by venue                   | Created                    = OPEN
    """)


def test_an_acknowledged_order_that_was_never_heard_of_is_refused_by_two_looks_that_are_far_enough_apart():
    Desk(profile(BY_FILLS, absent_lists=2, absent_us=2_000_000)).play("""
        place 10                        |
        identified                      |
        submitted                       |                            = SUBMITTED
        not-found complete              |                            = SUBMITTED
        not-found complete              |                            = SUBMITTED
        not-found complete              | Failed(inferred)           = REJECTED INFERRED
    """)


def test_looks_before_the_acknowledgement_and_looks_without_all_fills_do_not_count():
    Desk(profile(BY_FILLS, absent_lists=2, absent_us=2_000_000)).play("""
        place 10                        |
        not-found complete              |                            = SUBMITTED
        submitted                       |                            = SUBMITTED
        not-found complete              |                            = SUBMITTED
        not-found                       |                            = SUBMITTED
        wait 60                         |
        not-found complete              | Failed(inferred)           = REJECTED INFERRED
    """)


def test_an_order_in_doubt_is_refused_when_its_request_can_no_longer_arrive():
    Desk(profile(BY_FILLS, absent_lists=2, absent_us=2_000_000)).play("""
        place 10                        |
        identified                      |
        unanswered                      | Updated(certainty)         = SUBMITTED AMBIGUOUS
        not-found complete              |                            = SUBMITTED AMBIGUOUS
        not-found complete              |                            = SUBMITTED AMBIGUOUS
        wait 60                         |
        submitted @40 by client         | Updated(certainty)         = SUBMITTED
        not-found complete              |                            = SUBMITTED
        wait 1                          |
        not-found complete              | Failed(inferred)           = REJECTED INFERRED
    """)


REFUSED_OR_ENDED = [
    ("it never lived", "", "Failed", "REJECTED"),
    ("it rested", "open | Created = OPEN", "Cancelled", "CANCELLED"),
    ("it stood by", "pending | Created = PENDING", "Cancelled", "CANCELLED"),
    ("it traded", "fill a 4 by client | Created(inferred) Filled a = OPEN INFERRED 4", "Cancelled", "CANCELLED 4"),
]


@pytest.mark.parametrize(("life", "told", "believed"), [case[1:] for case in REFUSED_OR_ENDED])
def test_one_word_refuses_what_never_lived_and_ends_what_did(life: str, told: str, believed: str):
    Desk().play(f"""
        place 10                        |
        {life}
        refused no_liquidity or cancelled | {told} = {believed}
    """)


def test_an_order_that_expired_before_it_lived_was_refused():
    Desk().play("place 10 |\n refused expired or expired | Failed = REJECTED")
    Desk().play("place 10 |\n open | Created\n refused expired or expired | Expired = EXPIRED")


def test_a_plain_refusal_ends_nothing_that_lives_and_is_shown():
    Desk().play("""
        place 10                        |
        open                            | Created
        refused duplicate               | Updated(quarantine)        = OPEN
        fill a 10                       | Filled a                   = OPEN 10
    """)


def test_a_sign_of_life_after_the_refusal_refines_it_and_is_no_second_end():
    Desk().play("""
        place 10                        |
        refused no_liquidity or cancelled | Failed                   = REJECTED
        open                            | Updated(status ids)        = CANCELLED
        snapshot complete               |                            = CANCELLED
    """)


@pytest.mark.parametrize(("lived", "status"), [(CANCELLED, "CANCELLED 4"), (EXPIRED, "EXPIRED 4")])
def test_in_whatever_order_it_is_heard_it_comes_to_the_same(lived: int, status: str):
    def at(seconds: int) -> int:
        return BEGIN + seconds * SECOND

    evidence = [
        OrderReport(VENUE, CLIENT_ID, VENUE_ID, at(2), STREAM, PENDING),
        OrderReport(VENUE, CLIENT_ID, VENUE_ID, at(3), STREAM, OPEN),
        fill("a", 4, at(4), "", VENUE_ID),
        Refusal(VENUE, CLIENT_ID, VENUE_ID, at(5), STREAM, "margin", "", lived),
        NotFound(VENUE, CLIENT_ID, VENUE_ID, at(1), STREAM, True),
        NotFound(VENUE, CLIENT_ID, VENUE_ID, at(6), STREAM, True),
    ]
    assert isinstance(evidence[2], FillReport)
    beliefs = set()
    for order in permutations(evidence):
        desk = Desk(thorough=False)
        desk.now = BEGIN
        desk.do(place(10))
        desk.now = at(10)
        for each in order:
            desk.do(each)
        assert desk.believed() == status
        beliefs.add(desk.belief())
    assert len(beliefs) == 1
