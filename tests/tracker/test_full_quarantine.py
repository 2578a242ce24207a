"""However much nonsense is set aside, one piece of evidence still fits one entry, and true evidence still counts."""

import pytest

from tallystick.core.lifecycle import FILLED, TRADE_PENDING, TRADE_REVERTED
from tallystick.tracker.observations import STREAM, TradeReport
from tallystick.tracker.quarantine import ASIDE_MAX
from tests.tracker.desk import BEGIN, SECOND, VENUE, Desk, fill, place

FILLS = 600


@pytest.fixture
def desk() -> Desk:
    """An order of 600."""
    made = Desk(thorough=False)
    made.do(place(FILLS))
    return made


def test_a_pending_fill_of_everything_is_reverted_and_all_that_was_set_aside_counts(desk: Desk):
    desk.do(fill("big", FILLS, BEGIN, client_id="c1", state=TRADE_PENDING))
    for number in range(FILLS):
        desk.do(fill(f"t{number}", 1, BEGIN + SECOND, client_id="c1"))
    assert len(desk.order().seldom.aside) == ASIDE_MAX
    assert any("quarantine is full" in word for word in desk.order().seldom.words)
    desk.do(TradeReport(VENUE, "", "", BEGIN + 2 * SECOND, STREAM, "big", TRADE_REVERTED))
    assert (desk.order().pending, desk.order().consumed) == (0, ASIDE_MAX)
    for number in range(FILLS):  # what there was no room for is told again, because it is asked for
        desk.do(fill(f"t{number}", 1, BEGIN + SECOND, client_id="c1"))
    assert desk.order().consumed == FILLS


def test_an_older_fill_of_everything_does_not_undo_six_hundred(desk: Desk):
    for number in range(FILLS):
        desk.do(fill(f"t{number}", 1, BEGIN + SECOND, client_id="c1"))
    desk.do(fill("big", FILLS, BEGIN, client_id="c1"))
    assert desk.order().consumed == FILLS
    assert desk.order().status < FILLED
    assert any("quarantine is full" in word for word in desk.order().seldom.words)
