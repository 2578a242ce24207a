"""An order of the client half as the exchange takes it: its fields, from which its hash follows, and its signature.

Nothing here is drawn by chance. The salt follows from the client order id and the times from when the order was
intended, so an order has one hash however often it is sent, and the exchange takes a hash once.
"""

from decimal import Decimal, InvalidOperation
from hashlib import blake2b
from typing import Any, Final

from tallystick.connect.errors import Refused
from tallystick.connect.port import Order
from tallystick.connect.trading_rules import integer
from tallystick.dialects.bluefin.hashes import order_hash
from tallystick.dialects.bluefin.signatures import leverage_message, order_message
from tallystick.dialects.bluefin.trade_wire import LeverageFields, OrderFields
from tallystick.dialects.bluefin.wallet import Wallet
from tallystick.dialects.bluefin.wire import E9_SCALE, camel
from tallystick.dialects.bluefin.words import SIDES
from tallystick.facts.codes import LIMIT_ORDER

UNSUPPORTED_TRAIT: Final = "unsupported_trait"
SALT_BYTES: Final = 8

# What an order's traits may say, and which values they have (docs/client.md).
TYPE: Final = "type"
TIME_IN_FORCE: Final = "time_in_force"
POST_ONLY: Final = "post_only"
REDUCE_ONLY: Final = "reduce_only"
TRIGGER_PRICE: Final = "trigger_price"
SELF_TRADE_PREVENTION: Final = "self_trade_prevention"

_TIMES_IN_FORCE: Final = ("GTT", "IOC", "FOK")
_FLAGS: Final = ("true", "false")
_SELF_TRADE_PREVENTIONS: Final = ("TAKER", "MAKER", "BOTH")
_LIMIT_TYPES: Final = ("LIMIT", "STOP_LIMIT", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT")
_MARKET_TYPES: Final = ("MARKET", "STOP_MARKET", "STOP_LOSS_MARKET", "TAKE_PROFIT_MARKET")


class Terms:
    """What an order is signed for beside its own terms. ``leverage`` is at nine decimals."""

    __slots__ = ("account", "expires_at_millis", "ids_id", "leverage", "signed_at_millis")

    def __init__(self, account: str, ids_id: str, leverage: int, signed_at_millis: int, expires_at_millis: int) -> None:
        self.account: Final = account
        self.ids_id: Final = ids_id
        self.leverage: Final = leverage
        self.signed_at_millis: Final = signed_at_millis
        self.expires_at_millis: Final = expires_at_millis


def fields_of(order: Order, terms: Terms) -> OrderFields:
    """What is hashed and signed."""
    return OrderFields(
        symbol=order.market.name,
        account_address=terms.account,
        price_e9=str(order.terms.price),
        quantity_e9=str(order.terms.size),
        side=SIDES[order.terms.side],
        leverage_e9=str(terms.leverage),
        is_isolated=False,
        salt=salt_of(order.client_id),
        ids_id=terms.ids_id,
        expires_at_millis=terms.expires_at_millis,
        signed_at_millis=terms.signed_at_millis,
    )


def hash_of(fields: OrderFields) -> str:
    """The exchange's id for the order: bare hex."""
    return order_hash(fields)


def request_to_place(order: Order, fields: OrderFields, wallet: Wallet) -> dict[str, Any]:
    """The body. Raises Refused for traits that make no order; they are not covered by the signature."""
    traits = _traits(order)
    is_limit = order.terms.order_type == LIMIT_ORDER
    body: dict[str, Any] = {
        "signedFields": fields,
        "signature": wallet.sign(order_message(fields)),
        "clientOrderId": order.client_id,
        "type": traits.get(TYPE, "LIMIT" if is_limit else "MARKET"),
        "reduceOnly": traits.get(REDUCE_ONLY) == "true",
        "postOnly": traits.get(POST_ONLY) == "true",
    }
    if is_limit:
        body[camel(TIME_IN_FORCE)] = traits.get(TIME_IN_FORCE, "GTT")
    if TRIGGER_PRICE in traits:
        body["triggerPriceE9"] = str(_price(traits[TRIGGER_PRICE]))
    if SELF_TRADE_PREVENTION in traits:
        body["selfTradePreventionType"] = traits[SELF_TRADE_PREVENTION]
    return body


def request_for_leverage(wallet: Wallet, terms: Terms, symbol: str, salt_from: str) -> dict[str, Any]:
    """The body that asks for ``terms.leverage`` on a market."""
    fields = LeverageFields(
        account_address=terms.account,
        symbol=symbol,
        leverage_e9=str(terms.leverage),
        salt=salt_of(salt_from),
        ids_id=terms.ids_id,
        signed_at_millis=terms.signed_at_millis,
    )
    return {"signedFields": fields, "signature": wallet.sign(leverage_message(fields))}


def stands_by(order: Order) -> bool:
    """Whether it waits for a trigger price, and so is cancelled elsewhere while it does."""
    return any(name == TYPE and word not in ("LIMIT", "MARKET") for name, word in order.terms.traits)


def salt_of(text: str) -> str:
    """A number of 63 bits that follows from the text."""
    return str(int.from_bytes(blake2b(text.encode(), digest_size=SALT_BYTES).digest()) >> 1)


def _traits(order: Order) -> dict[str, str]:
    """Those that the exchange is told. Raises Refused for a value that it has no word for."""
    types = _LIMIT_TYPES if order.terms.order_type == LIMIT_ORDER else _MARKET_TYPES
    taken = {
        TYPE: types,
        TIME_IN_FORCE: _TIMES_IN_FORCE if order.terms.order_type == LIMIT_ORDER else _TIMES_IN_FORCE[1:],
        POST_ONLY: _FLAGS,
        REDUCE_ONLY: _FLAGS,
        SELF_TRADE_PREVENTION: _SELF_TRADE_PREVENTIONS,
    }
    found: dict[str, str] = {}
    for name, value in order.terms.traits:
        if name in taken and value not in taken[name]:
            raise Refused(UNSUPPORTED_TRAIT, f"the trait {name} is one of {', '.join(taken[name])} here")
        if name in taken or name == TRIGGER_PRICE:
            found[name] = value
    if (found.get(TYPE, types[0]) != types[0]) != (TRIGGER_PRICE in found):
        raise Refused(UNSUPPORTED_TRAIT, f"the traits {TYPE} and {TRIGGER_PRICE} go together")
    return found


def _price(text: str) -> int:
    try:
        return integer(Decimal(text), E9_SCALE)
    except (InvalidOperation, ValueError):
        raise Refused(UNSUPPORTED_TRAIT, f"the trait {TRIGGER_PRICE} is a decimal number") from None
