"""Whether observations and markets are of the right form: what a connector makes of nonsense goes no further."""

from typing import Any, Final

from tallystick.connect.errors import TEXT_MAX
from tallystick.connect.trading_rules import TradingRule
from tallystick.core.lifecycle import CANCELLED, REJECTED, TRADE_REVERTED
from tallystick.facts.client_codes import TAKER
from tallystick.tracker.observations import (
    CANCEL_NOT_FOUND,
    OPERATOR,
    UNKNOWN_STATUS,
    AllFills,
    Amendment,
    CancelReport,
    FillReport,
    Gap,
    NotFound,
    Observation,
    OpenOrders,
    OrderReport,
    Position,
    Refusal,
    TradeReport,
    Unanswered,
)

AMOUNT_LIMIT: Final = 10**78
SCALE_MAX: Final = 36
TIME_LIMIT: Final = 2**62

_TEXTS: Final = ("client_id", "venue_id")
_NUMBERS: Final = {"as_of": (0, TIME_LIMIT), "origin": (1, OPERATOR)}
_AMOUNT: Final = (-AMOUNT_LIMIT, AMOUNT_LIMIT)
_FORMS: Final[dict[type, tuple[tuple[str, ...], dict[str, tuple[int, int]]]]] = {
    OrderReport: (
        ("word",),
        {
            "status": (UNKNOWN_STATUS, REJECTED),
            "consumed": _AMOUNT,
            "quantity": _AMOUNT,
            "notional": _AMOUNT,
            "pending": _AMOUNT,
        },
    ),
    FillReport: (
        ("trade", "fee_asset"),
        {
            "consumed": _AMOUNT,
            "quantity": _AMOUNT,
            "notional": _AMOUNT,
            "price": _AMOUNT,
            "fee": _AMOUNT,
            "fee_scale": (0, 77),
            "liquidity": (0, TAKER),
            "state": (0, TRADE_REVERTED),
        },
    ),
    TradeReport: (("trade",), {"state": (0, TRADE_REVERTED)}),
    Refusal: (("code", "detail"), {"lived": (CANCELLED, REJECTED)}),
    Unanswered: (("reason",), {}),
    CancelReport: (("reason",), {"outcome": (0, CANCEL_NOT_FOUND)}),
    NotFound: ((), {}),
    AllFills: ((), {}),
    Amendment: ((), {"size": _AMOUNT, "price": _AMOUNT}),
}

_RULE_TEXTS: Final = ("name", "symbol", "unit", "currency")
_RULE_NUMBERS: Final = {
    **dict.fromkeys(("price_scale", "unit_scale", "cash_scale"), (0, SCALE_MAX)),
    **dict.fromkeys(("price_increment", "unit_increment", "cash_increment"), (1, AMOUNT_LIMIT)),
    **dict.fromkeys(("units_min", "units_max", "cash_min", "notional_min"), (0, AMOUNT_LIMIT)),
}


def fault(given: Any, venue: int) -> str:
    """What is wrong with something that ``venue``'s connector gave; "" if nothing is."""
    if getattr(given, "venue", None) != venue:
        return f"{type(given).__name__} is not of venue {venue}"
    if isinstance(given, Observation):
        form = _FORMS.get(type(given))
        if form is None:
            return f"{type(given).__name__} is no observation"
        return _fault_of(given, (*_TEXTS, *form[0]), {**_NUMBERS, **form[1]})
    if isinstance(given, OpenOrders):
        each: Observation
        for each in [*given.reports, *given.fills]:
            if type(each) not in (OrderReport, FillReport):
                return f"{type(each).__name__} is in a list of open orders"
            found = fault(each, venue)
            if found:
                return found
        return _fault_of(given, (), {"as_of": (0, TIME_LIMIT)})
    if isinstance(given, Gap):
        return _fault_of(given, ("stream", "reason"), {"as_of": (0, TIME_LIMIT)})
    if isinstance(given, Position):
        return _fault_of(given, ("stream", "position"), {})
    return f"{type(given).__name__} is nothing that a connector gives"


def fault_of_rule(given: Any) -> str:
    """What is wrong with a market as it was listed; "" if nothing is."""
    if type(given) is not TradingRule:
        return f"{type(given).__name__} is no TradingRule"
    return _fault_of(given, _RULE_TEXTS, _RULE_NUMBERS)


def _fault_of(given: Any, texts: tuple[str, ...], numbers: dict[str, tuple[int, int]]) -> str:
    for name in texts:
        if not _is_text(getattr(given, name)):
            return f"{type(given).__name__}.{name} is no text of at most {TEXT_MAX} characters"
    for name, (least, most) in numbers.items():
        number = getattr(given, name)
        if type(number) is not int or not least <= number <= most:
            return f"{type(given).__name__}.{name} is no whole number from {least} to {most}"
    return ""


def _is_text(given: Any) -> bool:
    """A lone surrogate, which JSON can write, is no character: neither the journal nor the archive takes it."""
    if type(given) is not str or len(given) > TEXT_MAX:
        return False
    return given.isascii() or not any("\ud800" <= each <= "\udfff" for each in given)
