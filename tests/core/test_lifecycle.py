"""Every (status, event) pair of the lifecycle, the forbidden ones too, written out by hand as a second opinion."""

import pytest

from tallystick.core.lifecycle import (
    FORBIDDEN,
    ORDER_EVENT_NAMES,
    ORDER_STATUS_NAMES,
    TRADE_STATUS_NAMES,
    LifecycleError,
    advance_order,
    advance_trade,
    is_closed,
    order_after,
)

ORDER = """
            PLACE   WAIT     RELEASE  TRADE  CONFIRM    REVERT     SETTLE     FILL    CANCEL     EXPIRE   REJECT
SUBMITTED   PLACED  PENDING  OPEN     -      -          -          -          -       -          -        REJECTED
PLACED      -       PENDING  OPEN     -      -          -          -          -       CANCELLED  EXPIRED  -
PENDING     -       PENDING  OPEN     -      -          -          -          -       CANCELLED  EXPIRED  -
OPEN        -       -        -        OPEN   OPEN       OPEN       OPEN       FILLED  CANCELLED  EXPIRED  -
FILLED      -       -        -        -      -          -          FILLED     -       -          -        -
CANCELLED   -       -        -        -      CANCELLED  CANCELLED  CANCELLED  -       -          -        -
EXPIRED     -       -        -        -      EXPIRED    EXPIRED    EXPIRED    -       -          -        -
REJECTED    -       -        -        -      -          -          -          -       -          -        -
"""

TRADE = """
            CONFIRM    REVERT     SETTLE
PENDING     EXECUTED   REVERTED   -
EXECUTED    -          -          SETTLED
SETTLED     -          -          -
REVERTED    -          -          -
"""


def pairs(table: str) -> list[tuple[str, str, str]]:
    header, *rows = (line.split() for line in table.strip().splitlines())
    return [(row[0], event, after) for row in rows for event, after in zip(header, row[1:], strict=True)]


def test_the_tables_name_every_status_and_event():
    assert {status for status, _, _ in pairs(ORDER)} == set(ORDER_STATUS_NAMES)
    assert {event for _, event, _ in pairs(ORDER)} == set(ORDER_EVENT_NAMES)
    assert len(pairs(ORDER)) == len(ORDER_STATUS_NAMES) * len(ORDER_EVENT_NAMES)
    assert {status for status, _, _ in pairs(TRADE)} == set(TRADE_STATUS_NAMES)


@pytest.mark.parametrize(("status", "event", "after"), pairs(ORDER))
def test_an_order(status, event, after):
    before, verb = ORDER_STATUS_NAMES.index(status), ORDER_EVENT_NAMES.index(event)
    if after == "-":
        assert order_after(before, verb) == FORBIDDEN
        with pytest.raises(LifecycleError, match=f"{status} cannot {event}"):
            advance_order(before, verb)
    else:
        assert ORDER_STATUS_NAMES[advance_order(before, verb)] == after


@pytest.mark.parametrize(("status", "event", "after"), pairs(TRADE))
def test_a_trade(status, event, after):
    before, verb = TRADE_STATUS_NAMES.index(status), ORDER_EVENT_NAMES.index(event)
    if after == "-":
        with pytest.raises(LifecycleError, match=f"{status} cannot {event}"):
            advance_trade(before, verb)
    else:
        assert TRADE_STATUS_NAMES[advance_trade(before, verb)] == after


def test_nothing_re_opens():
    closed = [number for number in range(len(ORDER_STATUS_NAMES)) if is_closed(number)]
    assert [ORDER_STATUS_NAMES[number] for number in closed] == ["FILLED", "CANCELLED", "EXPIRED", "REJECTED"]
    for status, event, after in pairs(ORDER):
        if status in ("FILLED", "CANCELLED", "EXPIRED", "REJECTED"):
            assert after in ("-", status), f"{status} {event}"
