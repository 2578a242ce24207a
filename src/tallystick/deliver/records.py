"""What is kept of webhooks: endpoints, deliveries and attempts. Times are in microseconds since the epoch."""

from typing import Final, NamedTuple

from msgspec import Struct

from tallystick.deliver.schedule import FAILED, RETRIED, SUCCEEDED

UNORDERED: Final = "none"
PER_ORDER: Final = "per_order"
ORDERINGS: Final = (UNORDERED, PER_ORDER)

PENDING: Final = "pending"
"""Not attempted yet; once it was, it is in progress until it has succeeded or failed."""
STATUSES: Final = (PENDING, RETRIED, SUCCEEDED, FAILED)

PAUSED: Final = "paused"
GONE: Final = "gone"
FAILING: Final = "failing"
"""Why nothing is sent to an endpoint: its owner wants it so, it answered 410, or it only failed for days."""


class Endpoint(NamedTuple):
    """``secrets`` sign, the newest first; the second counts until ``previous_until``. Neither is ever in a repr.

    A delivery was made of everything up to ``position``; the last of it happened at ``reached`` (0: nothing yet). What
    lies between the two ``replay`` positions is sent once more. It only failed since ``failing_since`` (0: it does
    not), ``failures`` times.
    """

    number: int
    owner: str
    url: str
    description: str
    is_active: bool
    reason: str
    ordering: str
    secrets: tuple[bytes, ...]
    previous_until: int
    position: int
    reached: int
    replay_position: int
    replay_until: int
    failing_since: int
    failures: int
    created_at: int
    modified_at: int

    def __repr__(self) -> str:
        return f"Endpoint({self.number}, {self.url!r}, is_active={self.is_active})"

    def signing(self, now: int) -> tuple[bytes, ...]:
        """The secrets that count."""
        return self.secrets if now < self.previous_until else self.secrets[:1]


class Attempt(Struct, frozen=True, array_like=True, gc=False):
    """``status`` is the response's, 0 without one; ``error`` and ``detail`` say what went wrong (schedule.Outcome)."""

    at: int
    duration_us: int
    status: int
    error: str = ""
    detail: str = ""

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class Delivery(NamedTuple):
    """One event for one endpoint; ``event_id`` is "" for a test. It is attempted next at ``next_at``, 0 for never.

    ``tries`` counts the attempts since it was last begun with: sent again on demand, it has its whole schedule again.
    """

    number: int
    endpoint: int
    event_id: str
    name: str
    group: str
    body: bytes
    status: str
    attempts: tuple[Attempt, ...]
    tries: int
    next_at: int
    created_at: int
    modified_at: int
    ended_at: int
