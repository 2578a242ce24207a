"""Ending many orders, a slice at a time: what is left to do of the requests for a whole market or account.

How far a sweep has come is not a fact: an order that has been told is closed, so beginning again tells nobody twice.
"""

from bisect import bisect_left
from typing import Final

from tallystick.core.cancel import CancelRequest
from tallystick.core.lifecycle import is_closed
from tallystick.core.order import Order
from tallystick.facts.codes import SCOPE_ACCOUNT
from tallystick.venue.state import State

SLICE_ORDERS: Final = 400  # with two facts for each they fit one entry
LOOKS_MAX: Final = 8192


class Sweeps:
    """Where each sweep goes on: the number of the order that it looks at next."""

    __slots__ = ("_next",)

    def __init__(self) -> None:
        self._next: Final[dict[int, int]] = {}

    def slice(self, state: State, request: CancelRequest) -> tuple[list[Order], bool]:
        """The request's next few orders that are not closed, and whether they are its last.

        None of them and more to come is possible: it has looked at enough for once.
        """
        begin = self._next.get(request.number, 0)
        if request.scope == SCOPE_ACCOUNT:
            found, then = _of_account(state, request, begin)
        else:
            found, then = _of_market(state, request, begin)
        if then > request.through:
            self._next.pop(request.number, None)
            return found, True
        self._next[request.number] = then
        return found, False


def _of_account(state: State, request: CancelRequest, begin: int) -> tuple[list[Order], int]:
    """Its open orders from the number ``begin`` on, and the number to go on with."""
    numbers = state.accounts[request.subject].orders
    at = bisect_left(numbers, begin)
    end = min(len(numbers), at + LOOKS_MAX)
    found: list[Order] = []
    while at < end and len(found) < SLICE_ORDERS:
        number = numbers[at]
        at += 1
        if number > request.through:
            return found, number
        order = state.orders.get(number)
        if order is not None and not is_closed(order.status):
            found.append(order)
    return found, numbers[at] if at < len(numbers) else request.through + 1


def _of_market(state: State, request: CancelRequest, begin: int) -> tuple[list[Order], int]:
    oldest = next(iter(state.orders), request.through + 1)
    number = begin if begin > oldest else oldest
    end = number + LOOKS_MAX
    found: list[Order] = []
    while number < end and number <= request.through and len(found) < SLICE_ORDERS:
        order = state.orders.get(number)
        if order is not None and order.market == request.subject and not is_closed(order.status):
            found.append(order)
        number += 1
    return found, number
