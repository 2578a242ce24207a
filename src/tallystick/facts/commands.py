"""What a venue can be asked to decide, what it was told beside it, and what it answers.

Commands come validated in form by a dialect; whether they are acceptable is decided by the venue's rules. They are
tagged, so that a recorded list of them can be decided again.
"""

from msgspec import Struct


class Command(Struct, frozen=True, gc=False, tag=True):
    """``by`` is who asks (a client, an operator); ``reason`` is their word for it. Both go to the journal's cause."""


class OpenVenue(Command, frozen=True, gc=False):
    """The first command of a venue's life. What is done stays in its state for ``retain_us`` microseconds."""

    name: str
    key_check: str
    by: str = ""
    reason: str = ""
    retain_us: int = 600_000_000


class DefineAsset(Command, frozen=True, gc=False):
    name: str
    scale: int
    by: str = ""
    reason: str = ""


class DefineMarket(Command, frozen=True, gc=False):
    """``unit`` and ``currency`` are the names of assets."""

    name: str
    symbol: str
    title: str
    unit: str
    currency: str
    price_scale: int
    increment: int
    by: str = ""
    reason: str = ""


class OpenAccount(Command, frozen=True, gc=False):
    name: str
    role: int
    by: str = ""
    reason: str = ""


class Transfer(Command, frozen=True, gc=False):
    """Accounts are given by number, the asset by its name, the amount at its scale."""

    payer: int
    payee: int
    asset: str
    amount: int
    by: str = ""
    reason: str = ""


class PlaceOrder(Command, frozen=True, gc=False):
    account: int
    market: int
    side: int
    order_type: int
    kind: int
    size: int
    client_key: str = ""
    fingerprint: str = ""
    by: str = ""
    reason: str = ""


class CancelOrders(Command, frozen=True, gc=False):
    """Cancel these orders; the answer is a request, whose outcomes are facts."""

    orders: tuple[int, ...]
    by: str = ""
    reason: str = ""


class Quote(Command, frozen=True, gc=False):
    """The market's price is now this, at the market's price scale. Ambient: it is not a fact and is not journaled."""

    market: int
    price: int
    by: str = ""
    reason: str = ""


class Known(Struct, frozen=True, gc=False):
    """What the shell looked up for a command in the tables of what has left the state: 0 and "" mean nothing."""

    order: int = 0
    fingerprint: str = ""


NOTHING_KNOWN = Known()


class Accepted(Struct, frozen=True, gc=False):
    """Carried out; ``number`` is what it made: an order, an account, a request."""

    number: int


class Exists(Struct, frozen=True, gc=False):
    """The same request was carried out before; ``number`` is what it made then. Nothing changed."""

    number: int


class Refused(Struct, frozen=True, gc=False):
    """Not carried out, and nothing changed. ``field`` names the part of the command that it is about."""

    code: str
    detail: str
    field: str = ""


Answer = Accepted | Exists | Refused
