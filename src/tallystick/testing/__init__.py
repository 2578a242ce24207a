"""For tests of bots and of connectors: a venue in memory, a virtual clock, a real sandbox, and the conformance kit."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tallystick.testing.bots import Bot, bot
    from tallystick.testing.conformance import Verdict, try_all
    from tallystick.testing.controls import Controls, NotOffered, VenueOrder
    from tallystick.testing.halves import assert_halves_match
    from tallystick.testing.line import Line, line_to
    from tallystick.testing.link import Link
    from tallystick.testing.paper import PaperVenue
    from tallystick.testing.paper_connector import PaperConnector
    from tallystick.testing.sandbox import Sandbox
    from tallystick.testing.stories import assert_grammar, text
    from tallystick.testing.subject import Subject
    from tallystick.testing.virtual import VirtualClock, VirtualLoop, run, until

__all__ = [
    "Bot",
    "Controls",
    "Line",
    "Link",
    "NotOffered",
    "PaperConnector",
    "PaperVenue",
    "Sandbox",
    "Subject",
    "VenueOrder",
    "Verdict",
    "VirtualClock",
    "VirtualLoop",
    "assert_grammar",
    "assert_halves_match",
    "bot",
    "line_to",
    "run",
    "text",
    "try_all",
    "until",
]

_ROOMS: Final = (
    "virtual",
    "paper",
    "paper_connector",
    "bots",
    "stories",
    "halves",
    "controls",
    "subject",
    "conformance",
    "link",
    "line",
    "sandbox",
)


def __getattr__(name: str) -> Any:
    """The public names are found when they are first used: whoever only has it installed need not load it."""
    if name in __all__:
        for room in _ROOMS:
            module = import_module(f"{__name__}.{room}")
            if name in vars(module):
                return vars(module)[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
