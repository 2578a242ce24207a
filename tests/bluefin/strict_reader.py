"""Reads what the exchange sends as its strictest clients do, by the facts of its schemas (openapi_facts.json).

It shares nothing with what writes: a number for an E9 string, a missing field, a word that is not in a list, a payload
that fits both shapes of an order update, or a field that no client knows, is refused.
"""

import json
from pathlib import Path
from typing import Any

FACTS = json.loads((Path(__file__).parent / "openapi_facts.json").read_text())
FAILED_CANCEL_SAYS_NULL = frozenset({"OrderCancellationUpdate.cancellationReason"})
"""What the seed says of a failed cancel, and the schema does not allow."""

_PLAIN = {"string": str, "boolean": bool, "object": dict}


class Unreadable(Exception):
    """Where, and why."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}")


class StrictReader:
    """``nullable`` are fields, as ``Schema.field``, that may be null although they are required."""

    def __init__(self, facts: dict[str, Any] = FACTS, nullable: frozenset[str] = frozenset()) -> None:
        self._facts = facts
        self._nullable = nullable

    def read(self, schema: str, text: bytes | str) -> Any:
        """The value, which is the schema's. Raises Unreadable."""
        value = json.loads(text)
        self._named(schema, value, schema, knows_all=True)
        return value

    def _named(self, name: str, value: Any, where: str, knows_all: bool) -> None:
        self._check(self._facts[name], value, where, name, knows_all)

    def _check(self, fact: Any, value: Any, where: str, owner: str, knows_all: bool) -> None:
        if isinstance(fact, str):
            _check_plain(fact, value, where)
        elif "ref" in fact:
            self._named(fact["ref"], value, where, knows_all)
        elif "words" in fact:
            if value not in fact["words"]:
                raise Unreadable(where, f"{value!r} is not in its list")
        elif "items" in fact:
            if not isinstance(value, list):
                raise Unreadable(where, "is no array")
            for position, item in enumerate(value):
                self._check(fact["items"], item, f"{where}[{position}]", owner, knows_all)
        elif "one_of" in fact:
            self._one_of(fact["one_of"], value, where, knows_all)
        else:
            self._fields(fact, value, where, owner, knows_all)

    def _one_of(self, shapes: list[str], value: Any, where: str, knows_all: bool) -> None:
        """As generated clients judge: each shape passes over fields that it does not know, and one shape must fit."""
        fitting = [shape for shape in shapes if self._fits(shape, value)]
        if len(fitting) != 1:
            raise Unreadable(where, f"fits {fitting or 'none'} of {shapes}")
        self._named(fitting[0], value, where, knows_all)

    def _fits(self, shape: str, value: Any) -> bool:
        try:
            self._named(shape, value, shape, knows_all=False)
        except Unreadable:
            return False
        return True

    def _fields(self, fact: Any, value: Any, where: str, owner: str, knows_all: bool) -> None:
        if not isinstance(value, dict):
            raise Unreadable(where, "is no object")
        fields = {name.rstrip("*"): (each, name.endswith("*")) for name, each in fact["fields"].items()}
        if knows_all and (unknown := value.keys() - fields):
            raise Unreadable(where, f"has unknown fields {sorted(unknown)}")
        payloads = fact.get("payloads", {})
        for name, (each, is_required) in fields.items():
            inner = f"{where}.{name}"
            if value.get(name) is None:
                if is_required and not (name in value and f"{owner}.{name}" in self._nullable):
                    raise Unreadable(inner, "is missing")
            elif payloads and name == "payload":
                self._named(payloads[value["event"]], value[name], inner, knows_all)
            else:
                self._check(each, value[name], inner, owner, knows_all)


def _check_plain(kind: str, value: Any, where: str) -> None:
    if kind == "integer":
        fits = isinstance(value, int) and not isinstance(value, bool)
    else:
        fits = isinstance(value, _PLAIN[kind])
    if not fits:
        raise Unreadable(where, f"{value!r} is no {kind}")
