"""What a test makes happen at a venue in memory, and what it may ask of it. A venue offers what it can.

An order is named by the venue's own id. Amounts are Decimals in units of the market. Nothing here waits: what a method
sets going happens at once, or to the next request that arrives.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple


class NotOffered(Exception):
    """The venue in memory has no such thing. Cases that need it are not applicable."""


class VenueOrder(NamedTuple):
    """An order as the venue has it: ``status`` is of core/lifecycle.py, ``filled`` counts executed fills alone."""

    id: str
    status: int
    filled: Decimal


class Controls:
    """Override what your venue can do; ``truth`` is the one thing that every venue must offer."""

    fills_by_itself = False
    """Whether it fills whatever it is sent, soon and without being told to."""

    def truth(self) -> Sequence[VenueOrder]:
        """All orders that it was ever sent by this client, oldest first, ended ones and filled ones too."""
        raise NotImplementedError("Controls.truth: list every order that the venue has")

    def calm(self) -> None:
        """All faults end; what was lost stays lost."""

    # --- What happens there -------------------------------------------------------------------------------------------

    def fill(self, order_id: str, units: Decimal) -> None:
        """Execute so much of the order, in one trade; of one that has ended too, where fills may come late."""
        raise NotOffered("it fills no order when told to")

    def fill_pending(self, order_id: str, units: Decimal) -> str:
        """Execute so much, to be confirmed or reverted later; the trade's id."""
        raise NotOffered("its fills are never pending")

    def confirm(self, trade: str) -> None:
        raise NotOffered("its fills are never pending")

    def revert(self, trade: str) -> None:
        raise NotOffered("its fills are never pending")

    def cancel(self, order_id: str) -> None:
        """End the order, nobody having asked for it."""
        raise NotOffered("it cancels no order by itself")

    def expire(self, order_id: str) -> None:
        """The order's own time is over."""
        raise NotOffered("its orders do not expire")

    # --- The next request to place ------------------------------------------------------------------------------------

    def refuse_next(self) -> None:
        """It answers that it will not do it."""
        raise NotOffered("it refuses nothing when told to")

    def lose_next_request(self) -> None:
        """The request does not arrive, and no answer comes."""
        raise NotOffered("no request is lost on the way to it")

    def lose_next_answer(self) -> None:
        """The order is taken, and no answer comes."""
        raise NotOffered("none of its answers is lost")

    def delay_next_request(self) -> None:
        """No answer comes, and the request arrives after the connector has given up."""
        raise NotOffered("no request is late")

    def garble_next_answer(self) -> None:
        """The order is taken, and the answer is nothing that can be read."""
        raise NotOffered("all of its answers can be read")

    def limit_next(self, retry_after: float) -> None:
        """Too many requests: come back after so many seconds."""
        raise NotOffered("it has no limit on requests")

    # --- The next request to cancel -----------------------------------------------------------------------------------

    def lose_next_cancel(self) -> None:
        """The request does not arrive, and no answer comes."""
        raise NotOffered("no request to cancel is lost")

    def lose_next_cancel_answer(self) -> None:
        """The order is cancelled, and no answer comes."""
        raise NotOffered("no answer to a cancel is lost")

    # --- The line -----------------------------------------------------------------------------------------------------

    def go_down(self) -> None:
        """Nothing is answered and no stream lives, until ``calm``; what happens there goes on happening."""
        raise NotOffered("it is never down")

    def cut_stream(self) -> None:
        """Whoever follows is cut off, once."""
        raise NotOffered("its stream is never cut")

    def garble_stream(self) -> None:
        """The next thing that the stream tells is nothing that can be read."""
        raise NotOffered("all that its stream tells can be read")

    def mute(self) -> None:
        """The stream lives and tells nothing of what happens from now on, until ``calm``."""
        raise NotOffered("its stream is never silent")

    def slow_down(self, seconds: float) -> None:
        """Each answer shows what is so when the request arrives, and comes so much later, until ``calm``."""
        raise NotOffered("it is never slow")

    def say_unknown(self, order_id: str, word: str) -> None:
        """Call the status of the order by a word that nobody knows, everywhere, until ``calm``."""
        raise NotOffered("it says no word that is not known")
