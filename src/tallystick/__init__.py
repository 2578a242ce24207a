"""Tallystick: one deterministic order lifecycle for both parties."""

from contextlib import AbstractAsyncContextManager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import tallystick.connect as _room  # first, so that the name is the function's afterwards

if TYPE_CHECKING:
    from tallystick.connect.client import Client, Venue
    from tallystick.connect.errors import (
        Ambiguous,
        CannotStart,
        ConnectError,
        CutOff,
        NoSuchMarket,
        NoSuchOrder,
        NotSent,
        NotThere,
        RateLimited,
        Refused,
        SignInRefused,
        StoreStopped,
        Unreadable,
        VenueError,
    )
    from tallystick.connect.events import (
        TERMINAL,
        BuyOrderCompletedEvent,
        BuyOrderCreatedEvent,
        Event,
        Fee,
        MarketOrderFailureEvent,
        OrderCancelledEvent,
        OrderCompletedEvent,
        OrderCreatedEvent,
        OrderEvent,
        OrderExpiredEvent,
        OrderFilledEvent,
        OrderType,
        OrderUpdatedEvent,
        SellOrderCompletedEvent,
        SellOrderCreatedEvent,
        TradeType,
    )
    from tallystick.connect.limits import Limits
    from tallystick.connect.port import Connector

__version__ = "0.1.0"

__all__ = [
    "TERMINAL",
    "Ambiguous",
    "BuyOrderCompletedEvent",
    "BuyOrderCreatedEvent",
    "CannotStart",
    "Client",
    "ConnectError",
    "Connector",
    "CutOff",
    "Event",
    "Fee",
    "Limits",
    "MarketOrderFailureEvent",
    "NoSuchMarket",
    "NoSuchOrder",
    "NotSent",
    "NotThere",
    "OrderCancelledEvent",
    "OrderCompletedEvent",
    "OrderCreatedEvent",
    "OrderEvent",
    "OrderExpiredEvent",
    "OrderFilledEvent",
    "OrderType",
    "OrderUpdatedEvent",
    "RateLimited",
    "Refused",
    "SellOrderCompletedEvent",
    "SellOrderCreatedEvent",
    "SignInRefused",
    "StoreStopped",
    "TradeType",
    "Unreadable",
    "Venue",
    "VenueError",
    "__version__",
    "connect",
]

_ROOMS: Final = ("client", "errors", "events", "limits", "port")


def connect(
    connector: "str | Connector",
    *,
    journal: str | Path | None = None,
    limits: "Limits | None" = None,
    ready_seconds: float = 10.0,
    without_trust: bool = False,
    silence_seconds: float = 0.0,
    **settings: Any,
) -> "AbstractAsyncContextManager[Venue]":
    """One venue, with a journal of its own: ``async with tallystick.connect("sophic", url=…) as venue``.

    ``connector`` is a name, whose ``settings`` follow, or one that was made before. ``journal`` is a folder; without
    one nothing is remembered when the process ends. The rest is as in Client.add; for several venues use a Client.
    """
    from tallystick.connect.client import connected
    from tallystick.dialects.connectors import connector as named

    made = named(connector, **settings) if isinstance(connector, str) else connector
    return connected(
        made,
        journal=journal,
        limits=limits,
        ready_seconds=ready_seconds,
        without_trust=without_trust,
        silence_seconds=silence_seconds,
    )


def __getattr__(name: str) -> Any:
    """The public names are found when they are first used: a server need not load what clients need."""
    if name in __all__:
        for room in _ROOMS:
            module = import_module(f"{_room.__name__}.{room}")
            if name in vars(module):
                return vars(module)[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
