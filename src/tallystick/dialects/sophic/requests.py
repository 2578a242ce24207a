"""Reading a request's body: all that is wrong with it at once, each with its path, or the typed body.

The form is judged here; whether the venue accepts what it asks for is judged by its rules.
"""

from typing import Any, Final, TypeVar

import msgspec
from msgspec import ValidationError
from msgspec.structs import fields

from tallystick.core.amounts import AmountError, parse
from tallystick.dialects.sophic.wire import ErrorBody, Param, PlaceOrderBody

BODY_BYTES_MAX: Final = 1024 * 1024
PARAMS_MAX: Final = 50
ECHO_MAX: Final = 40

BodyT = TypeVar("BodyT", bound=msgspec.Struct)


class RequestError(Exception):
    """A request that is answered with an error: the HTTP ``status`` and the documented body."""

    def __init__(self, status: int, code: str, detail: str, params: list[Param] | None = None) -> None:
        super().__init__(code)
        self.status: Final = status
        self.body: Final = ErrorBody(code, detail, params or [])


def invalid(params: list[Param]) -> RequestError:
    return RequestError(400, "invalid_request", "The request is invalid; see params.", params[:PARAMS_MAX])


def too_large() -> RequestError:
    return RequestError(413, "request_too_large", f"A body has at most {BODY_BYTES_MAX} bytes.")


_place_order: Final = msgspec.json.Decoder(PlaceOrderBody)


def read_place_order(raw: bytes) -> PlaceOrderBody:
    """The body of a new order; RequestError 400 with every fault of its form."""
    body = _decode(_place_order, PlaceOrderBody, raw)
    wanted, unwanted = ("cash_amount", "quantity") if body.side == "buy" else ("quantity", "cash_amount")
    faults: list[Param] = []
    if getattr(body, wanted) is None:
        faults.append(Param(f"body.{wanted}", "required", f"A {body.side} gives its {wanted}."))
    if getattr(body, unwanted) is not None:
        faults.append(Param(f"body.{unwanted}", "invalid_param", f"A {body.side} has no {unwanted}."))
    if faults:
        raise invalid(faults)
    return body


def read_amount(text: str, scale: int, path: str) -> int:
    """A positive decimal with at most ``scale`` decimals as an integer amount; RequestError 400 otherwise."""
    try:
        amount = parse(text, scale)
    except AmountError as error:
        raise invalid([Param(path, "invalid_param", error.detail)]) from None
    if amount <= 0:
        raise invalid([Param(path, "invalid_param", "The amount must be greater than zero.")])
    return amount


def _decode(decoder: "msgspec.json.Decoder[BodyT]", kind: type[BodyT], raw: bytes) -> BodyT:
    try:
        return decoder.decode(raw)
    except ValidationError:
        raise invalid(_faults(kind, raw)) from None
    except RecursionError:
        raise invalid([Param("body", "malformed_json", "The JSON is nested too deeply.")]) from None
    except ValueError as error:
        raise invalid([Param("body", "malformed_json", str(error)[:200])]) from None


def _faults(kind: type[msgspec.Struct], raw: bytes) -> list[Param]:
    """Every field that does not fit, found one by one: the decoder stops at the first."""
    try:
        value: Any = msgspec.json.decode(raw)
    except (ValueError, RecursionError) as error:
        return [Param("body", "malformed_json", str(error)[:200])]
    if not isinstance(value, dict):
        return [Param("body", "invalid_param", "The body must be a JSON object.")]
    known = {each.encode_name: each for each in fields(kind)}
    faults = [
        Param(f"body.{name[:ECHO_MAX]}", "unknown_field", "There is no such field.")
        for name in value
        if name not in known
    ]
    for name, each in known.items():
        if name not in value:
            if each.required:
                faults.append(Param(f"body.{name}", "required", "This field is required."))
            continue
        try:
            msgspec.convert(value[name], each.type)
        except ValidationError as error:
            faults.append(Param(f"body.{name}", "invalid_param", str(error)))
    return faults
