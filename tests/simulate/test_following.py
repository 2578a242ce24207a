"""Who follows one order catches up without a gap, however long ago the order ended."""

from tallystick.core.keys import order_key
from tallystick.dialects.sophic.policy import Policy
from tallystick.facts.commands import OpenVenue
from tallystick.readers.index import Index
from tallystick.readers.readers import Readers
from tallystick.simulate.process import MemoryTables
from tallystick.venue.calendar import FixedDelay
from tests.stage import SECOND, Stage


def test_an_order_that_has_left_the_state_is_still_found_by_index():
    stage = Stage(Policy(FixedDelay(0)))
    stage.do(OpenVenue("sophic", "", retain_us=SECOND))
    stage.quote("10.00")
    number = stage.buy("100.00").number
    stage.wait(1)
    readers = Readers(None, MemoryTables())
    for entry in stage.entries:
        readers.commit(entry)
    index = Index(readers, lambda sequence: stage.entries[sequence - 1])
    followed = [entry.sequence for entry in index.entries(order_key(number))]
    assert len(followed) > 1

    stage.wait(10)
    stage.quote("11.00")
    stage.buy("10.00")
    for entry in stage.entries[readers.state.sequence :]:
        readers.commit(entry)
    assert number not in readers.state.orders
    assert [entry.sequence for entry in index.entries(order_key(number))] == followed
