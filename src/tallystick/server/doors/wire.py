"""What the doors show, as types. Amounts are decimal strings, times ISO 8601 in UTC; None where there is nothing."""

from typing import Any

from msgspec import Struct

from tallystick.facts.instants import instant as instant
from tallystick.server.doors.contracts import ContractView


def instant_or_none(time_us: int) -> str | None:
    return instant(time_us) if time_us else None


class Balance(Struct, frozen=True):
    """``available`` may be spent, what is not settled yet included; of that ``withdrawable`` is settled."""

    asset: str
    settled: str
    receivable: str
    payable: str
    reserved: str
    available: str
    withdrawable: str


class Account(Struct, frozen=True):
    """``cancel_request`` is the one that is ending its orders, while it is under way."""

    id: str
    role: str
    owner: str
    status: str
    flags: list[str]
    balances: list[Balance]
    cancel_request: int | None


class Asset(Struct, frozen=True):
    name: str
    scale: int
    kind: str


class Market(Struct, frozen=True):
    id: str
    symbol: str
    title: str
    status: str
    unit: str
    currency: str
    price_scale: int
    increment: str
    professionals_only: bool
    quantity_min: str
    cash_min: str
    cash_increment: str
    traits: dict[str, str]
    cancel_request: int | None
    contract: ContractView | None


class Size(Struct, frozen=True):
    """``kind`` says what the amounts count: units of the market or cash of its currency.

    While open ``amount = consumed + pending + leaves``, once closed ``consumed + pending + released``.
    """

    kind: str
    amount: str
    consumed: str
    pending: str
    leaves: str
    released: str


class Waits(Struct, frozen=True):
    prerequisite: str
    until: str | None


class Retry(Struct, frozen=True):
    """So many attempts have failed, the last for ``reason``; the next is at ``next_at``."""

    attempts: int
    reason: str
    next_at: str | None


class Leg(Struct, frozen=True):
    order: str
    account: str
    quantity: str
    notional: str
    fee: str


class Trade(Struct, frozen=True):
    """``due_at`` is when it settles, on its ``value_date``; ``retry`` what became of settling it so far."""

    id: str
    status: str
    market: str
    price: str
    legs: list[Leg]
    value_date: str
    executed_at: str
    due_at: str | None
    settled_at: str | None
    retry: Retry | None


class Order(Struct, frozen=True):
    """``client_key`` is what its owner knows it by: a key of his own, or a hash.

    ``final``: it is closed and each of its trades is settled, so nothing of it moves any more. Until then what is
    ``executed`` is certain and not settled, and what is pending may still be undone.
    """

    id: str
    client_key: str
    account: str
    market: str
    side: str
    type: str
    status: str
    final: bool
    size: Size
    quantity: str
    notional: str
    fees: str
    reserved: str
    reserved_asset: str
    executed: int
    waits_for: Waits | None
    retry: Retry | None
    placed_at: str
    updated_at: str
    trades: list[Trade]


class Ending(Struct, frozen=True):
    """How an order ended: its last status, the verdict of the station that executes, and why."""

    status: str
    verdict: str | None
    reason: str | None
    cancel_request: int | None
    at: str


class Entry(Struct, frozen=True):
    """One decision: who wanted it and why (empty: the venue itself), and what happened by it, in order."""

    sequence: int
    time: str
    cause: str
    by: str
    reason: str
    events: list[dict[str, Any]]


class OrderHistory(Struct, frozen=True):
    """``entries`` are all, oldest first, unless ``more`` have been left out at the end."""

    order: Order
    ended: Ending | None
    entries: list[Entry]
    more: bool


class CancelRequest(Struct, frozen=True):
    """``done`` orders were ended by it so far. Its ``orders`` are named where it is about single ones."""

    number: int
    scope: str
    subject: str | None
    finished: bool
    done: int
    reason: str
    by: str
    words: str
    made_at: str
    orders: dict[str, str]
