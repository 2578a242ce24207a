"""The topics of one feed: what is new is made once for each owner whom somebody reads along for, and for all."""

from typing import Final

from tallystick.deliver.feed import Feed, Happening
from tallystick.deliver.topic import Cursor, Topic


class Hub:
    """Everything here runs on one event loop's thread."""

    def __init__(self, feed: Feed) -> None:
        self.feed: Final = feed
        self._topics: Final[dict[str | None, Topic]] = {}
        feed.attach(self)

    @property
    def is_idle(self) -> bool:
        return not self._topics

    def wants(self, owner: str) -> bool:
        return owner in self._topics or None in self._topics

    def take(self, happening: Happening) -> None:
        for owner in (happening.owner, None):
            topic = self._topics.get(owner)
            if topic is not None:
                topic.take(happening)

    def begin_anew(self, since: int) -> None:
        for topic in self._topics.values():
            topic.begin_anew(since)

    def cursor(self, owner: str | None, after: int) -> Cursor:
        """Read what ``owner`` may see (None: everything) after a position. Close it in the end."""
        topic = self._topics.get(owner)
        if topic is None:
            topic = self._topics[owner] = Topic(self.feed.newest())

        def leave() -> None:
            if topic.readers == 0:
                del self._topics[owner]

        return Cursor(topic, after, lambda position, limit: self.feed.page(owner, position, limit), leave)
