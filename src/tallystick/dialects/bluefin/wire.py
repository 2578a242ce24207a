"""What every part of the exchange's wire is made of: its numbers, its errors, its trades (specs/bluefin.md §1.5).

A price, quantity or leverage is an integer at nine decimals (E9) in a JSON string, a time an integer of milliseconds.
What is sent is built from these types and has every field that strict clients ask for; what is received is judged by
them, and fields that they do not name are passed over, as clients need.
"""

from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from tallystick.dialects.bluefin.words import Client, OrderType, Side, TradeType

E9_SCALE: Final = 9
U64_MAX: Final = 2**64 - 1
TEXT_CHARACTERS_MAX: Final = 256
SIGNATURE_CHARACTERS_MAX: Final = 1024

# --- What is sent. A field that may be missing is UNSET where there is nothing to say.

E9 = Annotated[str, Meta(pattern=r"^-?(0|[1-9][0-9]*)\Z")]
Millis = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Address = Annotated[str, Meta(pattern=r"^0x[0-9a-f]{64}\Z")]
OrderHash = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
"""Bare hex."""

# --- What is received. Numbers that are hashed are unsigned 64-bit integers, and are spelt in one way only: what was
# --- signed is the text. Meta cannot bound the number in a text, so each request looks at it (``within_u64``).

SentE9 = Annotated[str, Meta(pattern=r"^(0|[1-9][0-9]{0,19})\Z")]
SentAddress = Annotated[str, Meta(pattern=r"^0x[0-9a-fA-F]{64}\Z")]
SentText = Annotated[str, Meta(max_length=TEXT_CHARACTERS_MAX)]
SentSignature = Annotated[str, Meta(max_length=SIGNATURE_CHARACTERS_MAX)]

_U64_MAX_TEXT: Final = str(U64_MAX)


def camel(name: str) -> str:
    """A field's name on the wire; ``volume_24hr_e9`` is ``volume24hrE9``."""
    first, *others = name.split("_")
    return first + "".join(part[0].upper() + part[1:] for part in others)


class Sent(Struct, frozen=True, kw_only=True, rename=camel):
    """What the exchange sends."""


class Received(Struct, frozen=True, kw_only=True, rename=camel):
    """What the exchange reads; unknown fields are passed over."""


def within_u64(**numbers: str | None) -> None:
    """ValueError, which names the field, unless each of these decimal texts (SentE9) is at most U64_MAX."""
    for name, text in numbers.items():
        if text is not None and len(text) >= len(_U64_MAX_TEXT) and text > _U64_MAX_TEXT:
            raise ValueError(f"{name} has more than 64 bits")


class ErrorBody(Sent, frozen=True, kw_only=True):
    """Why a request was turned down: ``error_code`` for programs, ``message`` for people."""

    error_code: str
    message: str


class Trade(Sent, frozen=True, kw_only=True):
    """One execution as the order's owner sees it; fees and profits are signed, a fee that was paid is negative."""

    id: str
    symbol: str
    side: Side
    price_e9: E9
    quantity_e9: E9
    quote_quantity_e9: E9
    executed_at_millis: Millis
    client_order_id: str | UnsetType = UNSET
    order_hash: OrderHash | UnsetType = UNSET
    order_type: OrderType | UnsetType = UNSET
    trade_type: TradeType | UnsetType = UNSET
    is_maker: bool | UnsetType = UNSET
    realized_pnl_e9: E9 | UnsetType = UNSET
    position_side: Side | UnsetType = UNSET
    trading_fee_e9: E9 | UnsetType = UNSET
    trading_fee_asset: str | UnsetType = UNSET
    gas_fee_e9: E9 | UnsetType = UNSET
    gas_fee_asset: str | UnsetType = UNSET
    mark_price_e9: E9 | UnsetType = UNSET
    oracle_price_e9: E9 | UnsetType = UNSET
    client: Client | UnsetType = UNSET


class SubscriptionAnswer(Sent, frozen=True, kw_only=True):
    """The one frame after a subscription; clients read nothing else before it (specs/bluefin.md §2.1)."""

    success: bool
    message: str
