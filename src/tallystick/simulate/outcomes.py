"""Whether an entry is what was asked for: its first fact says what the command said."""

from collections.abc import Iterable
from typing import Any, Final

from tallystick.facts.codes import PREREQUISITE_FAILED
from tallystick.facts.commands import (
    Accepted,
    CancelOrders,
    ChangeAccount,
    ChangeMarket,
    ClearPrerequisite,
    ExecutePart,
    FailExecution,
    PlaceOrder,
    SettleTrade,
    Transfer,
)
from tallystick.facts.venue import (
    AccountChanged,
    Entry,
    ExecutionFailed,
    MarketChanged,
    OrderCancelled,
    OrderFilled,
    OrderPlaced,
    PrerequisiteCleared,
    SettlementFailed,
    TradeMade,
    TradeSettled,
    Transferred,
)

_ORDER_TERMS: Final = ("account", "market", "side", "order_type", "kind", "size", "client_key", "fingerprint")


def carries_out(entry: Entry, command: Any, answer: Accepted) -> bool:
    """Whether the entry, with the number in the answer, is what became of the command."""
    event: Any = entry.events[0]
    if isinstance(command, PlaceOrder):
        return isinstance(event, OrderPlaced) and event.order == answer.number and _same(event, command, _ORDER_TERMS)
    if isinstance(command, Transfer):
        return isinstance(event, Transferred) and _same(event, command, ("payer", "payee", "amount", "reference"))
    if isinstance(command, CancelOrders):
        return bool(event.request == answer.number and event.orders == command.orders)
    if isinstance(command, ChangeMarket):
        return isinstance(event, MarketChanged) and _same(event, command, ("market", "status"))
    if isinstance(command, ChangeAccount):
        given = [name for name in ("status", "flags", "owner") if getattr(command, name) is not None]
        return isinstance(event, AccountChanged) and _same(event, command, ("account", *given))
    if isinstance(command, ClearPrerequisite | ExecutePart | FailExecution):
        return bool(event.order == command.order == answer.number) and _is_step(event, command)
    if isinstance(command, SettleTrade):
        kind = SettlementFailed if command.failed else TradeSettled
        return isinstance(event, kind) and event.trade == command.trade
    return bool(event.name == command.name)


def _is_step(event: Any, command: ClearPrerequisite | ExecutePart | FailExecution) -> bool:
    if isinstance(command, ClearPrerequisite):
        if command.passed:
            return isinstance(event, PrerequisiteCleared)
        return isinstance(event, OrderCancelled) and event.reason == PREREQUISITE_FAILED
    if isinstance(command, ExecutePart):
        return isinstance(event, TradeMade) and command.quantity in (0, event.legs[0].quantity)
    return isinstance(event, ExecutionFailed if command.retriable else OrderCancelled | OrderFilled)


def _same(event: Any, command: Any, names: Iterable[str]) -> bool:
    return all(getattr(event, name) == getattr(command, name) for name in names)
