"""Reading what a client sent: the typed request, or one sentence about the first thing that is wrong with its form.

Only the form is judged here. What cannot be carried out is acknowledged all the same, and refused by an event.
"""

from typing import Final, TypeVar
from urllib.parse import parse_qs

import msgspec
from msgspec import Struct

from tallystick.dialects.bluefin.errors import RequestError, invalid
from tallystick.dialects.bluefin.login_wire import LoginOptions

T = TypeVar("T", bound=Struct)
MESSAGE_CHARACTERS_MAX: Final = 200
QUERY_FIELDS_MAX: Final = 32


def read(kind: type[T], raw: bytes) -> T:
    """The body as a ``kind``; RequestError 400."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        raise _invalid(error) from None
    except (ValueError, RecursionError):
        raise invalid("The body is not JSON.") from None


def read_login_options(query: bytes) -> LoginOptions:
    """The query of a login; RequestError 400."""
    try:
        sent = parse_qs(query.decode("ascii"), errors="strict", max_num_fields=QUERY_FIELDS_MAX)
        return msgspec.convert({name: values[-1] for name, values in sent.items()}, LoginOptions, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid(error) from None
    except ValueError:
        raise invalid("The query cannot be read.") from None


def _invalid(error: msgspec.ValidationError) -> RequestError:
    """In the decoder's words: they name the field and what it should be, and repeat no more than one word."""
    return invalid(f"{str(error)[:MESSAGE_CHARACTERS_MAX]}.")
