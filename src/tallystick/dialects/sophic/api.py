"""Sophic's HTTP interface: each request finds its route, is admitted, and is answered; its errors as documented."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request as StarletteRequest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tallystick.access.grant_request import read_grant_request
from tallystick.access.principal import TOKEN_HEADERS, Denied
from tallystick.dialects.sophic.accounts import Accounts
from tallystick.dialects.sophic.errors import RequestError, error_reply
from tallystick.dialects.sophic.history import History
from tallystick.dialects.sophic.openapi import document
from tallystick.dialects.sophic.orders import Orders
from tallystick.dialects.sophic.ports import Admission, Desk
from tallystick.dialects.sophic.queries import Query
from tallystick.dialects.sophic.requests import read_body
from tallystick.dialects.sophic.router import Paths
from tallystick.dialects.sophic.routes import ROUTES, Route
from tallystick.dialects.sophic.view import View
from tallystick.dialects.sophic.webhooks import WEBHOOK_ROUTES, Webhooks
from tallystick.facts.codes import OUTCOME_UNKNOWN
from tallystick.readers.index import Index
from tallystick.web.exchange import Disconnected, Reply, Request, json_reply

Endpoint = Callable[[Request, Query], Awaitable[Reply]]

_STOPPING: Final = "The server is stopping. If this was an order, see whether it exists before you send it again."
_GONE: Final = Reply(400, b"", [])  # nobody reads it

_log = logging.getLogger(__name__)


class SophicApi:
    """An ASGI application, to be mounted at the venue's path."""

    def __init__(
        self, desk: Desk, index: Index, view: View, admission: Admission, webhooks: Webhooks | None = None
    ) -> None:
        self._admission: Final = admission
        self._routes: Final = ROUTES if webhooks is None else (*ROUTES, *WEBHOOK_ROUTES)
        self._paths: Final = Paths(self._routes)
        self._documents: Final[dict[str, bytes]] = {}
        orders = Orders(desk, index, view)
        accounts = Accounts(desk, view)
        history = History(desk, index, view)
        self._endpoints: Final[dict[str, Endpoint]] = {
            "getToken": self._grant,
            "getDocument": self._describe,
            "listAccounts": accounts.list,
            "retrieveAccount": accounts.retrieve,
            "listCashBalances": accounts.cash_balances,
            "listPositions": accounts.positions,
            "retrievePosition": accounts.position,
            "placeOrder": orders.place,
            "listOrders": orders.list,
            "retrieveOrder": orders.retrieve,
            "listTrades": history.trades,
            "retrieveTrade": history.trade,
            "listInstruments": accounts.instruments,
            "retrieveInstrument": accounts.instrument,
            "listEvents": history.events,
            "retrieveEvent": history.event,
        }
        if webhooks is not None:
            self._endpoints.update(webhooks.endpoints)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        request = Request(scope, receive)
        await (await self._answer(request)).send(send)

    async def _answer(self, request: Request) -> Reply:
        routes, request.params = self._paths.find(request.path)
        route = routes.get("GET" if request.method == "HEAD" else request.method)
        if route is None:
            return _no_route(routes)
        try:
            if route.scope:
                request.principal = self._admission.admit(_authorization(request))
                request.principal.require(route.scope)
            return await self._endpoints[route.operation](request, Query(request, route.query))
        except (RequestError, Denied) as error:
            return error_reply(error)
        except Disconnected:
            return _GONE
        except asyncio.CancelledError:
            return error_reply(RequestError(503, OUTCOME_UNKNOWN, _STOPPING))
        except Exception:  # noqa: BLE001 - a fault of ours: logged whole, told in one sentence
            _log.exception("%s %s failed", request.method, request.path)
            return error_reply(RequestError(500, "internal_error", "The request failed. It was logged."))

    async def _grant(self, request: Request, query: Query) -> Reply:
        """A token (RFC 6749 §4.4). Nothing that is answered here may be kept by a cache."""
        try:
            query.check()
            body = await read_body(request)
            asked = read_grant_request(request.header(b"content-type"), body, request.header(b"authorization"))
            grant = self._admission.grant(asked.client_id, asked.client_secret)
            return json_reply(msgspec.json.encode(grant.body()), 200, TOKEN_HEADERS)
        except (RequestError, Denied) as error:
            return error_reply(error).with_headers(TOKEN_HEADERS)

    async def _describe(self, request: Request, query: Query) -> Reply:
        query.check()
        root = request.whole_path.removesuffix(request.path)
        if root not in self._documents:
            self._documents[root] = msgspec.json.encode(document(self._routes, root))
        return json_reply(self._documents[root])


def _authorization(request: Request) -> str | None:
    """The header, if there is one and no other: of two, nobody knows which one counts."""
    given = request.header_values(b"authorization")
    return given[0] if len(given) == 1 else None


def _no_route(routes: dict[str, Route]) -> Reply:
    if not routes:
        return error_reply(RequestError(404, "not_found", "There is no such path."))
    error = RequestError(405, "method_not_allowed", "This path does not take that method.")
    methods = {*routes, "HEAD"} if "GET" in routes else set(routes)
    error.headers["allow"] = ", ".join(sorted(methods))
    return error_reply(error)


async def http_error(_request: StarletteRequest, error: Exception) -> Response:
    """What the application above answers (no such path, no such method), in the same shape."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    code, detail = {
        404: ("not_found", "There is no such path."),
        405: ("method_not_allowed", "This path does not take that method."),
    }.get(status, ("internal_error", "The request failed."))
    reply = error_reply(RequestError(status, code, detail))
    more = error.headers if isinstance(error, HTTPException) else None
    return Response(reply.body, status, more, media_type="application/json")
