"""What is done leaves the state, so that memory stays flat; a state written down as records is the state again."""

from tallystick.dialects.sophic.policy import Policy
from tallystick.dialects.sophic.rules import SophicRules
from tallystick.facts.commands import CancelOrders, OpenVenue
from tallystick.venue.calendar import FixedDelay
from tallystick.venue.engine import Engine
from tallystick.venue.fold import fold
from tallystick.venue.snapshot import load, state_hash
from tallystick.venue.state import State
from tests.naive import dump, through_bytes
from tests.stage import BOB, SECOND, Stage


def test_an_order_leaves_some_time_after_it_is_settled_with_its_trades():
    stage = Stage(retain_us=10 * SECOND)
    stage.quote("30.00")
    stage.buy("100.00", client_key="mine", fingerprint="f")
    stage.wait(7.5)
    assert stage.readers.orders[1].is_settled()
    stage.wait(9)
    stage.buy("10.00", account=BOB)
    assert list(stage.readers.orders) == [1, 2]
    stage.wait(2)
    stage.buy("10.00", account=BOB)
    assert list(stage.readers.orders) == [2, 3]
    assert list(stage.readers.trades) == [trade for trade in stage.readers.trades if trade > 1]
    assert (stage.readers.accounts[4].keys, stage.readers.accounts[4].orders) == ({}, [])


def test_a_cancelled_order_and_its_request_leave_too():
    stage = Stage(retain_us=10 * SECOND)
    stage.buy("100.00")
    stage.do(CancelOrders((1,)))
    stage.wait(11)
    stage.buy("10.00")
    assert (list(stage.readers.orders), list(stage.readers.requests)) == ([2], [])


def test_what_is_open_or_owes_stays():
    stage = Stage(Policy(FixedDelay(100 * SECOND)), retain_us=SECOND)
    stage.quote("30.00")
    stage.buy("100.00")
    stage.quote("0")
    stage.buy("100.00")
    stage.wait(50)
    stage.buy("100.00")
    assert list(stage.readers.orders) == [1, 2, 3]


def test_the_readers_gather_what_has_left_and_the_numbers_go_on():
    stage = Stage(Policy(FixedDelay(0)), retain_us=SECOND)
    stage.readers.left = []
    stage.quote("30.00")
    for _ in range(100):
        stage.buy("1.00")
    stage.wait(5)
    stage.buy("1.00")
    stage.buy("1.00")
    gone = [order.number for order, _ in stage.readers.left]
    assert gone == list(range(1, 101))
    assert all(len(trades) == 1 for _, trades in stage.readers.left)
    assert list(stage.readers.orders) == [101, 102]


def test_a_state_made_of_records_is_the_state_whatever_is_in_it():
    stage = Stage(retain_us=20 * SECOND)
    stage.quote("30.00")
    stage.buy("100.00", client_key="k", fingerprint="f")
    stage.sell("1.00", account=BOB)
    stage.wait(2)
    stage.buy("50.00")
    stage.do(CancelOrders((1, 3)))
    stage.quote("0")
    stage.buy("50.00", account=BOB)
    stage.wait(1.5)
    again = load(through_bytes(stage.readers))
    assert dump(again) == dump(stage.readers)
    assert state_hash(again) == state_hash(stage.readers) == state_hash(stage.state)


def test_a_venue_that_starts_from_records_goes_on_the_same():
    stage = Stage(retain_us=20 * SECOND)
    stage.buy("100.00")
    stage.wait(3)
    engine = Engine(SophicRules(stage.engine.rules.policy), load(through_bytes(stage.readers)))
    engine.recover([])
    cut = stage.readers.sequence
    stage.quote("30.00")
    stage.wait(30)
    later = State()
    for entry in stage.entries:
        fold(later, entry)
    for entry in stage.entries[cut:]:
        fold(engine.state, entry)
    assert dump(engine.state) == dump(later)


def test_nobody_may_keep_too_little_at_hand():
    stage = Stage()
    assert stage.do(OpenVenue("x", "y", retain_us=999_999)).code == "invalid_amount"
