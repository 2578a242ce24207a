"""What an order is called, and what of it no rule looks at: kept with its terms, so that it can be shown again."""

from typing import Final, NamedTuple

from tallystick.dialects.bluefin.trade_wire import PlaceOrder
from tallystick.dialects.bluefin.words import OrderType
from tallystick.facts.venue import OrderPlaced, OrderRefused

ISOLATED: Final = "isolated"


class Names(NamedTuple):
    """As texts, in the order in which a journal keeps them; fields are only ever appended.

    ``symbol`` is there only of an order for a market that does not exist.
    """

    client_order_id: str
    salt: str
    signer: str
    type: OrderType
    margin: str
    signed_at_millis: str
    symbol: str

    @property
    def is_isolated(self) -> bool:
        return self.margin == ISOLATED


class RefusedNames(NamedTuple):
    """Of an order that was refused: all that is left of it."""

    order_hash: str
    quantity_e9: str
    names: Names


def names_of(order: PlaceOrder, signer: str, *, market_is_known: bool) -> tuple[str, ...]:
    """To be kept with the order."""
    fields = order.signed_fields
    return Names(
        order.client_order_id or "",
        fields.salt,
        signer,
        order.type,
        ISOLATED if fields.is_isolated else "",
        str(fields.signed_at_millis),
        "" if market_is_known else fields.symbol,
    )


def names_placed(terms: OrderPlaced) -> Names:
    assert terms.instructions is not None
    return Names(*terms.instructions.names)  # type: ignore[arg-type]  # its type was one of the words when it came


def names_refused(event: OrderRefused) -> RefusedNames:
    order_hash, quantity, *names = event.names
    return RefusedNames(order_hash, quantity, Names(*names))  # type: ignore[arg-type]
