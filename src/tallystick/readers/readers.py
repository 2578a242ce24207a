"""The second fold: the state that the world may see, because everything in it is durable."""

from typing import Final

from tallystick.facts.venue import Entry
from tallystick.readers.dispatch import Dispatcher
from tallystick.venue.fold import fold
from tallystick.venue.state import State


class Readers:
    """Reads, streams and effects look here and nowhere else; ``commit`` gets each entry once it is durable."""

    def __init__(self) -> None:
        self.state: Final = State()
        self.dispatcher: Final = Dispatcher()

    def commit(self, entry: Entry) -> None:
        """Fold one durable entry, then hand (entry, state after it) to whoever listens."""
        fold(self.state, entry)
        self.dispatcher.dispatch(entry, self.state)
