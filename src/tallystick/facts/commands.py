"""What a venue can be asked to decide, what it was told beside it, and what it answers.

Commands come validated in form by a dialect; whether they are acceptable is decided by the venue's rules. They are
tagged, so that a recorded list of them can be decided again.
"""

from msgspec import Struct

from tallystick.facts.codes import BUY_SELL, OWNED
from tallystick.facts.venue import Contract, Instructions


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
    kind: int = OWNED


class DefineMarket(Command, frozen=True, gc=False):
    """``unit`` and ``currency`` are the names of assets; the rest is as in ``MarketDefined``.

    With a ``contract`` the unit is a position, and so is the ``basis``, which its contract names by number.
    """

    name: str
    symbol: str
    title: str
    unit: str
    currency: str
    price_scale: int
    increment: int
    by: str = ""
    reason: str = ""
    status: int = BUY_SELL
    pros_only: bool = False
    quantity_min: int = 0
    cash_min: int = 0
    cash_increment: int = 0
    traits: tuple[tuple[str, str], ...] = ()
    contract: Contract | None = None


class ChangeMarket(Command, frozen=True, gc=False):
    """From now on the market takes orders for ``status``; one that is not trading ends the orders it has."""

    market: int
    status: int
    by: str = ""
    reason: str = ""


class OpenAccount(Command, frozen=True, gc=False):
    """``owner`` is the client whose account it is, ``flags`` what is particular about it."""

    name: str
    role: int
    by: str = ""
    reason: str = ""
    owner: str = ""
    flags: int = 0


class ChangeAccount(Command, frozen=True, gc=False):
    """From now on the account is this; None leaves a thing as it is. Suspending it ends the orders it has."""

    account: int
    status: int | None = None
    flags: int | None = None
    owner: str | None = None
    by: str = ""
    reason: str = ""


class Transfer(Command, frozen=True, gc=False):
    """Accounts are given by number, the asset by its name, the amount at its scale.

    ``reference`` is its sender's word for it: a customer's transfer that comes again under it is not made again.
    """

    payer: int
    payee: int
    asset: str
    amount: int
    by: str = ""
    reason: str = ""
    reference: str = ""


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
    instructions: Instructions | None = None


class CancelOrders(Command, frozen=True, gc=False):
    """Cancel these orders; the answer is a request, whose outcomes are facts.

    Where orders are known by names of their owner's, ``names`` are those to cancel of the ``account``; without any, all
    that it has in the ``market``, or all that stand by there.
    """

    orders: tuple[int, ...]
    by: str = ""
    reason: str = ""
    account: int = 0
    market: int = 0
    names: tuple[str, ...] = ()
    standby: bool = False


class ChangeLeverage(Command, frozen=True, gc=False):
    """From now on the account's positions and orders in the market have this leverage, in parts of 10**9."""

    account: int
    market: int
    leverage: int
    by: str = ""
    reason: str = ""


class ClearPrerequisite(Command, frozen=True, gc=False):
    """What the PENDING order waits for is there (``passed``), or will never be, which ends the order."""

    order: int
    passed: bool
    by: str = ""
    reason: str = ""


class ExecutePart(Command, frozen=True, gc=False):
    """Trade ``quantity`` of an executing order now (0: all that is left), at ``price`` (0: the market's)."""

    order: int
    quantity: int = 0
    price: int = 0
    by: str = ""
    reason: str = ""


class FailExecution(Command, frozen=True, gc=False):
    """An attempt to execute the order fails: it is tried again, or, unless ``retriable``, the order ends."""

    order: int
    retriable: bool
    by: str = ""
    reason: str = ""


class SettleTrade(Command, frozen=True, gc=False):
    """The trade settles now, whatever its value date; or, if ``failed``, it could not be settled."""

    trade: int
    failed: bool = False
    by: str = ""
    reason: str = ""


class Hold(Command, frozen=True, gc=False):
    """No order of the market (0: of any) goes beyond ``stage`` until it is released. Ambient, as a quote is."""

    stage: int
    market: int = 0
    release: bool = False
    by: str = ""
    reason: str = ""


class Quote(Command, frozen=True, gc=False):
    """The market's price is now this, at the market's price scale. Ambient: it is not a fact and is not journaled."""

    market: int
    price: int
    by: str = ""
    reason: str = ""


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


class Known(Struct, frozen=True, gc=False):
    """What the shell looked up for a command in the tables of what has left the state: what its owner's key was used
    for ``since`` then, an ``order`` or a refusal; 0, "" and None mean nothing."""

    order: int = 0
    fingerprint: str = ""
    since: int = 0
    refused: Refused | None = None


NOTHING_KNOWN = Known()
