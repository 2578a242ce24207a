"""What else the tracker promises: several venues and orders, bounded memory, long lists in slices, and refusals."""

import pytest

from tallystick.core.lifecycle import OPEN, TRADE_SETTLED
from tallystick.facts.client import EVENTS_PER_ENTRY_MAX, Announced, OrdersConfirmed, OrdersLeft
from tallystick.facts.client_codes import BY_BOTH, BY_FILLS, FILLS_SUMMED_FIRST
from tallystick.facts.client_terms import VenueJoined
from tallystick.tracker.agenda import ASK_ORDER, URGENT, Patience
from tallystick.tracker.belief import contradictions
from tallystick.tracker.inbox import HELD_FOR_ONE_MAX, HELD_MAX, Inbox
from tallystick.tracker.observations import (
    SNAPSHOT,
    STREAM,
    UNKNOWN_STATUS,
    Amendment,
    Cancel,
    CancelReport,
    Gap,
    JoinVenue,
    ListMarket,
    NotFound,
    OpenOrders,
    OrderReport,
    Place,
    Position,
    TradeReport,
)
from tallystick.tracker.order import VERSIONS_MAX
from tallystick.tracker.tracker import ClientIdTaken, UnknownMarket, UnknownOrder, UnknownVenue
from tallystick.tracker.unknown_words import FURTHER_WORDS, WORDS_MAX
from tests.tracker.desk import BEGIN, CLIENT_ID, SECOND, VENUE, Desk, fill, place, profile


def report(client_id: str, venue_id: str, as_of: int, status: int = OPEN, origin: int = STREAM) -> OrderReport:
    return OrderReport(VENUE, client_id, venue_id, as_of, origin, status)


def test_what_cannot_be_is_refused_before_anything_changes():
    desk = Desk()
    desk.do(place(10))
    entries = len(desk.entries)
    for given, error in (
        (place(5), ClientIdTaken),
        (Place(2, "c2", 1, 1, 1, 1, 10), UnknownVenue),
        (Place(VENUE, "c2", 7, 1, 1, 1, 10), UnknownMarket),
        (Cancel(VENUE, "c9"), UnknownOrder),
        (report("c1", "v1", 1).__class__(9, "c1", "", 1, STREAM, OPEN), UnknownVenue),
        (
            OpenOrders(VENUE, 1, [report("c1", "v1", 1), OrderReport(2, "", "v9", 1, STREAM, OPEN)], [], True),
            UnknownVenue,
        ),
        ("nonsense", TypeError),
    ):
        with pytest.raises(error):
            desk.do(given)
    assert len(desk.entries) == entries


def test_a_venue_and_its_markets_are_known_by_name_and_may_declare_something_else():
    desk = Desk()
    entries = len(desk.entries)
    desk.do(ListMarket(VENUE, "ACME-USD", "ACME", "USD", 2, 3, 2))
    desk.do(JoinVenue(desk.state.venues[VENUE].terms))
    assert len(desk.entries) == entries
    desk.do(JoinVenue(VenueJoined(0, 0, "other", BY_BOTH)))
    desk.do(JoinVenue(VenueJoined(0, 0, "venue", BY_FILLS)))
    assert [venue.name for venue in desk.state.venues.values()] == ["venue", "other"]
    desk.play("""
        place 10     |
        open         | Created
        fill a 10    | Filled a Completed
    """)


def test_two_venues_may_use_the_same_ids_for_different_orders():
    desk = Desk()
    desk.do(JoinVenue(VenueJoined(0, 0, "other", BY_BOTH)))
    desk.do(ListMarket(2, "ACME-USD", "ACME", "USD", 2, 3, 2))
    desk.do(place(10))
    desk.do(Place(2, CLIENT_ID, 2, 1, 2, 1, 20))
    desk.do(OrderReport(2, CLIENT_ID, "v1", BEGIN, STREAM, OPEN))
    desk.do(report(CLIENT_ID, "v1", BEGIN))
    desk.do(fill("t", 4, BEGIN))
    assert [(order.venue, order.consumed) for order in desk.state.orders.values()] == [(1, 4), (2, 0)]


def test_an_id_that_is_another_orders_is_shown_and_not_taken():
    desk = Desk()
    desk.do(place(10))
    desk.do(place(10, "c2"))
    desk.do(report(CLIENT_ID, "v1", BEGIN))
    desk.do(report("c2", "v1", BEGIN))
    desk.do(report("c2", "v1", BEGIN))
    assert desk.announcements("c2") == ["Created", "Updated(quarantine)"]
    assert contradictions(desk.order("c2")) == ["its id v1 is another order's"]
    desk.do(fill("t", 4, BEGIN))
    assert desk.order(CLIENT_ID).consumed == 4


def test_what_names_no_order_that_was_ever_sent_is_counted():
    desk = Desk()
    desk.do(place(10))
    entries = len(desk.entries)
    for client_id in ("c8", "c9"):
        desk.do(report(client_id, "", BEGIN))
    desk.do(NotFound(VENUE, "", "", BEGIN, STREAM))
    desk.do(fill("t", 4, BEGIN, "", "v9"))
    assert desk.tracker.dropped(VENUE) == 3
    assert desk.tracker.inbox.held == 1
    assert len(desk.entries) == entries


def test_an_unknown_word_is_kept_once_and_counted_and_very_many_are_kept_as_one():
    desk = Desk()
    desk.do(place(10))
    for second in (1, 2, 3, 3, 2):
        desk.do(OrderReport(VENUE, CLIENT_ID, "", BEGIN + second * SECOND, STREAM, UNKNOWN_STATUS, word="FROZEN"))
    assert desk.announcements() == ["Updated(quarantine)"]
    assert contradictions(desk.order()) == ["its status was said to be 'FROZEN', 3 times"]
    desk.restart()
    for number in range(100):
        desk.do(OrderReport(VENUE, CLIENT_ID, "", BEGIN + number, STREAM, UNKNOWN_STATUS, word=f"W{number}"))
    assert len(desk.order().seldom.words) == WORDS_MAX + 1
    assert desk.order().seldom.words[FURTHER_WORDS][1] == 100 - (WORDS_MAX - 1)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (fill("a", 4, BEGIN, CLIENT_ID, state=7), "trade a in state 7"),
        (fill("a", 4, BEGIN, CLIENT_ID, state=-1), "trade a in state -1"),
        (TradeReport(VENUE, CLIENT_ID, "", BEGIN, STREAM, "a", 4), "trade a in state 4"),
        (CancelReport(VENUE, CLIENT_ID, "", BEGIN, STREAM, 9), "cancel outcome 9"),
        (report(CLIENT_ID, "", BEGIN, status=99), "99"),
    ],
)
def test_a_number_that_means_nothing_is_shown_and_changes_nothing(said, shown):
    desk = Desk()
    desk.do(place(10))
    desk.do(report(CLIENT_ID, "v1", BEGIN))
    desk.do(said)
    assert desk.believed() == "OPEN"
    assert contradictions(desk.order()) == [f"its status was said to be {shown!r}"]


def test_a_replaced_order_is_one_order_under_both_ids():
    desk = Desk()
    desk.do(place(10))
    desk.do(report(CLIENT_ID, "v1", BEGIN))
    desk.do(Amendment(VENUE, CLIENT_ID, "v2", BEGIN + 5, STREAM, 14, 105))
    desk.do(fill("a", 4, BEGIN + 6, "", "v2"))
    desk.do(fill("b", 8, BEGIN + 4, "", "v1"))
    order = desk.order()
    assert (order.ids(), order.size, order.price, order.leaves) == (["v1", "v2"], 14, 105, 2)
    assert desk.announcements()[1:] == ["Updated(ids terms)", "Filled a", "Filled b"]


def test_of_very_many_versions_the_newest_are_kept_and_a_fill_of_the_largest_still_fits():
    desk = Desk()
    desk.do(place(10))
    desk.do(report(CLIENT_ID, "v1", BEGIN))
    for number in range(3 * VERSIONS_MAX):
        desk.do(Amendment(VENUE, CLIENT_ID, "", BEGIN + number, STREAM, 100 - number, 100))
    order = desk.order()
    assert (order.size, len(order.seldom.versions)) == (101 - 3 * VERSIONS_MAX, VERSIONS_MAX)
    desk.do(fill("a", 60, BEGIN + 6))
    assert (order.consumed, order.size, order.leaves) == (60, 60, 0)


def test_a_fill_that_follows_from_a_sum_has_the_worth_that_was_said_or_that_of_the_limit():
    desk = Desk(profile(BY_BOTH, fills=FILLS_SUMMED_FIRST))
    desk.do(place(5_000))
    desk.do(OrderReport(VENUE, CLIENT_ID, "v1", BEGIN, STREAM, OPEN, 2_000))  # 2 units at 1.00
    desk.do(OrderReport(VENUE, "", "v1", BEGIN + 1, STREAM, OPEN, 3_000, notional=290))
    said = [event for entry in desk.entries for event in entry.events if type(event) is Announced and event.consumed]
    assert [(each.trade, each.consumed, each.notional) for each in said] == [("~1", 2_000, 200), ("~2", 1_000, 90)]
    assert (desk.order().consumed, desk.order().quantity, desk.order().notional) == (3_000, 3_000, 290)


def test_a_trade_with_oneself_is_one_trade_of_two_orders():
    desk = Desk()
    for client_id, venue_id in (("c1", "v1"), ("c2", "v2")):
        desk.do(place(10, client_id))
        desk.do(report(client_id, venue_id, BEGIN))
        desk.do(fill("t", 4, BEGIN, "", venue_id))
    desk.do(TradeReport(VENUE, "c2", "", BEGIN, STREAM, "t", TRADE_SETTLED))
    states = [order.fills["t"].state for order in desk.state.orders.values()]
    assert states == [1, TRADE_SETTLED]


def test_a_long_list_of_open_orders_is_worked_through_in_slices():
    desk = Desk(thorough=False)
    for number in range(1_500):
        desk.do(place(10, f"c{number}"))
        desk.do(report(f"c{number}", f"v{number}", desk.now))
    desk.now += SECOND
    listed = [report("", f"v{number}", desk.now, origin=SNAPSHOT) for number in range(700)]
    before = len(desk.entries)
    desk.do(OpenOrders(VENUE, desk.now, listed, [], True))
    entries = desk.entries[before:]
    assert 1 < len(entries) < 10
    assert all(len(entry.events) <= EVENTS_PER_ENTRY_MAX for entry in entries)
    assert sum(type(event) is OrdersConfirmed for entry in entries for event in entry.events) == 1
    assert sum(order.is_closed for order in desk.state.orders.values()) == 800
    assert desk.state.venues[VENUE].is_trusted
    desk.restart()


def test_an_order_sent_after_the_list_was_asked_for_is_not_missing_from_it():
    desk = Desk()
    desk.now += SECOND
    desk.do(place(10))
    desk.do(OpenOrders(VENUE, desk.now - 1, [], [], True))
    assert desk.believed() == "SUBMITTED"
    assert desk.order().seldom is None


def test_a_position_of_a_stream_is_kept_with_what_came_before_it():
    desk = Desk()
    for position in ("evt_1", "evt_2", "evt_2"):
        desk.do(Position(VENUE, "events", position))
    desk.restart()
    assert desk.state.venues[VENUE].positions == {"events": "evt_2"}
    assert sum(entry.cause.kind == "position" for entry in desk.entries) == 2


def test_what_is_over_leaves_and_nothing_of_it_stays():
    desk = Desk(thorough=False)
    for number in range(2_000):
        desk.do(place(10, f"c{number}"))
        desk.do(report(f"c{number}", f"v{number}", desk.now))
        desk.do(fill(f"t{number}", 10, desk.now, "", f"v{number}"))
        desk.do(OrderReport(VENUE, "", f"v{number}", desk.now, STREAM, 4, 10))
    desk.now += 31 * SECOND
    desk.wake()
    venue = desk.state.venues[VENUE]
    assert desk.state.orders == venue.by_client == venue.by_id == venue.by_trade == {}
    assert desk.tracker.questions(desk.now, 10) == []
    assert desk.tracker.next_question() == desk.tracker.next_due() == 0
    assert [len(event.orders) for entry in desk.entries for event in entry.events if type(event) is OrdersLeft] == [
        512,
        512,
        512,
        464,
    ]


def test_an_order_whose_fills_are_pending_does_not_leave():
    Desk().play("""
        place 10           |
        open               | Created
        fill a 10 pending  | Updated(fills)
        cancelled          | Cancelled
        wait 600           |
        trade a executed   | Filled a(late)      = CANCELLED 10
    """)


def test_a_question_says_what_and_how_urgently_and_comes_again_ever_later():
    desk = Desk(patience=Patience(submit_us=SECOND, again_us=SECOND, again_max_us=4 * SECOND))
    desk.do(place(10))
    asked = []
    for second in range(1, 20):
        desk.now = BEGIN + second * SECOND
        is_due = 0 < desk.tracker.next_question() <= desk.now
        found = desk.tracker.questions(desk.now, 10)
        assert bool(found) == is_due
        asked += [(second, each.what, each.urgency, each.client_id, each.attempt) for each in found]
    assert asked == [(second, ASK_ORDER, URGENT, "c1", at + 1) for at, second in enumerate((1, 2, 4, 8, 12, 16))]


def test_few_questions_are_handed_out_at_a_time_and_none_is_forgotten():
    desk = Desk(thorough=False)
    for number in range(50):
        desk.do(place(10, f"c{number}"))
    desk.now += 5 * SECOND
    asked = [each.client_id for _ in range(10) for each in desk.tracker.questions(desk.now, 5)]
    assert sorted(asked) == sorted(f"c{number}" for number in range(50))


def test_what_the_inbox_forgets_is_asked_for():
    desk = Desk(thorough=False)
    desk.do(place(10))
    for number in range(HELD_FOR_ONE_MAX + 1):
        desk.do(fill(f"t{number}", 1, desk.now, "", "v1"))
    assert desk.tracker.questions(desk.now, 10) == []
    desk.do(report(CLIENT_ID, "v1", desk.now))
    assert [each.order for each in desk.tracker.questions(desk.now, 10)] == [0]


def test_the_inbox_is_bounded_and_forgets_the_oldest():
    inbox = Inbox()
    for number in range(3 * HELD_MAX):
        inbox.hold((1, f"v{number}"), NotFound(1, "", f"v{number}", number, STREAM), number)
    assert inbox.held == HELD_MAX
    assert inbox.forgot_at == 3 * HELD_MAX - 1
    assert inbox.take((1, "v0")) == []
    assert len(inbox.take((1, f"v{3 * HELD_MAX - 1}"))) == 1
    assert inbox.held == HELD_MAX - 1


def test_time_that_goes_backwards_is_taken_as_standing_still():
    desk = Desk()
    desk.do(place(10), now=BEGIN + 5)
    desk.do(Gap(VENUE, "orders", BEGIN, "cut off"), now=BEGIN + 1)
    assert [entry.time for entry in desk.entries[-2:]] == [BEGIN + 5, BEGIN + 5]
