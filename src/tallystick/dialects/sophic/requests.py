"""Reading a request's body: all that is wrong with it at once, each with its path, or the typed body.

The form is judged here; whether the venue accepts what it asks for is judged by its rules.
"""

import json
from contextlib import suppress
from typing import Annotated, Any, Final, Literal, TypeVar, get_args, get_origin

import msgspec
from msgspec import ValidationError
from msgspec.structs import fields

from tallystick.core.amounts import SCALE_MAX, AmountError, parse
from tallystick.dialects.sophic.errors import RequestError, invalid
from tallystick.dialects.sophic.wire import Param, PlaceOrderBody
from tallystick.web.exchange import BodyTooLarge, Request

T = TypeVar("T", bound=msgspec.Struct)
BODY_BYTES_MAX: Final = 1024 * 1024
ECHO_MAX: Final = 40
DETAIL_MAX: Final = 200

_place_order: Final = msgspec.json.Decoder(PlaceOrderBody)
_place_order_names: Final = tuple(f'"{each.encode_name}"'.encode() for each in fields(PlaceOrderBody))


async def read_body(request: Request) -> bytes:
    """The whole body; RequestError 413 as soon as it is known to be too large."""
    try:
        return await request.body(BODY_BYTES_MAX)
    except BodyTooLarge:
        raise RequestError(413, "request_too_large", f"A body has at most {BODY_BYTES_MAX} bytes.") from None


def read_place_order(raw: bytes, faults: list[Param]) -> PlaceOrderBody:
    """The body of a new order; RequestError 400 with every fault of its form, after ``faults`` found elsewhere.

    An amount is judged here as far as that needs no instrument: its grammar and its sign.
    """
    try:
        _refuse_repeated_keys(raw, _place_order_names)
        body = _place_order.decode(raw)
    except (ValueError, RecursionError):
        value = _object(raw, faults)
        raise invalid(faults + _field_faults(PlaceOrderBody, value) + _order_faults(value)) from None
    except _Repeated as repeated:
        path = f"body.{str(repeated)[:ECHO_MAX]}"
        raise invalid([*faults, Param(path, "invalid_param", "This field is given more than once.")]) from None
    found = _order_faults(msgspec.structs.asdict(body))
    if faults or found:
        raise invalid(faults + found)
    return body


def read_typed(kind: type[T], raw: bytes) -> T:
    """The body as a ``kind``; RequestError 400 with every fault of its form."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except (ValueError, RecursionError):
        raise invalid(_field_faults(kind, _object(raw, []))) from None


def read_amount(text: str, scale: int, path: str) -> int:
    """A positive decimal with at most ``scale`` decimals as an integer amount; RequestError 400 otherwise."""
    try:
        return parse(text, scale)
    except AmountError as error:
        raise invalid([Param(path, "invalid_param", error.detail)]) from None


def _order_faults(body: dict[str, Any]) -> list[Param]:
    """What is wrong with a new order's fields taken together, and with its amounts; wrong types are told elsewhere."""
    faults: list[Param] = []
    side = body.get("side")
    if side in ("buy", "sell"):
        wanted, unwanted = ("cash_amount", "quantity") if side == "buy" else ("quantity", "cash_amount")
        if body.get(wanted) is None:
            faults.append(Param(f"body.{wanted}", "required", f"A {side} gives its {wanted}."))
        if body.get(unwanted) is not None:
            faults.append(Param(f"body.{unwanted}", "invalid_param", f"A {side} has no {unwanted}."))
    for name in ("cash_amount", "quantity"):
        fault = _amount_fault(body.get(name))
        if fault:
            faults.append(Param(f"body.{name}", "invalid_param", fault))
    if body.get("automatic_rollover") is True:
        faults.append(Param("body.automatic_rollover", "invalid_param", "No instrument offers a rollover."))
    return faults


def _amount_fault(text: Any) -> str:
    if not isinstance(text, str):
        return ""
    try:
        # How many decimals it may have depends on its asset, which is not known here: so as many as it has.
        decimals = min(len(text.partition(".")[2]), SCALE_MAX)
        return "" if parse(text, decimals) > 0 else "The amount must be greater than zero."
    except AmountError as error:
        return error.detail


def _refuse_repeated_keys(raw: bytes, names: tuple[bytes, ...]) -> None:
    """JSON lets a key stand twice and readers differ on which one counts: so it is refused.

    The decoder takes the last. Only a body that shows a name twice, or may spell one with an escape, is read again.
    """
    if b"\\" not in raw and all(raw.count(name) < 2 for name in names):
        return
    with suppress(ValueError, RecursionError):  # malformed: the decoder says how
        json.loads(raw, object_pairs_hook=_unrepeated)


class _Repeated(Exception):
    """The name of a field that is given more than once."""


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _Repeated(name)
        found[name] = value
    return found


def _in_words(wanted: Any, error: ValidationError) -> str:
    """What a field wants, for people who do not write Python."""
    wanted = _plain(wanted)
    if get_origin(wanted) is Literal:
        return f"It must be one of: {', '.join(get_args(wanted))}."
    if wanted is str or str in map(_plain, get_args(wanted)):
        return 'It must be a string, as in "100.00".'
    if wanted is bool:
        return "It must be true or false."
    return str(error)[:DETAIL_MAX]


def _plain(wanted: Any) -> Any:
    """The type without what is said about it."""
    return get_args(wanted)[0] if get_origin(wanted) is Annotated else wanted


def _object(raw: bytes, faults: list[Param]) -> dict[str, Any]:
    """The body as an object of any content; RequestError if it is not even that."""
    try:
        value: Any = msgspec.json.decode(raw)
    except RecursionError:
        raise invalid([*faults, Param("body", "malformed_json", "The JSON is nested too deeply.")]) from None
    except ValueError as error:
        raise invalid([*faults, Param("body", "malformed_json", str(error)[:DETAIL_MAX])]) from None
    if not isinstance(value, dict):
        raise invalid([*faults, Param("body", "invalid_param", "The body must be a JSON object.")])
    return value


def _field_faults(kind: type[msgspec.Struct], value: dict[str, Any]) -> list[Param]:
    """Every field that is missing, mistyped or unknown, found one by one: the decoder stops at the first."""
    faults: list[Param] = []
    known = {each.encode_name: each for each in fields(kind)}
    for name, each in known.items():
        if name not in value:
            if each.required:
                faults.append(Param(f"body.{name}", "required", "This field is required."))
            continue
        try:
            msgspec.convert(value[name], each.type)
        except ValidationError as error:
            faults.append(Param(f"body.{name}", "invalid_param", _in_words(each.type, error)))
    unknown = [name for name in value if name not in known]
    return faults + [Param(f"body.{name[:ECHO_MAX]}", "unknown_field", "There is no such field.") for name in unknown]
