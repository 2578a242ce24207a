"""What a venue hands in to be shown beside others: what is durable there, and the names that its clients see.

Accounts and markets are called by their public names, which are in the venue's own state.
"""

from typing import Final, Protocol

from tallystick.readers.index import Index
from tallystick.readers.readers import Readers


class Ids(Protocol):
    """The public ids of one kind of thing, as a dialect has them on its wire."""

    def text(self, number: int) -> str:
        """The id of this number."""

    def number(self, text: str) -> int:
        """The number that has exactly this id, or 0; never raises."""


class Venue:
    """A venue of this server. ``name`` is unique, of lower-case letters and digits."""

    def __init__(self, name: str, readers: Readers, index: Index, order_ids: Ids, trade_ids: Ids) -> None:
        self.name: Final = name
        self.readers: Final = readers
        self.index: Final = index
        self.order_ids: Final = order_ids
        self.trade_ids: Final = trade_ids
