"""What Sophic's clients read and write, as types (specs/sophic.md §1). Amounts are decimal strings, times ISO 8601.

They are the description too: the OpenAPI document shows these types, docstrings and examples, and no others.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from tallystick.core.ids import CHARACTERS
from tallystick.facts.instants import instant as instant

# --- Texts, each with its form and an example. What clients send is judged by requests, in sentences, so that the form
# --- of an amount only stands in the document.


def _id(kind: str, example: str) -> Meta:
    return Meta(pattern=f"^{kind}_[0-9a-hjkmnp-tv-z]{{{CHARACTERS}}}$", examples=[f"{kind}_{example}"])


OrderId = Annotated[str, _id("ord", "dxr5zpd2bmgb8")]
TradeId = Annotated[str, _id("trd", "4k7q1s2m9n0pa")]
PositionId = Annotated[str, _id("pos", "7m2x0ye5wq3rh")]
EventId = Annotated[str, _id("evt", "1n8p3q1w5vzk2")]
AccountId = Annotated[str, Meta(examples=["acc_demo"])]
InstrumentId = Annotated[str, Meta(examples=["ins_acme"])]
Currency = Annotated[str, Meta(examples=["USD"])]
Money = Annotated[str, Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?$", examples=["100.00"])]
Units = Annotated[str, Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?$", examples=["1.250000"])]
Instant = Annotated[str, Meta(extra_json_schema={"format": "date-time"}, examples=["2026-03-12T14:30:05.000001Z"])]
Date = Annotated[str, Meta(extra_json_schema={"format": "date"}, examples=["2026-03-16"])]
SentAmount = Annotated[str, Meta(extra_json_schema={"pattern": r"^[0-9]+(\.[0-9]+)?$"}, examples=["100.00"])]

Side = Literal["buy", "sell"]
TradeStatus = Literal["executed", "settled"]
TradingStatus = Literal["buy_sell", "buy_only", "sell_only", "not_trading"]
OrderStatus = Literal["placed", "pending", "executing", "filled", "settled", "cancelled"]
EventName = Literal[
    "order.placed",
    "order.pending",
    "order.executing",
    "order.filled",
    "order.settled",
    "order.cancelled",
    "trade.executed",
    "trade.settled",
]
ResourceType = Literal["order", "trade"]


class PlaceOrderBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A new order: ``cash_amount``, fees inside, for a buy; ``quantity`` for a sell."""

    instrument: InstrumentId
    order_type: Literal["market"]
    side: Side
    cash_amount: SentAmount | None = None
    quantity: SentAmount | None = None
    automatic_rollover: bool = False


class TokenForm(Struct, frozen=True):
    """The request of a token (RFC 6749 §4.4). The client's credentials may come by HTTP Basic instead."""

    grant_type: Literal["client_credentials"]
    client_id: Annotated[str, Meta(examples=["cli_0123456789abcdef"])] = ""
    client_secret: str = ""


class Token(Struct, frozen=True):
    """An access token, to be sent as ``Authorization: Bearer``; ``expires_in`` is in seconds."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: Annotated[int, Meta(examples=[900])]
    scope: Annotated[str, Meta(examples=["accounts:read orders:read orders:write"])]


class Param(Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong with a request; ``path`` says where, as in ``body.cash_amount``."""

    path: Annotated[str, Meta(examples=["body.cash_amount"])]
    code: Annotated[str, Meta(examples=["invalid_param"])]
    detail: Annotated[str, Meta(examples=["The amount must be greater than zero."])]


class ErrorBody(Struct, frozen=True, omit_defaults=True):
    """Why a request was not carried out: ``code`` for programs, ``detail`` for people, ``params`` for each fault."""

    code: Annotated[str, Meta(examples=["invalid_request"])]
    detail: Annotated[str, Meta(examples=["The request is invalid; see params."])]
    params: list[Param] = field(default_factory=list)


class Account(Struct, frozen=True):
    """Whose orders, cash and positions are kept together. A suspended one takes no orders."""

    id: AccountId
    status: Literal["active", "suspended"]
    professional_trader: bool
    buy_orders_allowed: bool
    sell_orders_allowed: bool


class Instrument(Struct, frozen=True):
    """What is traded. A field that does not apply is null; ``days_to_maturity`` counts from today, in UTC."""

    id: InstrumentId
    name: str
    symbol: str
    ticker: str | None
    isin: str | None
    instrument_type: str | None
    trading_status: TradingStatus
    trading_currency: Currency
    trading_increment: Units
    decimal_precision: int
    minimum_trading_quantity: Units | None
    minimum_initial_cash_investment: Money | None
    required_cash_increment: Money | None
    enforce_trading_rules: bool
    pro_traders_only: bool
    supports_automatic_rollover: bool
    issuer: str | None
    issuer_country: str | None
    issuer_credit_rating: str | None
    initial_issue_date: Date | None
    latest_issue_date: Date | None
    initial_auction_date: Date | None
    latest_auction_date: Date | None
    maturity_date: Date | None
    days_to_maturity: int | None


# Rendered once and copied into every order: most of an order's bytes are its instrument's.
InstrumentJson = Annotated[
    msgspec.Raw, Meta(extra_json_schema={"allOf": [{"$ref": "#/components/schemas/Instrument"}]})
]


class Trade(Struct, frozen=True):
    """One execution of an order; ``settlement_date`` is the value date it settles on."""

    id: TradeId
    account: AccountId
    order: OrderId
    instrument: InstrumentId
    position: PositionId
    counterparty: str | None
    side: Side
    status: TradeStatus
    price: Money
    quantity: Units
    quantity_currency: Annotated[str, Meta(examples=["ACME"])]
    notional: Money
    notional_currency: Currency
    fees: Money
    executed_at: Instant
    settlement_date: Date
    settled_at: Instant | None


class Order(Struct, frozen=True):
    """``cash_amount`` is what a buy invests before fees, ``net_cash_amount`` what of it is traded. ``traded_quantity``,
    ``traded_notional`` and ``fees`` are the sums of its trades so far; ``position`` is null before the first."""

    id: OrderId
    account: AccountId
    instrument: InstrumentJson
    status: OrderStatus
    order_type: Literal["market"]
    purpose: Literal["user_request"]
    side: Side
    cash_amount: Money | None
    net_cash_amount: Money | None
    quantity: Units | None
    currency: Currency
    automatic_rollover: bool
    traded_quantity: Units
    traded_notional: Money
    fees: Money
    position: PositionId | None
    trades: list[Trade]
    created_at: Instant
    modified_at: Instant


class CashBalance(Struct, frozen=True):
    """``available_for_trading`` is buying power, unsettled proceeds included; withdrawals count settled cash alone."""

    currency: Currency
    total: Money
    available_for_trading: Money
    available_for_withdrawal: Money
    reserved: Money


class Position(Struct, frozen=True):
    """``quantity`` is everything owned, ``pending_settlement`` what of it has not settled yet."""

    id: PositionId
    account: AccountId
    instrument: InstrumentId
    quantity: Units
    available_for_trading: Units
    reserved: Units
    pending_settlement: Units


class Resource(Struct, frozen=True):
    """What an event is about, to be fetched for its present state."""

    id: Annotated[str, Meta(examples=["ord_dxr5zpd2bmgb8"])]
    resource_type: ResourceType


class Event(Struct, frozen=True):
    """Something happened to a resource (seeds/004). ``data`` is empty today and may grow."""

    id: EventId
    name: EventName
    resource: Resource
    data: dict[str, Any]
    created_at: Instant
