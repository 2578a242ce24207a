"""What can go wrong between a strategy and its venues, as types.

    ConnectError
    ├── VenueError          what a connector raises; about one request, and of no consequence to others
    │   ├── NotSent             it never left: nothing happened, and nothing will
    │   ├── Ambiguous           it was sent, and no answer says what came of it
    │   │   └── Unreadable          there was an answer, and it makes no sense
    │   └── Refused             the venue says no: ``code``, ``detail``
    │       ├── RateLimited         not now; ``retry_after`` seconds if the venue said so
    │       ├── SignInRefused       the credentials are not accepted
    │       └── NotThere            the venue has no such thing
    ├── StoreStopped        the journal cannot be written: nothing new is sent; cancelling still works
    ├── CannotStart         what was configured cannot work; the sentence says why
    ├── NoSuchMarket        the venue does not list it
    ├── NoSuchOrder         the journal does not have it
    └── CutOff              a consumer was too slow; ``position`` is where to go on from

Every error has a ``code`` (stable, for machines) and a sentence that its reader can act on.
"""

from typing import Final

TEXT_MAX: Final = 1024
"""Characters of a venue's text that are kept."""


def kept(text: object) -> str:
    """What a venue said, as the journal takes it: not all of a page, and no lone surrogates."""
    return str(text)[:TEXT_MAX].encode("utf-8", "replace").decode()


class ConnectError(Exception):
    """The root."""

    code: str = "connect_error"


class VenueError(ConnectError):
    code = "venue_error"


class NotSent(VenueError):
    """No byte of the request reached the venue."""

    code = "not_sent"


class Ambiguous(VenueError):
    """It was sent; whether it was carried out is not known."""

    code = "ambiguous"


class Unreadable(Ambiguous):
    """The answer is not what the venue's interface says. What it was about is in doubt."""

    code = "unreadable"


class Refused(VenueError):
    """The venue answered that it will not do it; ``code`` is its word for why."""

    def __init__(self, code: str, detail: str = "") -> None:
        self.code: str = kept(code)
        self.detail: Final = kept(detail)
        super().__init__(self.detail or self.code)


class RateLimited(Refused):
    """Too many requests; ``retry_after`` is in seconds, 0 if the venue did not say."""

    def __init__(self, detail: str = "", retry_after: float = 0.0) -> None:
        super().__init__("too_many_requests", detail)
        self.retry_after: Final = retry_after


class SignInRefused(Refused):
    """Nothing can be asked under these credentials. They are not in the message."""


class NotThere(Refused):
    """The venue was asked and says that there is none."""


class StoreStopped(ConnectError):
    """``cause`` is the journal's error. What was not durable was never sent."""

    code = "journal_stopped"

    def __init__(self, cause: BaseException) -> None:
        super().__init__(f"Nothing new is sent, because the journal cannot be written: {cause}")
        self.cause: Final = cause


class CannotStart(ConnectError):
    code = "cannot_start"


class NoSuchMarket(ConnectError, LookupError):
    code = "no_such_market"


class NoSuchOrder(ConnectError, LookupError):
    code = "no_such_order"


class CutOff(ConnectError):
    """More events waited than are kept for one consumer. Nothing is lost: go on with ``events(since=position)``."""

    code = "cut_off"

    def __init__(self, position: str) -> None:
        super().__init__(f"Too many events were waiting to be read; go on from position {position!r}.")
        self.position: Final = position
