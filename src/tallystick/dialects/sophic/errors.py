"""How a request is turned down: the documented shape, and the venue's refusals in Sophic's words (specs/sophic.md)."""

from typing import Final

import msgspec

from tallystick.access.principal import Denied
from tallystick.dialects.sophic.wire import ErrorBody, Param
from tallystick.facts.codes import (
    ACCOUNT_SUSPENDED,
    BELOW_MINIMUM,
    BUY_FORBIDDEN,
    CURRENCY_NOT_HELD,
    EXISTS_WITH_DIFFERENT_TERMS,
    INSUFFICIENT_FUNDS,
    INSUFFICIENT_UNITS,
    INVALID_AMOUNT,
    MARKET_NOT_TRADING,
    NOT_OPERATING,
    OUTCOME_UNKNOWN,
    PROFESSIONAL_REQUIRED,
    SELL_FORBIDDEN,
    UNAVAILABLE,
    UNKNOWN_MARKET,
)
from tallystick.facts.commands import Refused
from tallystick.web.exchange import Reply, json_reply

PARAMS_MAX: Final = 50


class RequestError(Exception):
    """A request that is answered with an error: the HTTP ``status``, the documented body, and ``headers``.

    Nobody is invited to repeat a request that may have been carried out.
    """

    def __init__(self, status: int, code: str, detail: str, params: list[Param] | None = None) -> None:
        super().__init__(code)
        self.status: Final = status
        self.body: Final = ErrorBody(code, detail, params or [])
        self.headers: Final[dict[str, str]] = {}
        if status == 503 and code not in (OUTCOME_UNKNOWN, NOT_OPERATING):
            self.headers["retry-after"] = "1"


def invalid(params: list[Param]) -> RequestError:
    return RequestError(400, "invalid_request", "The request is invalid; see params.", params[:PARAMS_MAX])


def not_found(what: str) -> RequestError:
    """The same for what does not exist and for what is another client's: nobody learns which ids are in use."""
    return RequestError(404, "not_found", f"There is no such {what}.")


def is_kept(error: RequestError) -> bool:
    """Whether a refusal of an order is kept under its key: those of the venue are, faults of its form are not."""
    return error.status in (400, 403) and error.body.code != "invalid_request"


def refusal(refused: Refused, side: str) -> RequestError:
    """The venue's refusal of an order."""
    code, detail = refused.code, refused.detail
    size = "body.cash_amount" if side == "buy" else "body.quantity"
    if code in (INVALID_AMOUNT, BELOW_MINIMUM):
        return invalid([Param(size, "invalid_param", detail)])
    if code in _UNAVAILABLE:
        return RequestError(503, code, detail)
    if code in (BUY_FORBIDDEN, SELL_FORBIDDEN, ACCOUNT_SUSPENDED):
        return RequestError(403, f"{side}_order_forbidden", detail)
    status, documented, path = _REFUSALS.get(code, (400, code, ""))
    path = path or (size if code in (INSUFFICIENT_FUNDS, INSUFFICIENT_UNITS) else "")
    return RequestError(status, documented, detail, [Param(path, documented, detail)] if path else None)


_UNAVAILABLE: Final = (*UNAVAILABLE, OUTCOME_UNKNOWN, NOT_OPERATING)
_REFUSALS: Final = {
    UNKNOWN_MARKET: (400, "not_found", "body.instrument"),
    MARKET_NOT_TRADING: (400, "instrument_not_trading", "body.instrument"),
    PROFESSIONAL_REQUIRED: (403, "professional_trader_required", ""),
    CURRENCY_NOT_HELD: (400, "currency_not_supported", "body.instrument"),
    INSUFFICIENT_FUNDS: (400, INSUFFICIENT_FUNDS, ""),
    INSUFFICIENT_UNITS: (400, INSUFFICIENT_UNITS, ""),
    EXISTS_WITH_DIFFERENT_TERMS: (409, "idempotency_key_reused", "header.Idempotency-Key"),
}


def error_reply(error: RequestError | Denied) -> Reply:
    """In the documented shape."""
    body = ErrorBody(error.code, error.detail) if isinstance(error, Denied) else error.body
    return json_reply(msgspec.json.encode(body), error.status, error.headers)
