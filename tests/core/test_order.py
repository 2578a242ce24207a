"""An order's amounts, step by step: while open size = consumed + pending + leaves, once closed + released instead."""

from types import SimpleNamespace

import pytest

from tallystick.core import lifecycle
from tallystick.core.lifecycle import ORDER_STATUS_NAMES, LifecycleError
from tallystick.core.order import Order

# Each scenario: a sentence, then steps with what holds after them. A step that must be refused ends in "!".
SCENARIOS = """
it is filled by two executed fills, which settle one after the other
  place                 PLACED     consumed 0    pending 0   leaves 100  released 0   reserved 100  settled no
  open                  OPEN       consumed 0    pending 0   leaves 100  released 0   reserved 100  settled no
  executed 40           OPEN       consumed 40   pending 0   leaves 60   released 0   reserved 60   settled no
  executed 60           OPEN       consumed 100  pending 0   leaves 0    released 0   reserved 0    settled no
  settle                OPEN       consumed 100  pending 0   leaves 0    released 0   reserved 0    settled no
  FILL 0 0              FILLED     consumed 100  pending 0   leaves 0    released 0   reserved 0    settled no
  settle                FILLED     consumed 100  pending 0   leaves 0    released 0   reserved 0    settled yes
  settle !              FILLED     consumed 100  pending 0   leaves 0    released 0   reserved 0    settled yes

it is filled short of its size, and the rest is released
  open                  OPEN       consumed 0    pending 0   leaves 100  released 0   reserved 100  settled no
  executed 97           OPEN       consumed 97   pending 0   leaves 3    released 0   reserved 3    settled no
  FILL 3 3              FILLED     consumed 97   pending 0   leaves 0    released 3   reserved 0    settled no
  settle                FILLED     consumed 97   pending 0   leaves 0    released 3   reserved 0    settled yes

a pending fill is confirmed
  open                  OPEN       consumed 0    pending 0   leaves 100  released 0   reserved 100  settled no
  pending 100           OPEN       consumed 0    pending 100 leaves 0    released 0   reserved 100  settled no
  FILL 0 0 !            OPEN       consumed 0    pending 100 leaves 0    released 0   reserved 100  settled no
  confirm 100           OPEN       consumed 100  pending 0   leaves 0    released 0   reserved 0    settled no
  FILL 0 0              FILLED     consumed 100  pending 0   leaves 0    released 0   reserved 0    settled no

a pending fill is reverted and what it held may be traded again
  open                  OPEN       consumed 0    pending 0   leaves 100  released 0   reserved 100  settled no
  pending 70            OPEN       consumed 0    pending 70  leaves 30   released 0   reserved 100  settled no
  revert 70 0           OPEN       consumed 0    pending 0   leaves 100  released 0   reserved 100  settled no
  executed 100          OPEN       consumed 100  pending 0   leaves 0    released 0   reserved 0    settled no

a cancelled order stays cancelled while its pending fill confirms
  open                  OPEN       consumed 0    pending 0   leaves 100  released 0   reserved 100  settled no
  pending 70            OPEN       consumed 0    pending 70  leaves 30   released 0   reserved 100  settled no
  CANCEL 30 30          CANCELLED  consumed 0    pending 70  leaves 0    released 30  reserved 70   settled no
  confirm 70            CANCELLED  consumed 70   pending 0   leaves 0    released 30  reserved 0    settled no
  settle                CANCELLED  consumed 70   pending 0   leaves 0    released 30  reserved 0    settled yes

a cancelled order releases what a reverted fill held
  open                  OPEN       consumed 0    pending 0   leaves 100  released 0   reserved 100  settled no
  pending 70            OPEN       consumed 0    pending 70  leaves 30   released 0   reserved 100  settled no
  CANCEL 30 30          CANCELLED  consumed 0    pending 70  leaves 0    released 30  reserved 70   settled no
  revert 70 70          CANCELLED  consumed 0    pending 0   leaves 0    released 100 reserved 0    settled yes

it expires while it waits
  place                 PLACED     consumed 0    pending 0   leaves 100  released 0   reserved 100  settled no
  wait                  PENDING    consumed 0    pending 0   leaves 100  released 0   reserved 100  settled no
  executed 10 !         PENDING    consumed 0    pending 0   leaves 100  released 0   reserved 100  settled no
  EXPIRE 100 100        EXPIRED    consumed 0    pending 0   leaves 0    released 100 reserved 0    settled yes
  open !                EXPIRED    consumed 0    pending 0   leaves 0    released 100 reserved 0    settled yes

what does not add up is refused and changes nothing
  open                  OPEN       consumed 0    pending 0   leaves 100  released 0   reserved 100  settled no
  executed 101 !        OPEN       consumed 0    pending 0   leaves 100  released 0   reserved 100  settled no
  executed 0 !          OPEN       consumed 0    pending 0   leaves 100  released 0   reserved 100  settled no
  pending 60            OPEN       consumed 0    pending 60  leaves 40   released 0   reserved 100  settled no
  executed 41 !         OPEN       consumed 0    pending 60  leaves 40   released 0   reserved 100  settled no
  confirm 61 !          OPEN       consumed 0    pending 60  leaves 40   released 0   reserved 100  settled no
  revert 61 0 !         OPEN       consumed 0    pending 60  leaves 40   released 0   reserved 100  settled no
  CANCEL 41 40 !        OPEN       consumed 0    pending 60  leaves 40   released 0   reserved 100  settled no
  CANCEL 40 41 !        OPEN       consumed 0    pending 60  leaves 40   released 0   reserved 100  settled no
  settle !              OPEN       consumed 0    pending 60  leaves 40   released 0   reserved 100  settled no
"""


def scenarios() -> list:
    found = []
    for block in SCENARIOS.strip().split("\n\n"):
        sentence, *steps = block.splitlines()
        found.append(pytest.param(steps, id=sentence))
    return found


def take(order: Order, verb: str, numbers: list[int]) -> None:
    time = order.updated + 1
    match verb:
        case "place":
            order.advance(lifecycle.PLACE, 0, time)
        case "wait":
            order.advance(lifecycle.WAIT, 0, time)
        case "open":
            order.advance(lifecycle.RELEASE, 0, time)
        case "executed":
            order.add_executed(1, numbers[0], numbers[0], numbers[0], 0, numbers[0], time)
        case "pending":
            order.add_pending(1, numbers[0], numbers[0], time)
        case "confirm":
            order.confirm(numbers[0], numbers[0], numbers[0], 0, numbers[0], time)
        case "revert":
            order.revert(numbers[0], numbers[0], numbers[1], time)
        case "settle":
            order.settle(time)
        case _:
            order.close(getattr(lifecycle, verb), numbers[0], numbers[1], time)


def amount(order: Order, name: str) -> int:
    return getattr(order if name in ("leaves", "reserved") else order.progress, name)


def shown(order: Order) -> str:
    amounts = {name: amount(order, name) for name in ("consumed", "pending", "leaves", "released", "reserved")}
    return " ".join(
        [
            ORDER_STATUS_NAMES[order.status],
            *(f"{name} {value}" for name, value in amounts.items()),
            f"settled {'yes' if order.is_settled() else 'no'}",
        ]
    )


@pytest.mark.parametrize("steps", scenarios())
def test_an_order(steps):
    order = Order(SimpleNamespace(), 1, 1, 1, 100, 100, 0, 0)
    for step in steps:
        does, expected = step.strip().split("  ", 1)
        verb, *numbers = does.split()
        refused = numbers[-1:] == ["!"]
        if refused:
            with pytest.raises(LifecycleError):
                take(order, verb, [int(number) for number in numbers[:-1]])
        else:
            take(order, verb, [int(number) for number in numbers])
        assert shown(order) == " ".join(expected.split()), step
        assert sum(amount(order, name) for name in ("consumed", "pending", "leaves", "released")) == 100
