"""A cancel request has one outcome for each order it names, and a refusal is an outcome, not a status."""

import pytest

from tallystick.core.cancel import CancelRequest
from tallystick.core.lifecycle import DONE, REFUSED, REQUESTED, UNKNOWN, LifecycleError


def test_each_order_has_an_outcome_of_its_own():
    request = CancelRequest(7, 1, (1, 2, 3, 4), 0)
    request.succeeded(1)
    request.refused(2, "order_closed")
    request.unknown(3)
    assert request.outcomes == {1: DONE, 2: REFUSED, 3: UNKNOWN, 4: REQUESTED}
    assert request.reasons == {2: "order_closed"}


def test_what_was_unknown_may_become_known():
    request = CancelRequest(7, 1, (1,), 0)
    request.unknown(1)
    request.succeeded(1)
    assert request.outcomes == {1: DONE}


@pytest.mark.parametrize("first", ["done", "refused"])
@pytest.mark.parametrize("second", ["done", "refused", "unknown"])
def test_an_outcome_is_not_taken_back(first, second):
    request = CancelRequest(7, 1, (1,), 0)
    conclude = {
        "done": lambda: request.succeeded(1),
        "refused": lambda: request.refused(1, "why"),
        "unknown": lambda: request.unknown(1),
    }
    conclude[first]()
    with pytest.raises(LifecycleError):
        conclude[second]()
