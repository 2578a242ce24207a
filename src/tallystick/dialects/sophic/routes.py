"""Every route of the API, once: what answers requests and what describes them (openapi) both read this table."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple, get_args

from tallystick.access.principal import ACCOUNTS_READ, EVENTS_READ, ORDERS_READ, ORDERS_WRITE
from tallystick.dialects.sophic import wire
from tallystick.dialects.sophic.queries import PAGING, Parameter, read_instant

NO_SCOPE: Final = ""
NO_EXAMPLES: Final[Mapping[str, Any]] = MappingProxyType({})


class Route(NamedTuple):
    """``answer`` is the type of the answer's body, ``body`` that of the request's; ``scope`` is what a token must
    cover, NO_SCOPE where everybody may come; ``examples`` are of the request's body. ``may_conflict``:
    what is asked for may not fit what there is (409)."""

    method: str
    path: str
    operation: str
    summary: str
    scope: str
    answer: Any
    status: int = 200
    query: tuple[Parameter, ...] = ()
    body: Any = None
    is_idempotent: bool = False
    may_conflict: bool = False
    examples: Mapping[str, Any] = NO_EXAMPLES


def _read_name(text: str) -> str:
    names = get_args(wire.EventName)
    if text not in names:
        raise ValueError(f"A name is one of: {', '.join(names)}.")
    return text


def _created(relation: str, words: str) -> Parameter:
    schema = {"type": "string", "format": "date-time"}
    return Parameter(f"created[{relation}]", read_instant, schema, f"Only what was created {words} this time.")


EVENT_FILTERS: Final = (
    Parameter(
        "name", _read_name, {"type": "string", "enum": list(get_args(wire.EventName))}, "Only events of this name."
    ),
    Parameter("resource[id]", str, {"type": "string"}, "Only events about the order or trade with this id."),
    _created("gt", "after"),
    _created("gte", "at or after"),
    _created("lt", "before"),
    _created("lte", "at or before"),
)

ORDER_EXAMPLES: Final = {
    "buy": {"instrument": "ins_acme", "order_type": "market", "side": "buy", "cash_amount": "100.00"},
    "sell": {"instrument": "ins_acme", "order_type": "market", "side": "sell", "quantity": "1.25"},
}
_ACCOUNT: Final = "/accounts/{account_id}"

ROUTES: Final = (
    Route("POST", "/auth/token", "getToken", "Get an access token", NO_SCOPE, wire.Token, body=wire.TokenForm),
    Route("GET", "/openapi.json", "getDocument", "This document", NO_SCOPE, dict[str, Any]),
    Route("GET", "/accounts", "listAccounts", "List accounts", ACCOUNTS_READ, list[wire.Account], query=PAGING),
    Route("GET", _ACCOUNT, "retrieveAccount", "Retrieve account", ACCOUNTS_READ, wire.Account),
    Route(
        "GET",
        f"{_ACCOUNT}/cash-balances",
        "listCashBalances",
        "List cash balances",
        ACCOUNTS_READ,
        list[wire.CashBalance],
    ),
    Route(
        "GET",
        f"{_ACCOUNT}/positions",
        "listPositions",
        "List positions",
        ACCOUNTS_READ,
        list[wire.Position],
        query=PAGING,
    ),
    Route(
        "GET",
        f"{_ACCOUNT}/positions/{{position_id}}",
        "retrievePosition",
        "Retrieve position",
        ACCOUNTS_READ,
        wire.Position,
    ),
    Route(
        "POST",
        f"{_ACCOUNT}/orders",
        "placeOrder",
        "Place an order",
        ORDERS_WRITE,
        wire.Order,
        status=201,
        body=wire.PlaceOrderBody,
        is_idempotent=True,
        examples=ORDER_EXAMPLES,
    ),
    Route("GET", f"{_ACCOUNT}/orders", "listOrders", "List orders", ORDERS_READ, list[wire.Order], query=PAGING),
    Route("GET", f"{_ACCOUNT}/orders/{{order_id}}", "retrieveOrder", "Retrieve order", ORDERS_READ, wire.Order),
    Route("GET", f"{_ACCOUNT}/trades", "listTrades", "List trades", ORDERS_READ, list[wire.Trade], query=PAGING),
    Route("GET", "/trades/{trade_id}", "retrieveTrade", "Retrieve trade", ORDERS_READ, wire.Trade),
    Route(
        "GET",
        "/instruments",
        "listInstruments",
        "List instruments",
        ACCOUNTS_READ,
        list[wire.Instrument],
        query=PAGING,
    ),
    Route(
        "GET",
        "/instruments/{instrument_id}",
        "retrieveInstrument",
        "Retrieve instrument",
        ACCOUNTS_READ,
        wire.Instrument,
    ),
    Route(
        "GET", "/events", "listEvents", "List events", EVENTS_READ, list[wire.Event], query=(*EVENT_FILTERS, *PAGING)
    ),
    Route("GET", "/events/{event_id}", "retrieveEvent", "Retrieve event", EVENTS_READ, wire.Event),
)
