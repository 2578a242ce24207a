"""The facts of the exchange's OpenAPI files, printed: python -m tests.bluefin.openapi_facts FOLDER

Facts, not text: of each schema that is sent or received here, its fields, their types, which of them are required (an
asterisk ends their names), and the words of its lists. The files themselves are the exchange's and are not kept here.
"""

import json
import sys
from pathlib import Path
from typing import Any

import yaml

SENT_OR_RECEIVED = (
    "Account",
    "AccountAuthorizationRequest",
    "AccountPositionLeverageUpdateRequest",
    "AccountStreamMessage",
    "AccountSubscriptionMessage",
    "AdjustIsolatedMarginRequest",
    "CancelOrdersRequest",
    "CancelOrdersResponse",
    "CreateOrderRequest",
    "CreateOrderResponse",
    "Error",
    "ExchangeInfoResponse",
    "JwksResponse",
    "LoginRequest",
    "LoginResponse",
    "MarketStreamMessage",
    "MarketSubscriptionMessage",
    "OpenIDConfigurationResponse",
    "OpenOrderResponse",
    "OrderbookDepthResponse",
    "RefreshTokenRequest",
    "RefreshTokenResponse",
    "SubscriptionResponseMessage",
    "TickerResponse",
    "Trade",
    "WithdrawRequest",
)


def facts(folder: Path) -> dict[str, Any]:
    """Each schema's facts, by name, and those of the schemas they refer to."""
    schemas: dict[str, Any] = {}
    for file in sorted(folder.glob("*.yaml")):
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        for name, schema in document.get("components", {}).get("schemas", {}).items():
            if "$ref" not in schema and schemas.setdefault(name, schema) != schema:
                raise ValueError(f"{name} means different things in different files")
    found: dict[str, Any] = {}
    wanted = list(SENT_OR_RECEIVED)
    while wanted:
        name = wanted.pop()
        if name not in found:
            found[name] = _fact(schemas[name])
            wanted += _names(found[name])
    return dict(sorted(found.items()))


def _fact(schema: dict[str, Any]) -> Any:
    if "allOf" in schema:
        schema = schema["allOf"][0]
    if "$ref" in schema:
        return {"ref": schema["$ref"].rpartition("/")[2]}
    if "enum" in schema:
        return {"words": [str(word) for word in schema["enum"]]}
    if "discriminator" in schema:
        mapping = schema["discriminator"]["mapping"]
        payloads = {event: ref.rpartition("/")[2] for event, ref in mapping.items()}
        return {"fields": _fields(schema), "payloads": payloads}
    if "oneOf" in schema:
        return {"one_of": [_fact(each)["ref"] for each in schema["oneOf"]]}
    if "properties" in schema:
        return {"fields": _fields(schema)}
    if schema["type"] == "array":
        return {"items": _fact(schema["items"])}
    return schema["type"]


def _fields(schema: dict[str, Any]) -> dict[str, Any]:
    required = schema.get("required", ())
    return {f"{name}*" if name in required else name: _fact(each) for name, each in schema["properties"].items()}


def _names(fact: Any) -> list[str]:
    """The schemas that it refers to."""
    if isinstance(fact, str):
        return []
    below = [*fact.get("fields", {}).values(), fact.get("items", "")]
    named = [fact["ref"]] if "ref" in fact else [*fact.get("one_of", ()), *fact.get("payloads", {}).values()]
    return named + [name for each in below for name in _names(each)]


if __name__ == "__main__":
    print(json.dumps(facts(Path(sys.argv[1])), indent=1))
