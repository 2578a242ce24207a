"""All venues of a server side by side: what a request names is found here, as far as its viewer may see it."""

from collections.abc import Iterable, Sequence
from typing import Final

from tallystick.server.doors.answers import DoorError
from tallystick.server.doors.requests import bad_parameter
from tallystick.server.neutral.events import Events
from tallystick.server.neutral.feed import VenueFeed
from tallystick.server.neutral.port import Venue
from tallystick.server.neutral.positions import Positions
from tallystick.server.neutral.sight import Viewer
from tallystick.server.neutral.view import View


class Place:
    """A venue with its feed and its view."""

    def __init__(self, venue: Venue, positions: Positions, secret: bytes) -> None:
        self.venue: Final = venue
        self.name: Final = venue.name
        self.feed: Final = VenueFeed(venue, Events(venue, positions, secret))
        self.view: Final = View(venue)

    def order(self, order_id: str, viewer: Viewer) -> int:
        """The number of the order of this id, 0 if there is none that the viewer may see."""
        number = self.venue.order_ids.number(order_id)
        found = self.venue.readers.order(number) if number else None
        return number if found is not None and viewer.sees(self.venue.readers.state, found[0].account) else 0

    def account(self, name: str, viewer: Viewer) -> int:
        """The number of the account of this name, 0 if there is none that the viewer may see."""
        state = self.venue.readers.state
        account = state.account_named.get(name)
        return account.number if account is not None and viewer.sees(state, account.number) else 0


class Floor:
    """``secret`` is the data folder's, of which positions and ids are made."""

    def __init__(self, venues: Iterable[Venue], secret: bytes) -> None:
        ordered = sorted(venues, key=lambda each: each.name)
        self.positions: Final = Positions([each.name for each in ordered], secret)
        self.places: Final[Sequence[Place]] = [Place(each, self.positions, secret) for each in ordered]

    def chosen(self, names: Sequence[str]) -> Sequence[Place]:
        """The venues of these names, all where there are none. DoorError 400 for a name that there is not."""
        for name in names:
            if all(each.name != name for each in self.places):
                raise bad_parameter("venue", "There is no such venue.")
        return [each for each in self.places if each.name in names or not names]

    def order(self, order_id: str, viewer: Viewer) -> tuple[Place, int]:
        """Where the order is, and its number there. DoorError 404."""
        for place in self.places:
            number = place.order(order_id, viewer)
            if number:
                return place, number
        raise DoorError(404, "not_found", "There is no such order.")
