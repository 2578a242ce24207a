"""Several orders at a venue that says anything at any time: the story stays grammatical and can be read again.

Beside it stands the plainest account of the evidence: sets of what was said. Where the venue does not contradict
itself, belief is what they come to.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tallystick.core.lifecycle import CANCELLED, EXPIRED, FILLED, OPEN, PLACED
from tallystick.facts.client_codes import BY_BOTH, BY_FILLS, BY_STATUS
from tallystick.tracker.observations import (
    ANSWER,
    STREAM,
    SUBMIT,
    Cancel,
    CancelReport,
    Gap,
    NotFound,
    OpenOrders,
    OrderReport,
    Refusal,
    Unanswered,
)
from tests.tracker.desk import SECOND, VENUE, Desk, check_grammar, fill, place, profile

ORDERS = 3
orders = st.integers(0, ORDERS - 1)
ago = st.sampled_from((0, 0, 1, 5)).map(lambda seconds: seconds * SECOND)


class Venue(RuleBasedStateMachine):
    @initialize(completion=st.sampled_from((BY_STATUS, BY_BOTH, BY_FILLS)), wait=st.sampled_from((0, 3 * SECOND)))
    def begin(self, completion, wait):
        self.desk = Desk(profile(completion, fills_wait_us=wait))
        self.completion = completion
        self.trades = [{} for _ in range(ORDERS)]
        self.ends = [set() for _ in range(ORDERS)]
        for number in range(ORDERS):
            self.desk.do(place(10, f"c{number}"))

    def ids(self, number, by):
        return (f"c{number}" if by != "venue" else "", f"v{number}" if by != "client" else "")

    by = st.sampled_from(("client", "venue", "both"))

    @rule(number=orders, by=by, ago=ago, status=st.sampled_from((PLACED, OPEN, OPEN, FILLED, CANCELLED, EXPIRED)))
    def word(self, number, by, ago, status):
        consumed = sum(self.trades[number].values()) if status >= FILLED else -1
        self.observe(
            number, by, OrderReport(VENUE, *self.ids(number, by), self.desk.now - ago, STREAM, status, consumed)
        )
        if status >= FILLED:
            self.ends[number].add(status)

    @rule(number=orders, by=by, ago=ago, trade=st.integers(0, 5))
    def trade(self, number, by, ago, trade):
        """Six trades of 1, 2 or 3, of which four or five fit."""
        size = trade % 3 + 1
        self.observe(number, by, fill(f"t{number}.{trade}", size, self.desk.now - ago, *self.ids(number, by)))
        self.trades[number][trade] = size

    @rule(number=orders, by=by, outcome=st.integers(0, 4))
    def cancel_report(self, number, by, outcome):
        self.observe(number, by, CancelReport(VENUE, *self.ids(number, by), self.desk.now, ANSWER, outcome, "why"))
        if outcome == 1:
            self.ends[number].add(CANCELLED)

    @rule(number=orders)
    def cancel(self, number):
        if f"c{number}" in self.desk.state.venues[VENUE].by_client:
            self.desk.do(Cancel(VENUE, f"c{number}"))

    @rule(number=orders, by=by, ago=ago)
    def not_found(self, number, by, ago):
        self.observe(number, by, NotFound(VENUE, *self.ids(number, by), self.desk.now - ago, ANSWER))

    @rule(number=orders, answer=st.booleans())
    def submit(self, number, answer):
        kind = Refusal if answer else Unanswered
        self.observe(number, "client", kind(VENUE, f"c{number}", "", self.desk.now, SUBMIT, "reason"))

    @rule(listed=st.sets(orders), complete=st.booleans(), ago=ago)
    def snapshot(self, listed, complete, ago):
        as_of = self.desk.now - ago
        reports = [OrderReport(VENUE, "", f"v{number}", as_of, ANSWER, OPEN) for number in sorted(listed)]
        self.desk.do(OpenOrders(VENUE, as_of, reports, [], complete))

    @rule(ago=ago)
    def gap(self, ago):
        self.desk.do(Gap(VENUE, "stream", self.desk.now - ago))

    @rule(seconds=st.sampled_from((1, 3, 40)))
    def wait(self, seconds):
        self.desk.now += seconds * SECOND
        self.desk.wake()
        for question in self.desk.tracker.questions(self.desk.now, 10):
            assert question.asked_at == self.desk.now

    @rule()
    @precondition(lambda self: not self.desk.tracker.inbox.held)
    def restart(self):
        self.desk.restart()

    def observe(self, number, by, observation):
        self.desk.do(observation)

    @invariant()
    def belief_is_what_the_evidence_comes_to(self):
        if not hasattr(self, "desk"):
            return
        check_grammar(self.desk.entries)
        venue = self.desk.state.venues[VENUE]
        for number in range(ORDERS):
            order = venue.by_client.get(f"c{number}")
            if order is None or order.venue_id == "":
                continue  # it has left, or what came by the venue's id waits in the inbox
            trades = self.trades[number]
            assert order.consumed <= 10
            assert order.consumed == sum(fill.consumed for fill in order.fills.values()) if order.fills else True
            aside = order.seldom.aside if order.seldom is not None else {}
            assert {f"t{number}.{trade}" for trade in trades} == {*(order.fills or {}), *(key[0] for key in aside)}
            if FILLED in self.ends[number] or (self.completion == BY_FILLS and order.consumed == 10):
                assert order.status == FILLED
            elif self.ends[number]:
                assert order.status == min(self.ends[number])


TestVenue = Venue.TestCase
TestVenue.settings = settings(max_examples=60, stateful_step_count=50, deadline=None)
