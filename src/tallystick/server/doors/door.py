"""A door's routes: each finds its venue and who is asking, and answers every failure in the documented shape."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from ipaddress import ip_address
from typing import Final, NamedTuple, Protocol
from urllib.parse import urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from tallystick.access.principal import Denied
from tallystick.facts.codes import OUTCOME_UNKNOWN
from tallystick.server.doors.answers import DoorError, error_answer
from tallystick.server.doors.desk import Desk

VENUE: Final = "/venues/{venue}"

_STOPPING: Final = "The server is stopping. See whether it was done before you ask for it again."

_CROSS_ORIGIN: Final = "Pages of other origins may not use this. Ask for it from a program, as curl."

_log = logging.getLogger(__name__)


class Guard(Protocol):
    """Says who is asking by their Authorization header, or raises Denied."""

    def operator(self, authorization: str | None) -> str: ...


class Call(NamedTuple):
    """A request at a venue; ``by`` is who asks."""

    request: Request
    by: str
    desk: Desk

    def path(self, name: str) -> str:
        """A parameter of the request's path."""
        return str(self.request.path_params[name])


Endpoint = Callable[[Call], Awaitable[Response]]
Plain = Callable[[Request, str], Awaitable[Response]]


class Door:
    """Makes the routes to ``desks``, which are by the venues' names; ``guard`` lets in.

    Where the guard asks for no token, any page in a browser on this machine could use them: ``own_pages_only`` answers
    those 403 ``cross_origin``.
    """

    def __init__(self, desks: Mapping[str, Desk], guard: Guard, *, own_pages_only: bool = False) -> None:
        self._desks: Final = desks
        self._guard: Final = guard
        self._own_pages_only: Final = own_pages_only

    def route(self, path: str, **endpoints: Endpoint) -> Route:
        """A path below the venue's, with its endpoint for each method."""

        async def answer(request: Request, by: str) -> Response:
            endpoint = endpoints["GET" if request.method == "HEAD" else request.method]
            desk = self._desks.get(request.path_params["venue"])
            if desk is None:
                names = ", ".join(self._desks)
                raise DoorError(404, "unknown_venue", f"There is no such venue; there are: {names}.")
            return await endpoint(Call(request, by, desk))

        return self.plain(f"{VENUE}{path}", answer, list(endpoints))

    def plain(self, path: str, endpoint: Plain, methods: list[str] | None = None) -> Route:
        """A path that is about no single venue."""

        async def answer(request: Request) -> Response:
            try:
                if self._own_pages_only and _is_cross_origin(request):
                    raise DoorError(403, "cross_origin", _CROSS_ORIGIN)
                return await endpoint(request, self._guard.operator(request.headers.get("authorization")))
            except (DoorError, Denied) as error:
                return error_answer(error)
            except ClientDisconnect:
                return Response(status_code=400)  # nobody reads it
            except asyncio.CancelledError:
                return error_answer(DoorError(503, OUTCOME_UNKNOWN, _STOPPING))
            except Exception:  # noqa: BLE001 - a fault of ours: logged whole, told in one sentence
                _log.exception("%s %s failed", request.method, request.url.path)
                return error_answer(DoorError(500, "internal_error", "The request failed. It was logged."))

        return Route(path, answer, methods=methods or ["GET"])


def _is_cross_origin(request: Request) -> bool:
    """Whether a browser sends it for a page from elsewhere (Fetch standard, "Origin header"; Fetch Metadata).

    That the origin is the host asked for is not enough: a page's own name may be made to resolve to this machine (DNS
    rebinding). So it must be a name that no page from elsewhere has. What is no browser sends neither header.
    """
    if request.headers.get("sec-fetch-site", "").lower() == "cross-site":
        return True
    origin = request.headers.get("origin")
    if origin is None:
        return False
    try:
        parts = urlsplit(origin.lower())
        name = parts.hostname or ""
    except ValueError:
        return True
    return parts.netloc != request.headers.get("host", "").lower() or not _is_this_machine(name)


def _is_this_machine(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
