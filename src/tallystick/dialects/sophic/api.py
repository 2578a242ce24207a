"""Sophic's HTTP interface: each route reads the request, asks the venue or looks at the readers' state, and answers."""

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol, TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route, Router

from tallystick.core.ids import NUMBER_MAX
from tallystick.core.order import Order
from tallystick.core.trade import Trade
from tallystick.dialects.sophic.requests import (
    BODY_BYTES_MAX,
    ECHO_MAX,
    RequestError,
    invalid,
    read_amount,
    read_place_order,
    too_large,
)
from tallystick.dialects.sophic.view import View
from tallystick.dialects.sophic.wire import Param
from tallystick.facts.codes import (
    BUY,
    CASH,
    CUSTOMER,
    INSUFFICIENT_FUNDS,
    INSUFFICIENT_UNITS,
    INVALID_AMOUNT,
    MARKET_ORDER,
    OUTCOME_UNKNOWN,
    SELL,
    UNAVAILABLE,
    UNITS,
    UNKNOWN_MARKET,
)
from tallystick.facts.commands import Answer, PlaceOrder, Refused
from tallystick.readers.readers import Readers
from tallystick.venue.state import Account, State

T = TypeVar("T")
Found = tuple[Order, list[Trade]]
Endpoint = Callable[[Request, Account], Awaitable[Response]]
PAGE_DEFAULT: Final = 100
PAGE_MAX: Final = 1000

_STOPPING: Final = "The server is stopping. If this was an order, see whether it exists before you send it again."

_log = logging.getLogger(__name__)


class Desk(Protocol):
    """The venue as a dialect sees it."""

    @property
    def readers(self) -> Readers:
        """What is durable, and so may be shown."""

    async def ask(self, command: Any, render: Callable[[Answer, State], T]) -> T:
        """Decide the command; when it is durable, render the answer from the state right after it."""


class SophicApi:
    """``token`` is the bearer token that every request must carry."""

    def __init__(self, desk: Desk, view: View, token: str) -> None:
        self._desk: Final = desk
        self._view: Final = view
        self._token: Final = token.encode()

    def router(self) -> Router:
        """The routes, to be mounted at the venue's path."""
        account = "/accounts/{account_id}"
        return Router(
            [
                self._route(f"{account}/orders", GET=self._list_orders, POST=self._place_order),
                self._route(f"{account}/orders/{{order_id}}", GET=self._retrieve_order),
                self._route(f"{account}/cash-balances", GET=self._cash_balances),
                self._route(f"{account}/positions", GET=self._positions),
            ],
            redirect_slashes=False,
        )

    async def _place_order(self, request: Request, account: Account) -> Response:
        body = read_place_order(await _read(request))
        market = self._desk.readers.state.market_named.get(body.instrument)
        if market is None:
            raise _refusal(Refused(UNKNOWN_MARKET, "There is no such instrument."), body.side)
        if body.side == "buy":
            size = read_amount(body.cash_amount or "", market.currency.scale, "body.cash_amount")
        else:
            size = read_amount(body.quantity or "", market.unit.scale, "body.quantity")
        command = PlaceOrder(
            account.number,
            market.number,
            BUY if body.side == "buy" else SELL,
            MARKET_ORDER,
            CASH if body.side == "buy" else UNITS,
            size,
        )

        def render(answer: Answer, state: State) -> bytes:
            if isinstance(answer, Refused):
                raise _refusal(answer, body.side)
            return self._render(self._found(answer.number))

        return _json(await self._desk.ask(command, render), 201)

    async def _list_orders(self, request: Request, account: Account) -> Response:
        """Newest first; ``limit`` orders that are older than the order ``starting_after``."""
        limit, before = self._read_page(request, account)
        numbers = self._desk.readers.orders_before(account, before, limit)
        return _json(b"[" + b",".join([self._render(self._found(number)) for number in numbers]) + b"]")

    async def _retrieve_order(self, request: Request, account: Account) -> Response:
        found = self._find_order(account, request.path_params["order_id"])
        if found is None:
            raise RequestError(404, "not_found", "There is no such order.")
        return _json(self._render(found))

    async def _cash_balances(self, request: Request, account: Account) -> Response:
        return _json(msgspec.json.encode(self._view.cash_balances(self._desk.readers.state, account)))

    async def _positions(self, request: Request, account: Account) -> Response:
        return _json(msgspec.json.encode(self._view.positions(self._desk.readers.state, account)))

    def _read_page(self, request: Request, account: Account) -> tuple[int, int]:
        """The page's size, and the number that all its orders are below."""
        faults: list[Param] = []
        limit, before = request.query_params.get("limit", str(PAGE_DEFAULT)), NUMBER_MAX
        if not (limit.isascii() and limit.isdigit() and len(limit) <= 4 and 1 <= int(limit) <= PAGE_MAX):
            faults.append(Param("query.limit", "invalid_param", f"A limit is a whole number from 1 to {PAGE_MAX}."))
        faults += [
            Param(f"query.{name[:ECHO_MAX]}", "unknown_field", "There is no such parameter.")
            for name in request.query_params
            if name not in ("limit", "starting_after")
        ]
        if "starting_after" in request.query_params:
            after = self._find_order(account, request.query_params["starting_after"])
            if after is not None:
                before = after[0].number
            else:
                faults.append(Param("query.starting_after", "invalid_param", "There is no such order."))
        if faults:
            raise invalid(faults)
        return int(limit), before

    def _find_order(self, account: Account, order_id: str) -> Found | None:
        """The account's order with this id, and its trades."""
        number = self._view.order_ids.number(order_id)
        found = self._desk.readers.order(number) if number else None
        return found if found is not None and found[0].account == account.number else None

    def _found(self, number: int) -> Found:
        found = self._desk.readers.order(number)
        assert found is not None, f"order {number} is nowhere"
        return found

    def _render(self, found: Found) -> bytes:
        return msgspec.json.encode(self._view.order(self._desk.readers.state, *found))

    def _route(self, path: str, **endpoints: Endpoint) -> Route:
        """One path with its endpoint for each method: authenticated, its account found, its errors as documented."""

        async def answer(request: Request) -> Response:
            try:
                endpoint = endpoints["GET" if request.method == "HEAD" else request.method]
                return await endpoint(request, self._admit(request))
            except RequestError as error:
                return error_response(error)
            except ClientDisconnect:
                return Response(status_code=400)  # nobody reads it
            except asyncio.CancelledError:
                return error_response(RequestError(503, OUTCOME_UNKNOWN, _STOPPING))
            except Exception:  # noqa: BLE001 - a fault of ours: logged whole, told in one sentence
                _log.exception("%s %s failed", request.method, request.url.path)
                return error_response(RequestError(500, "internal_error", "The request failed. It was logged."))

        return Route(path, answer, methods=list(endpoints))

    def _admit(self, request: Request) -> Account:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(token.strip().encode(), self._token):
            raise RequestError(401, "unauthorized", "Send a valid token: Authorization: Bearer <token>.")
        account = self._desk.readers.state.account_named.get(request.path_params["account_id"])
        if account is None or account.role != CUSTOMER:
            raise RequestError(404, "not_found", "There is no such account.")
        return account


def error_response(error: RequestError) -> Response:
    """The documented error shape; 401 and 503 with the headers that go with them.

    Nobody is invited to repeat a request that may have been carried out.
    """
    response = _json(msgspec.json.encode(error.body), error.status)
    if error.status == 401:
        response.headers["www-authenticate"] = "Bearer"
    if error.status == 503 and error.body.code != OUTCOME_UNKNOWN:
        response.headers["retry-after"] = "1"
    return response


async def http_error(_request: Request, error: Exception) -> Response:
    """What the router itself answers (no such path, no such method), in the same shape."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    code, detail = {
        404: ("not_found", "There is no such path."),
        405: ("method_not_allowed", "This path does not take that method."),
    }.get(status, ("internal_error", "The request failed."))
    response = error_response(RequestError(status, code, detail))
    if isinstance(error, HTTPException) and error.headers:
        response.headers.update(error.headers)
    return response


def _refusal(refused: Refused, side: str) -> RequestError:
    size = "body.cash_amount" if side == "buy" else "body.quantity"
    if refused.code == UNKNOWN_MARKET:
        return RequestError(400, "not_found", refused.detail, [Param("body.instrument", "not_found", refused.detail)])
    if refused.code in (INSUFFICIENT_FUNDS, INSUFFICIENT_UNITS):
        return RequestError(400, refused.code, refused.detail, [Param(size, refused.code, refused.detail)])
    if refused.code == INVALID_AMOUNT:
        return invalid([Param(size, "invalid_param", refused.detail)])
    if refused.code in UNAVAILABLE or refused.code == OUTCOME_UNKNOWN:
        return RequestError(503, refused.code, refused.detail)
    return RequestError(400, refused.code, refused.detail)


def _json(body: bytes, status: int = 200) -> Response:
    return Response(body, status, media_type="application/json")


async def _read(request: Request) -> bytes:
    """The whole body; RequestError 413 as soon as it is known to be too large."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and (len(declared) > 9 or int(declared) > BODY_BYTES_MAX):
        raise too_large()
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > BODY_BYTES_MAX:
            raise too_large()
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)
