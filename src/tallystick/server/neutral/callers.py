"""Who asks, and may: clients by their tokens, for what is theirs, or operators by theirs, for everything.

Each has a path of its own: a token that is good for both, as in a sandbox, says nothing of who is meant.
"""

from typing import Final, Protocol

from tallystick.access.principal import EVENTS_READ, ORDERS_READ, Principal
from tallystick.server.neutral.sight import Viewer


class Callers(Protocol):
    """Those who may ask. Both methods raise Denied."""

    @property
    def are_clients(self) -> bool:
        """Whether their tokens have scopes."""

    def for_events(self, authorization: str | None) -> Viewer:
        """Who may read events."""

    def for_orders(self, authorization: str | None) -> Viewer:
        """Who may read orders."""


class Admission(Protocol):
    """The door for clients."""

    def admit(self, authorization: str | None) -> Principal:
        """Who shows this Authorization header; raises Denied."""


class Guard(Protocol):
    """The door for operators."""

    def operator(self, authorization: str | None) -> str:
        """The name of the operator whose token it is; raises Denied."""


class Clients:
    are_clients: Final = True

    def __init__(self, admission: Admission) -> None:
        self._admission: Final = admission

    def for_events(self, authorization: str | None) -> Viewer:
        return self._viewer(authorization, EVENTS_READ)

    def for_orders(self, authorization: str | None) -> Viewer:
        return self._viewer(authorization, ORDERS_READ)

    def _viewer(self, authorization: str | None, scope: str) -> Viewer:
        principal = self._admission.admit(authorization)
        principal.require(scope)
        return Viewer(principal.client)


class Operators:
    are_clients: Final = False

    def __init__(self, guard: Guard) -> None:
        self._guard: Final = guard

    def for_events(self, authorization: str | None) -> Viewer:
        self._guard.operator(authorization)
        return Viewer(None)

    def for_orders(self, authorization: str | None) -> Viewer:
        return self.for_events(authorization)
