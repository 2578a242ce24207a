"""The OpenAPI 3.1 document of the neutral API: one row for each path, and the wire types."""

from http import HTTPStatus
from typing import Any, Final, NamedTuple, get_args

import msgspec

from tallystick import __version__
from tallystick.access.principal import EVENTS_READ, ORDERS_READ
from tallystick.deliver.stream_query import PAGE_DEFAULT, PAGE_MAX
from tallystick.server.neutral import wire
from tallystick.server.neutral.orders import LIVE, STATUSES

_REF: Final = "#/components/schemas/{name}"
_JSON: Final = "application/json"
_DESCRIPTION: Final = (
    "Orders and events of all venues in the same words. Amounts are decimal strings; times are UTC, to the "
    "microsecond. A client sees what is of its own accounts, an operator everything. A position says for each venue up "
    "to where its events were read; there is no order between venues."
)
_EVENTS_DESCRIPTION: Final = (
    "A page of JSON; server-sent events with `Accept: text/event-stream`, which go on after a `Last-Event-ID`; or a "
    "WebSocket, whose messages are such pages. Without `after` and `since` it begins with what is new. A consumer that "
    "does not keep up is told `slow_consumer` and its position, and cut off: by an event `cut_off`, or with the "
    "WebSocket close code 4008. So is one whose token has ended (`unauthorized`, 4001), and everybody when the server "
    "stops (`server_stopping`, 1012)."
)


class _Path(NamedTuple):
    path: str
    operation: str
    summary: str
    scope: str
    answer: Any
    query: tuple[str, ...]
    statuses: tuple[int, ...]
    description: str = ""


_PATHS: Final = (
    _Path(
        "/events",
        "listEvents",
        "Follow the events of all venues",
        EVENTS_READ,
        wire.Events,
        ("venue", "account", "order", "kind", "after", "since", "limit"),
        (400, 401, 403, 410, 429, 500, 503),
        _EVENTS_DESCRIPTION,
    ),
    _Path(
        "/orders",
        "listOrders",
        "List orders, each venue's newest first",
        ORDERS_READ,
        wire.Orders,
        ("venue", "account", "status", "after_order", "as_of", "limit"),
        (400, 401, 403, 410, 429, 500, 503),
    ),
    _Path(
        "/orders/{order_id}",
        "retrieveOrder",
        "Retrieve an order, as it is or as it was",
        ORDERS_READ,
        wire.Order,
        ("as_of",),
        (400, 401, 403, 404, 410, 429, 500, 503),
    ),
    _Path(
        "/orders/{order_id}/events",
        "listOrderEvents",
        "Follow the events of one order",
        EVENTS_READ,
        wire.Events,
        ("kind", "after", "since", "limit"),
        (400, 401, 403, 404, 410, 429, 500, 503),
        _EVENTS_DESCRIPTION,
    ),
    _Path("/openapi.json", "getDocument", "This document", "", Any, (), (400, 500)),
)

_TEXT: Final = {"type": "string"}
_PARAMETERS: Final[dict[str, tuple[str, dict[str, Any], str]]] = {
    "venue": ("venue", {"type": "array", "items": _TEXT}, "Only these venues; may be repeated."),
    "account": ("account", _TEXT, "Only of this account."),
    "order": ("order", _TEXT, "Only about this order."),
    "kind": (
        "kind",
        {"type": "array", "items": {"type": "string", "enum": list(get_args(wire.EventKind))}},
        "Only of these kinds; may be repeated.",
    ),
    "status": ("status", {"type": "string", "enum": [LIVE, *STATUSES]}, "Only orders of this status."),
    "after": ("after", _TEXT, "A position, or `start`: what comes after it."),
    "after_order": ("after", _TEXT, "The `next` of a page: what comes after it."),
    "since": ("since", {"type": "string", "format": "date-time"}, "What happened at this time or later."),
    "as_of": ("as_of", _TEXT, "A position: what was then."),
    "limit": (
        "limit",
        {"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE_DEFAULT},
        "The most that a page has.",
    ),
}


def document(root: str, has_scopes: bool) -> dict[str, Any]:
    """The document below the path ``root``, as plain values; operators' tokens have no scopes."""
    types = [each.answer for each in _PATHS]
    schemas, components = msgspec.json.schema_components([*types, wire.ErrorBody, wire.Event], ref_template=_REF)
    scheme: dict[str, Any] = {"type": "http", "scheme": "bearer"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tallystick", "version": __version__, "description": _DESCRIPTION},
        "servers": [{"url": root}],
        "paths": {
            each.path: {"get": _operation(each, schema, has_scopes)}
            for each, schema in zip(_PATHS, schemas, strict=False)
        },
        "components": {"schemas": components, "securitySchemes": {"bearer": scheme}},
    }


def _operation(path: _Path, schema: dict[str, Any], has_scopes: bool) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = []
    if "{order_id}" in path.path:
        parameters.append({"name": "order_id", "in": "path", "required": True, "schema": _TEXT})
    for name in path.query:
        shown, form, words = _PARAMETERS[name]
        parameters.append({"name": shown, "in": "query", "schema": form, "description": words})
    content: dict[str, Any] = {_JSON: {"schema": schema}}
    if path.answer is wire.Events:
        content["text/event-stream"] = {"schema": {"$ref": _REF.format(name=wire.Event.__name__)}}
    return {
        "operationId": path.operation,
        "summary": path.summary,
        **({"description": path.description} if path.description else {}),
        "security": [{"bearer": [path.scope] if has_scopes else []}] if path.scope else [],
        "parameters": parameters,
        "responses": {"200": {"description": "OK", "content": content}}
        | {str(status): _error(status) for status in path.statuses if path.scope or status in (400, 500)},
    }


def _error(status: int) -> dict[str, Any]:
    schema = {"$ref": _REF.format(name=wire.ErrorBody.__name__)}
    return {"description": HTTPStatus(status).phrase, "content": {_JSON: {"schema": schema}}}
