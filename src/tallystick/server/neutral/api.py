"""The neutral API, mounted: ``routes`` at a path for whom one guard lets in, all over the same venues."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, Router

from tallystick.access.principal import Denied
from tallystick.deliver.stream import Stream
from tallystick.server.doors.answers import DoorError, Fault, error_answer, invalid
from tallystick.server.neutral.callers import Callers
from tallystick.server.neutral.floor import Floor
from tallystick.server.neutral.openapi import document
from tallystick.server.neutral.orders import Orders
from tallystick.server.neutral.port import Venue
from tallystick.server.neutral.sight import Viewer
from tallystick.server.neutral.source import ORDER_PARAM, NeutralSource

ECHO_MAX: Final = 40
Endpoint = Callable[[Request], Awaitable[bytes]]

_STOPPING: Final = "The server is stopping. Ask again."

_log = logging.getLogger(__name__)


class NeutralApi:
    """Over these ``venues``, while they run; ``secret`` is the data folder's."""

    def __init__(self, venues: Iterable[Venue], secret: bytes) -> None:
        self._floor: Final = Floor(venues, secret)
        self._orders: Final = Orders(self._floor)
        self._source: Final = NeutralSource(self._floor)
        self._streams: Final[list[Stream[Viewer]]] = []

    def routes(self, path: str, callers: Callers) -> list[BaseRoute]:
        """Everything below ``path``."""
        stream = Stream(self._source, callers.for_events)
        self._streams.append(stream)
        described = msgspec.json.encode(document(path, callers.are_clients))

        async def describe(request: Request) -> bytes:
            _read(request)
            return described

        async def list_orders(request: Request) -> bytes:
            viewer = callers.for_orders(_authorization(request))
            query = _read(request, "venue", "status", "account", "after", "as_of", "limit")
            return await self._orders.list(query, tuple(request.query_params.getlist("venue")), viewer)

        async def retrieve_order(request: Request) -> bytes:
            viewer = callers.for_orders(_authorization(request))
            query = _read(request, "as_of")
            return self._orders.retrieve(request.path_params[ORDER_PARAM], query.get("as_of", ""), viewer)

        own: list[BaseRoute] = [
            _route("/openapi.json", describe),
            _route("/orders", list_orders),
            _route(f"/orders/{{{ORDER_PARAM}}}", retrieve_order),
            *stream.routes("/events"),
            *stream.routes(f"/orders/{{{ORDER_PARAM}}}/events"),
        ]
        return [Mount(path, app=Router(own, redirect_slashes=False))]

    def drain(self) -> None:
        """End the streams, each with its position: the server is asked to stop."""
        for stream in self._streams:
            stream.stop()


def _route(path: str, endpoint: Endpoint) -> Route:
    async def answer(request: Request) -> Response:
        try:
            return Response(await endpoint(request), media_type="application/json")
        except (DoorError, Denied) as error:
            return error_answer(error)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        except asyncio.CancelledError:
            return error_answer(DoorError(503, "unavailable", _STOPPING))
        except Exception:  # noqa: BLE001 - a fault of ours: logged whole, told in one sentence
            _log.exception("%s %s failed", request.method, request.url.path)
            return error_answer(DoorError(500, "internal_error", "The request failed. It was logged."))

    return Route(path, answer, methods=["GET"])


def _authorization(request: Request) -> str | None:
    """The header, if there is one and no other: of two, nobody knows which one counts."""
    given = request.headers.getlist("authorization")
    return given[0] if len(given) == 1 else None


def _read(request: Request, *names: str) -> dict[str, str]:
    """The parameters that were given. DoorError 400 for unknown or repeated ones; ``venue`` may be repeated."""
    given = request.query_params.multi_items()
    found = dict(given)
    faults = [
        Fault(f"query.{name[:ECHO_MAX]}", "unknown_field", "There is no such parameter.")
        for name in found
        if name not in names
    ]
    for name in found:
        texts = [text for each, text in given if each == name]
        if len(texts) > 1 and name != "venue":
            faults.append(Fault(f"query.{name[:ECHO_MAX]}", "invalid_param", "This parameter is given more than once."))
        elif "" in texts:
            faults.append(Fault(f"query.{name[:ECHO_MAX]}", "invalid_param", "This parameter is empty."))
    if faults:
        raise invalid(faults)
    return found
