"""What a door answers: JSON, and errors as a code, a sentence that says what to do, and where the request is wrong."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct, field
from starlette.responses import Response

from tallystick.access.principal import Denied
from tallystick.facts.codes import (
    EXISTS_WITH_DIFFERENT_TERMS,
    INSUFFICIENT_FUNDS,
    NAME_TAKEN,
    NOT_OPERATING,
    ORDER_CLOSED,
    ORDER_HAS_TRADES,
    ORDER_NOT_EXECUTING,
    ORDER_NOT_WAITING,
    OUTCOME_UNKNOWN,
    PRICE_UNKNOWN,
    TRADE_NOT_EXECUTED,
    UNAVAILABLE,
    UNKNOWN_ACCOUNT,
    UNKNOWN_MARKET,
    UNKNOWN_ORDER,
    UNKNOWN_TRADE,
)
from tallystick.facts.commands import Refused

INVALID_REQUEST: Final = "invalid_request"
FAULTS_MAX: Final = 50

CONFLICTS: Final = frozenset(
    {
        EXISTS_WITH_DIFFERENT_TERMS,
        INSUFFICIENT_FUNDS,
        NAME_TAKEN,
        NOT_OPERATING,
        ORDER_CLOSED,
        ORDER_HAS_TRADES,
        ORDER_NOT_EXECUTING,
        ORDER_NOT_WAITING,
        PRICE_UNKNOWN,
        TRADE_NOT_EXECUTED,
    }
)
"""The request is right, and what it is about is not in a state for it."""
NOT_FOUND: Final = frozenset({UNKNOWN_ACCOUNT, UNKNOWN_MARKET, UNKNOWN_ORDER, UNKNOWN_TRADE})


class Fault(Struct, frozen=True):
    """One thing that is wrong with a request; ``path`` says where, as in ``body.amount``."""

    path: str
    code: str
    detail: str


class ErrorBody(Struct, frozen=True, omit_defaults=True):
    code: str
    detail: str
    params: list[Fault] = field(default_factory=list)


class DoorError(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, code: str, detail: str, faults: list[Fault] | None = None) -> None:
        super().__init__(code)
        self.status: Final = status
        self.body: Final = ErrorBody(code, detail, (faults or [])[:FAULTS_MAX])


def invalid(faults: list[Fault]) -> DoorError:
    return DoorError(400, INVALID_REQUEST, "The request is invalid; see params.", faults)


def refusal(refused: Refused, paths: Mapping[str, str]) -> DoorError:
    """The refusal of a command as an answer; ``paths`` says where in the request a field of the command came from."""
    code, detail = refused.code, refused.detail
    if code in UNAVAILABLE or code == OUTCOME_UNKNOWN:
        return DoorError(503, code, detail)
    faults = [Fault(paths[refused.field], code, detail)] if refused.field in paths else []
    if code in CONFLICTS:
        return DoorError(409, code, detail, faults)
    if faults:
        return invalid(faults)
    return DoorError(404 if code in NOT_FOUND else 400, code, detail)


def answer(body: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")


def error_answer(error: DoorError | Denied) -> Response:
    """Nobody is invited to repeat what may have been done."""
    if isinstance(error, Denied):
        found = answer(ErrorBody(error.code, error.detail), error.status)
        found.headers.update(error.headers)
        return found
    found = answer(error.body, error.status)
    if error.status == 503 and error.body.code != OUTCOME_UNKNOWN:
        found.headers["retry-after"] = "1"
    return found
