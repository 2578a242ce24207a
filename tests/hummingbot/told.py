"""A connector with its tracker, told what happens in a few words, and what its listeners were told in a few letters.

The words of a line: a state (``OPEN``), ``fill 4`` (with the next trade id), ``again`` (the last fill once more),
``miss`` (a denial), ``STATE@9`` (said as of that time), ``STATE=id`` (with the venue's id), ``expired``.
The letters: C created, F filled, D completed, X cancelled, E expired, ! failed.
"""

import asyncio
from decimal import Decimal
from typing import Any

from tallystick.dialects.hummingbot import (
    AddedToCostTradeFee,
    ClientOrderTracker,
    ExchangeBase,
    InFlightOrder,
    MarketEvent,
    OrderState,
    OrderType,
    OrderUpdate,
    TradeType,
    TradeUpdate,
)

PAIR = "ACME-USD"
LETTERS = {
    MarketEvent.BuyOrderCreated: "C",
    MarketEvent.SellOrderCreated: "C",
    MarketEvent.OrderFilled: "F",
    MarketEvent.BuyOrderCompleted: "D",
    MarketEvent.SellOrderCompleted: "D",
    MarketEvent.OrderCancelled: "X",
    MarketEvent.OrderExpired: "E",
    MarketEvent.OrderFailure: "!",
}


class Impatient(ClientOrderTracker):
    """Waits for no fill and no word longer than one turn of the loop."""

    TRADE_FILLS_WAIT_TIMEOUT = 0.0


def order(amount: str = "10", order_id: str = "o1", **changes: Any) -> InFlightOrder:
    terms: dict[str, Any] = {
        "client_order_id": order_id,
        "trading_pair": PAIR,
        "order_type": OrderType.LIMIT,
        "trade_type": TradeType.BUY,
        "amount": Decimal(amount),
        "creation_timestamp": 1_700_000_000.0,
        "price": Decimal("2.5"),
    }
    return InFlightOrder(**{**terms, **changes})


def trade(trade_id: str, amount: str, client_order_id: str = "o1", exchange_order_id: str = "v1") -> TradeUpdate:
    quantity = Decimal(amount)
    return TradeUpdate(
        trade_id=trade_id,
        client_order_id=client_order_id,
        exchange_order_id=exchange_order_id,
        trading_pair=PAIR,
        fill_timestamp=1_700_000_001.0,
        fill_price=Decimal("2.5"),
        fill_base_amount=quantity,
        fill_quote_amount=quantity * Decimal("2.5"),
        fee=AddedToCostTradeFee(),
    )


def update(state: OrderState, at: float = 1.0, exchange_order_id: str | None = None, **misc: Any) -> OrderUpdate:
    return OrderUpdate(PAIR, at, state, "o1", exchange_order_id, misc or None)


class Told:
    """To be made in a running loop. ``events`` are (letter, event) of all that was told; ``updates`` the others."""

    def __init__(self, tracker_class: type[ClientOrderTracker] = Impatient, **settings: Any) -> None:
        self.connector = ExchangeBase()
        self.connector._set_current_timestamp(1_700_000_000.0)
        self.tracker = tracker_class(self.connector, **settings)
        self.events: list[tuple[str, Any]] = []
        self.updates: list[Any] = []
        self._listeners = [self._listener(letter) for letter in LETTERS.values()]
        for tag, listener in zip(LETTERS, self._listeners, strict=True):
            self.connector.add_listener(tag, listener)
        self.connector.add_listener(MarketEvent.OrderUpdate, self.updates.append)
        self.trades = 0

    def _listener(self, letter: str) -> Any:
        return lambda event: self.events.append((letter, event))

    @property
    def letters(self) -> str:
        return " ".join(letter for letter, _ in self.events)

    def of(self, letter: str) -> list[Any]:
        return [event for each, event in self.events if each == letter]

    async def live(self, line: str, subject: InFlightOrder | None = None) -> InFlightOrder:
        """One order, and what is said of it."""
        subject = order() if subject is None else subject
        self.tracker.start_tracking_order(subject)
        await self.hear(line)
        return subject

    async def hear(self, line: str) -> None:
        for word in filter(None, (each.strip() for each in line.split(","))):
            await self._hear(word)

    async def _hear(self, word: str) -> None:
        if word.startswith("fill"):
            self.trades += 1
            self.tracker.process_trade_update(trade(f"t{self.trades}", word.split()[1]))
        elif word == "again":
            self.tracker.process_trade_update(trade(f"t{self.trades}", "4"))
        elif word == "miss":
            await self.tracker.process_order_not_found("o1")
        elif word == "expired":
            await self.tracker.process_order_update(update(OrderState.CANCELED, expired=True))
        else:
            word, _, exchange_order_id = word.partition("=")
            state, _, at = word.partition("@")
            said = update(OrderState[state], float(at or 1), exchange_order_id or None)
            await self.tracker.process_order_update(said)


def letters_of(line: str, **settings: Any) -> tuple[str, str]:
    """What listeners are told when this happens to one order, and the state that it shows then."""

    async def play() -> tuple[str, str]:
        told = Told(**settings)
        subject = await told.live(line)
        await asyncio.sleep(0)
        return told.letters, subject.current_state.name

    return asyncio.run(play())
