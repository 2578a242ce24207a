"""Whether a failure to place an order says that there is none: upstream takes every exception for that, and is wrong.

Connectors tell a failure by its exception's type and text. Where the request may have reached the venue and nothing
says what came of it, the order is in doubt, and stays tracked until the venue has been asked (specs/hummingbot.md §7).
"""

import re
from typing import Final

UNANSWERED: Final = frozenset(
    {
        "Ambiguous",
        "BrokenPipeError",
        "ClientOSError",
        "ClientPayloadError",
        "ConnectionAbortedError",
        "ConnectionResetError",
        "ConnectionTimeoutError",
        "IncompleteReadError",
        "JSONDecodeError",
        "ServerDisconnectedError",
        "ServerTimeoutError",
        "SocketTimeoutError",
        "TimeoutError",
        "Unreadable",
    }
)
"""Exceptions by name, for they come from whichever client a connector uses."""

_STATUS: Final = re.compile(r"HTTP status is (\d{3})")


def is_unanswered(error_type: str, error_message: str) -> bool:
    """A timeout, a line that broke, an answer that cannot be read, or an HTTP status that refuses nothing."""
    status = _STATUS.search(error_message)
    if status is not None:
        return not 400 <= int(status[1]) < 500 or status[1] == "408"
    return error_type in UNANSWERED
