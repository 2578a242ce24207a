"""Nothing that is not durable is ever revealed: not in an answer, not in a refusal, not in the readers' state."""

import pytest

from tallystick.core.lifecycle import ORDER_STATUS_NAMES
from tallystick.dialects.sophic.rules import SophicRules
from tallystick.facts.commands import Accepted, CancelOrders, OpenAccount, PlaceOrder, Quote, Refused
from tallystick.facts.venue import decode, encode
from tallystick.journal.committer import InlineCommitter
from tallystick.journal.errors import JournalUnavailable, StaleEpoch
from tallystick.journal.memory import MemoryJournal, MemoryStorage
from tallystick.readers.readers import Readers
from tallystick.sequencer import DUE_MAX, RELIEF_MAX, UNCOMMITTED_MAX, WAKES_MAX, Sequencer
from tallystick.venue.engine import Engine, Rules
from tallystick.venue.snapshot import state_hash
from tests.naive import dump
from tests.stage import ACME, ALICE, POLICY, SECOND, Stage


class FailingJournal(MemoryJournal):
    """A memory journal that refuses to append from when it is told to."""

    failing = False

    def probe(self):
        if self.failing:
            raise JournalUnavailable("disk_full", "There is no room.")
        super().probe()


class House:
    """A sequencer over a journal in memory; what is put there is durable only after ``flush``."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.journal = FailingJournal()
        self.engine, self.readers = Engine(rules or SophicRules(POLICY)), Readers()
        self.committer = InlineCommitter(
            self.journal,
            encode,
            lambda items: [item.durable() for item in items],
            lambda error, items: [item.failed(error) for item in items],
        )
        self.stops: list = []
        self.sequencer = Sequencer("sophic", self.engine, self.readers, self.committer, self.stops.append)
        self.answers: list = []
        stage = Stage()
        for entry in stage.entries:
            self.readers.commit(entry)
        self.engine.recover(stage.entries)
        self.journal.append([("sophic", 0, [encode(entry) for entry in stage.entries])])
        self.start = self.readers.state.sequence

    def submit(self, command, now=SECOND):
        answers = self.answers
        self.sequencer.submit(command, now, lambda answer, state: answers.append((answer, state.sequence)))


BUY = PlaceOrder(ALICE, ACME, 1, 1, 2, 1000)
BAD = PlaceOrder(ALICE, ACME, 1, 1, 2, 0)


@pytest.fixture
def house():
    return House()


def test_an_answer_comes_when_its_entry_is_durable_with_the_state_right_after_it(house):
    house.submit(BUY)
    house.submit(BUY)
    assert (house.answers, house.readers.state.sequence) == ([], house.start)
    house.committer.flush()
    assert house.answers == [(Accepted(1), house.start + 1), (Accepted(2), house.start + 2)]
    assert dump(house.readers.state) == dump(house.engine.state)


def test_a_refusal_waits_for_what_was_decided_before_it(house):
    house.submit(BAD)
    assert [type(answer) for answer, _ in house.answers] == [Refused]
    house.submit(BUY)
    house.submit(BAD)
    assert len(house.answers) == 1
    house.committer.flush()
    assert [type(answer) for answer, _ in house.answers] == [Refused, Accepted, Refused]


def test_what_is_durable_in_the_journal_is_what_was_answered(house):
    for _ in range(3):
        house.submit(BUY)
        house.committer.flush()
    bodies = [body for _, body in house.journal.read("sophic", house.start)]
    assert [decode(body).events[0].order for body in bodies] == [1, 2, 3]
    assert [body for _, body in house.journal.read("sophic")] == [
        encode(decode(body)) for _, body in house.journal.read("sophic")
    ]


def test_a_failed_commit_stops_the_venue_and_acknowledges_nothing(house):
    house.submit(BUY)
    house.committer.flush()
    house.journal.failing = True
    house.submit(BUY)
    house.submit(BUY)
    house.committer.flush()
    assert [getattr(answer, "code", "") for answer, _ in house.answers] == ["", *["storage_unavailable"] * 2]
    assert house.readers.state.orders_made == 1
    house.journal.failing = False
    house.submit(BUY)
    house.committer.flush()
    assert house.answers[-1][0].code == "storage_unavailable"
    assert (house.readers.state.orders_made, house.sequencer.next_due()) == (1, 0)
    house.sequencer.wake(100 * SECOND)
    assert house.readers.state.orders_made == 1
    assert [error.code for error in house.stops] == ["disk_full"]


def test_after_a_reload_the_venue_goes_on_from_what_is_durable(house):
    house.submit(Quote(ACME, 3000))
    house.submit(BUY)
    house.committer.flush()
    house.journal.failing = True
    house.submit(BUY)
    house.submit(CancelOrders((1,)))
    assert house.engine.state.orders_made == 2
    with pytest.raises(AssertionError, match="2 decisions"):
        house.sequencer.reload()
    house.committer.flush()
    house.journal.failing = False
    house.committer.resume()
    house.sequencer.reload()
    writer = house.sequencer._engine.state
    assert state_hash(writer) == state_hash(house.readers.state)
    assert writer.orders[1].terms is house.readers.state.orders[1].terms
    assert house.sequencer.next_due() == house.readers.state.orders[1].due
    house.submit(Quote(ACME, 3000))
    house.submit(BUY)
    house.committer.flush()
    assert house.answers[-1] == (Accepted(2), house.start + 2)
    while house.sequencer.next_due() > 0:
        house.sequencer.wake(house.sequencer.next_due())
        house.committer.flush()
    assert {order.is_settled() for order in house.readers.state.orders.values()} == {True}
    assert state_hash(writer) == state_hash(house.readers.state)


def test_what_waited_for_a_price_waits_for_it_after_a_reload_too(house):
    house.submit(BUY)
    house.sequencer.wake(house.sequencer.next_due())
    house.committer.flush()
    house.sequencer.wake(house.sequencer.next_due())
    house.journal.failing = True
    house.submit(BUY, 3 * SECOND)
    house.committer.flush()
    house.journal.failing = False
    house.committer.resume()
    house.sequencer.reload()
    house.sequencer.wake(4 * SECOND)
    house.submit(Quote(ACME, 3000), 5 * SECOND)
    house.sequencer.wake(5 * SECOND)
    house.committer.flush()
    assert ORDER_STATUS_NAMES[house.readers.state.orders[1].status] == "OPEN"


def test_a_journal_that_still_refuses_keeps_the_venue_stopped():
    storage = MemoryStorage()
    committer = InlineCommitter(MemoryJournal(storage), encode, lambda items: None, lambda error, items: None)
    MemoryJournal(storage)
    with pytest.raises(StaleEpoch):
        committer.resume()


def test_a_fault_in_a_decision_stops_the_venue():
    class Faulty:
        def place(self, draft, command, known):
            raise ZeroDivisionError

    house = House(Faulty())
    house.submit(BUY)
    assert house.answers[-1][0].code == "storage_unavailable"
    house.submit(OpenAccount("carol", 1))
    assert house.answers[-1][0].code == "storage_unavailable"


def test_more_than_can_be_recorded_is_refused_and_goes_through_later(house):
    house.submit(BUY)
    for _ in range(UNCOMMITTED_MAX - 1):
        house.submit(BAD)
    assert (house.sequencer.is_full, house.answers) == (True, [])
    house.submit(BUY)
    assert [answer.code for answer, _ in house.answers] == ["overloaded"]
    house.committer.flush()
    house.submit(BUY)
    house.committer.flush()
    assert house.answers[-1][0] == Accepted(2)


def test_orders_leave_room_for_what_is_due_and_both_for_cancels_and_operators(house):
    small = PlaceOrder(ALICE, ACME, 1, 1, 2, 10)
    for _ in range(UNCOMMITTED_MAX):
        house.submit(small)
    house.submit(small)
    assert ([answer.code for answer, _ in house.answers], house.sequencer.uncommitted) == (
        ["overloaded"],
        UNCOMMITTED_MAX,
    )
    now = 100 * SECOND
    for _ in range(2 * (DUE_MAX - UNCOMMITTED_MAX) // WAKES_MAX):
        house.sequencer.wake(now)
    assert house.sequencer.uncommitted == DUE_MAX
    house.submit(OpenAccount("carol", 1), now)
    for number in range(2, RELIEF_MAX - DUE_MAX + 1):
        house.submit(CancelOrders((number,)), now)
    assert (len(house.answers), house.sequencer.uncommitted) == (1, RELIEF_MAX)
    house.submit(CancelOrders((1,)), now)
    assert [answer.code for answer, _ in house.answers] == ["overloaded"] * 2
    house.committer.flush()
    assert house.sequencer.uncommitted == 0
    assert isinstance(house.answers[-1][0], Accepted)
    assert ORDER_STATUS_NAMES[house.readers.state.orders[2].status] == "CANCELLED"
    assert dump(house.readers.state) == dump(house.engine.state)


def test_what_is_due_happens_in_bounded_helpings(house):
    house.submit(Quote(ACME, 3000))
    for _ in range(WAKES_MAX + 10):
        house.submit(PlaceOrder(ALICE, ACME, 1, 1, 2, 100))
    house.committer.flush()
    now = house.engine.state.time + 2 * SECOND
    before = house.readers.state.sequence
    house.sequencer.wake(now)
    house.committer.flush()
    assert house.readers.state.sequence == before + WAKES_MAX
    while 0 < house.sequencer.next_due() <= now:
        house.sequencer.wake(now)
    house.committer.flush()
    assert dump(house.readers.state) == dump(house.engine.state)


def test_a_venue_that_is_closed_releases_what_was_decided_and_refuses_the_rest(house):
    house.submit(BUY)
    house.sequencer.close()
    house.submit(BUY)
    house.sequencer.wake(100 * SECOND)
    assert [answer.code for answer, _ in house.answers] == ["storage_unavailable"]
    house.committer.flush()
    assert house.answers[-1][0] == Accepted(1)
    assert (house.readers.state.orders_made, house.engine.state.orders_made) == (1, 1)
