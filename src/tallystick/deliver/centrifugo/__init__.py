"""Publications over Centrifugo's JSON protocol, for its official clients (specs/sx.md §2.1); no channel has a meaning.

Whoever serves it gives a ``Door`` (who may connect, and listen to what) and a ``Source`` (where publications are found
again), publishes what is new in ``Streams``, and mounts ``Centrifugo``.
"""

from tallystick.deliver.centrifugo.ports import (
    ALLOWED,
    DENIED,
    UNKNOWN,
    Bounds,
    Door,
    Permission,
    Published,
    Recent,
    Source,
    TokenRefused,
    Visitor,
)
from tallystick.deliver.centrifugo.server import Centrifugo
from tallystick.deliver.centrifugo.session import Limits
from tallystick.deliver.centrifugo.streams import IN_ENTRY_MAX, Streams, offset_of

__all__ = [
    "ALLOWED",
    "DENIED",
    "IN_ENTRY_MAX",
    "UNKNOWN",
    "Bounds",
    "Centrifugo",
    "Door",
    "Limits",
    "Permission",
    "Published",
    "Recent",
    "Source",
    "Streams",
    "TokenRefused",
    "Visitor",
    "offset_of",
]
