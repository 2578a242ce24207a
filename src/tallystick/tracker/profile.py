"""What the connector declares of its venue, as the hot path reads it: one object that all of its orders share."""

from tallystick.facts.client_codes import BY_BOTH, FILLS_NAMED
from tallystick.facts.client_terms import VenueJoined


class Profile:
    """As in VenueJoined."""

    __slots__ = (
        "absent_lists",
        "absent_us",
        "completion",
        "fills",
        "fills_wait_us",
        "late_us",
        "lost_after_us",
        "lost_misses",
        "slack_us",
    )

    def __init__(self) -> None:
        self.completion = BY_BOTH
        self.late_us = 0
        self.fills_wait_us = 0
        self.lost_misses = 1
        self.lost_after_us = 0
        self.slack_us = 0
        self.fills = FILLS_NAMED
        self.absent_lists = 1
        self.absent_us = 0

    def become(self, terms: VenueJoined) -> None:
        self.completion = terms.completion
        self.late_us = terms.late_us
        self.fills_wait_us = terms.fills_wait_us
        self.lost_misses = terms.lost_misses
        self.lost_after_us = terms.lost_after_us
        self.slack_us = terms.slack_us
        self.fills = terms.fills
        self.absent_lists = terms.absent_lists
        self.absent_us = terms.absent_us
