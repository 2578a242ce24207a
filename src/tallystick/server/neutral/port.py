"""What a venue hands in to be shown beside others: what is durable there, and the names that its clients see.

Accounts and markets are called by their public names, which are in the venue's own state.
"""

from collections.abc import Callable
from typing import Final, Protocol

from tallystick.facts.venue import OrderPlaced
from tallystick.readers.index import Index
from tallystick.readers.readers import Readers


class Ids(Protocol):
    """The public ids of one kind of thing: those of the dialect's wire where they can be read back, else our own."""

    def text(self, number: int) -> str:
        """The id of this number."""

    def number(self, text: str) -> int:
        """The number that has exactly this id, or 0; never raises."""


WireId = Callable[[OrderPlaced], str]
"""What the venue's own protocol calls the order of these terms."""


class Venue:
    """A venue of this server. ``name`` is unique, of lower-case letters and digits. ``wire_id`` is None where the
    venue's own protocol has the same ids of orders as these."""

    def __init__(
        self,
        name: str,
        readers: Readers,
        index: Index,
        order_ids: Ids,
        trade_ids: Ids,
        wire_id: WireId | None = None,
    ) -> None:
        self.name: Final = name
        self.readers: Final = readers
        self.index: Final = index
        self.order_ids: Final = order_ids
        self.trade_ids: Final = trade_ids
        self._wire_id: Final = wire_id

    def wire_id(self, placed: OrderPlaced) -> str:
        """What its own protocol calls the order."""
        return self.order_ids.text(placed.order) if self._wire_id is None else self._wire_id(placed)
