"""The exchange's HTTP interface, all of its services on one base (specs/bluefin.md §1)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec
from starlette.types import Receive, Scope, Send

from tallystick.dialects.bluefin.account_stream import AccountStream
from tallystick.dialects.bluefin.account_wire import CommandFailureUpdate
from tallystick.dialects.bluefin.errors import RequestError, invalid
from tallystick.dialects.bluefin.exchange_info import exchange_info
from tallystick.dialects.bluefin.frames import ORDERS, Frames, command_failed
from tallystick.dialects.bluefin.history import account_trades
from tallystick.dialects.bluefin.login import Login, Session
from tallystick.dialects.bluefin.market_data import MarketData
from tallystick.dialects.bluefin.placing import Placing
from tallystick.dialects.bluefin.reasons import INSUFFICIENT_MARGIN, INVALID_LEVERAGE
from tallystick.dialects.bluefin.requests import read, read_login_options
from tallystick.dialects.bluefin.trade_wire import (
    AdjustLeverage,
    CancelOrders,
    OpenOrder,
    OrderAcknowledged,
    PlaceOrder,
    StandbyOrdersCancelled,
)
from tallystick.dialects.bluefin.view import View, millis
from tallystick.dialects.bluefin.wire import ErrorBody
from tallystick.dialects.bluefin.words import CommandFailure
from tallystick.facts.codes import CUSTOMER, OUTCOME_UNKNOWN, UNAVAILABLE
from tallystick.facts.commands import Answer, Refused
from tallystick.venue.state import Account, State
from tallystick.web.desk import Desk
from tallystick.web.exchange import BodyTooLarge, Disconnected, Reply, Request, json_reply

BODY_BYTES_MAX: Final = 256 * 1024
MILLIS_MAX: Final = 2**53
PAGES_MAX: Final = 10_000
RETRY_AFTER_SECONDS: Final = 1
ACKNOWLEDGED: Final = 202

Endpoint = Callable[[Request], Awaitable[Reply]]

_STOPPING: Final = "The server is stopping. If this was an order, see whether it exists before you send it again."
_GONE: Final = Reply(400, b"", [])  # nobody reads it
_encode: Final = msgspec.json.Encoder().encode

_log = logging.getLogger(__name__)


class BluefinApi:
    """An ASGI application, to be mounted at the venue's path. ``stream`` tells an account what is no fact."""

    def __init__(
        self,
        desk: Desk,
        view: View,
        login: Login,
        placing: Placing,
        market_data: MarketData,
        stream: AccountStream,
        frames: Frames,
    ) -> None:
        self._desk: Final = desk
        self._view: Final = view
        self._login: Final = login
        self._placing: Final = placing
        self._market_data: Final = market_data
        self._stream: Final = stream
        self._frames: Final = frames
        self._endpoints: Final[dict[tuple[str, str], Endpoint]] = {
            ("POST", "/auth/token"): self._log_in_first,
            ("POST", "/auth/v2/token"): self._log_in,
            ("PUT", "/auth/token/refresh"): self._refresh,
            ("GET", "/auth/jwks"): self._key_set,
            ("GET", "/.well-known/openid-configuration"): self._open_id,
            ("GET", "/v1/exchange/info"): self._info,
            ("GET", "/v1/exchange/depth"): self._depth,
            ("GET", "/v1/exchange/trades"): self._trades,
            ("GET", "/v1/exchange/ticker"): self._ticker,
            ("GET", "/v1/exchange/tickers"): self._tickers,
            ("GET", "/api/v1/account"): self._account,
            ("GET", "/api/v1/account/trades"): self._account_trades,
            ("POST", "/api/v1/trade/orders"): self._place,
            ("PUT", "/api/v1/trade/orders/cancel"): self._cancel,
            ("PUT", "/api/v1/trade/orders/cancel/standby"): self._cancel_standby,
            ("GET", "/api/v1/trade/openOrders"): self._open_orders,
            ("GET", "/api/v1/trade/standbyOrders"): self._standby_orders,
            ("PUT", "/api/v1/trade/leverage"): self._leverage,
        }
        self._paths: Final = {path for _, path in self._endpoints}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        request = Request(scope, receive)
        await (await self._answer(request)).send(send)

    async def _answer(self, request: Request) -> Reply:
        method = "GET" if request.method == "HEAD" else request.method
        endpoint = self._endpoints.get((method, request.path))
        if endpoint is None:
            return self._no_route(request)
        try:
            return await endpoint(request)
        except RequestError as error:
            return _error(error.status, error.body)
        except BodyTooLarge:
            return _error(413, ErrorBody(error_code="REQUEST_TOO_LARGE", message="The body is too large."))
        except Disconnected:
            return _GONE
        except asyncio.CancelledError:
            return _unavailable(OUTCOME_UNKNOWN, _STOPPING)
        except Exception:  # noqa: BLE001 - a fault of ours: logged whole, told in one sentence
            _log.exception("%s %s failed", request.method, request.path)
            return _error(500, ErrorBody(error_code="INTERNAL_ERROR", message="The request failed. It was logged."))

    def _no_route(self, request: Request) -> Reply:
        if request.path in self._paths:
            body = ErrorBody(error_code="METHOD_NOT_ALLOWED", message="This path does not take that method.")
            return _error(405, body)
        return _error(404, ErrorBody(error_code="NOT_FOUND", message="There is no such path."))

    # --- Login ---

    async def _log_in_first(self, request: Request) -> Reply:
        options, body = read_login_options(request.query), await request.body(BODY_BYTES_MAX)
        return _private(await self._login.log_in_first(body, request.header(b"payloadsignature"), options))

    async def _log_in(self, request: Request) -> Reply:
        options, body = read_login_options(request.query), await request.body(BODY_BYTES_MAX)
        return _private(await self._login.log_in(body, request.header(b"payloadsignature"), options))

    async def _refresh(self, request: Request) -> Reply:
        return _private(self._login.refresh(await request.body(BODY_BYTES_MAX)))

    async def _key_set(self, _request: Request) -> Reply:
        return _reply(self._login.key_set())

    async def _open_id(self, request: Request) -> Reply:
        host = request.header(b"host") or "localhost"
        return _reply(
            self._login.open_id_configuration(f"http://{host}{request.whole_path.removesuffix(request.path)}")
        )

    def _session(self, request: Request) -> Session:
        return self._login.admit(request.header(b"authorization"))

    # --- What everybody may see ---

    async def _info(self, _request: Request) -> Reply:
        return _reply(exchange_info(self._state, self._desk.now()))

    async def _depth(self, request: Request) -> Reply:
        query = _Query(request)
        return _reply(self._market_data.depth(self._symbol(query), query.number("limit", 500, 1000)))

    async def _trades(self, request: Request) -> Reply:
        query = _Query(request)
        found = self._market_data.trades(
            self._symbol(query),
            query.number("limit", 500, 1000),
            since=query.number("startTimeAtMillis", 0, MILLIS_MAX),
            until=query.number("endTimeAtMillis", MILLIS_MAX, MILLIS_MAX),
            page=query.number("page", 1, PAGES_MAX),
        )
        return _reply(found)

    async def _ticker(self, request: Request) -> Reply:
        return _reply(self._market_data.ticker(self._symbol(_Query(request))))

    async def _tickers(self, _request: Request) -> Reply:
        return _reply(self._market_data.tickers())

    def _symbol(self, query: "_Query") -> str:
        symbol = query.text("symbol")
        if not symbol:
            raise invalid("Give the symbol of a market.")
        if symbol not in self._state.market_named:
            raise RequestError(404, "NOT_FOUND", "There is no such market.")
        return symbol

    # --- Accounts ---

    async def _account(self, request: Request) -> Reply:
        """Anybody may see an account's figures and positions by its address, as on the chain; not its orders."""
        address = _Query(request).text("accountAddress").lower() or self._session(request).account
        return _reply(self._view.account(self._state, self._owner(address)))

    async def _account_trades(self, request: Request) -> Reply:
        session, query = self._session(request), _Query(request)
        found = account_trades(
            self._desk.readers,
            self._view,
            self._owner(session.account),
            symbol=query.text("symbol"),
            since=query.number("startTimeAtMillis", 0, MILLIS_MAX),
            until=query.number("endTimeAtMillis", MILLIS_MAX, MILLIS_MAX),
            limit=query.number("limit", 50, 1000),
            page=query.number("page", 1, PAGES_MAX),
        )
        return _reply(found)

    def _owner(self, address: str) -> Account:
        account = self._state.account_named.get(address)
        if account is None or account.role != CUSTOMER:
            raise RequestError(404, "ACCOUNT_NOT_FOUND", "The account has not been opened yet.")
        return account

    # --- Trade ---

    async def _place(self, request: Request) -> Reply:
        session = self._session(request)
        sent = read(PlaceOrder, await request.body(BODY_BYTES_MAX))
        order_hash, command = self._placing.order(sent, session, self._state, self._desk.now())
        reply = await self._desk.ask(command, _acknowledge(_encode(OrderAcknowledged(order_hash=order_hash))))
        if not command.account and reply.status == ACKNOWLEDGED:
            fields = sent.signed_fields
            self._tell_unknown(session, fields.symbol, [order_hash], fields.quantity_e9, is_cancel=False)
        return reply

    async def _cancel(self, request: Request) -> Reply:
        session = self._session(request)
        session.require_trading()
        sent = read(CancelOrders, await request.body(BODY_BYTES_MAX))
        command = self._placing.cancel(sent, session, self._state, standby=False)
        if not command.account:
            self._tell_unknown(session, sent.symbol, list(command.names) or [""], "0", is_cancel=True)
            return Reply(ACKNOWLEDGED, b"", [])
        return await self._desk.ask(command, _acknowledge(b""))

    def _tell_unknown(
        self, session: Session, symbol: str, hashes: list[str], quantity: str, *, is_cancel: bool
    ) -> None:
        """Who asks has no account. Nothing was changed by it, and that is told."""
        for order_hash in hashes:
            body = self._frames.unknown_account(
                session.account, symbol, order_hash, quantity, self._desk.now(), is_cancel=is_cancel
            )
            self._stream.push_to(session.account, ORDERS, body)

    async def _cancel_standby(self, request: Request) -> Reply:
        """Answered with its outcome, as no other cancel is."""
        session = self._session(request)
        session.require_trading()
        sent = read(CancelOrders, await request.body(BODY_BYTES_MAX))
        command = self._placing.cancel(sent, session, self._state, standby=True)
        if not command.account:
            return _reply(StandbyOrdersCancelled(order_hashes=[]))

        def answer(given: Answer, state: State) -> Reply:
            if isinstance(given, Refused):
                return _refused(given)
            made = state.requests[given.number]
            hashes = [state.orders[number].terms.client_key for number in made.outcomes]
            return _reply(StandbyOrdersCancelled(order_hashes=hashes))

        return await self._desk.ask(command, answer)

    async def _open_orders(self, request: Request) -> Reply:
        return self._orders(request, standby=False)

    async def _standby_orders(self, request: Request) -> Reply:
        return self._orders(request, standby=True)

    def _orders(self, request: Request, *, standby: bool) -> Reply:
        session, state = self._session(request), self._state
        symbol = _Query(request).text("symbol")
        account = state.account_named.get(session.account)
        found: list[OpenOrder] = []
        for market in state.markets.values():
            if account is not None and symbol in ("", market.name):
                numbers = account.orders_working(market.number)
                found.extend(
                    self._view.open_order(state, state.orders[number])
                    for number in numbers
                    if (number in market.standby) == standby
                )
        return _reply(found)

    async def _leverage(self, request: Request) -> Reply:
        """Acknowledged; a change that is refused is told by the account's stream."""
        session = self._session(request)
        sent = read(AdjustLeverage, await request.body(BODY_BYTES_MAX))
        command = self._placing.leverage(sent, session, self._state)

        def answer(given: Answer, state: State) -> Reply:
            if isinstance(given, Refused) and (given.code in UNAVAILABLE or given.code == OUTCOME_UNKNOWN):
                return _refused(given)
            if isinstance(given, Refused) and command.account:
                self._stream.push(command_failed(command.account, _failure(given, state.time)))
            return Reply(ACKNOWLEDGED, b"", [])

        return await self._desk.ask(command, answer)

    @property
    def _state(self) -> State:
        return self._desk.readers.state


class _Query:
    """A request's query; fields that are not asked for are passed over, as clients need."""

    def __init__(self, request: Request) -> None:
        try:
            self._fields: Final = parse_qs(request.query.decode("ascii"), max_num_fields=32)
        except ValueError:
            raise invalid("The query cannot be read.") from None

    def text(self, name: str) -> str:
        return self._fields.get(name, [""])[-1]

    def number(self, name: str, otherwise: int, most: int) -> int:
        text = self.text(name)
        if not text:
            return otherwise
        if not (text.isascii() and text.isdigit() and len(text) < 18 and int(text) <= most):
            raise invalid(f"{name} is a whole number from 0 to {most}.")
        return int(text)


def _acknowledge(body: bytes) -> Callable[[Answer, State], Reply]:
    """Decided, whatever was decided: the account's stream tells. Only what was not decided is an error."""

    def answer(given: Answer, _state: State) -> Reply:
        if isinstance(given, Refused):
            return _refused(given)
        return json_reply(body, ACKNOWLEDGED) if body else Reply(ACKNOWLEDGED, b"", [])

    return answer


def _refused(refused: Refused) -> Reply:
    if refused.code in UNAVAILABLE:
        return _unavailable(refused.code, refused.detail, RETRY_AFTER_SECONDS)
    if refused.code == OUTCOME_UNKNOWN:
        return _unavailable(refused.code, refused.detail)
    return _error(400, ErrorBody(error_code=refused.code.upper(), message=refused.detail))


def _unavailable(code: str, detail: str, retry_after: int = 0) -> Reply:
    reply = _error(503, ErrorBody(error_code=code.upper(), message=detail))
    return reply.with_headers({"retry-after": str(retry_after)}) if retry_after else reply


def _failure(refused: Refused, time: int) -> CommandFailureUpdate:
    reasons: dict[str, CommandFailure] = {
        INSUFFICIENT_MARGIN: "INSUFFICIENT_BALANCE",
        INVALID_LEVERAGE: "INVALID_LEVERAGE",
        "unknown_market": "UNKNOWN_MARKET",
    }
    return CommandFailureUpdate(
        reason=refused.detail,
        reason_code=reasons.get(refused.code, "UNEXPECTED"),
        failed_command_type="POSITION_LEVERAGE_UPDATE",
        failed_command_type_code="POSITION_LEVERAGE_UPDATE",
        failed_at_millis=millis(time),
    )


def _reply(body: Any) -> Reply:
    return json_reply(_encode(body))


def _private(body: Any) -> Reply:
    """A token: no cache may keep it."""
    return json_reply(_encode(body), 200, {"cache-control": "no-store"})


def _error(status: int, body: ErrorBody) -> Reply:
    return json_reply(_encode(body), status)
