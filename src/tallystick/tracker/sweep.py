"""A complete list of a venue's open orders while it is worked through, slice by slice: what is in it, then what is not.

After a crash in the middle nobody goes on with it; a new one is asked for.
"""

from typing import Final

from tallystick.tracker.observations import Observation, OpenOrders, OrderReport
from tallystick.tracker.order import FINAL_WORDS
from tallystick.tracker.state import State


class Sweep:
    """``present`` gathers the numbers of the orders that are in the list: those reported, not those that have fills."""

    __slots__ = ("_absent", "_at", "is_done", "present", "taken")

    def __init__(self, taken: OpenOrders) -> None:
        self.taken: Final = taken
        self.present: Final[set[int]] = set()
        self.is_done = False
        self._at = 0
        self._absent: list[int] | None = None

    def next_observation(self) -> Observation | None:
        """The next order or fill of the list."""
        at = self._at
        reports = self.taken.reports
        self._at = at + 1
        if at < len(reports):
            return reports[at]
        fills = self.taken.fills
        return fills[at - len(reports)] if at - len(reports) < len(fills) else None

    def saw(self, observation: Observation, number: int) -> None:
        """The observation was of this order."""
        if isinstance(observation, OrderReport):
            self.present.add(number)

    def next_absent(self, state: State) -> int:
        """The number of the next order that is not in the list and has no final word; 0 when there is none."""
        absent = self._absent
        if absent is None:
            absent = self._missing(state)
            self._absent = absent
        while absent:
            number = absent.pop()
            order = state.orders.get(number)
            if order is not None and not order.ends & FINAL_WORDS:
                return number
        self.is_done = True
        return 0

    def _missing(self, state: State) -> list[int]:
        venue, as_of, present = self.taken.venue, self.taken.as_of, self.present
        found: list[int] = []
        for order in state.orders.values():
            should_be = order.venue == venue and order.made < as_of and not order.ends & FINAL_WORDS
            if should_be and order.number not in present:
                found.append(order.number)
        found.reverse()
        return found
