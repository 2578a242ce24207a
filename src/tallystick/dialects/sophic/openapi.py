"""The OpenAPI 3.1 document, made from the route table and the wire types: there is no other description to keep right.

Lists and things lead on to what can be retrieved by their ids, as OpenAPI links.
"""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final, get_args, get_origin

import msgspec

from tallystick import __version__
from tallystick.access.principal import SCOPES
from tallystick.dialects.sophic import wire
from tallystick.dialects.sophic.idempotency import KEY_CHARACTERS_MAX
from tallystick.dialects.sophic.queries import PAGING, Parameter
from tallystick.dialects.sophic.routes import Route
from tallystick.dialects.sophic.webhook_wire import DeliveryId, WebhookId

_REF: Final = "#/components/schemas/{name}"
_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"
_PATH_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_TEXT: Final = {"type": "string"}
_IDS: Final = {
    "account_id": wire.AccountId,
    "order_id": wire.OrderId,
    "trade_id": wire.TradeId,
    "position_id": wire.PositionId,
    "instrument_id": wire.InstrumentId,
    "event_id": wire.EventId,
    "webhook_id": WebhookId,
    "delivery_id": DeliveryId,
}
_DESCRIPTION: Final = (
    "A brokerage's orders, from placed to settled. Amounts are decimal strings; times are UTC, to the microsecond. "
    "Lists are arrays, newest first; a Link header leads to the next page. Send an Idempotency-Key with an order, and "
    "it is placed once however often the request is repeated within 24 hours."
)
_SCOPE_WORDS: Final = {
    "accounts:read": "See accounts, balances, positions and instruments",
    "orders:read": "See orders and trades",
    "orders:write": "Place orders",
    "events:read": "See events",
    "webhooks:write": "Look after webhooks",
}
_HEADERS: Final = {
    "Request-Id": "What to name when something is to be looked into.",
    "Link": "Where the list goes on, if it does.",
    "Idempotent-Replayed": "true if this is the answer to an earlier request under the same key.",
    "Retry-After": "After how many seconds to try again.",
    "WWW-Authenticate": "How to authenticate.",
}
_ERROR_HEADERS: Final = {401: ("WWW-Authenticate",), 403: ("WWW-Authenticate",), 429: ("Retry-After",)}


def document(routes: Sequence[Route], root: str) -> dict[str, Any]:
    """The document of these routes, as plain values; ``root`` is the path that they are below."""
    types = [kind for route in routes for kind in (route.answer, route.body) if kind is not None]
    schemas, components = msgspec.json.schema_components([*types, wire.ErrorBody], ref_template=_REF)
    schema_of = dict(zip(map(str, types), schemas, strict=False))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, routes, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Sophic, served by Tallystick", "version": __version__, "description": _DESCRIPTION},
        "servers": [{"url": root or "/"}],
        "paths": paths,
        "components": {
            "schemas": components,
            "headers": {name: {"description": words, "schema": _TEXT} for name, words in _HEADERS.items()},
            "securitySchemes": {
                "oauth2": {
                    "type": "oauth2",
                    "flows": {
                        "clientCredentials": {
                            "tokenUrl": f"{root}/auth/token",
                            "scopes": {scope: _SCOPE_WORDS[scope] for scope in SCOPES},
                        }
                    },
                },
                "client": {"type": "http", "scheme": "basic"},
            },
        },
    }


def _operation(route: Route, routes: Sequence[Route], schema_of: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.operation,
        "summary": route.summary,
        "security": _security(route),
        "parameters": _parameters(route),
        "responses": _responses(route, routes, schema_of[str(route.answer)]),
    }
    if route.body is not None:
        content: dict[str, Any] = {"schema": schema_of[str(route.body)]}
        if route.examples:
            content["examples"] = {name: {"value": value} for name, value in route.examples.items()}
        kind = _FORM if route.body is wire.TokenForm else _JSON
        operation["requestBody"] = {"required": True, "content": {kind: content}}
    return operation


def _security(route: Route) -> list[dict[str, list[str]]]:
    if route.scope:
        return [{"oauth2": [route.scope]}]
    return [{}, {"client": []}] if route.body is wire.TokenForm else []


def _parameters(route: Route) -> list[dict[str, Any]]:
    found = [
        {"name": name, "in": "path", "required": True, "schema": msgspec.json.schema(_IDS[name])}
        for name in _PATH_PARAMETER.findall(route.path)
    ]
    found += [_query_parameter(each) for each in route.query]
    if route.is_idempotent:
        found.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "schema": {"type": "string", "pattern": f"^[ -~]{{1,{KEY_CHARACTERS_MAX}}}$"},
                "description": "Unique to this request among the client's requests to this path, for 24 hours.",
            }
        )
    return found


def _query_parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": "query",
        "schema": parameter.schema,
        "description": parameter.description,
    }


def _responses(route: Route, routes: Sequence[Route], schema: dict[str, Any]) -> dict[str, Any]:
    names = ["Request-Id"]
    if route.query[-len(PAGING) :] == PAGING:
        names.append("Link")
    if route.is_idempotent:
        names.append("Idempotent-Replayed")
    answer: dict[str, Any] = {
        "description": HTTPStatus(route.status).phrase,
        "headers": _header_refs(names),
        "content": {_JSON: {"schema": schema}},
    }
    links = _links(route, routes)
    if links:
        answer["links"] = links
    return {str(route.status): answer} | {str(status): _error(status) for status in _error_statuses(route)}


def _error_statuses(route: Route) -> list[int]:
    found = {400, 500, 503}  # no request may have a parameter that does not exist; nobody is spared by a disk
    if route.scope:
        found |= {401, 403, 429}
    if route.body is wire.TokenForm:
        found |= {401, 429}
    if _PATH_PARAMETER.search(route.path):
        found.add(404)
    if route.is_idempotent or route.may_conflict:
        found.add(409)
    if route.body is not None:
        found.add(413)
    return sorted(found)


def _error(status: int) -> dict[str, Any]:
    names = ["Request-Id", *_ERROR_HEADERS.get(status, ())]
    return {
        "description": HTTPStatus(status).phrase,
        "headers": _header_refs(names),
        "content": {_JSON: {"schema": {"$ref": _REF.format(name=wire.ErrorBody.__name__)}}},
    }


def _header_refs(names: Sequence[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _links(route: Route, routes: Sequence[Route]) -> dict[str, Any]:
    """To every path that names a thing of the kind that the route answers with, or lists."""
    is_list = get_origin(route.answer) is list
    name = _name_of(get_args(route.answer)[0] if is_list else route.answer, routes)
    known = {each: f"$request.path.{each}" for each in _PATH_PARAMETER.findall(route.path)}
    known[name] = "$response.body#/0/id" if is_list else "$response.body#/id"
    found: dict[str, Any] = {}
    for other in routes:
        wanted = _PATH_PARAMETER.findall(other.path)
        if other is not route and name in wanted and known.keys() >= set(wanted):
            parameters = {each: known[each] for each in wanted}
            found[other.operation] = {"operationId": other.operation, "parameters": parameters}
    return found


def _name_of(thing: Any, routes: Sequence[Route]) -> str:
    """What paths call a thing of this kind: the last name in the path that retrieves it; "" if none does."""
    for route in routes:
        names = _PATH_PARAMETER.findall(route.path)
        if route.answer is thing and names and route.path.endswith("}"):
            return str(names[-1])
    return ""
