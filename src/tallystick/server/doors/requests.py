"""Reading what is sent to a door: the typed body and query, or all that is wrong with them, each with its path."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeVar, get_args

import msgspec
from msgspec import Meta, Struct, ValidationError
from msgspec.structs import FieldInfo, fields
from starlette.requests import ClientDisconnect, Request

from tallystick.core.amounts import AmountError, parse
from tallystick.server.doors.answers import DoorError, Fault, invalid

B = TypeVar("B", bound="Body")
BODY_BYTES_MAX: Final = 64 * 1024
ECHO_MAX: Final = 40
DETAIL_MAX: Final = 200

# A description says what a value must be; whoever gives another one reads it.
Reason = Annotated[
    str,
    Meta(
        pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*\Z",
        max_length=200,
        description="one line of 1 to 200 characters that says why",
    ),
]
Name = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z",
        description="1 to 100 letters, digits, dots, dashes and underscores, the first a letter or digit",
    ),
]
Title = Annotated[
    str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*\Z", description="1 to 200 characters")
]
AssetName = Annotated[str, Meta(description="the name of an asset")]
Amount = Annotated[str, Meta(max_length=80, description='text, a decimal amount as in "100.00"')]
Scale = Annotated[int, Meta(ge=0, le=77, description="a whole number of decimals from 0 to 77")]
Reference = Annotated[
    str,
    Meta(
        pattern=r"^[!-~]{1,100}\Z",
        description="1 to 100 printable characters without spaces, another for each transfer",
    ),
]


class Body(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a request's body holds."""


async def read_body(request: Request, kind: type[B]) -> B:
    """The body as ``kind``; DoorError 400 with every fault of its form, 413 if it is too large."""
    value = _object(await _read(request))
    try:
        return msgspec.convert(value, kind)
    except ValidationError:
        raise invalid(list(_faults(kind, value))) from None


def read_query(request: Request, *names: str) -> dict[str, str]:
    """The parameters that were given; DoorError 400 for unknown or repeated ones."""
    given = request.query_params.multi_items()
    found = dict(given)
    known = ", ".join(names) or "none"
    faults = [
        Fault(f"query.{name[:ECHO_MAX]}", "unknown_field", f"There is no such parameter; known: {known}.")
        for name in found
        if name not in names
    ]
    faults += [
        Fault(f"query.{name[:ECHO_MAX]}", "invalid_param", "This parameter is given more than once.")
        for name in found
        if len([each for each, _ in given if each == name]) > 1
    ]
    if faults:
        raise invalid(faults)
    return found


def read_number(query: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    """A whole number of the query; DoorError 400 for anything else."""
    text = query.get(name, "")
    if name not in query:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and least <= int(text) <= most):
        raise bad_parameter(name, f"It must be a whole number from {least} to {most}.")
    return int(text)


def bad_parameter(name: str, detail: str) -> DoorError:
    return invalid([Fault(f"query.{name}", "invalid_param", detail)])


def read_amounts(body: Body, scales: Mapping[str, int], *, zero: bool = False) -> dict[str, int]:
    """The decimal fields of ``body`` named by ``scales``, as amounts at those scales; DoorError 400 with every fault.

    None is 0. An amount is greater than zero, or, with ``zero``, not less.
    """
    found: dict[str, int] = {}
    faults: list[Fault] = []
    for name, scale in scales.items():
        text = getattr(body, name)
        try:
            found[name] = 0 if text is None else read_amount(text, scale, f"body.{name}", zero=zero)
        except DoorError as error:
            faults += error.body.params
    if faults:
        raise invalid(faults)
    return found


def read_amount(text: str, scale: int, path: str, *, zero: bool = False) -> int:
    """The decimal as an amount at ``scale``; DoorError 400 about ``path``."""
    try:
        amount = parse(text, scale)
    except AmountError as error:
        raise invalid([Fault(path, "invalid_param", error.detail)]) from None
    if amount < 0 or (amount == 0 and not zero):
        least = "not be negative" if zero else "be greater than zero"
        raise invalid([Fault(path, "invalid_param", f"It must {least}.")])
    return amount


async def _read(request: Request) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and (len(declared) > 9 or int(declared) > BODY_BYTES_MAX):
        raise _too_large()
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > BODY_BYTES_MAX:
            raise _too_large()
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def _too_large() -> DoorError:
    return DoorError(413, "request_too_large", f"A body has at most {BODY_BYTES_MAX} bytes.")


def _object(raw: bytes) -> dict[str, Any]:
    """The body as an object of any content; an empty one is an object without fields."""
    try:
        value: Any = msgspec.json.decode(raw or b"{}")
        json.loads(raw or b"{}", object_pairs_hook=_unrepeated)
    except _Repeated as repeated:
        path = f"body.{str(repeated)[:ECHO_MAX]}"
        raise invalid([Fault(path, "invalid_param", "This field is given more than once.")]) from None
    except RecursionError:
        raise invalid([Fault("body", "malformed_json", "The JSON is nested too deeply.")]) from None
    except ValueError as error:
        raise invalid([Fault("body", "malformed_json", str(error)[:DETAIL_MAX])]) from None
    if not isinstance(value, dict):
        raise invalid([Fault("body", "invalid_param", "The body must be a JSON object.")])
    return value


class _Repeated(Exception):
    pass


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """JSON lets a key stand twice and readers differ on which one counts: so it is refused."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _Repeated(name)
        found[name] = value
    return found


def _faults(kind: type[Body], value: dict[str, Any]) -> list[Fault]:
    """Every field that is missing, mistyped or unknown, found one by one: the decoder stops at the first."""
    known = {each.name: each for each in fields(kind)}
    faults: list[Fault] = []
    for name, each in known.items():
        if name not in value:
            if each.required:
                faults.append(Fault(f"body.{name}", "required", f"It must be given: {_must_be(each)}."))
            continue
        try:
            msgspec.convert(value[name], each.type)
        except ValidationError as error:
            wanted = _must_be(each)
            detail = f"It must be {wanted}." if wanted else str(error)[:DETAIL_MAX]
            faults.append(Fault(f"body.{name}", "invalid_param", detail))
    unknown = [name[:ECHO_MAX] for name in value if name not in known]
    return faults + [Fault(f"body.{name}", "unknown_field", "There is no such field.") for name in unknown]


def _must_be(field: FieldInfo) -> str:
    """What the description of the field's type, or of what it may be beside None, says a value must be."""
    for part in (field.type, *get_args(field.type)):
        for each in getattr(part, "__metadata__", ()):
            if isinstance(each, Meta) and each.description:
                return each.description
    return ""
